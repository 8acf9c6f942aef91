import { correctIds, createHead, idAt, readHead, readPartNumber } from '../entry/head.js';
import type { JsonObject } from '../entry/json.js';
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
import { deriveJupyterThreadId, deriveLegacyThreadId, deriveSlotThreadId } from '../entry/ulid.js';
import { compareText } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';

/** One entry that the fold takes, with every header that its line is under. */
export interface Chosen {
  readonly row: number;
  readonly kind: number;
  readonly entry: ReadEntry;
  readonly problem: string | undefined;
  readonly cut: boolean;
  /** Headers of all byte-equal lines: a copy brings another. */
  readonly headers: readonly LaneEntry[];
}

/** A line that another of its id outranks. */
export interface OutrankedLine {
  readonly lane_id: string;
  readonly line: string;
  /** One of several thread lines of a slot: no duplicate. */
  readonly merged: boolean;
}

/** The line as it counts; of a redacted message (`blank`) as the redaction leaves it. */
function readLine(index: EntryIndex, row: number, blank: boolean): string {
  const line = index.line(row);
  return blank && isPrivateKind(index.kindOf(row)) ? blankLine(line) : line;
}

/** The entry of a row; undefined where its line does not parse. One parse. */
export function readRow(index: EntryIndex, row: number, blank: boolean): Chosen | undefined {
  return readCandidate(index, row, readLine(index, row, blank));
}

function readCandidate(index: EntryIndex, row: number, line: string): Chosen | undefined {
  const kind = index.kindOf(row);
  const type = TYPE_OF_KIND[kind] as Exclude<EntryType, 'lane'>;
  const parsed = parseLine(line);
  const lanes = index.headerOf(row)?.lanes ?? NO_LANES;
  if (!parsed.ok || lanes.length === 0) return undefined;
  const body = parsed.body;
  const forged = correctIds(line, body as Record<string, unknown>);
  const { entry, problem } = readEntry(type, body);
  const cut = body['cut'] === true;
  // Only a part is written bit by bit; of anything else the end is missing.
  const torn = cut && kind !== KIND.part ? 'cut: the end of the line is lost' : undefined;
  return { row, kind, entry, problem: forged ?? problem ?? torn, cut, headers: lanes };
}

const NO_LANES: readonly LaneEntry[] = [];
const head = createHead();

/** Names the entry of a row among those of its subject: kind and own id; of a part its number, of a message line its attempt. */
function keyOf(index: EntryIndex, row: number): string {
  const kind = index.kindOf(row);
  const line = index.rawLine(row);
  if (kind === KIND.part) return `${kind}:${readPartNumber(line)}`;
  readHead(line, 0, line.length, head);
  const at = kind === KIND.message ? head.attempt : head.own;
  return at < 0 ? `${kind}` : `${kind}:${idAt(line, at)}`;
}

/** The change that one more row made: an entry came, went, or both where another line of its id was chosen. */
export interface Taken {
  readonly added: Chosen | undefined;
  readonly removed: Chosen | undefined;
}

/** Lines of one id that are not byte-equal. */
interface Rival {
  readonly candidate: Chosen | undefined;
  readonly line: string;
  readonly rows: number[];
  readonly headers: LaneEntry[];
}

interface Group {
  readonly row: number;
  readonly kind: number;
  /** Made once another row of the kind comes. */
  key: string;
  best: Chosen | undefined;
  /** Made by the second line of the id. */
  rivals: Map<string, Rival> | undefined;
}

const NOTHING: Taken = { added: undefined, removed: undefined };
/** Up to so many ids are looked for one by one: most subjects have one line, or one of each kind. */
const FEW = 4;

/**
 * Makes one entry of the lines of each id among rows about one subject, row by row. Lines that do not parse are left
 * out. A row costs one parse and what its own lines are, whatever else the subject has.
 */
export class Chooser {
  readonly #index: EntryIndex;
  readonly #blank: boolean;
  readonly #few: Group[] = [];
  #groups: Map<string, Group> | undefined;
  #shared: Set<Group> | undefined;

  /** `blank` reads every line as its redaction leaves it. */
  constructor(index: EntryIndex, blank: boolean) {
    this.#index = index;
    this.#blank = blank;
  }

  /** Whether some id has more than one line, equal or not. */
  get shared(): boolean {
    return this.#shared !== undefined;
  }

