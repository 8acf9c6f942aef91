import { correctIds, createHead, readHead, readPartNumber } from '../entry/head.js';
import type { LaneEntry } from '../entry/lane.js';
import { parseLine } from '../entry/line.js';
import { blankLine } from '../entry/private.js';
import { readEntry } from '../entry/read.js';
import {
  authorOf,
  type EntryType,
  isPrivateKind,
  KIND,
  type ReadEntry,
  TYPE_OF_KIND,
} from '../entry/table.js';
import type { ThreadEntry } from '../entry/thread.js';
import { deriveSlotThreadId, ULID_LENGTH } from '../entry/ulid.js';
import { compareText } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';

/** One entry that the fold takes, with every header it stands under. */
export interface Chosen {
  readonly row: number;
  readonly kind: number;
  readonly line: string;
  readonly entry: ReadEntry;
  readonly problem: string | undefined;
  readonly cut: boolean;
  /** Headers of all byte-equal lines: a copy brings another. */
  readonly headers: readonly LaneEntry[];
}

/** A line that another of its id outranks. */
export interface LostLine {
  readonly lane_id: string;
  readonly line: string;
  /** One of several thread lines of a slot: no duplicate. */
  readonly merged: boolean;
}

export interface Choice {
  readonly chosen: readonly Chosen[];
  readonly lost: readonly LostLine[];
  /** Some id has more than one line, equal or not. */
  readonly shared: boolean;
}

/**
 * Makes one entry of the lines of each id among rows about one subject. Lines that do not parse are left out.
 * `blank` reads every line as its redaction leaves it.
 */
export function chooseRows(index: EntryIndex, rows: readonly number[], blank = false): Choice {
  if (rows.length === 0) return NOTHING;
  if (rows.length === 1) {
    const candidate = readCandidate(index, rows[0] as number, blank);
    return candidate === undefined ? NOTHING : { chosen: [candidate], lost: [], shared: false };
  }
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const key = keyOf(index, row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const chosen: Chosen[] = [];
  const lost: LostLine[] = [];
  for (const group of groups.values()) {
    if (group.length === 1) {
      const only = readCandidate(index, group[0] as number, blank);
      if (only !== undefined) chosen.push(only);
    } else {
      chooseOne(index, group, blank, chosen, lost);
    }
  }
  return { chosen, lost, shared: groups.size < rows.length };
}

const NOTHING: Choice = { chosen: [], lost: [], shared: false };
const head = createHead();

/** Type and own id; of a part its number, of a message line its attempt. Read at fixed offsets. */
function keyOf(index: EntryIndex, row: number): string {
  const kind = index.kindOf(row);
  const line = index.rawLine(row);
  if (kind === KIND.part) return `${kind}:${readPartNumber(line)}`;
  readHead(line, 0, line.length, head);
  const at = kind === KIND.message ? head.attempt : head.own;
  return at < 0 ? `${kind}` : `${kind}:${line.substring(at, at + ULID_LENGTH)}`;
}

function readLine(index: EntryIndex, row: number, blank: boolean): string {
  const line = index.line(row);
  return blank && isPrivateKind(index.kindOf(row)) ? blankLine(line) : line;
}

function readCandidate(index: EntryIndex, row: number, blank: boolean): Chosen | undefined {
  const kind = index.kindOf(row);
  const type = TYPE_OF_KIND[kind] as Exclude<EntryType, 'lane'>;
  const line = readLine(index, row, blank);
  const parsed = parseLine(line);
  const lane = index.headerOf(row)?.lane;
  if (!parsed.ok || lane === null || lane === undefined) return undefined;
  const body = parsed.body;
  const forged = correctIds(line, body as Record<string, unknown>);
  const read = readEntry(type, body);
  const cut = body['cut'] === true;
  // Only a part is written bit by bit; of anything else the end has been lost.
  const lost = cut && kind !== KIND.part ? 'cut: the end of the line is lost' : undefined;
  const problem = forged ?? read.problem ?? lost;
  return { row, kind, line, entry: read.entry, problem, cut, headers: [lane] };
}

function chooseOne(
  index: EntryIndex,
  rows: readonly number[],
  blank: boolean,
  chosen: Chosen[],
  lost: LostLine[],
): void {
  const byLine = new Map<string, { candidate: Chosen | undefined; rows: number[]; headers: LaneEntry[] }>();
  for (const row of rows) {
    const line = readLine(index, row, blank);
    const lane = index.headerOf(row)?.lane;
    const known = byLine.get(line);
    if (known === undefined) {
      const candidate = readCandidate(index, row, blank);
      byLine.set(line, { candidate, rows: [row], headers: lane ? [lane] : [] });
    } else {
      known.rows.push(row);
      if (lane) known.headers.push(lane);
    }
  }
  const ranked: Chosen[] = [];
  for (const { candidate, headers } of byLine.values()) {
    if (candidate !== undefined) ranked.push({ ...candidate, headers });
  }
  const slotLines = ranked.filter(isSlotLine);
  const best = slotLines.length > 0 ? slotLines.sort(compareSlotLines)[0] : ranked.sort(compareCandidates)[0];
  if (best !== undefined) chosen.push(best);
  for (const [line, { rows: losers, candidate }] of byLine) {
    if (line === best?.line) continue;
    // Quarantined lines are listed there.
    if (candidate === undefined) continue;
    const merged = isSlotLine(candidate);
    for (const row of losers) lost.push({ lane_id: index.headerOf(row)?.lane?.lane_id ?? '', line, merged });
  }
}

function isSlotLine({ entry }: Chosen): boolean {
  if (entry.type !== 'thread' || entry.slot === undefined || entry.purpose === undefined) return false;
  return deriveSlotThreadId(entry.slot, entry.purpose) === entry.thread_id;
}

function compareSlotLines(a: Chosen, b: Chosen): number {
  const [x, y] = [a.entry as ThreadEntry, b.entry as ThreadEntry];
  return compareText(x.created_at ?? '', y.created_at ?? '') || compareText(a.line, b.line);
}

/** Best first, whatever the order of arrival and the lanes: copies change lanes. */
function compareCandidates(a: Chosen, b: Chosen): number {
  if (a.cut !== b.cut) return a.cut ? 1 : -1;
  if (a.cut && a.line.length !== b.line.length) return b.line.length - a.line.length;
  const [aOwn, bOwn] = [isUnderAuthor(a), isUnderAuthor(b)];
  if (aOwn !== bOwn) return aOwn ? -1 : 1;
  return b.line.length - a.line.length || compareText(a.line, b.line);
}

/** Of the header above the line; of several, the latest. */
export function schemaVersionOf({ headers }: Chosen): number {
  let version = 0;
  for (const header of headers) version = Math.max(version, header.schema_version);
  return version;
}

function isUnderAuthor({ entry, headers }: Chosen): boolean {
  const author = authorOf(entry);
  return author !== undefined && headers.some((header) => header.user_id === author);
}
