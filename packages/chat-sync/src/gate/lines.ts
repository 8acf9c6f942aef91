import {
  blankLine,
  closeLine,
  createHead,
  type Entry,
  encodeLine,
  endsInEscape,
  FUTURE_LIMIT_MS,
  type Head,
  KIND,
  LIMITS,
  parseLine,
  readEntry,
  readHead,
  timeOfUlid,
} from '@chatdoc/schema';

/** What one line may be when it comes from a peer that nobody trusts. */

export type LineFault =
  /** No whole head, no JSON, too long, too deep, or with a reserved key: readers would quarantine it. */
  | 'line'
  /** The body does not fit the schema of its type, or says other ids than its head. */
  | 'schema'
  /** A type of a later schema. */
  | 'unknown_type'
  /** A stamp further ahead of the gate's clock than writers follow. */
  | 'future_stamp'
  /** More fields, or a longer value, than the limits allow. */
  | 'entry_size'
  /** An unescaped surrogate: split over two updates it would read differently on each replica. */
  | 'surrogate'
  /** A line that stays open and is no growing text of a part, or what came for it is no whole run of text. */
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

export interface CheckedLine {
  readonly ok: true;
  readonly kind: number;
  /** Without what is deleted. */
  readonly line: string;
  readonly head: Head;
  /** Undefined for a header, and for a type of a later schema. */
  readonly entry: Entry | undefined;
  /** Some of its text is deleted. */
  readonly blanked: boolean;
}

export interface LineRefusal {
  readonly ok: false;
  readonly code: LineFault;
}

/** Stands in a line for characters that are deleted. */
export const DELETED = '\0';
const SURROGATE = /[\ud800-\udfff]/;
const START = '{"type":"'.length;
const NUMBER = '","n":'.length;
const ULID_LENGTH = 26;

/** Checks a whole line, without its newline. Headers are looked at no further than their JSON. O(line). */
export function checkLine(raw: string, rules: LineRules): CheckedLine | LineRefusal {
  if (!fitsLine(raw.length)) return refuse('line');
  const restored = takeOutDeleted(raw);
  if (restored === undefined) return refuse('deletion');
  return checkText(restored, restored.length !== raw.length, rules);
}

/**
 * Checks the beginning of a line that stays open: a part whose text, the last of its fields, has begun and
 * ends at a whole escape. O(line).
 */
export function checkOpening(raw: string, rules: LineRules): CheckedLine | LineRefusal {
  if (!fitsLine(raw.length)) return refuse('line');
  const restored = takeOutDeleted(raw);
  if (restored === undefined) return refuse('deletion');
  if (SURROGATE.test(restored)) return refuse('surrogate');
  if (!restored.startsWith('{"type":"part"') || endsInEscape(restored)) return refuse('open_line');
  const closed = closeLine(restored);
  const parsed = closed === undefined ? undefined : parseLine(closed);
  if (closed === undefined || parsed?.ok !== true) return refuse('open_line');
  if (Object.keys(parsed.body).slice(-2).join() !== 'text,cut') return refuse('open_line');
  return checkText(closed, restored.length !== raw.length, rules);
}

/** Checks text that comes for an open line and does not end it: whole escapes, no quote. O(chunk). */
export function checkGrowth(chunk: string): LineFault | undefined {
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

/** The line without its marks; undefined where one stands outside of the texts that a redaction takes. */
function takeOutDeleted(raw: string): string | undefined {
  if (!raw.includes(DELETED)) return raw;
  const restored = raw.replaceAll(DELETED, '');
  return blankLine(raw) === blankLine(restored) ? restored : undefined;
}

function refuse(code: LineFault): LineRefusal {
  return { ok: false, code };
}

function checkText(line: string, blanked: boolean, rules: LineRules): CheckedLine | LineRefusal {
  if (SURROGATE.test(line)) return refuse('surrogate');
  const head = createHead();
  readHead(line, 0, line.length, head);
  const { kind } = head;
  if (kind === KIND.bad) return refuse('line');
  if (kind === KIND.unknown && !rules.allowLater) return refuse('unknown_type');
  const parsed = parseLine(line);
  if (!parsed.ok) return refuse('line');
  if (!fitsLimits(line, parsed.body, rules.limits)) return refuse('entry_size');
  if (kind === KIND.unknown || kind === KIND.lane) {
    return { ok: true, kind, line, head, entry: undefined, blanked };
  }
  const { body } = parsed;
  const { entry, problem } = readEntry(line.slice(START, line.indexOf('"', START)) as Entry['type'], body);
  if (problem !== undefined || !hasHeadOf(line, head, body)) return refuse('schema');
  if (isFuture(line, head.own, rules.now) || isFuture(line, head.attempt, rules.now)) {
    return refuse('future_stamp');
  }
  return { ok: true, kind, line, head, entry, blanked };
}

function fitsLimits(
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

/** Whether the body, in which a second key of one name wins, says what readers take from the head. */
function hasHeadOf(line: string, head: Head, body: Readonly<Record<string, unknown>>): boolean {
  const canonical = encodeLine({ ...body, content: undefined, text: undefined } as unknown as Entry);
  let end = Math.max(head.own, head.subject, head.thread, head.attempt) + ULID_LENGTH;
  if (head.kind === KIND.part) {
    end += NUMBER + String(body['n']).length;
    if (!',}'.includes(line.charAt(end))) return false;
  }
  if (canonical.slice(0, end) !== line.slice(0, end)) return false;
  // An answer has its prompt and attempt in the head, or neither: readers look nowhere else.
  if (head.kind !== KIND.message || head.attempt >= 0) return true;
  return body['attempt'] === undefined && body['prompt_id'] === undefined;
}

function isFuture(line: string, at: number, now: number): boolean {
  return at >= 0 && isFutureStamp(line.substring(at, at + ULID_LENGTH), now);
}

export function isFutureStamp(id: string, now: number): boolean {
  return timeOfUlid(id) > now + FUTURE_LIMIT_MS;
}

/** Whether readers take a line of so many code units. Longer ones are not looked into: patterns run out of stack. */
export function fitsLine(length: number): boolean {
  return length <= LIMITS.line;
}
