import { join } from 'node:path';
import type { Attempt, Chat, Message } from '@chatdoc/schema';
import { openChatFile } from '@chatdoc/sync/file';
import * as Y from 'yjs';
import { findFault } from './answers.js';
import { DOC_ID } from './wire.js';

export interface Outcome {
  readonly digest: string;
  /** What is wrong, each in a sentence. */
  readonly broken: readonly string[];
  /** Of the whole run, as the document tells them. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Reads the document file that the hub has left, and finds what no run may do. */
export async function judge(directory: string, saved: ReadonlyMap<number, number>): Promise<Outcome> {
  const doc = new Y.Doc();
  const opened = await openChatFile(join(directory, `${DOC_ID}.ychat`), { doc, readOnly: true });
  if (!opened.ok) return { digest: '', broken: [`the file: ${opened.code}`], counts: {} };
  const { chat } = opened.file;
  const lines = chat
    .toJSONL()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const broken = [...listLost(doc, saved), ...findDamage(chat), ...findWrong(chat, lines)];
  const digest = chat.digest();
  const counts = count(chat, lines);
  await opened.file.close();
  return { digest, broken, counts };
}

/** What somebody was told to be saved and is not on the disk. Sound at any moment at which the hub is dead. */
export async function findLost(directory: string, saved: ReadonlyMap<number, number>): Promise<string[]> {
  const doc = new Y.Doc();
  const opened = await openChatFile(join(directory, `${DOC_ID}.ychat`), { doc, readOnly: true });
  if (opened.ok) await opened.file.close();
  return listLost(doc, saved);
}

type Line = Readonly<Record<string, unknown>>;

function listLost(doc: Y.Doc, saved: ReadonlyMap<number, number>): string[] {
  const held = Y.decodeStateVector(Y.encodeStateVector(doc));
  return [...saved]
    .filter(([client, clock]) => (held.get(client) ?? 0) < clock)
    .map(
      ([client, clock]) =>
        `of ${clock} that client ${client} was told to be saved ${held.get(client) ?? 0} are`,
    );
}

function findDamage(chat: Chat): string[] {
  const { quarantined, duplicates, damaged, foreign, ignored, unknown_types } = chat.report();
  const waiting = Object.values(chat.waiting()).reduce((sum, number) => sum + number, 0);
  const found = { quarantined, duplicates, damaged, waiting };
  const counted = { ...found, foreign: foreign.length, ignored: ignored.length, ...unknown_types };
  return Object.entries(counted)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${number} ${name}`);
}

function findWrong(chat: Chat, lines: readonly Line[]): string[] {
  const finished = new Set(lines.filter(({ type }) => type === 'finish').map(({ attempt }) => attempt));
  const stopped = new Set(lines.filter(({ type }) => type === 'stop').map(({ message_id }) => message_id));
  const broken: string[] = [];
  for (const { thread_id } of chat.threads()) {
    const messages = chat.messages(thread_id);
    for (const prompt of messages) {
      if (prompt.expects !== 'answer') continue;
      const answers = messages.filter(({ prompt_id }) => prompt_id === prompt.message_id);
      if (answers.length > 1) broken.push('a prompt has two answers');
      if (answers.length === 0 && !stopped.has(prompt.message_id)) broken.push('a prompt has no answer');
      for (const attempt of answers.flatMap(listAttempts)) {
        if (attempt.state === 'open') broken.push('an attempt is open');
        const fault = findFault(prompt, attempt, finished.has(attempt.attempt));
        if (fault !== undefined) broken.push(`an answer of ${attempt.finish_reason}: ${fault}`);
      }
    }
  }
  return broken;
}

function listAttempts({ attempt, alternates }: Message): readonly Attempt[] {
  return attempt === undefined ? alternates : [attempt, ...alternates];
}

function count(chat: Chat, lines: readonly Line[]): Record<string, number> {
  const of = (type: string): number => lines.filter((line) => line['type'] === type).length;
  const answers = chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id).filter(({ prompt_id }) => prompt_id));
  const reasons: Record<string, number> = {};
  for (const { finish_reason = 'none' } of answers.flatMap(listAttempts)) {
    reasons[`attempts: ${finish_reason}`] = (reasons[`attempts: ${finish_reason}`] ?? 0) + 1;
  }
  return {
    prompts: lines.filter(({ expects }) => expects === 'answer').length,
    stops: of('stop'),
    'turns interrupted': of('interrupt'),
    'turns continued': lines.filter(({ key }) => key === 'turn:continue').length,
    retries: of('retry'),
    ...Object.fromEntries(Object.entries(reasons).sort()),
    lines: lines.length,
  };
}