  take(row: number): Taken {
    const kind = this.#index.kindOf(row);
    const group = this.#find(row, kind);
    if (group !== undefined) return this.#takeRival(group, row);
    const best = readRow(this.#index, row, this.#blank);
    this.#add({ row, kind, key: '', best, rivals: undefined });
    return best === undefined ? NOTHING : { added: best, removed: undefined };
  }

  /** Reads a row again that was open when it was taken: its line has grown. */
  reread(row: number): Taken {
    const group = this.#find(row, this.#index.kindOf(row));
    if (group === undefined) return NOTHING;
    const removed = group.best;
    const rows = [...(group.rivals?.values() ?? [])].flatMap((rival) => rival.rows);
    group.best = readRow(this.#index, group.row, this.#blank);
    if (group.rivals !== undefined) {
      group.rivals = undefined;
      for (const other of rows) if (other !== group.row) this.#takeRival(group, other);
    }
    return { added: group.best, removed };
  }

  #find(row: number, kind: number): Group | undefined {
    if (this.#groups !== undefined) return this.#groups.get(keyOf(this.#index, row));
    let key = '';
    for (const group of this.#few) {
      if (group.kind !== kind) continue;
      if (group.row === row) return group;
      if (key === '') key = keyOf(this.#index, row);
      if (group.key === '') group.key = keyOf(this.#index, group.row);
      if (group.key === key) return group;
    }
    return undefined;
  }

  #add(group: Group): void {
    if (this.#groups === undefined && this.#few.length < FEW) {
      this.#few.push(group);
      return;
    }
    if (this.#groups === undefined) {
      this.#groups = new Map();
      for (const each of this.#few) this.#groups.set(each.key || keyOf(this.#index, each.row), each);
      this.#few.length = 0;
    }
    this.#groups.set(keyOf(this.#index, group.row), group);
  }

  #takeRival(group: Group, row: number): Taken {
    const index = this.#index;
    if (group.rivals === undefined) {
      const line = readLine(index, group.row, this.#blank);
      const headers = [...(group.best?.headers ?? laneOf(index, group.row))];
      group.rivals = new Map([[line, { candidate: group.best, line, rows: [group.row], headers }]]);
      this.#shared ??= new Set();
      this.#shared.add(group);
    }
    const line = readLine(index, row, this.#blank);
    let rival = group.rivals.get(line);
    if (rival === undefined) {
      const candidate = readCandidate(index, row, line);
      rival = { candidate, line, rows: [row], headers: laneOf(index, row) };
      group.rivals.set(line, rival);
    } else {
      rival.rows.push(row);
      rival.headers.push(...laneOf(index, row));
    }
    if (rival.candidate === undefined) return NOTHING;
    const added: Chosen = { ...rival.candidate, headers: rival.headers };
    const { best } = group;
    // Another header may raise a line: then the best so far is that very line.
    const isSame = best !== undefined && sameRow(rival.rows, best.row);
    if (best !== undefined && !isSame && compareRivals(index, best, added, this.#blank) <= 0) return NOTHING;
    group.best = added;
    return { added, removed: best };
  }

  *chosen(): IterableIterator<Chosen> {
    for (const { best } of this.#groups?.values() ?? this.#few) if (best !== undefined) yield best;
  }

  /** The lines that were not chosen. O(ids that have several lines). */
  outranked(): readonly OutrankedLine[] {
    const found: OutrankedLine[] = [];
    for (const { best, rivals } of this.#shared ?? []) {
      for (const { candidate, line, rows } of rivals?.values() ?? []) {
        // What does not parse is listed in quarantine.
        if (candidate === undefined || (best !== undefined && sameRow(rows, best.row))) continue;
        const merged = isDerivedThreadLine(candidate);
        for (const row of rows) {
          found.push({ lane_id: this.#index.headerOf(row)?.lane?.lane_id ?? '', line, merged });
        }
      }
    }
    return found;
  }
}

/** One entry of the lines of each id among these rows, and the lines that were not chosen. */
export function chooseRows(
  index: EntryIndex,
  rows: readonly number[],
  blank = false,
): { readonly chosen: readonly Chosen[]; readonly outranked: readonly OutrankedLine[] } {
  if (rows.length < 2) {
    const only = rows[0] === undefined ? undefined : readRow(index, rows[0], blank);
    return { chosen: only === undefined ? [] : [only], outranked: [] };
  }
  const chooser = new Chooser(index, blank);
  for (const row of rows) chooser.take(row);
  return { chosen: [...chooser.chosen()], outranked: chooser.outranked() };
}

function laneOf(index: EntryIndex, row: number): LaneEntry[] {
  const lane = index.headerOf(row)?.lane;
  return lane === null || lane === undefined ? [] : [lane];
}

// The row that was read first names its line, and stays the first of its rows.
function sameRow(rows: readonly number[], row: number): boolean {
  return rows[0] === row;
}

/** Whether it is the line of a thread whose id derives from what the line has, which several writers may write. */
function isDerivedThreadLine({ entry }: Chosen): boolean {
  if (entry.type !== 'thread') return false;
  const { thread_id, slot, purpose, legacy } = entry as ReadEntry<ThreadEntry>;
  if (slot !== undefined) return purpose !== undefined && deriveSlotThreadId(slot, purpose) === thread_id;
  if (typeof legacy !== 'object' || legacy === null || Array.isArray(legacy)) return false;
  const { thread_id: name, chat_id: chatId } = legacy as JsonObject;
  if (typeof name === 'string') return deriveLegacyThreadId(name) === thread_id;
  return typeof chatId === 'string' && deriveJupyterThreadId(chatId) === thread_id;
}

/** Best first, whatever the order of arrival and the lanes: copies change lanes. */
function compareRivals(index: EntryIndex, a: Chosen, b: Chosen, blank: boolean): number {
  const [aDerived, bDerived] = [isDerivedThreadLine(a), isDerivedThreadLine(b)];
  if (aDerived !== bDerived) return aDerived ? -1 : 1;
  const [aLine, bLine] = [readLine(index, a.row, blank), readLine(index, b.row, blank)];
  if (aDerived) {
    const [x, y] = [a.entry as ReadEntry<ThreadEntry>, b.entry as ReadEntry<ThreadEntry>];
    return compareText(x.created_at ?? '', y.created_at ?? '') || compareText(aLine, bLine);
  }
  if (a.cut !== b.cut) return a.cut ? 1 : -1;
  if (a.cut && aLine.length !== bLine.length) return bLine.length - aLine.length;
  const [aOwn, bOwn] = [isUnderAuthor(a), isUnderAuthor(b)];
  if (aOwn !== bOwn) return aOwn ? -1 : 1;
  return bLine.length - aLine.length || compareText(aLine, bLine);
}

function isUnderAuthor({ entry, headers }: Chosen): boolean {
  const author = authorOf(entry);
  return author !== undefined && headers.some((header) => header.user_id === author);
}

/** Of the header above the line; of several, the latest. */
export function schemaVersionOf({ headers }: Chosen): number {
  let version = 0;
  for (const header of headers) version = Math.max(version, header.schema_version);
  return version;
}
