import {
  deriveUlid,
  type Entry,
  encodeLine,
  entrySchemas,
  type Json,
  LIMITS,
  parseLine,
} from '@chatdoc/schema';
import { sortKeys } from './json-value.js';

export interface WrittenEntry {
  readonly entry: Entry;
  /** Its canonical line, without a newline. */
  readonly line: string;
  /** As the ledger names it. */
  readonly ref: string;
}

/**
 * An entry with its line; undefined where the schema would quarantine that line or find a problem in it (too
 * long, too deep, a reserved key). The caller then keeps the row as text.
 */
export function writeEntry(entry: Entry): WrittenEntry | undefined {
  // First, because the encoder recurses without a limit.
  if (!isWithinDepth(entry as unknown as Json, LIMITS.depth)) return undefined;
  // The same value in two revisions of a file must be the same line, and writers of jupyter-chat shuffle keys.
  const sorted = sortKeys(entry as unknown as Json) as unknown as Entry;
  const line = encodeLine(sorted);
  if (!parseLine(line).ok || !entrySchemas[entry.type].safeParse(sorted).success) return undefined;
  return { entry: sorted, line, ref: refOf(sorted) };
}

/** The id of an entry; a part has none, so its attempt and number. */
export function refOf(entry: Entry): string {
  switch (entry.type) {
    case 'message':
      return entry.message_id;
    case 'thread':
      return entry.thread_id;
    case 'part':
      return `${entry.attempt}/${entry.n}`;
    default:
      return entry.id;
  }
}

function isWithinDepth(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  for (const child of Object.values(value)) if (!isWithinDepth(child, depth - 1)) return false;
  return true;
}

/** Code units of one piece of a long text: escaped sixfold it still fits a line. */
export const PIECE_LENGTH: number = Math.floor(LIMITS.text / 4);

/** A text in pieces that each fit an entry. */
export function splitText(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_LENGTH) pieces.push(text.slice(at, at + PIECE_LENGTH));
  return pieces;
}

/**
 * A number for a part that depends on nothing but the part: place among its siblings, then `rank`, then a hash of
 * its content. Two revisions of a file that tell a part differently must not give one number to both.
 */
export function derivePartNumber(
  kind: 'text' | 'tool_call' | 'file',
  index: number,
  rank: number,
  content: string,
): number {
  const place = PART_ORDER.indexOf(kind) * MAX_SIBLINGS + Math.min(index, MAX_SIBLINGS - 1);
  return (place * RANKS + rank) * HASHES + readHash(deriveUlid(0, 'legacy_part', kind, content)) + 1;
}

const PART_ORDER = ['text', 'tool_call', 'file'] as const;
const MAX_SIBLINGS = 2 ** 17;
const RANKS = 8;
const HASHES = 2 ** 30;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 30 bits of the random part of a ULID. */
function readHash(ulid: string): number {
  let value = 0;
  for (const digit of ulid.slice(-6)) value = value * 32 + DIGITS.indexOf(digit);
  return value;
}
