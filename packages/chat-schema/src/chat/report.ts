import { closeLine, parseLine, type QuarantineReason } from '../entry/line.js';
import { blankLine } from '../entry/private.js';
import { KIND } from '../entry/table.js';
import { chooseRows } from '../fold/choose.js';
import { findOutranked } from '../fold/duplicates.js';
import { namedAttempts } from '../fold/named.js';
import type { ChatReport, LineReport, QuarantinedLine, Waiting } from '../fold/records.js';
import { compareText } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import { readSections } from '../lane/sections.js';
import { countForeign } from '../lane/structs.js';
import type { Folds } from './folds.js';
import { isRedactedRow } from './redaction.js';

/** Full passes over the document, for callers that ask what is wrong with it. Each is O(document). */

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
  for (const ref of index.refsWith('message')) add(findOutranked(index, ref));
  for (const ref of index.refsWith('thread')) add(chooseRows(index, index.threadRows(ref)).outranked);
  for (const kind of [KIND.document, KIND.variables, KIND.legacy_row]) {
    add(chooseRows(index, index.otherRows(kind)).outranked);
  }
  return Object.freeze([...found.values()].sort(compareLines));
}

/** References to what is not there (yet). */
export function countWaiting(folds: Folds, index: EntryIndex): Waiting {
  let messages_without_thread = 0;
  let parts_without_attempt = 0;
  let entries_about_absent_messages = 0;
  let config_without_thread = 0;
  const hasThread = (id: string): boolean => {
    const ref = index.refs.find(id);
    return ref !== undefined && folds.lineOf(ref) !== undefined;
  };
  for (const ref of index.refsWith('message')) {
    const folded = folds.foldedAt(ref);
    if (folded === undefined) {
      const { chosen } = chooseRows(index, index.messageRows(ref));
      entries_about_absent_messages += chosen.length;
    } else if (!hasThread(folded.message.thread_id)) {
      messages_without_thread += 1;
    }
  }
  for (const ref of index.refsWith('attempt')) {
    const known = index.attemptMessages(ref).some((row) => {
      const folded = folds.foldedAt(index.subjectOf(row));
      if (folded?.message.attempt === undefined) return folded !== undefined && index.subjectOf(row) === ref;
      return folded.lastParts.some(({ attempt }) => attempt === index.refs.idOf(ref));
    });
    if (!known) parts_without_attempt += chooseRows(index, index.attemptRows(ref)).chosen.length;
  }
  for (const ref of index.refsWith('thread')) {
    if (folds.lineOf(ref) !== undefined) continue;
    config_without_thread += folds.factsOf(ref).settings.size;
  }
  return Object.freeze({
    messages_without_thread,
    parts_without_attempt,
    entries_about_absent_messages,
    config_without_thread,
  });
}

export function createReport(index: EntryIndex, futureStamps: number, damaged: number): ChatReport {
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
  const ignored = listIgnored(index);
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
    ignored,
    damaged,
  });
}

/** Entries of attempts from lanes of other writers than some message that names the attempt: they do not count there. */
function listIgnored(index: EntryIndex): readonly LineReport[] {
  /** By attempt, how many messages name it, and by writer how many let that one write it. */
  const named = new Map<number, { count: number; readonly writers: Map<string, number> }>();
  for (const ref of index.refsWith('message')) {
    for (const { attempt, writers } of namedAttempts(index, ref)) {
      const own = named.get(attempt) ?? { count: 0, writers: new Map<string, number>() };
      named.set(attempt, own);
      own.count += 1;
      for (const writer of writers) own.writers.set(writer, (own.writers.get(writer) ?? 0) + 1);
    }
  }
  const ignored = new Map<string, LineReport>();
  for (const [attempt, { count, writers }] of named) {
    for (const row of index.attemptRows(attempt)) {
      const lane = index.headerOf(row)?.lane;
      if ((writers.get(lane?.writer_id ?? '') ?? 0) === count) continue;
      const line = index.line(row);
      // What does not parse is listed in quarantine.
      if (!parseLine(line).ok) continue;
      const lane_id = lane?.lane_id ?? null;
      ignored.set(`${lane_id} ${line}`, Object.freeze({ lane_id, line }));
    }
  }
  return Object.freeze([...ignored.values()].sort(compareLines));
}

function compareLines(a: LineReport, b: LineReport): number {
  return compareText(a.lane_id ?? '', b.lane_id ?? '') || compareText(a.line, b.line);
}
