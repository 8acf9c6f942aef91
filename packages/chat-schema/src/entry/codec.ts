import type { Entry, EntryType, LaneEntry } from './entries.js';
import { LIMITS } from './entries.js';
import { isUlidAt, ULID_LENGTH } from './ulid.js';

/**
 * Keys in the order in which they are written: type, own id, the ids it refers to, the rest. Keys that are
 * not listed follow, sorted; a text comes last, so that it can be streamed. The first ids are the head.
 */
const KEYS: Readonly<Record<EntryType, readonly string[]>> = {
  lane: ['lane_id', 'schema_version', 'min_reader', 'generation', 'writer_id', 'user_id', 'rolled_back'],
  document: ['id', 'doc_id', 'migrated_from', 'rolled_back'],
  thread: ['thread_id', 'root_message_id', 'forked_from', 'created_at', 'created_by', 'purpose', 'slot'],
  thread_config: ['id', 'thread_id', 'replaces', 'updated_at', 'updated_by'],
  message: [
    'message_id',
    'thread_id',
    'prompt_id',
    'attempt',
    'epoch',
    'runner_id',
    'reply_to_message_id',
    'after',
    'client_message_id',
    'sender_id',
    'date',
    'expects',
  ],
  part: ['attempt', 'n', 'kind', 'part_id', 'state', 'continues', 'title'],
  finish: ['id', 'attempt', 'finish_reason', 'acp_thread_id', 'acp_usage', 'error'],
  stop: ['id', 'message_id', 'epoch', 'by'],
  retry: ['id', 'message_id', 'epoch', 'by'],
  interrupt: ['id', 'message_id', 'attempt', 'seen'],
  revision: ['id', 'message_id', 'attempt', 'replaces', 'author_id', 'date', 'deleted'],
  redaction: ['id', 'message_id', 'by', 'date'],
  activation: ['id', 'thread_id', 'replaces', 'slot'],
  variables: ['id', 'replaces', 'scope', 'scope_id', 'values'],
  annotation: ['id', 'message_id', 'thread_id', 'replaces', 'user_id', 'key', 'value'],
  thread_state: ['id', 'thread_id', 'active_message_id', 'replaces', 'state', 'updated_at'],
  legacy_row: ['id', 'message_id', 'reason', 'row'],
};
const LAST: ReadonlySet<string> = new Set(['content', 'text', 'cut']);
const LISTED: Readonly<Record<EntryType, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries(KEYS).map(([type, keys]) => [type, new Set(keys)]),
) as unknown as Record<EntryType, ReadonlySet<string>>;

/** One line, without its newline, in canonical key order and escaped for a lane. */
export function encodeLine(entry: Entry | LaneEntry): string {
  const source = entry as unknown as Record<string, unknown>;
  const listed = LISTED[entry.type];
  const ordered: Record<string, unknown> = { type: entry.type };
  for (const key of KEYS[entry.type]) if (source[key] !== undefined) ordered[key] = source[key];
  let rest: string[] | undefined;
  for (const key of Object.keys(source)) {
    if (source[key] === undefined || key === 'type' || listed.has(key) || LAST.has(key)) continue;
    if (rest === undefined) rest = [key];
    else rest.push(key);
  }
  if (rest !== undefined) for (const key of rest.sort()) ordered[key] = source[key];
  for (const key of LAST) if (source[key] !== undefined) ordered[key] = source[key];
  return new Escaper().escape(JSON.stringify(ordered));
}

