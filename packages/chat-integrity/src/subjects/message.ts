import { type Chat, deriveAnswerId, type Message } from '@chatdoc/schema';
import { findHeads } from '@chatdoc/schema/internal';
import { type LineFacts, type LooseEntry, readLines } from '../facts.js';

/** The record kept of one message, or of what is about a message that is not in the document. */
export interface MessageRecord {
  /** Undefined where it is not in the document. */
  readonly message: Message | undefined;
  /** More than the message has. Undefined of a plain one, as most are. */
  readonly unusual: UnusualRecord | undefined;
}

interface UnusualRecord {
  /** Its id derives from the prompt that it names. */
  readonly isAnswer: boolean;
  /** Some line of it is its own attempt. */
  readonly isOwnAttempt: boolean;
  /** Other attempts that its lines name. */
  readonly attempts: readonly string[];
  /** Of each line that answers a prompt under another id than that of its answer: the prompt. */
  readonly forged: readonly string[];
  readonly contested: number;
  /** Stops and retries about it. */
  readonly turns: number;
  /** Revisions, redactions, interrupts and annotations about it. */
  readonly others: number;
}

/** A message as read, and the lines about it; of a plain message none. */
export interface ReadMessage {
  readonly record: MessageRecord;
  readonly lines: Pick<LineFacts, 'entries' | 'faults'> | undefined;
}

/** Reads one message again. O(lines about it). */
export function readMessage(chat: Chat, id: string): ReadMessage {
  const message = chat.message(id);
  if (message !== undefined && chat.inspector.isPlain(id))
    return { record: { message, unusual: undefined }, lines: undefined };
  const lines = readLines(chat, 'message', id);
  return { record: { message, unusual: readUnusual(id, message, lines.entries) }, lines };
}

/** It asks for an answer. */
export function expectsAnswer(record: MessageRecord | undefined): boolean {
  return record?.message !== undefined && asksAgent(record.message);
}

/** An agent is asked. */
export function asksAgent({ expects }: Message): boolean {
  return expects === 'answer';
}

/** Its id derives from the prompt that it names. Of a plain message so: a forged answer has a problem. */
export function isAnswer({ message, unusual }: MessageRecord): boolean {
  return unusual === undefined ? message?.prompt_id !== undefined : unusual.isAnswer;
}

/** The message is an attempt of its own. */
export function isOwnAttempt(record: MessageRecord | undefined): boolean {
  if (record === undefined) return false;
  const { message, unusual } = record;
  return unusual === undefined ? message?.attempt === undefined : unusual.isOwnAttempt;
}

/** Other attempts that its lines name. */
export function listAttempts(record: MessageRecord | undefined): readonly string[] {
  if (record?.unusual !== undefined) return record.unusual.attempts;
  const attempt = record?.message?.attempt;
  return attempt === undefined ? NONE : [attempt.attempt];
}

/** Those of its attempts that are open. */
export function listOpen({ message }: MessageRecord): readonly string[] {
  const attempt = message?.attempt;
  if (message === undefined || attempt === undefined) return NONE;
  if (attempt.state !== 'open' && message.alternates.length === 0) return NONE;
  return [attempt, ...message.alternates].filter(({ state }) => state === 'open').map((each) => each.attempt);
}

function readUnusual(
  id: string,
  message: Message | undefined,
  entries: readonly LooseEntry[],
): UnusualRecord {
  const prompt = message?.prompt_id;
  const isReal = prompt !== undefined && (message?.problem === undefined || deriveAnswerId(prompt) === id);
  const attempts = new Set<string>();
  const forged: string[] = [];
  const revisions: LooseEntry<'revision'>[] = [];
  let isOwn = false;
  let turns = 0;
  let others = 0;
  for (const each of entries) {
    if (isOf(each, 'message')) {
      const { attempt, prompt_id } = each.entry;
      if (attempt === undefined || attempt === id) isOwn = true;
      else attempts.add(attempt);
      if (attempt === undefined || prompt_id === undefined || (isReal && prompt_id === prompt)) continue;
      if (deriveAnswerId(prompt_id) !== id) forged.push(prompt_id);
    } else if (each.type === 'stop' || each.type === 'retry') turns += 1;
    else others += 1;
    if (isOf(each, 'revision')) revisions.push(each);
  }
  return {
    isAnswer: isReal,
    isOwnAttempt: isOwn,
    attempts: [...attempts],
    forged,
    contested: revisions.length < 2 ? 0 : countContested(revisions),
    turns,
    others,
  };
}

function isOf<T extends LooseEntry['type']>(entry: LooseEntry, type: T): entry is LooseEntry<T> {
  return entry.type === type;
}

/** Of the revisions of one message: how many of its attempts, or itself, have more than one that shows. */
function countContested(revisions: readonly LooseEntry<'revision'>[]): number {
  const byAttempt = new Map<
    string,
    { readonly id: string; readonly replaces: readonly string[] | undefined }[]
  >();
  for (const { id, entry } of revisions) {
    const revision = { id, replaces: entry.replaces };
    const known = byAttempt.get(entry.attempt ?? '');
    if (known === undefined) byAttempt.set(entry.attempt ?? '', [revision]);
    else known.push(revision);
  }
  return [...byAttempt.values()].filter((own) => findHeads(own).length > 1).length;
}

const NONE: readonly string[] = Object.freeze([]);
