import type * as Y from 'yjs';
import { ROLE } from '../entry/define.js';
import { findPrivateRanges } from '../entry/private.js';
import { isPrivateKind, KIND } from '../entry/table.js';
import type { EntryIndex, Place } from '../index/entry-index.js';
import { deleteCharacters, visitCharacters } from '../lane/structs.js';

/** Rows whose text a redaction of the message takes: its lines, revisions, legacy rows, and all of its attempts. */
function privateRows(index: EntryIndex, ref: number): number[] {
  const rows: number[] = [];
  for (const row of index.messageRows(ref)) {
    const kind = index.kindOf(row);
    if (kind === KIND.revision || kind === KIND.legacy_row) rows.push(row);
    if (kind !== KIND.message) continue;
    rows.push(row, ...index.attemptRows(index.attemptOf(row) ?? ref));
  }
  return rows;
}

/** Those of the messages of which some text is still in the document. O(their lines + texts). */
export function findPrivateText(index: EntryIndex, refs: Iterable<number>): number[] {
  const found: number[] = [];
  let torn: Torn | undefined;
  for (const ref of refs) {
    torn ??= index.tornByMessage();
    const hasText = listPrivateLines(index, ref, torn).some(({ line }) =>
      // What reads as a deletion is gone already, wherever damage has put it.
      findPrivateRanges(line).some(([start, end]) => /[^\0]/.test(line.slice(start, end))),
    );
    if (hasText) found.push(ref);
  }
  return found;
}

type Torn = ReturnType<EntryIndex['tornByMessage']>;

interface PrivateLine {
  readonly place: Place;
  readonly line: string;
}

/** Also lines that can't be read, because more came behind a deletion. */
function listPrivateLines(index: EntryIndex, ref: number, torn: Torn): readonly PrivateLine[] {
  const lines: PrivateLine[] = privateRows(index, ref).map((row) => ({
    place: index.placeOf(row),
    line: index.rawLine(row),
  }));
  for (const line of torn.get(ref) ?? []) lines.push(line);
  return lines;
}

/** Whether the row is about a redacted message, and so read blanked. */
export function isRedactedRow(index: EntryIndex, row: number): boolean {
  const kind = index.kindOf(row);
  if (!isPrivateKind(kind)) return false;
  const ref = index.subjectOf(row);
  if (index.roleOf(row) !== ROLE.attempt) return ref >= 0 && index.isRedacted(ref);
  return index.attemptMessages(ref).some((message) => index.isRedacted(index.subjectOf(message)));
}

/**
 * Deletes the characters between the quotes. Lines stay JSON. The index is notified at the end of the transaction, so
 * this is called once in one, for all messages.
 */
export function deletePrivateText(
  transaction: Y.Transaction,
  index: EntryIndex,
  refs: readonly number[],
): void {
  const torn = index.tornByMessage();
  const seen = new Set<string>();
  for (const { place, line } of refs.flatMap((ref) => listPrivateLines(index, ref, torn))) {
    const name = `${place.text} ${place.start}`;
    if (seen.has(name)) continue;
    seen.add(name);
    deleteRanges(transaction, index, place, findPrivateRanges(line));
  }
}

/** Deletes sorted ranges of the characters at a place, counted as `readPlace` returns them. */
function deleteRanges(
  transaction: Y.Transaction,
  index: EntryIndex,
  place: Place,
  ranges: readonly (readonly [number, number])[],
): void {
  const client = index.ownerOf(place);
  const doomed: { readonly clock: number; readonly length: number }[] = [];
  let at = 0;
  let inDeletion = false;
  let next = 0;
  const visit = (text: string | undefined, length: number, clock: number): void => {
    if (text === undefined) {
      if (!inDeletion) at += 1;
      inDeletion = true;
      return;
    }
    inDeletion = false;
    for (; next < ranges.length && (ranges[next] as readonly [number, number])[1] <= at; next += 1);
    for (let i = next; i < ranges.length; i += 1) {
      const [start, end] = ranges[i] as readonly [number, number];
      if (start >= at + length) break;
      const from = Math.max(start, at);
      const to = Math.min(end, at + length);
      if (from < to) doomed.push({ clock: clock + from - at, length: to - from });
    }
    at += length;
  };
  for (const { clock, length } of index.clocksOf(place)) {
    visitCharacters(transaction.doc, client, clock, length, visit);
  }
  for (const { clock, length } of doomed) deleteCharacters(transaction, client, clock, length);
}
