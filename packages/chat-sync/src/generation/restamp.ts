import { deriveAnswerId, type Entry, formatDate, timeOfUlid } from '@chatdoc/schema';
import {
  createHead,
  deriveInterruptId,
  deriveUlid,
  encodeLine,
  idAt,
  KIND,
  parseLine,
  readHead,
} from '@chatdoc/schema/internal';

export interface Restamped {
  /** Entries that have a new id. */
  readonly renamed: number;
  /** The line with new ids and times in place of those from a clock ahead; as it is where it has none. */
  readonly rename: (line: string) => string;
}

/** Of a ULID, its time. What is behind it names what the new id stands for. */
const TIME_LENGTH = 10;
const DATES: readonly string[] = ['date', 'created_at', 'updated_at'];
const TEXTS: ReadonlySet<string> = new Set(['content', 'text']);
const head = createHead();

/**
 * New ids for the entries of `lines` that are stamped later than `now`: in their order, a millisecond apart, up to
 * `now`. What a new id ends in derives from the old one, so `known` lines tell which entries have theirs already.
 * O(lines).
 */
export function restampLines(lines: readonly string[], known: Iterable<string>, now: number): Restamped {
  const given = readTails(known);
  const fresh = new Map<string, string>();
  const late: string[] = [];
  for (const id of listStamps(lines)) {
    const tail = tailOf(id);
    const before = given.get(tail);
    if (before !== undefined) fresh.set(id, before);
    else if (timeOfUlid(id) > now) late.push(id);
  }
  late.sort();
  for (const [at, id] of late.entries()) fresh.set(id, deriveUlid(now - (late.length - 1 - at), TAG, id));
  // Ids that are a function of others.
  for (const line of lines) renameDerived(line, fresh);
  return { renamed: late.length, rename: (line) => renameLine(line, fresh) };
}

const TAG = 'restamped';

function tailOf(id: string): string {
  return deriveUlid(0, TAG, id).slice(TIME_LENGTH);
}

/** By what they end in, the ids that name entries of these lines. */
function readTails(lines: Iterable<string>): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const line of lines) {
    for (const id of readStamps(line)) ids.set(id.slice(TIME_LENGTH), id);
  }
  return ids;
}

function listStamps(lines: readonly string[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const line of lines) for (const id of readStamps(line)) ids.add(id);
  return ids;
}

/** The stamps of a line: its own id, of an answer its attempt. None where the id derives from others. */
function readStamps(line: string): readonly string[] {
  readHead(line, 0, line.length, head);
  const { kind, own, attempt } = head;
  if (own < 0 || kind === KIND.interrupt || kind === KIND.part || kind === KIND.lane) return [];
  return [idAt(line, attempt < 0 ? own : attempt)];
}

function renameDerived(line: string, fresh: Map<string, string>): void {
  readHead(line, 0, line.length, head);
  const { kind, own, attempt } = head;
  if (kind !== KIND.interrupt && (kind !== KIND.message || attempt < 0)) return;
  const id = idAt(line, own);
  const parsed = parseLine(line);
  if (!parsed.ok) return;
  const { prompt_id, attempt: of, seen } = parsed.body;
  if (kind === KIND.message) {
    const prompt = fresh.get(String(prompt_id));
    if (prompt !== undefined) fresh.set(id, deriveAnswerId(prompt));
    return;
  }
  const renamed = fresh.get(String(of));
  if (renamed !== undefined) fresh.set(id, deriveInterruptId(renamed, Number(seen)));
}

function renameLine(line: string, fresh: ReadonlyMap<string, string>): string {
  const parsed = parseLine(line);
  if (fresh.size === 0 || !parsed.ok) return line;
  const [stamp = ''] = readStamps(line);
  const renamed = fresh.get(stamp);
  let isChanged = false;
  const body: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(parsed.body)) {
    body[key] = value;
    if (TEXTS.has(key)) continue;
    if (renamed !== undefined && DATES.includes(key)) body[key] = formatDate(timeOfUlid(renamed));
    else if (typeof value === 'string') body[key] = fresh.get(value) ?? value;
    else body[key] = renameInside(value, fresh);
    isChanged ||= body[key] !== value;
  }
  return isChanged ? encodeLine(body as unknown as Entry) : line;
}

/** Ids in a list, such as those that an entry replaces, or in the fork that a thread comes from. */
function renameInside(value: unknown, fresh: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (!Object.values(value).some((item) => fresh.has(item as string))) return value;
  const rename = (item: unknown): unknown => fresh.get(item as string) ?? item;
  if (Array.isArray(value)) return value.map(rename);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rename(item)]));
}
