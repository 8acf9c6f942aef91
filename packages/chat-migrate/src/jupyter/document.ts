import type { Json } from '@chatdoc/schema';
import { isJupyterMessage } from '../source/detect.js';
import { isJsonObject, parseJson } from '../source/json-value.js';
import { decodeSpan, JsonWalk } from '../source/json-walk.js';
import type { Progress } from '../source/progress.js';
import { decodeBytes, isExact, readText, type SourceRow } from '../source/rows.js';

/** A member of a jupyter-chat document. */
export class JupyterRow implements SourceRow {
  readonly row: number;
  readonly line: number;
  readonly table: string;
  readonly end: number;
  /** Its key, or its place in a list; undefined where it is the whole table. */
  readonly #name: string | number | undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #parsed: { readonly value: Json } | undefined;
  #isReleased = false;
  readonly exact: boolean;

  constructor(
    row: number,
    line: number,
    table: string,
    name: string | number | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    this.row = row;
    this.line = line;
    this.table = table;
    this.end = end;
    this.#name = name;
    this.#bytes = bytes;
    this.#start = start;
    const raw = this.raw;
    this.#parsed = parseJson(raw);
    this.exact = isExact(this.#parsed?.value, raw);
  }

  get path(): string {
    return this.#name === undefined ? this.table : `${this.table}/${this.#name}`;
  }

  get key(): string | undefined {
    return typeof this.#name === 'string' ? this.#name : undefined;
  }

  get value(): Json | undefined {
    return (this.#isReleased ? parseJson(this.raw) : this.#parsed)?.value;
  }

  /** Forgets the value, which is read from the bytes again where somebody asks for it. */
  release(): void {
    this.#parsed = undefined;
    this.#isReleased = true;
  }

  get raw(): string {
    return decodeSpan(this.#bytes, this.#start, this.end);
  }

  get text(): string {
    return readText(this);
  }
}

export interface JupyterDocument {
  readonly rows: readonly JupyterRow[];
  /**
   * The document with its first rows only, by which it is detected; undefined where it is not JSON, or
   * has a member twice.
   */
  readonly outline: Json | undefined;
}

const TABLES: ReadonlySet<string> = new Set(['messages', 'users', 'attachments']);
const [BRACE, BRACKET] = [123, 91] as const;

/** The rows of a jupyter-chat document: each message, user and attachment, and every other top-level member. */
export function readJupyterDocument(bytes: Uint8Array, progress: Progress): JupyterDocument {
  const walk = new JsonWalk(bytes);
  const rows: JupyterRow[] = [];
  const outline = new Map<string, Json>();
  let line = 1;
  let newline = bytes.indexOf(NEWLINE);
  const add = (table: string, name: string | number | undefined, start: number): JupyterRow | undefined => {
    for (; newline >= 0 && newline < start; newline = bytes.indexOf(NEWLINE, newline + 1)) line += 1;
    const end = walk.skipValue(start);
    if (end === start) {
      // Not JSON: between two commas there is nothing to keep.
      walk.isSound = false;
      return undefined;
    }
    const row = new JupyterRow(rows.length + 1, line, table, name, bytes, start, end);
    rows.push(row);
    if (row.value === undefined) walk.isSound = false;
    progress.advance(end);
    return row;
  };
  const start = findStart(bytes);
  const end = walk.visit(start, (key, at) => {
    const table = String(key);
    if (outline.has(table)) walk.isSound = false;
    const open = bytes[at];
    if (!TABLES.has(table) || (open !== BRACE && open !== BRACKET)) {
      const row = add(table, undefined, at);
      outline.set(table, row?.value ?? null);
      return row?.end ?? at;
    }
    let first: Json | undefined;
    let isFound = false;
    const after = walk.visit(at, (name, from) => {
      const row = add(table, name, from);
      const value = isFound ? undefined : row?.value;
      if (value !== undefined) {
        isFound = isJupyterMessage(value);
        if (isFound || first === undefined || (isJsonObject(value) && !isJsonObject(first))) first = value;
      }
      return row?.end ?? from;
    });
    const some = first === undefined ? [] : [first];
    outline.set(table, open === BRACE ? Object.fromEntries(some.map((one) => ['', one])) : some);
    return after;
  });
  const isWhole = walk.isSound && bytes[start] === BRACE && walk.skipSpace(end) >= bytes.length;
  return { rows, outline: isWhole ? Object.fromEntries(outline) : undefined };
}

const NEWLINE = 10;
const MARK = [0xef, 0xbb, 0xbf] as const;

/** The offset of the first character that is not white space. */
function findStart(bytes: Uint8Array): number {
  let start = MARK.every((byte, index) => bytes[index] === byte) ? MARK.length : 0;
  for (
    let byte = bytes[start];
    byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
    byte = bytes[start]
  )
    start += 1;
  if ((bytes[start] ?? 0) < 128) return start;
  // Of other scripts.
  const text = decodeBytes(bytes);
  const space = text.slice(0, Math.max(0, text.search(/\S/)));
  return (
    new TextEncoder().encode(space).length + (MARK.every((byte, index) => bytes[index] === byte) ? 3 : 0)
  );
}
