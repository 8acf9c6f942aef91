import { type Entry, timeOfUlid } from '@chatdoc/schema';
import {
  blankLine,
  closeLine,
  createHead,
  encodeLine,
  endsInEscape,
  FUTURE_LIMIT_MS,
  type Head,
  KIND,
  LIMITS,
  parseLine,
  type Role,
  readEntry,
  readHead,
  TYPE_OF_KIND,
  ULID_LENGTH,
} from '@chatdoc/schema/internal';

/** What one line may be when it comes from a peer that nobody trusts. */

export type LineRefusalCode =
  /** No whole head, no JSON, too long, too deep, or with a reserved key: readers would quarantine it. */
  | 'line'
  /** The body does not fit the schema of its type, or names other ids than its head. */
  | 'schema'
  /** A type of a later schema. */
  | 'unknown_type'
  /** A stamp further ahead of the gate's clock than writers follow. */
  | 'future_stamp'
  /** More fields, or a longer value, than the limits allow. */
  | 'entry_size'
  /** An unescaped surrogate: split over two updates it would read differently on each replica. */
  | 'surrogate'
  /** A line that stays open and is not the growing text of a part, or what came for it is no whole run of text. */
  | 'open_line'
  /** Characters are gone outside of the texts that a redaction takes. */
  | 'deletion';

export interface EntryLimits {
  /** Keys of one entry. */
  readonly fields: number;
  /** Code units of one value as JSON, texts and contents aside. */
  readonly value: number;
}

export interface LineRules {
  /** Ms since 1970, of the gate's clock. */
  readonly now: number;
  readonly limits: EntryLimits;
  /** Lines of later schemas pass. */
  readonly allowLater: boolean;
}

/** The ids of a head; empty where it has none. */
export interface LineIds {
  readonly kind: number;
  readonly own: string;
  /** The id that the line is about, in this role. */
  readonly subject: string;
  readonly role: Role;
  /** Of an answer's message line. */
  readonly attempt: string;
  /** Offset behind the last id. */
  readonly end: number;
}

/** A line without what is deleted of it, and its head. */
interface RestoredLine {
  readonly ok: true;
  readonly line: string;
  readonly ids: LineIds;
  /** Some of its text is deleted. */
  readonly blanked: boolean;
}

export interface CheckedLine extends RestoredLine {
  /** Undefined for a type of a later schema. */
  readonly entry: Entry | undefined;
}

export interface LineRefusal {
  readonly ok: false;
  readonly code: LineRefusalCode;
}

/** In a line, for characters that are deleted. */
export const DELETED = '\0';
const SURROGATE = /[\ud800-\udfff]/;
const NUMBER = '","n":'.length;
const head = createHead();

function readIds(line: string, { kind, own, subject, subjectRole, thread, attempt }: Head): LineIds {
  return {
    kind,
    own: idAt(line, own),
    subject: idAt(line, subject),
    role: subjectRole,
    attempt: idAt(line, attempt),
    end: Math.max(own, subject, thread, attempt) + ULID_LENGTH,
  };
}

function idAt(line: string, at: number): string {
  return at < 0 ? '' : line.substring(at, at + ULID_LENGTH);
}

/** The ids of a line, whatever else it is. O(1). */
export function readLineIds(line: string): LineIds {
  readHead(line, 0, line.length, head);
  return readIds(line, head);
}

/** Checks a whole line, without its newline. A header passes unread. O(line), one head, one parse. */
export function checkLine(raw: string, rules: LineRules): CheckedLine | LineRefusal {
  const restored = restoreLine(raw);
  return restored.ok ? checkRestored(restored, rules) : restored;
}

/**
 * Checks the beginning of a line that stays open: a part whose text, the last of its fields, has begun and
 * ends at a whole escape. O(line).
 */
export function checkOpening(raw: string, rules: LineRules): CheckedLine | LineRefusal {
  const restored = restoreLine(raw);
  if (!restored.ok) return restored;
  const { line, ids } = restored;
  if (ids.kind !== KIND.part || endsInEscape(line)) return refuse('open_line');
  const closed = closeLine(line);
  if (closed === undefined) return refuse('open_line');
  return checkRestored({ ...restored, line: closed }, rules, true);
}

