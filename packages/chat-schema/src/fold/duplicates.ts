import { KIND } from '../entry/table.js';
import type { EntryIndex } from '../index/entry-index.js';
import { chooseBody } from './attempt.js';
import { chooseRows, type LostLine } from './choose.js';

/** The lines about a message, and of its attempts, that are not chosen. */
export function findLost(index: EntryIndex, slot: number, redacted: boolean): readonly LostLine[] {
  const rows = index.messageRows(slot);
  const attempts = new Set<number>();
  for (const row of rows) {
    if (index.kindOf(row) === KIND.message) attempts.add(index.attemptOf(row) ?? slot);
  }
  const bodies = [...attempts].map((attempt) => index.attemptRows(attempt));
  // Most messages have one line, one text and one finish: nothing to choose between.
  if (rows.length < 2 && bodies.every((body) => hasDistinctKinds(index, body))) return NONE;
  const { chosen, lost } = chooseRows(index, rows, redacted);
  const found = [...lost];
  for (const line of chosen) {
    if (line.kind !== KIND.message) continue;
    const attempt = index.attemptOf(line.row) ?? slot;
    const { choice } = chooseBody({ index }, line, index.slots.idOf(attempt), redacted);
    found.push(...choice.lost);
  }
  return found;
}

const NONE: readonly never[] = Object.freeze([]);

function hasDistinctKinds(index: EntryIndex, rows: readonly number[]): boolean {
  return (
    rows.length < 2 ||
    (rows.length === 2 && index.kindOf(rows[0] as number) !== index.kindOf(rows[1] as number))
  );
}
