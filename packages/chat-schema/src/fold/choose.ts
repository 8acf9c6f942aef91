import {
  blankLine,
  createHead,
  KIND,
  PROMPT_BEFORE,
  parseLine,
  readHead,
  TYPE_OF_KIND,
} from '../entry/codec.js';
import { type Entry, type EntryType, type LaneEntry, readEntry, type ThreadEntry } from '../entry/entries.js';
import { deriveSlotThreadId, ULID_LENGTH } from '../entry/ulid.js';
import { type EntryIndex, readNumber } from '../index/entry-index.js';

/** One entry that the fold takes, with every header it stands under. */
export interface Chosen {
  readonly row: number;
  readonly kind: number;
  readonly line: string;
  readonly entry: Entry;
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
  if (kind === KIND.part) return `${kind}:${readNumber(line)}`;
  readHead(line, 0, line.length, head);
  const at = kind === KIND.message ? head.attempt : head.own;
  return at < 0 ? `${kind}` : `${kind}:${line.substring(at, at + ULID_LENGTH)}`;
}

const PRIVATE_KINDS: ReadonlySet<number> = new Set([
  KIND.message,
  KIND.revision,
  KIND.part,
  KIND.finish,
  KIND.legacy_row,
]);

/** Kinds that hold what somebody wrote, so that a redaction of the message they are about blanks them. */
export function isPrivateKind(kind: number): boolean {
  return PRIVATE_KINDS.has(kind);
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
  const forged = correctIds(line, kind, body as Record<string, unknown>);
  const read = readEntry(type, body);
  const cut = body['cut'] === true;
  // Only a part is written bit by bit; of anything else the end has been lost.
  const lost = cut && kind !== KIND.part ? 'cut: the end of the line is lost' : undefined;
  const problem = forged ?? read.problem ?? lost;
  return { row, kind, line, entry: read.entry, problem, cut, headers: [lane] };
}

/**
 * The head's ids win over the body's, which a second key of the same name can change. Names the first that
 * differed. Body keys that the head lacks are references, except the four fields of an answer.
 */
function correctIds(line: string, kind: number, body: Record<string, unknown>): string | undefined {
  readHead(line, 0, line.length, head);
  const { own, thread, attempt, subject, subjectRole } = head;
  if (kind === KIND.part) {
    const problems = [correct(body, 'attempt', idAt(line, own)), correct(body, 'n', readNumber(line))];
    return problems[0] ?? problems[1];
  }
  if (kind === KIND.message) {
    const problems = [
      correct(body, 'message_id', idAt(line, own)),
      correct(body, 'thread_id', idAt(line, thread)),
      correct(body, 'attempt', attempt < 0 ? undefined : idAt(line, attempt)),
      correct(body, 'prompt_id', attempt < 0 ? undefined : idAt(line, attempt - PROMPT_BEFORE)),
    ];
    return problems.find((problem) => problem !== undefined);
  }
  if (kind === KIND.thread) return correct(body, 'thread_id', idAt(line, own));
  const problem = correct(body, 'id', idAt(line, own));
  if (subject < 0) return problem;
  return correct(body, SUBJECT_KEYS[subjectRole] as string, idAt(line, subject)) ?? problem;
}

function idAt(line: string, at: number): string {
  return line.substring(at, at + ULID_LENGTH);
}

function correct(
  body: Record<string, unknown>,
  key: string,
  value: string | number | undefined,
): string | undefined {
  if (body[key] === value) return undefined;
  if (value === undefined) delete body[key];
  else body[key] = value;
  return `head: ${key}`;
}

const SUBJECT_KEYS: readonly string[] = ['', 'thread_id', 'message_id', 'attempt'];

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
  if (entry.type !== 'thread' || entry.slot === undefined) return false;
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

/** The user that an entry names as its author, if its type names one. */
export function authorOf(entry: Entry): string | undefined {
  switch (entry.type) {
    case 'message':
      return entry.sender_id;
    case 'revision':
      return entry.author_id;
    case 'thread':
      return entry.created_by;
    case 'thread_config':
      return entry.updated_by;
    case 'annotation':
      return entry.user_id;
    case 'stop':
    case 'retry':
    case 'redaction':
      return entry.by;
    default:
      return undefined;
  }
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