/** Checks text that comes for an open line and does not end it: whole escapes, no quote. O(chunk). */
export function checkGrowth(chunk: string): LineRefusalCode | undefined {
  for (let at = 0; at < chunk.length; at += 1) {
    const code = chunk.charCodeAt(at);
    if (code === 0x22 || code < 0x20) return 'open_line';
    if (code >= 0xd800 && code <= 0xdfff) return 'surrogate';
    if (code !== 0x5c) continue;
    at += 1;
    const escaped = chunk.charAt(at);
    if (escaped === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(chunk.slice(at + 1, at + 5))) return 'open_line';
      at += 4;
    } else if (escaped === '' || !'"\\/bfnrt'.includes(escaped)) return 'open_line';
  }
  return undefined;
}

/** Whether `after`, which is `before` with characters deleted, lacks only what a redaction takes. O(line). */
export function isBlanking(before: string, after: string): boolean {
  return fitsLine(before.length) && blankLine(before) === blankLine(after);
}

/** A line that somebody may have deleted some text of, and its head. O(line). */
function restoreLine(raw: string): RestoredLine | LineRefusal {
  if (!fitsLine(raw.length)) return refuse('line');
  const blanked = raw.includes(DELETED);
  const line = blanked ? raw.replaceAll(DELETED, '') : raw;
  if (blanked && blankLine(raw) !== blankLine(line)) return refuse('deletion');
  if (SURROGATE.test(line)) return refuse('surrogate');
  return { ok: true, line, ids: readLineIds(line), blanked };
}

function refuse(code: LineRefusalCode): LineRefusal {
  return { ok: false, code };
}

function checkRestored(
  restored: RestoredLine,
  rules: LineRules,
  isOpening = false,
): CheckedLine | LineRefusal {
  const { line, ids } = restored;
  const { kind } = ids;
  if (kind === KIND.bad) return refuse('line');
  if (kind === KIND.unknown && !rules.allowLater) return refuse('unknown_type');
  if (kind === KIND.lane) return { ...restored, entry: undefined };
  const parsed = parseLine(line);
  if (!parsed.ok) return refuse('line');
  const { body } = parsed;
  if (isOpening && Object.keys(body).slice(-2).join() !== 'text,cut') return refuse('open_line');
  if (!fitsLimits(line, body, rules.limits)) return refuse('entry_size');
  if (kind === KIND.unknown) return { ...restored, entry: undefined };
  const { entry, problem } = readEntry(TYPE_OF_KIND[kind] as Entry['type'], body);
  if (problem !== undefined || !hasHeadOf(line, ids, body)) return refuse('schema');
  if (isFutureStamp(ids.own, rules.now) || (ids.attempt !== '' && isFutureStamp(ids.attempt, rules.now))) {
    return refuse('future_stamp');
  }
  return { ...restored, entry };
}

/** Whether an entry is within the limits. O(line). */
export function fitsLimits(
  line: string,
  body: Readonly<Record<string, unknown>>,
  { fields, value }: EntryLimits,
): boolean {
  const keys = Object.keys(body);
  if (keys.length > fields) return false;
  if (line.length <= value) return true;
  return keys.every(
    (key) => key === 'content' || key === 'text' || (JSON.stringify(body[key]) as string).length <= value,
  );
}

/** Whether the body, in which a second key of one name wins, has the ids that readers take from the head. */
function hasHeadOf(line: string, ids: LineIds, body: Readonly<Record<string, unknown>>): boolean {
  const canonical = encodeLine({ ...body, content: undefined, text: undefined } as unknown as Entry);
  let { end } = ids;
  if (ids.kind === KIND.part) {
    end += NUMBER + String(body['n']).length;
    if (!',}'.includes(line.charAt(end))) return false;
  }
  if (canonical.slice(0, end) !== line.slice(0, end)) return false;
  // An answer has its prompt and attempt in the head, or neither: readers look nowhere else.
  if (ids.kind !== KIND.message || ids.attempt !== '') return true;
  return body['attempt'] === undefined && body['prompt_id'] === undefined;
}

export function isFutureStamp(id: string, now: number): boolean {
  return timeOfUlid(id) > now + FUTURE_LIMIT_MS;
}

/** Whether readers take a line of so many code units. Longer ones are not looked into: patterns run out of stack. */
export function fitsLine(length: number): boolean {
  return length <= LIMITS.line;
}
