import { type Entry, isUlid, type Json, LIMITS } from '@chatdoc/schema';
import { Escaper, encodeLine, entrySchemas, type MessageEntry, parseLine } from '@chatdoc/schema/internal';
import { ByteWriter } from '../source/byte-writer.js';
import { readCanonicalDate } from '../source/dates.js';
import { isJsonArray, sortKeys } from '../source/json-value.js';
import { isWide, quote } from '../source/quote.js';
import { deriveId } from './derive-id.js';
import { FIELDS, type FieldKind } from './entry-fields.js';

/** An entry on its way into a plan: its line, and what the line's place among the others depends on. */
export interface WrittenEntry {
  readonly type: Entry['type'];
  /** Canonical, without a newline. */
  readonly line: string;
  /** As the ledger names it. */
  readonly ref: string;
  /** The message or attempt that it is about; absent where it stands by its line alone. */
  readonly subject?: string | undefined;
  /** Of a part, its number. */
  readonly n: number;
}

/**
 * The line of an entry; undefined where the schema would quarantine that line or find a problem in it (too
 * long, too deep, a reserved key). The caller then keeps the row as text. `content` is the JSON text of the
 * entry's content, where that is at hand.
 */
export function writeEntry(entry: Entry, content?: string): WrittenEntry | undefined {
  const line = writeLine(entry, content) ?? encodeAnyLine(entry);
  return line === undefined
    ? undefined
    : {
        type: entry.type,
        line,
        ref: refOf(entry),
        subject: subjectOf(entry),
        n: entry.type === 'part' ? entry.n : 0,
      };
}

/** What the line of a message says besides the messages that it refers to. */
export type MessageTail = Pick<MessageEntry, 'sender_id' | 'date' | 'legacy' | 'content'>;

/**
 * The end of the line of a message: what is known of it before the others are read. Undefined where there is
 * anything out of the common; the whole entry must be written then. `content` is the JSON text of the content.
 */
export function writeTail(tail: MessageTail, content: string): string | undefined {
  let line = '';
  for (const { key, kind, start } of TAIL_FIELDS) {
    const value = tail[key as keyof MessageTail];
    if (value === undefined) continue;
    const text = key === 'content' ? content : writeField(kind, value);
    if (text === undefined) return undefined;
    line += start + text;
  }
  if (line.length > MAX_TAIL) return undefined;
  line += '}';
  // Makes one piece of it. What it was put together from would be kept with it otherwise.
  isWide(line);
  return line;
}

/** The end of a line of a message, as UTF-8. What is above Latin-1 is escaped with the rest of its line. */
export interface ByteTail {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** As of a `StringSpan`. */
  readonly wide: number;
  readonly pairs: number;
  readonly extra: number;
}

/** A message of a tail and of what it refers to. Its line is made when it is asked for, and not kept. */
export class TailedMessage implements WrittenEntry {
  readonly type = 'message';
  readonly ref: string;
  readonly n = 0;
  readonly #thread_id: string;
  readonly #reply: string | undefined;
  readonly #after: string | undefined;
  readonly #tail: string | ByteTail;

  constructor(
    message_id: string,
    thread_id: string,
    reply_to_message_id: string | undefined,
    after: string | undefined,
    tail: string | ByteTail,
  ) {
    this.ref = message_id;
    this.#thread_id = thread_id;
    this.#reply = reply_to_message_id;
    this.#after = after;
    this.#tail = tail;
  }

  get subject(): string {
    return this.ref;
  }

  get line(): string {
    const tail = this.#tail;
    if (typeof tail !== 'string') {
      const writer = new ByteWriter(this.size);
      this.writeTo(writer);
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(writer.bytes.subarray(0, writer.end));
    }
    const reply = this.#reply === undefined ? '' : `,"reply_to_message_id":"${this.#reply}"`;
    const after = this.#after === undefined ? '' : `,"after":"${this.#after}"`;
    const head = `{"type":"message","message_id":"${this.ref}","thread_id":"${this.#thread_id}"${reply}${after}`;
    return escapeLine(head + tail);
  }

  /** Bytes that `writeTo` takes at the most; 0 where it can't be used. */
  get size(): number {
    const tail = this.#tail;
    if (typeof tail === 'string') return 0;
    const length = tail.to - tail.from;
    return MAX_HEAD + (tail.extra === 0 ? length : length * 3);
  }

