import { type MigrationPlan, openLegacy } from '@chatdoc/migrate';
import { type Chat, openChat } from '@chatdoc/schema';
import { createHead, KIND, readHead } from '@chatdoc/schema/internal';
import { readDocument } from '@chatdoc/sync';
import type { OpenReport } from '@chatdoc/sync/file';
import * as Y from 'yjs';
import { countNoun } from '../say/nouns.js';
import { type Failure, fail } from './read-source.js';

/** A chat that was read, whatever its file holds. Nothing is written back. */
export interface OpenedChat {
  readonly ok: true;
  readonly format: 'chatdoc' | MigrationPlan['format'];
  readonly chat: Chat;
  /** Of a document file. */
  readonly doc_id?: string;
  /** Of a legacy file: what it was read as. */
  readonly plan?: MigrationPlan;
  /** What was odd about the file itself, for a person. */
  readonly notes: readonly string[];
}

/** Reads a document file, a document in the JSONL form, or a legacy file as `migrate` would write it. */
export function openSource(bytes: Uint8Array): OpenedChat | Failure {
  if (isDocumentFile(bytes)) return openDocumentFile(bytes);
  if (isDocument(bytes)) return openDocument(bytes);
  const opened = openLegacy(bytes);
  if (!opened.ok) return describePlanFailure(bytes, opened);
  const { chat, plan } = opened;
  return { ok: true, format: plan.format, chat, plan, notes: [] };
}

/** Frames begin with this, also those of later versions. */
const MAGIC = Buffer.from([0x89, 0x59, 0x43, 0x54]);

/** Whether it is a `.ychat`, by its first frame, or by any if the first is damaged. */
export function isDocumentFile(bytes: Uint8Array): boolean {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = all.indexOf(MAGIC);
  // A text may hold the same bytes (`ÉYCT`), but no zero, and every frame has some.
  return at === 0 || (at > 0 && all.includes(0));
}

function openDocumentFile(bytes: Uint8Array): OpenedChat | Failure {
  const read = readDocument(bytes);
  if (!read.ok) return describeDocumentFault(read.code);
  const { chat, doc_id, report } = read;
  return { ok: true, format: 'chatdoc', chat, doc_id, notes: describeReport(report) };
}

/** What is odd about a document file, for a person. */
export function describeReport(report: OpenReport): readonly string[] {
  const { torn_bytes, damaged_bytes, gaps, strangers } = report;
  const notes: string[] = [];
  if (torn_bytes > 0) {
    notes.push(
      `${countNoun(torn_bytes, 'byte')} at the end are a write that did not finish; the rest is whole`,
    );
  }
  if (damaged_bytes > 0) {
    notes.push(
      `${countNoun(damaged_bytes, 'byte')} are damaged; chatdoc recover brings back what can be read`,
    );
  }
  if (gaps > 0) notes.push(`${countNoun(gaps, 'frame')} build on what is damaged, and cannot be shown`);
  if (strangers > 0)
    notes.push(`${countNoun(strangers, 'frame')} of another document are in this file, unread`);
  return notes;
}

/** Why a document file cannot be opened at all. */
export function describeDocumentFault(code: string): Failure {
  switch (code) {
    case 'damaged':
      return fail(
        code,
        'this chatdoc document is damaged from its first frame on; chatdoc recover brings back what can be read',
      );
    case 'later_version':
      return fail(code, 'this document was written by a later version of chatdoc; update chatdoc to read it');
    default:
      return fail('unknown_format', 'this is no chatdoc document');
  }
}

/**
 * Whether it is in the JSONL form, by any of its lines: the first may be damaged, and lines that lost their header
 * come before all others.
 */
export function isDocument(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = text.indexOf(START); at >= 0; at = text.indexOf(START, at + 1)) {
    const isLine =
      at === 0 || text[at - 1] === NEWLINE || (at === BOM.length && text.subarray(0, at).equals(BOM));
    if (!isLine) continue;
    // A head is a type and at most a few ids.
    const line = text.toString('latin1', at, at + HEAD_LENGTH);
    readHead(line, 0, line.length, head);
    if (head.kind !== KIND.bad && head.kind !== KIND.unknown) return true;
  }
  return false;
}

const START = '{"type":"';
const HEAD_LENGTH = 256;
const head = createHead();
const NEWLINE = 10;
const BOM = Buffer.from('\ufeff');

function openDocument(bytes: Uint8Array): OpenedChat | Failure {
  const notes: string[] = [];
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder('utf-8').decode(bytes);
    notes.push('some bytes are no UTF-8: the file is damaged; compare it with a backup');
  }
  if (!text.endsWith('\n')) {
    notes.push('the file ends in the middle of a line: it was cut off; compare it with a backup');
  }
  // No JSON string holds a bare return: an editor or a mail program put it there.
  const opened = importText(text.replaceAll('\r\n', '\n'));
  return 'code' in opened ? opened : { ok: true, format: 'chatdoc', chat: opened, notes };
}

function importText(text: string): Chat | Failure {
  const chat = openChat(new Y.Doc());
  const result = chat.importJSONL(text);
  if (result.ok) return chat;
  return result.code === 'import_no_header'
    ? fail(
        result.code,
        'this is a chatdoc document without any of its lane lines: it is damaged; restore a whole copy',
      )
    : fail(result.code, `this document cannot be read (${result.code})`);
}

/** What may stand in place of a chat that was never one. */
export function describePlanFailure(
  bytes: Uint8Array,
  failure: { readonly code: string; readonly message: string },
): Failure {
  if (failure.code !== 'unknown_format') return fail(failure.code, failure.message);
  if (bytes.subarray(0, 65_536).includes(0)) {
    return fail(
      'binary',
      'this is a binary file, and no chat; chatdoc reads the chats of CoCalc and jupyter-chat, and its own documents',
    );
  }
  return fail('unknown_format', failure.message);
}

export const FORMAT_NAMES: Readonly<Record<OpenedChat['format'], string>> = {
  chatdoc: 'chatdoc document',
  cocalc: 'CoCalc chat',
  jupyter: 'jupyter-chat document',
  relational: 'table of threads',
  tasks: 'table of messages',
  'claude-code': 'Claude Code session',
  codex: 'Codex rollout',
  chatgpt: 'ChatGPT export',
  'claude-ai': 'Claude.ai export',
  'open-webui': 'Open WebUI export',
  librechat: 'LibreChat export',
  messages: 'table of messages',
  empty: 'empty file',
};
