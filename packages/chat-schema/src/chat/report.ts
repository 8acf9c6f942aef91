import { closeLine, parseLine, type QuarantineReason } from '../entry/line.js';
import { blankLine } from '../entry/private.js';
import { KIND } from '../entry/table.js';
import { chooseRows } from '../fold/choose.js';
import { findLost } from '../fold/duplicates.js';
import { isRedacted } from '../fold/message.js';
import type { ChatReport, LineReport, QuarantinedLine, Waiting } from '../fold/records.js';
import { compareText } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import { readSections } from '../lane/sections.js';
import { countForeign } from '../lane/structs.js';
import type { ChatView } from './reader.js';
import { isRedactedRow } from './redaction.js';

/** Full passes over the document, for whoever asks what is wrong with it. Each is O(document). */

/** Lines that are not folded, each once a lane, by lane and line. */
export function listQuarantine(index: EntryIndex): readonly QuarantinedLine[] {
  const found = new Map<string, QuarantinedLine>();
  const add = (lane_id: string | null, line: string, reason: QuarantineReason): void => {
    found.set(`${lane_id ?? ''} ${reason} ${line}`, Object.freeze({ lane_id, line, reason }));
  };
  for (const row of index.rows()) {
    const header = index.headerOf(row);
    if (header?.hidden === true) continue;
    const kind = index.kindOf(row);
    if (header === undefined || header.lane === null) {
      add(null, index.line(row), 'no_header');
    } else if (kind === KIND.bad) {
      const line = index.line(row);
      add(header.lane.lane_id, line, 'head');
    } else if (kind !== KIND.lane && kind !== KIND.none) {
      const line = index.line(row);
      const parsed = parseLine(line.includes('\0') && isRedactedRow(index, row) ? blankLine(line) : line);
      if (!parsed.ok) add(header.lane.lane_id, line, parsed.reason);
    }
  }
  for (const { header, line } of index.tornLines()) {
    if (header?.hidden === true) continue;
    const closed = closeLine(line);
    if (closed === undefined) add(header?.lane?.lane_id ?? null, line, 'torn');
    else if (header === undefined || header.lane === null) add(null, closed, 'no_header');
    else add(header.lane.lane_id, closed, 'head');
  }
  return Object.freeze([...found.values()].sort(compareLines));
}

/** Lines of an id for which another was chosen, each once a lane. */
export function listDuplicates(index: EntryIndex): readonly LineReport[] {
  const found = new Map<string, LineReport>();
  const add = (lines: readonly { lane_id: string; line: string; merged: boolean }[]): void => {
    for (const { lane_id, line, merged } of lines) {
      if (!merged) found.set(`${lane_id} ${line}`, Object.freeze({ lane_id, line }));
    }
  };
  for (const slot of index.slotsWith('message')) add(findLost(index, slot, isRedacted({ index }, slot)));
  for (const slot of index.slotsWith('thread')) add(chooseRows(index, index.threadRows(slot)).lost);
  for (const kind of [KIND.document, KIND.variables, KIND.legacy_row]) {
    add(chooseRows(index, index.otherRows(kind)).lost);
  }
  return Object.freeze([...found.values()].sort(compareLines));
}

/** References to what is not there (yet). */
export function countWaiting(view: ChatView, index: EntryIndex): Waiting {
  let messages_without_thread = 0;
  let parts_without_attempt = 0;
  let entries_about_absent_messages = 0;
  let config_without_thread = 0;
  for (const slot of index.slotsWith('message')) {
    const folded = view.foldedAt(slot);
    if (folded === undefined) {
      const { chosen } = chooseRows(index, index.messageRows(slot));
      entries_about_absent_messages += chosen.length;
    } else if (view.foldedThread(folded.message.thread_id)?.thread === undefined) {
      messages_without_thread += 1;
    }
  }
  for (const slot of index.slotsWith('attempt')) {
    const known = index.attemptMessages(slot).some((row) => {
      const folded = view.foldedAt(index.subjectOf(row));
      if (folded?.message.attempt === undefined) return folded !== undefined && index.subjectOf(row) === slot;
      return folded.lastParts.has(index.slots.idOf(slot));
    });
    if (!known) parts_without_attempt += chooseRows(index, index.attemptRows(slot)).chosen.length;
  }
  for (const slot of index.slotsWith('thread')) {
    if (view.foldedThreadAt(slot).thread !== undefined) continue;
    config_without_thread += view.foldedThreadAt(slot).configEntries.length;
  }
  return Object.freeze({
    messages_without_thread,
    parts_without_attempt,
    entries_about_absent_messages,
    config_without_thread,
  });
}

export function createReport(
  view: ChatView,
  index: EntryIndex,
  futureStamps: number,
  damaged: number,
): ChatReport {
  const unknown = new Map<string, number>();
  for (const line of new Set(index.otherRows(KIND.unknown).map((row) => index.line(row)))) {
    const type = /^\{"type":"([^"]*)"/.exec(line)?.[1] ?? '';
    unknown.set(type, (unknown.get(type) ?? 0) + 1);
  }
  const unknown_types = Object.create(null) as Record<string, number>;
  for (const [type, count] of [...unknown].sort(([a], [b]) => compareText(a, b))) unknown_types[type] = count;
  const hidden = new Set<string>();
  const rolledBack = new Set<string>();
  const lanes = new Set<string>();
  const foreign: { readonly key: string; readonly characters: number }[] = [];
  for (const { lane } of index.texts()) {
    const characters = countForeign(lane);
    if (characters > 0) foreign.push(Object.freeze({ key: lane.key, characters }));
    for (const section of readSections(lane)) if (section.laneId !== '') lanes.add(section.laneId);
  }
  for (const { lane, hidden: isHidden } of index.headers()) {
    if (isHidden && lane !== null) (lane.rolled_back === undefined ? hidden : rolledBack).add(lane.lane_id);
  }
  const ignored = new Map<string, LineReport>();
  for (const slot of index.slotsWith('message')) {
    for (const row of view.foldedAt(slot)?.ignored ?? []) {
      const lane_id = index.headerOf(row)?.lane?.lane_id ?? null;
      const line = index.line(row);
      // What does not parse is listed in quarantine.
      if (!parseLine(line).ok) continue;
      ignored.set(`${lane_id} ${line}`, Object.freeze({ lane_id, line }));
    }
  }
  return Object.freeze({
    lanes: lanes.size,
    lines: index.lines,
    quarantined: listQuarantine(index).length,
    duplicates: listDuplicates(index).length,
    future_stamps: futureStamps,
    unknown_types: Object.freeze(unknown_types),
    hidden_lanes: Object.freeze([...hidden].sort()),
    rolled_back_lanes: Object.freeze([...rolledBack].sort()),
    foreign: Object.freeze(foreign.sort((a, b) => compareText(a.key, b.key))),
    ignored: Object.freeze([...ignored.values()].sort(compareLines)),
    damaged,
  });
}

function compareLines(a: LineReport, b: LineReport): number {
  return compareText(a.lane_id ?? '', b.lane_id ?? '') || compareText(a.line, b.line);
}