  /** Writes the line of a tail of bytes. */
  writeTo(writer: ByteWriter): void {
    const tail = this.#tail;
    if (typeof tail === 'string') return;
    const start = writer.end;
    writer.addAscii('{"type":"message","message_id":"');
    writer.addAscii(this.ref);
    writer.addAscii('","thread_id":"');
    writer.addAscii(this.#thread_id);
    if (this.#reply !== undefined) {
      writer.addAscii('","reply_to_message_id":"');
      writer.addAscii(this.#reply);
    }
    if (this.#after !== undefined) {
      writer.addAscii('","after":"');
      writer.addAscii(this.#after);
    }
    writer.addAscii('"');
    const { bytes, from, to, wide, pairs, extra } = tail;
    if (wide === 0 && pairs === 0) writer.addRange(bytes, from, to);
    else writer.addEscaped(bytes, from, to, isRare(wide, writer.end - start + to - from - extra));
  }
}

const MAX_HEAD = 256;

/** Where the tails of many messages stand one after the other. */
export class TailStore {
  #writer = new ByteWriter(4 * 1024);
  #from = 0;

  /** For a tail of that many bytes, and 1024 of names and dates. Only the content may be wide. */
  open(length: number): ByteWriter {
    const room = length + 1024;
    if (this.#writer.end + room > this.#writer.bytes.length) {
      const size = Math.min(this.#writer.bytes.length * 4, STORE_BLOCK);
      this.#writer = new ByteWriter(Math.max(size, room));
    }
    this.#from = this.#writer.end;
    return this.#writer;
  }

  close({ wide, pairs, extra }: Pick<ByteTail, 'wide' | 'pairs' | 'extra'>): ByteTail {
    this.#writer.addAscii('}');
    const { bytes, end } = this.#writer;
    return { bytes, from: this.#from, to: end, wide, pairs, extra };
  }
}

/** As the `Escaper` of the schema has it: characters above Latin-1 among the code units of a line. */
function isRare(wide: number, length: number): boolean {
  return wide * 16 <= length + 64;
}

const STORE_BLOCK = 1024 * 1024;
const startOf = (key: keyof MessageTail): string =>
  FIELDS.message?.find((field) => field.key === key)?.start ?? '';
/** What stands before each field of a tail, in their order. */
export const TAIL_STARTS: Readonly<Record<keyof MessageTail, string>> = {
  sender_id: startOf('sender_id'),
  date: startOf('date'),
  legacy: startOf('legacy'),
  content: startOf('content'),
};

const TAIL_KEYS: ReadonlySet<string> = new Set(['sender_id', 'date', 'legacy', 'content']);
const TAIL_FIELDS = (FIELDS.message ?? []).filter(({ key }) => TAIL_KEYS.has(key));
/** Leaves room for the head, and for escapes of six characters. */
const MAX_TAIL = LIMITS.line / 8;

/** Any entry there is, with every check of the schema. */
function encodeAnyLine(entry: Entry): string | undefined {
  // First, because the encoder recurses without a limit.
  if (!isWithinDepth(entry as unknown as Json, LIMITS.depth)) return undefined;
  // The same value in two revisions of a file must be the same line, and writers of jupyter-chat shuffle keys.
  const sorted = sortKeys(entry as unknown as Json) as unknown as Entry;
  const line = encodeLine(sorted);
  return parseLine(line).ok && entrySchemas[entry.type].safeParse(sorted).success ? line : undefined;
}

/**
 * The same line in a tenth of the time, for entries as the readers make nearly all of them: known fields, each of
 * its kind. Undefined where there is anything else, which says nothing about the entry.
 */
function writeLine(entry: Entry, content: string | undefined): string | undefined {
  const fields = FIELDS[entry.type];
  if (fields === undefined) return undefined;
  const source = entry as unknown as Readonly<Record<string, unknown>>;
  let line = `{"type":"${entry.type}"`;
  let left = -1;
  for (const key in source) if (source[key] !== undefined) left += 1;
  for (const { key, kind, start } of fields) {
    const value = source[key];
    if (value === undefined) continue;
    const text =
      kind === 'text' && key === 'content' && content !== undefined ? content : writeField(kind, value);
    if (text === undefined) return undefined;
    line += start;
    line += text;
    left -= 1;
  }
  if (left !== 0) return undefined;
  line = escapeLine(`${line}}`);
  return line.length > LIMITS.line ? undefined : line;
}

function escapeLine(line: string): string {
  return isWide(line) ? new Escaper().escape(line) : line;
}

const NAME_LENGTH = 4096;

/** JSON of the value, or undefined where it is not plainly of its kind. */
function writeField(kind: FieldKind, value: unknown): string | undefined {
  switch (kind) {
    case 'id':
      return typeof value === 'string' && isUlid(value) ? `"${value}"` : undefined;
    case 'ids': {
      if (!Array.isArray(value) || value.length > NAME_LENGTH || !value.every(isUlid)) return undefined;
      return value.length === 0 ? '[]' : `["${value.join('","')}"]`;
    }
    case 'date':
      return typeof value === 'string' && readCanonicalDate(value) >= 0 ? `"${value}"` : undefined;
    case 'name':
      return typeof value === 'string' && value.length <= NAME_LENGTH ? quote(value) : undefined;
    case 'text':
      return typeof value === 'string' && value.length <= LIMITS.text ? quote(value) : undefined;
    case 'number':
      return Number.isSafeInteger(value) && (value as number) > 0 ? `${value as number}` : undefined;
    case 'flag':
      return typeof value === 'boolean' ? `${value}` : undefined;
    case 'json':
      return writeJson(value as Json, LIMITS.depth - 1);
  }
}

/** JSON with sorted keys, or undefined where it is deeper than that, or has a key or number of the odd kind. */
function writeJson(value: Json, depth: number): string | undefined {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth === 0) return undefined;
  let text = '';
  if (isJsonArray(value)) {
    for (const item of value) {
      const written = writeJson(item, depth - 1);
      if (written === undefined) return undefined;
      text += text === '' ? written : `,${written}`;
    }
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    // Objects give keys that are numbers first, in their own order; and `__proto__` is reserved.
    if (isDigit(key.charCodeAt(0)) || key === '__proto__') return undefined;
    const written = writeJson(value[key] as Json, depth - 1);
    if (written === undefined) return undefined;
    text += `${text === '' ? '' : ','}${quote(key)}:${written}`;
  }
  return `{${text}}`;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** The id of an entry; a part has none, so its attempt and number. */
function refOf(entry: Entry): string {
  switch (entry.type) {
    case 'message':
      return entry.message_id;
    case 'thread':
      return entry.thread_id;
    case 'part':
      return `${entry.attempt}/${entry.n}`;
    default:
      return entry.id;
  }
}

function subjectOf(entry: Entry): string | undefined {
  switch (entry.type) {
    case 'part':
      return entry.attempt;
    case 'annotation':
      return entry.message_id ?? '';
    case 'message':
    case 'revision':
      return entry.message_id;
    default:
      return undefined;
  }
}

function isWithinDepth(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  for (const child of Object.values(value)) if (!isWithinDepth(child, depth - 1)) return false;
  return true;
}

/** Code units of one piece of a long text: escaped sixfold it still fits a line. */
export const PIECE_LENGTH: number = Math.floor(LIMITS.text / 4);

/** A text in pieces that each fit an entry. */
export function splitText(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_LENGTH) pieces.push(text.slice(at, at + PIECE_LENGTH));
  return pieces;
}

/**
 * A number for a part that depends on nothing but the part: place among its siblings, then `rank`, then a hash of
 * its content. Two revisions of a file that tell a part differently must not give one number to both.
 */
export function derivePartNumber(
  kind: 'text' | 'tool_call' | 'file',
  index: number,
  rank: number,
  content: string,
): number {
  const place = PART_ORDER.indexOf(kind) * MAX_SIBLINGS + Math.min(index, MAX_SIBLINGS - 1);
  return (place * RANKS + rank) * HASHES + readHash(deriveId(0, 'legacy_part', kind, content)) + 1;
}

const PART_ORDER = ['text', 'tool_call', 'file'] as const;
const MAX_SIBLINGS = 2 ** 17;
const RANKS = 8;
const HASHES = 2 ** 30;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 30 bits of the random part of a ULID. */
function readHash(ulid: string): number {
  let value = 0;
  for (const digit of ulid.slice(-6)) value = value * 32 + DIGITS.indexOf(digit);
  return value;
}