/** The open line of a streamed part: its last character is the quote that opens the text. */
export function encodeOpenLine(entry: Entry): string {
  const line = encodeLine({ ...entry, text: '' } as Entry);
  return line.slice(0, -2);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the bounds of one-byte text
const WIDE = /[^\u0000-\u00ff]/;
const SURROGATE = /[\ud800-\udfff]/g;
const ABOVE_LATIN1 = /[\u0100-\uffff]/g;

/**
 * Escapes for a lane. A surrogate always: a pair that is split over two inserts reaches peers as two U+FFFD,
 * for ever. Other characters above U+00FF where they are rare so far, because one of them makes the whole
 * lane two bytes a character in memory; not in CJK or Cyrillic text, where escapes would cost more.
 */
export class Escaper {
  #length = 0;
  #wide = 0;

  escape(json: string): string {
    this.#length += json.length;
    if (!WIDE.test(json)) return json;
    const escaped = json.replace(SURROGATE, escapeUnit);
    const wide = escaped.match(ABOVE_LATIN1);
    if (wide === null) return escaped;
    this.#wide += wide.length;
    // One in sixteen: far above punctuation in Latin text, far below any text in another script.
    return this.#wide * 16 <= this.#length + 64 ? escaped.replace(ABOVE_LATIN1, escapeUnit) : escaped;
  }

  /** Text as it stands between the quotes of an open line. */
  escapeText(text: string): string {
    return this.escape(JSON.stringify(text).slice(1, -1));
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text between quotes as it was before `escapeText`, or undefined if it is no whole run of a JSON string. */
export function decodeText(escaped: string): string | undefined {
  try {
    return JSON.parse(`"${escaped}"`) as string;
  } catch {
    return undefined;
  }
}

/**
 * The canonical form of an open line, which is also how it is copied: text closed, `"cut":true` after it.
 * Undefined where the line stops anywhere but inside the last string of its object. O(length).
 */
export function closeLine(open: string): string | undefined {
  const half = findHalfEscape(open);
  // Healed after closing: a blank at the end has its second quote only now.
  const closed = healBlanks(`${half < 0 ? open : open.slice(0, half)}","cut":true}`);
  return parseLine(closed).ok ? closed : undefined;
}

/** Whether text between quotes ends within an escape, so that what follows can't be read alone. */
export function endsInEscape(escaped: string): boolean {
  return findHalfEscape(escaped) >= 0;
}

function findHalfEscape(escaped: string): number {
  const match = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(escaped.slice(-6));
  if (match === null) return -1;
  const at = Math.max(0, escaped.length - 6) + match.index;
  let slashes = 0;
  while (escaped.charCodeAt(at - 1 - slashes) === 92) slashes += 1;
  // An even number before it: this backslash begins an escape, and is not the end of one.
  return slashes % 2 === 0 ? at : -1;
}

export type QuarantineReason =
  /** No known head, or ids in it that are no ULIDs. */
  | 'head'
  | 'not_json'
  | 'reserved_key'
  | 'too_deep'
  | 'too_long'
  /** No `lane` line above it in its text, or one that fails its schema. */
  | 'no_header'
  /** The last line of a text, without a newline and not closable. */
  | 'torn';

export type ParsedLine =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reason: QuarantineReason };

/** Parses one whole line within the limits of the schema version. Never throws. */
export function parseLine(line: string): ParsedLine {
  if (line.length > LIMITS.line) return { ok: false, reason: 'too_long' };
  let body: unknown;
  try {
    body = JSON.parse(line);
  } catch {
    return { ok: false, reason: 'not_json' };
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { ok: false, reason: 'not_json' };
  const bad = findBadValue(body, LIMITS.depth);
  if (bad !== undefined) return { ok: false, reason: bad };
  return { ok: true, body: body as Record<string, unknown> };
}

// Recursion ends at the depth limit, so a line 10,000 deep cannot overflow the stack.
export function findBadValue(value: object, depth: number): QuarantineReason | undefined {
  if (depth === 0) return 'too_deep';
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return 'reserved_key';
    const child = (value as Record<string, unknown>)[key];
    if (typeof child === 'object' && child !== null) {
      const bad = findBadValue(child, depth - 1);
      if (bad !== undefined) return bad;
    }
  }
  return undefined;
}

/** Kinds of line, as numbers for the line table. 0 is a line that is not read. */
export const KIND = {
  none: 0,
  lane: 1,
  document: 2,
  thread: 3,
  thread_config: 4,
  message: 5,
  part: 6,
  finish: 7,
  stop: 8,
  retry: 9,
  interrupt: 10,
  revision: 11,
  redaction: 12,
  activation: 13,
  variables: 14,
  annotation: 15,
  thread_state: 16,
  legacy_row: 17,
  /** A type of a later schema: kept, counted, copied, not folded. */
  unknown: 18,
  /** Listed in quarantine. */
  bad: 19,
} as const;

export const TYPE_OF_KIND: readonly (EntryType | undefined)[] = Object.entries(KIND)
  .filter(([name]) => name !== 'none' && name !== 'unknown' && name !== 'bad')
  .reduce<(EntryType | undefined)[]>((types, [name, kind]) => {
    types[kind] = name as EntryType;
    return types;
  }, []);

/** Where the ids of a line stand; -1 is none. One object, filled again and again: a head costs no memory. */
export interface Head {
  kind: number;
  /** Own id. */
  own: number;
  /** The id that the line is about: message, thread or attempt; its own for what is about itself. */
  subject: number;
  /** Of a message line: its thread. */
  thread: number;
  /** Of an answer's message line, and of an interrupt: the attempt. */
  attempt: number;
  subjectRole: Role;
}

/** What an id names where a line mentions it. One string may name a thread here and a message there. */
export const ROLE = { none: 0, thread: 1, message: 2, attempt: 3 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

export function createHead(): Head {
  return { kind: KIND.none, own: -1, subject: -1, thread: -1, attempt: -1, subjectRole: ROLE.none };
}

interface HeadForm {
  readonly kind: number;
  readonly prefix: string;
  readonly subjects: readonly { readonly separator: string; readonly role: Role }[];
}

const form = (
  type: EntryType,
  own: string,
  ...subjects: readonly { readonly separator: string; readonly role: Role }[]
): HeadForm => ({ kind: KIND[type], prefix: `{"type":"${type}","${own}":"`, subjects });
const ofThread = { separator: '","thread_id":"', role: ROLE.thread } as const;
const ofMessage = { separator: '","message_id":"', role: ROLE.message } as const;
const ofAttempt = { separator: '","attempt":"', role: ROLE.attempt } as const;
const PROMPT = '","prompt_id":"';
/** How far before an answer's attempt its prompt stands. */
export const PROMPT_BEFORE: number = ofAttempt.separator.length + ULID_LENGTH;
const NUMBER = '","n":';

const MESSAGE = form('message', 'message_id', ofThread);
const PART = form('part', 'attempt');
const THREAD = form('thread', 'thread_id');
const LEGACY_ROW = form('legacy_row', 'id', ofMessage);
// By the tenth code unit of a line, the first of its type: few comparisons, the common ones first.
const FORMS: Readonly<Record<string, readonly HeadForm[]>> = {
  m: [MESSAGE],
  p: [PART],
  f: [form('finish', 'id', ofAttempt)],
  r: [form('revision', 'id', ofMessage), form('retry', 'id', ofMessage), form('redaction', 'id', ofMessage)],
  s: [form('stop', 'id', ofMessage)],
  i: [form('interrupt', 'id', ofMessage)],
  t: [form('thread_config', 'id', ofThread), THREAD, form('thread_state', 'id', ofThread)],
  l: [form('lane', 'lane_id'), LEGACY_ROW],
  a: [form('annotation', 'id', ofMessage, ofThread), form('activation', 'id', ofThread)],
  d: [form('document', 'id')],
  v: [form('variables', 'id')],
};
const FORMS_BY_CODE: (readonly HeadForm[] | undefined)[] = [];
for (const [letter, forms] of Object.entries(FORMS)) FORMS_BY_CODE[letter.charCodeAt(0)] = forms;
const START = '{"type":"';
const TYPE_NAME = /[a-z][a-z0-9_]{0,63}"/y;
const KNOWN_TYPES: ReadonlySet<string> = new Set(Object.keys(KEYS));

/**
 * Reads the head of the line that stands in `text` from `start` to `end`, at fixed offsets and without
 * parsing. Fills `head`; its kind is `bad` where a known type has no whole head, `unknown` for later types.
 * Without `check` ids are found and not looked at: who turns them into slots looks at them there.
 */
export function readHead(text: string, start: number, end: number, head: Head, check = true): void {
  forgetHead(head);
  const forms = FORMS_BY_CODE[text.charCodeAt(start + 9)];
  if (forms !== undefined) {
    for (const candidate of forms) {
      if (text.startsWith(candidate.prefix, start)) {
        if (readIds(text, start + candidate.prefix.length, end, candidate, head, check))
          head.kind = candidate.kind;
        else forgetHead(head);
        return;
      }
    }
  }
  if (!text.startsWith(START, start)) return;
  TYPE_NAME.lastIndex = start + START.length;
  const match = TYPE_NAME.exec(text);
  if (match === null || TYPE_NAME.lastIndex > end || KNOWN_TYPES.has(match[0].slice(0, -1))) return;
  head.kind = KIND.unknown;
}

/** Makes of a head that of a line that is quarantined. */
export function forgetHead(head: Head): void {
  head.kind = KIND.bad;
  head.own = -1;
  head.subject = -1;
  head.thread = -1;
  head.attempt = -1;
  head.subjectRole = ROLE.none;
}

function readIds(
  text: string,
  own: number,
  end: number,
  form: HeadForm,
  head: Head,
  check: boolean,
): boolean {
  let at = readId(text, own, end, check);
  if (at < 0) return false;
  head.own = own;
  if (form === PART) {
    head.subject = own;
    head.subjectRole = ROLE.attempt;
    const digit = text.charCodeAt(at + NUMBER.length);
    return text.startsWith(NUMBER, at) && at + NUMBER.length < end && digit > 48 && digit <= 57;
  }
  if (form === MESSAGE) {
    head.subject = own;
    head.subjectRole = ROLE.message;
    if (!text.startsWith(ofThread.separator, at)) return false;
    head.thread = at + ofThread.separator.length;
    at = readId(text, head.thread, end, check);
    if (at < 0) return false;
    if (text.startsWith(PROMPT, at)) {
      at = readId(text, at + PROMPT.length, end, check);
      if (at < 0 || !text.startsWith(ofAttempt.separator, at)) return false;
      head.attempt = at + ofAttempt.separator.length;
      return readId(text, head.attempt, end, check) >= 0;
    }
    return true;
  }
  if (form === THREAD) {
    head.subject = own;
    head.subjectRole = ROLE.thread;
    return true;
  }
  if (form.subjects.length === 0) return true;
  for (const { separator, role } of form.subjects) {
    if (!text.startsWith(separator, at)) continue;
    head.subject = at + separator.length;
    head.subjectRole = role;
    return readId(text, head.subject, end, check) >= 0;
  }
  return form === LEGACY_ROW;
}

/** The offset of the quote after a canonical ULID at `at`, or -1. Bounded by the end of the line. */
function readId(text: string, at: number, end: number, check: boolean): number {
  const after = at + ULID_LENGTH;
  return after < end && (!check || isUlidAt(text, at)) && text.charCodeAt(after) === 34 ? after : -1;
}

/** Two lines with one key are the same entry. Undefined where the line has no whole head of a known type. */
export function keyOfLine(line: string): string | undefined {
  const head = createHead();
  readHead(line, 0, line.length, head);
  if (head.kind === KIND.bad || head.kind === KIND.unknown || head.own < 0) return undefined;
  const ids = [head.own, head.subject, head.attempt].filter((at) => at >= 0);
  const number = head.kind === KIND.part ? Number.parseInt(line.slice(58, 74), 10) : 0;
  return `${head.kind}:${number}:${ids.map((at) => line.substring(at, at + ULID_LENGTH)).join(':')}`;
}

const NUL = '\0';

/**
 * A deletion inside a lane reads as one `\0`. Where it took all that stood between the quotes of a value, the
 * line is whole JSON again, its text empty: that is what a redaction leaves.
 */
export function healBlanks(line: string): string {
  return line.includes(NUL) ? line.replace(/([:[,]")\0(?=")/g, '$1') : line;
}

/** Top-level keys whose strings a redaction leaves: ids, order and times, never what somebody wrote. */
const ENVELOPE: ReadonlySet<string> = new Set([
  ...['type', 'message_id', 'thread_id', 'prompt_id', 'attempt', 'epoch', 'runner_id', 'replaces'],
  ...['reply_to_message_id', 'after', 'client_message_id', 'sender_id', 'author_id', 'date', 'expects', 'id'],
  ...['n', 'kind', 'part_id', 'state', 'continues', 'finish_reason', 'acp_usage', 'acp_thread_id'],
  ...['deleted', 'cut'],
]);

/**
 * The ranges of a line that its redaction takes: what stands between the quotes of each string value outside
 * the envelope, `[start, end)` in code units. An open line ends inside its last string.
 */
export function findPrivateRanges(line: string): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  const token = /["{}[\]]/g;
  let depth = 0;
  let envelope = true;
  for (let match = token.exec(line); match !== null; match = token.exec(line)) {
    if (match[0] !== '"') {
      depth += match[0] === '{' || match[0] === '[' ? 1 : -1;
      continue;
    }
    const start = match.index + 1;
    const end = findQuote(line, start);
    token.lastIndex = end + 1;
    if (end < line.length && line.charCodeAt(end + 1) === 58) {
      if (depth === 1) {
        const key = line.slice(start, end);
        envelope = ENVELOPE.has(key) || (key === 'reason' && line.startsWith(LEGACY_ROW.prefix));
      }
    } else if (!envelope && end > start) {
      ranges.push([start, end]);
    }
  }
  return ranges;
}

/** The quote that closes the string which begins at `from`, or the end of the line. O(length), without recursion. */
function findQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
    let slashes = 0;
    while (at - 1 - slashes >= from && line.charCodeAt(at - 1 - slashes) === 92) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return line.length;
}

/** The line as a redaction leaves it. */
export function blankLine(line: string): string {
  let blank = '';
  let from = 0;
  for (const [start, end] of findPrivateRanges(line)) {
    blank += line.slice(from, start);
    from = end;
  }
  return blank + line.slice(from);
}
