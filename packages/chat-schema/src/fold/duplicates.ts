import { readPartNumber } from '../entry/head.js';
import { KIND } from '../entry/table.js';
import type { EntryIndex } from '../index/entry-index.js';
import { AttemptFold } from './attempt.js';
import { chooseRows, type OutrankedLine } from './choose.js';

/** The lines about a message, and of its attempts, that are not chosen. */
export function findOutranked(index: EntryIndex, ref: number): readonly OutrankedLine[] {
  const rows = index.messageRows(ref);
  const attempts = new Set<number>();
  for (const row of rows) if (index.kindOf(row) === KIND.message) attempts.add(index.attemptOf(row) ?? ref);
  const bodies = [...attempts].map((attempt) => index.attemptRows(attempt));
  // Most messages have one line, one text and one finish: nothing to choose between.
  if (rows.length < 2 && bodies.every((body) => hasDistinctKeys(index, body))) return NONE;
  const redacted = index.isRedacted(ref);
  const { chosen, outranked } = chooseRows(index, rows, redacted);
  const found = [...outranked];
  for (const line of chosen) {
    if (line.kind !== KIND.message) continue;
    const attempt = index.attemptOf(line.row) ?? ref;
    const fold = new AttemptFold({ index }, attempt, line.headers, redacted);
    fold.update();
    found.push(...fold.chooser.outranked());
  }
  return found;
}

const NONE: readonly never[] = Object.freeze([]);

/** Whether no two rows of an attempt can be lines of one entry. Reads numbers, parses nothing. */
function hasDistinctKeys(index: EntryIndex, rows: readonly number[]): boolean {
  let finishes = 0;
  const numbers = new Set<number>();
  for (const row of rows) {
    if (index.kindOf(row) !== KIND.part) finishes += 1;
    else if (rows.length > 2) numbers.add(readPartNumber(index.rawLine(row)));
    else numbers.add(numbers.size);
  }
  if (rows.length === 2 && finishes === 0) return false;
  return finishes < 2 && numbers.size + finishes === rows.length;
}
