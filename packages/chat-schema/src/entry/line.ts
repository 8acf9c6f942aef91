import { COST } from '../host/cost.js';
import type { LaneEntry } from './lane.js';
import { LIMITS } from './limits.js';
import { definitionOf, type Entry, type EntryType } from './table.js';

/** Written last whatever the type, so that a text can be streamed and a cut is seen at the end. */
const LAST: readonly string[] = ['content', 'text', 'cut'];

/** How an entry type is written: its ordered keys with what comes before each value. */
interface Form {
  readonly start: string;
  readonly keys: readonly string[];
  readonly starts: readonly string[];
  /** Keys that have a place of their own. */
  readonly placed: ReadonlySet<string>;
}

const forms = new Map<EntryType, Form>();

function formOf(type: EntryType): Form {
  let form = forms.get(type);
  if (form === undefined) {
    const { keys, unordered = [] } = definitionOf(type);
    const own = keys.filter((key) => !unordered.includes(key) && !LAST.includes(key));
    form = {
      start: `{"type":"${type}"`,
      keys: own,
      starts: own.map((key) => `,"${key}":`),
      placed: new Set(['type', ...own, ...LAST]),
    };
    forms.set(type, form);
  }
  return form;
}

/** One line, without its newline, in canonical key order and escaped for a lane. Keys without a place follow, sorted. */
export function encodeLine(entry: Entry | LaneEntry): string {
  const source = entry as unknown as Readonly<Record<string, unknown>>;
  const { start, keys, starts, placed } = formOf(entry.type);
  let line = start;
  for (let i = 0; i < keys.length; i += 1) {
    const value = JSON.stringify(source[keys[i] as string]);
    if (value !== undefined) line += (starts[i] as string) + value;
  }
  let rest: string[] | undefined;
  for (const key of Object.keys(source)) {
    if (placed.has(key) || source[key] === undefined) continue;
    rest ??= [];
    rest.push(key);
  }
  if (rest !== undefined) {
    const at = encodeRest(source, rest.sort());
    if (at === undefined) return encodeOdd(source, keys, rest);
    line += at;
  }
  for (const key of LAST) {
    const value = JSON.stringify(source[key]);
    if (value !== undefined) line += `,"${key}":${value}`;
  }
  return new Escaper().escape(`${line}}`);
}

/** Undefined where an object would write a key elsewhere: a number comes first, and `__proto__` is not a key. */
function encodeRest(source: Readonly<Record<string, unknown>>, keys: readonly string[]): string | undefined {
  let text = '';
  for (const key of keys) {
    if (key === '__proto__' || /^\d/.test(key)) return undefined;
    const value = JSON.stringify(source[key]);
    if (value !== undefined) text += `,${JSON.stringify(key)}:${value}`;
  }
  return text;
}

/** The bytes that an object of these keys gives: what such lines have always been. */
function encodeOdd(
  source: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  rest: readonly string[],
): string {
  const ordered: Record<string, unknown> = { type: source['type'] };
  for (const key of [...keys, ...rest, ...LAST]) if (source[key] !== undefined) ordered[key] = source[key];
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
 * permanently. Other characters above U+00FF where they are rare so far, because one of them makes the whole
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

  /** Text as written between the quotes of an open line. */
  escapeText(text: string): string {
    return this.escape(JSON.stringify(text).slice(1, -1));
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text between quotes as it was before `escapeText`, or undefined if it is not a whole run of a JSON string. */
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
  /** No known head, or ids in it that are not ULIDs. */
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
  COST.parses += 1;
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

const NUL = '\0';

/**
 * A deletion inside a lane reads as one `\0`. Where it took everything between the quotes of a value, the
 * line is whole JSON again, its text empty: that is what a redaction leaves.
 */
export function healBlanks(line: string): string {
  return line.includes(NUL) ? line.replace(/([:[,]")\0(?=")/g, '$1') : line;
}
