import type { Json } from '@chatdoc/schema';
import { canonicalText, isCanonical, losesDigits, parseJson } from './json-value.js';
import { repeatsKey } from './json-walk.js';

/** One row of a legacy file: a line of JSON lines, or an element of a JSON document. */
export interface SourceRow {
  /** Counted from 1 over the rows of the file: what the ledger accounts for. */
  readonly row: number;
  /** The line of the file that it begins on, counted from 1. */
  readonly line: number;
  /** Its path in a JSON document, such as `messages/3`. */
  readonly path?: string | undefined;
  /** The top-level member of a JSON document that it belongs to. */
  readonly table?: string;
  /** Its key, where it is a member of an object. */
  readonly key?: string | undefined;
  /** Its text, as in the file. */
  readonly raw: string;
  /** Its bytes as Latin-1, where they are not UTF-8 and `raw` does not have them. */
  readonly bytes?: string | undefined;
  /** Where it ends in the file, as progress counts; absent where nobody knows. */
  readonly end?: number;
  /** Undefined where `raw` is not JSON. */
  readonly value: Json | undefined;
  /** Whether `value` has everything that the file has: no bad bytes, no digits beyond those of a double. */
  readonly exact: boolean;
  /** Equal for equal rows, whatever their white space and order of keys. */
  readonly text: string;
}

const BOM = '\ufeff';
const BLANK = /^\s*$/;
const NEWLINE = 10;

/** UTF-8 without its byte order mark, bad bytes replaced. */
export function decodeBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}

/** The rows of a file of JSON lines. Empty lines are not rows. */
export function readLineRows(bytes: Uint8Array): readonly SourceRow[] {
  return [...iterateLineRows(bytes)];
}

/** As `readLineRows`, one after the other: what is released before the next is asked for never piles up. */
export function* iterateLineRows(bytes: Uint8Array): Generator<LineRow> {
  let row = 0;
  let line = 0;
  for (let start = 0; start <= bytes.length; ) {
    let end = bytes.indexOf(NEWLINE, start);
    if (end < 0) end = bytes.length;
    line += 1;
    const text = decodeLine(bytes, start, end);
    const raw = text ?? readLine(bytes, start, end);
    if (!BLANK.test(raw)) {
      row += 1;
      const one = new LineRow(row, line, bytes, start, end);
      one.parse(raw, text === undefined);
      yield one;
    }
    start = end + 1;
  }
}

// Line by line, so that one bad byte costs one line its exactness, and one wide character makes one line wide.
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });

/** Undefined where the line is not UTF-8. */
function decodeLine(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return trimLine(STRICT.decode(bytes.subarray(start, end)), start);
  } catch {
    return undefined;
  }
}

function readLine(bytes: Uint8Array, start: number, end: number): string {
  return trimLine(LENIENT.decode(bytes.subarray(start, end)), start);
}

function trimLine(line: string, start: number): string {
  const text = start === 0 && line.startsWith(BOM) ? line.slice(1) : line;
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** A line of a file. Holds its value until it is released: what few rows are asked for is read again from the bytes. */
export class LineRow implements SourceRow {
  readonly row: number;
  readonly line: number;
  readonly end: number;
  readonly #source: Uint8Array;
  readonly #start: number;
  #exact = true;
  #isDamaged = false;
  #parsed: { readonly value: Json } | undefined;
  #isReleased = true;

  constructor(row: number, line: number, source: Uint8Array, start: number, end: number) {
    this.row = row;
    this.line = line;
    this.end = end;
    this.#source = source;
    this.#start = start;
  }

  parse(raw: string, isDamaged: boolean): void {
    this.#parsed = parseJson(raw);
    this.#isReleased = false;
    this.#isDamaged = isDamaged;
    this.#exact = !isDamaged && isExact(this.#parsed?.value, raw);
  }

  get exact(): boolean {
    return this.#exact;
  }

  get value(): Json | undefined {
    return (this.#isReleased ? parseJson(this.raw) : this.#parsed)?.value;
  }

  release(): void {
    this.#parsed = undefined;
    this.#isReleased = true;
  }

  get raw(): string {
    return readLine(this.#source, this.#start, this.end);
  }

  get bytes(): string | undefined {
    return this.#isDamaged ? readLatin1(this.#source.subarray(this.#start, this.end)) : undefined;
  }

  get text(): string {
    return readText(this);
  }
}

/** Whether the value has everything that its text has. */
export function isExact(value: Json | undefined, raw: string): boolean {
  return value !== undefined && isCanonical(value) && !losesDigits(raw) && !repeatsKey(value, raw);
}

/** The content of a row, equal for equal rows. */
export function readText({ exact, value, bytes, raw }: Omit<SourceRow, 'text'>): string {
  return (exact && value !== undefined ? canonicalText(value) : undefined) ?? bytes ?? raw;
}

// Not the decoder of that name: the web's "latin1" is windows-1252, which maps 0x80 … 0x9f elsewhere.
function readLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
