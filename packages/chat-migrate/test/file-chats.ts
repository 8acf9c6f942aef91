import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDocument } from '@chatdoc/sync';
import { type ChatFile, openChatFile } from '@chatdoc/sync/file';
import { onTestFinished } from 'vitest';
import { type CommitOptions, type CommitResult, commitMigration } from '../src/commit/index.js';

/** Chats in folders, for what is done with files. */

const row = (sender_id: string, minute: number, content: string, fields: object = {}): string => {
  const date = new Date(Date.UTC(2024, 10, 21, 10, minute)).toISOString();
  return JSON.stringify({
    event: 'chat',
    sender_id,
    date,
    history: [{ content, date, author_id: sender_id }],
    ...fields,
  });
};

const ROWS = [row('ada', 0, 'Shall we ship?'), row('bob', 1, 'Yes.'), row('cyd', 2, 'Lunch?')];
const DRAFT = JSON.stringify({ event: 'draft', sender_id: 'ada', date: 0, input: 'I am not su' });
export const CHAT: string = `${[...ROWS, DRAFT].join('\n')}\n`;
/** The same chat later. */
export const LATER: string = `${CHAT}${row('ada', 9, 'Noon.')}\n`;
export const OTHER: string = `${row('eve', 30, 'Of something else')}\n`;

/** A folder of its own for one test, with these files. */
export function createFolder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-migrate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Every file of a folder by name, as Latin-1. */
export function readFolder(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}

export async function commit(
  path: string,
  options: CommitOptions = {},
): Promise<Extract<CommitResult, { ok: true }>> {
  const result = await commitMigration(path, options);
  if (!result.ok) throw new Error(`not migrated: ${result.code} ${result.path}`);
  return result;
}

export async function open(path: string): Promise<ChatFile> {
  const opened = await openChatFile(path, { flush: 'manual' });
  if (!opened.ok) throw new Error(`not opened: ${opened.code}`);
  return opened.file;
}

/** What the messages of a document file say, in order; undefined where it does not open, or not whole. */
export function textsIn(bytes: Uint8Array | undefined): readonly string[] | undefined {
  const read = bytes === undefined ? undefined : readDocument(bytes);
  if (read?.ok !== true) return undefined;
  const { damaged_bytes, gaps, torn_bytes } = read.report;
  if (damaged_bytes + gaps + torn_bytes > 0) return undefined;
  return textsOf(read.chat);
}

export function textsOf(chat: Pick<ChatFile['chat'], 'threads' | 'messages'>): string[] {
  return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}
