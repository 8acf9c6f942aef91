import type * as Y from 'yjs';
import { ROLE } from '../entry/define.js';
import { findPrivateRanges } from '../entry/private.js';
import { isPrivateKind, KIND } from '../entry/table.js';
import { isRedacted } from '../fold/message.js';
import type { EntryIndex } from '../index/entry-index.js';
import { deleteFromLaneText, type LaneText } from '../lane/structs.js';

/** Rows whose text a redaction of the message takes: its lines, revisions, legacy rows, and all of its attempts. */
function privateRows(index: EntryIndex, slot: number): number[] {
  const rows: number[] = [];
  for (const row of index.messageRows(slot)) {
    const kind = index.kindOf(row);
    if (kind === KIND.revision || kind === KIND.legacy_row) rows.push(row);
    if (kind !== KIND.message) continue;
    rows.push(row, ...index.attemptRows(index.attemptOf(row) ?? slot));
  }
  return rows;
}

/** Whether some text of the message still stands in the document. */
export function hasPrivateText(index: EntryIndex, slot: number): boolean {
  return listPrivateLines(index, slot).some(({ line }) =>
    // What reads as a deletion is gone already, wherever damage has put it.
    findPrivateRanges(line).some(([start, end]) => /[^\0]/.test(line.slice(start, end))),
  );
}

interface PrivateLine {
  readonly lane: LaneText;
  /** Where it begins in its text. */
  readonly start: number;
  readonly line: string;
}

/** Also lines that can't be read, because more came behind a deletion. */
function listPrivateLines(index: EntryIndex, slot: number): readonly PrivateLine[] {
  const rows = privateRows(index, slot).map((row) => {
    const { lane, start } = index.placeOf(row);
    return { lane, start, line: index.rawLine(row) };
  });
  return [...rows, ...index.tornAbout(slot)];
}

/** Whether the row is about a redacted message, and so read blanked. */
export function isRedactedRow(index: EntryIndex, row: number): boolean {
  const kind = index.kindOf(row);
  if (!isPrivateKind(kind)) return false;
  const slot = index.subjectOf(row);
  if (index.roleOf(row) !== ROLE.attempt) return slot >= 0 && isRedacted({ index }, slot);
  return index.attemptMessages(slot).some((message) => isRedacted({ index }, index.subjectOf(message)));
}

/**
 * Deletes what stands between the quotes. Lines stay JSON, offsets in their texts change, and the index hears of that
 * at the end of the transaction: so it is called once in one, for all messages.
 */
export function deletePrivateText(
  transaction: Y.Transaction,
  index: EntryIndex,
  slots: readonly number[],
): void {
  const byText = new Map<LaneText, (readonly [number, number])[]>();
  for (const { lane, start, line } of slots.flatMap((slot) => listPrivateLines(index, slot))) {
    const ranges = byText.get(lane) ?? [];
    byText.set(lane, ranges);
    for (const [from, to] of findPrivateRanges(line)) ranges.push([start + from, start + to]);
  }
  for (const [lane, ranges] of byText) deleteFromLaneText(transaction, lane, ranges);
}
