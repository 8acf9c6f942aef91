import { type Chat, openChat } from '@chatdoc/schema';
import { parseLine } from '@chatdoc/schema/internal';
import { adoptStale, rollBackChat } from '@chatdoc/sync';
import {
  type ChatFile,
  createChatFile,
  type FileEnvironment,
  type FileFault,
  moveFile,
  type OpenFault,
  openChatFile,
} from '@chatdoc/sync/file';
import * as Y from 'yjs';
import type { MigrationPlan } from '../plan/plan.js';
import { type MigrationRecord, rolledBackPath } from './record.js';

type DocumentRefusal =
  | FileFault
  | OpenFault
  | { readonly ok: false; readonly code: 'damaged' | 'other_document' | 'not_as_planned' };

/**
 * Opens the document of a migration for writing; no file if there is none. One that a rollback was about to move away
 * when it was killed is moved away.
 */
export async function openPresent(
  output: string,
  record: MigrationRecord,
  environment: FileEnvironment,
): Promise<{ readonly ok: true; readonly file: ChatFile | undefined } | DocumentRefusal> {
  const opened = await openChatFile(output, { fileEnvironment: environment, flush: 'manual' });
  if (!opened.ok) return opened.code === 'not_found' ? { ok: true, file: undefined } : opened;
  const { file } = opened;
  const { doc_id, generation, readOnly } = file;
  if (doc_id === record.doc_id && !readOnly && generation >= record.generation) return { ok: true, file };
  await file.close();
  if (doc_id !== record.doc_id) return { ok: false, code: 'other_document' };
  if (readOnly) return { ok: false, code: 'damaged' };
  const moved = await moveFile(output, rolledBackPath(output, generation), environment);
  return moved.ok ? { ok: true, file: undefined } : moved;
}

/** The state that a commit finds, and its outcome. `lines` is absent where it would make a new document. */
export async function readWithout(
  output: string,
  record: MigrationRecord,
  plan: MigrationPlan,
  environment: FileEnvironment,
): Promise<
  | {
      readonly ok: true;
      readonly outcome: 'written' | 'updated' | 'same';
      readonly generation: number;
      readonly lines?: number;
    }
  | DocumentRefusal
> {
  const created = { ok: true, outcome: 'written', generation: record.generation } as const;
  const opened = await openChatFile(output, { fileEnvironment: environment, readOnly: true });
  if (!opened.ok) return opened.code === 'not_found' ? created : opened;
  const { doc, doc_id, generation, opened: found } = opened.file;
  await opened.file.close();
  if (doc_id !== record.doc_id) return { ok: false, code: 'other_document' };
  if (found.damaged_bytes + found.gaps > 0) return { ok: false, code: 'damaged' };
  if (generation < record.generation) return created;
  const chat = openChat(doc, { generation });
  const lines = addMissing(chat, plan, generation);
  chat.close();
  return { ok: true, outcome: lines > 0 ? 'updated' : 'same', generation, lines };
}

/**
 * Adds the lines of a plan that a document does not have, as from a replica: what was redacted in it stays so. Returns how
 * many those were. A line that is there in any lane is not new: revisions of one chat share most of theirs.
 */
export function addMissing(chat: Chat, { jsonl }: MigrationPlan, generation: number): number {
  const present = listVisible(chat);
  const missing = jsonl.split('\n').filter((line, index) => index === 0 || !present.has(line));
  if (missing.length === 1) return 0;
  const stale = openChat(new Y.Doc());
  stale.importJSONL(`${missing.join('\n')}\n`);
  return adoptStale(chat, stale, generation).lines;
}

/** The lines of a chat except those that a rollback hides, and an empty one. */
function listVisible(chat: Chat): ReadonlySet<string> {
  const visible = new Set(['']);
  let isHidden = false;
  for (const line of chat.toJSONL().split('\n')) {
    const parsed = line.startsWith('{"type":"lane",') ? parseLine(line) : undefined;
    if (parsed?.ok === true) isHidden = parsed.body['rolled_back'] !== undefined;
    if (!isHidden) visible.add(line);
  }
  return visible;
}

/** In a new document after a rollback, what replicas of the earlier generations bring back stays hidden. */
export function createDocument(
  output: string,
  { doc_id, generation, rolled_back }: MigrationRecord,
  planned: Y.Doc,
  environment: FileEnvironment,
): ReturnType<typeof createChatFile> {
  const doc =
    rolled_back.length === 0
      ? planned
      : rollBackChat(openChat(planned), { doc_id, from: 0, to: generation - 1, generation }).doc;
  const options = { fileEnvironment: environment, flush: 'manual' } as const;
  return createChatFile(output, { ...options, doc, doc_id, generation });
}

/** From the disk: it reads as what was written. */
export async function readBack(
  output: string,
  digest: string,
  environment: FileEnvironment,
): Promise<{ readonly ok: true } | DocumentRefusal> {
  const opened = await openChatFile(output, { fileEnvironment: environment, readOnly: true });
  if (!opened.ok) return opened;
  const isAsWritten = opened.file.chat.digest() === digest;
  await opened.file.close();
  return isAsWritten ? { ok: true } : { ok: false, code: 'not_as_planned' };
}
