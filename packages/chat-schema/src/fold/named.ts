import type { MessageEntry } from '../entry/message.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { deriveAnswerId } from '../entry/ulid.js';
import type { EntryIndex } from '../index/entry-index.js';
import { type Chosen, chooseRows } from './choose.js';

/**
 * The attempts that a message names by the lines that count, and who may write each. A plain message is its own
 * attempt; of lines that name attempts those of its prompt count, the others only where there is nothing else.
 */
export function namedAttempts(
  index: EntryIndex,
  ref: number,
): readonly { readonly attempt: number; readonly writers: ReadonlySet<string> }[] {
  const lines = index.messageLines(ref).filter((row) => index.kindOf(row) === KIND.message);
  if (lines.every((row) => !index.hasParts(index.attemptOf(row) ?? ref))) return [];
  const { chosen } = chooseRows(index, lines, index.isRedacted(ref));
  const plain = chosen.filter(({ entry }) => !isAttempt(entry as ReadEntry<MessageEntry>));
  const attempts = chosen.filter(({ entry }) => isAttempt(entry as ReadEntry<MessageEntry>));
  const id = index.refs.idOf(ref);
  const answers = attempts.filter(
    ({ entry }) => deriveAnswerId((entry as ReadEntry<MessageEntry>).prompt_id as string) === id,
  );
  const counted = answers.length > 0 ? answers : plain.length > 0 ? plain : attempts;
  return counted.map((line) => ({ attempt: attemptOf(index, line, ref), writers: writersOf(line) }));
}

function isAttempt({ attempt, prompt_id }: ReadEntry<MessageEntry>): boolean {
  return attempt !== undefined && prompt_id !== undefined;
}

function attemptOf(index: EntryIndex, { entry }: Chosen, message: number): number {
  const { attempt } = entry as ReadEntry<MessageEntry>;
  return attempt === undefined ? message : (index.refs.find(attempt) ?? message);
}

function writersOf({ headers }: Chosen): ReadonlySet<string> {
  return new Set(headers.map((header) => header.writer_id));
}
