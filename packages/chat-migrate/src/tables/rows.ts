import type { Json, JsonObject } from '@chatdoc/schema';
import type { PlanDraft } from '../plan/draft.js';
import { type CsvRecord, readCsvRecords } from '../source/csv-records.js';
import { canonicalText, isJsonArray, isJsonObject, losesDigits, parseJson } from '../source/json-value.js';
import { decodeSpan, JsonWalk, repeatsKey } from '../source/json-walk.js';
import { decodeBytes, readLineRows, type SourceRow } from '../source/rows.js';
import { plainName } from './columns.js';

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Whether a table with these columns, in plain form, is of the format looked for. */
export type TableTest = (columns: ReadonlySet<string>) => boolean;

/** The columns of each table that a JSON document holds, by its first row: a list, or a member that is one. */
export function listColumns(whole: Json): readonly ReadonlySet<string>[] {
  const lists = isJsonObject(whole) ? Object.values(whole) : [whole];
  const rows = lists.map((list) => (isJsonArray(list) ? list.find(isJsonObject) : undefined));
  return [...rows, whole].flatMap((row) => (isJsonObject(row) ? [plainColumns(row)] : []));
}

export function plainColumns(row: JsonObject): ReadonlySet<string> {
  return new Set(Object.keys(row).map(plainName));
}

/** The delimiter of a text whose first line names the columns of such a table. */
export function findDelimiter(text: string, isTable: TableTest): string | undefined {
  const end = text.search(/[\r\n]/);
  const first = end < 0 ? text : text.slice(0, end);
  return DELIMITERS.find((delimiter) =>
    isTable(new Set(readHeader(readCsvRecords(first, delimiter)[0]).map(plainName))),
  );
}

/** Names of columns; one that comes twice, or has no name, gets a number, so that no value is lost. */
function readHeader(record: CsvRecord | undefined): readonly string[] {
  const seen = new Set<string>();
  return (record?.fields ?? []).map((field, index) => {
    const name = field.trim();
    const column = name === '' || seen.has(name) ? nameColumn(index) : name;
    seen.add(column);
    return column;
  });
}

function nameColumn(index: number): string {
  return `column ${index + 1}`;
}

/**
 * The rows of a table, however it was exported: lines of JSON, a JSON document (a list, or an object whose lists are
 * tables), or comma-separated values under the names of their columns.
 */
export function readTableRows(bytes: Uint8Array, isTable: TableTest): readonly SourceRow[] {
  const file = decodeExactly(bytes);
  const whole = parseJson(skipMark(file.text))?.value;
  if (whole !== undefined) {
    const isRow = isJsonObject(whole) && isTable(plainColumns(whole));
    return readJsonRows(bytes, isRow);
  }
  const delimiter = findDelimiter(skipMark(file.text), isTable);
  if (delimiter !== undefined) return readCsvRows(file, delimiter);
  return readLineRows(bytes);
}

interface Decoded {
  /** Each byte as one character where the file is not UTF-8. */
  readonly text: string;
  readonly isUtf8: boolean;
}

function decodeExactly(bytes: Uint8Array): Decoded {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), isUtf8: true };
  } catch {
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { text, isUtf8: false };
  }
}

/** The text from `start` to `end` of a file; also each byte as one character, where they are not UTF-8. */
interface Span {
  readonly raw: string;
  readonly bytes?: string;
}

/** Makes the rows of a file; quoted text may hold newlines, so lines are counted. */
class RowMaker {
  readonly rows: SourceRow[] = [];
  readonly #file: string | Uint8Array;
  readonly #read: (start: number, end: number) => Span;
  #line = 1;
  #newline: number;

  /** Offsets of rows are those of `file`. */
  constructor(file: string | Uint8Array, read: (start: number, end: number) => Span) {
    this.#file = file;
    this.#read = read;
    this.#newline = this.#findNewline(0);
  }

  add(
    start: number,
    end: number,
    place: Pick<SourceRow, 'path' | 'table' | 'key'>,
    read: (raw: string) => Json | undefined,
  ): void {
    for (; this.#newline >= 0 && this.#newline < start; this.#newline = this.#findNewline(this.#newline + 1))
      this.#line += 1;
    const { raw, bytes } = this.#read(start, end);
    const value = read(raw);
    const isWhole = value !== undefined && !(isJson(place) && (losesDigits(raw) || repeatsKey(value, raw)));
    const canonical = isWhole ? canonicalText(value) : undefined;
    const exact = canonical !== undefined && bytes === undefined;
    this.rows.push({
      row: this.rows.length + 1,
      line: this.#line,
      ...place,
      raw,
      ...(bytes === undefined ? {} : { bytes }),
      value,
      exact,
      text: exact ? canonical : (bytes ?? raw),
    });
  }

  #findNewline(from: number): number {
    return typeof this.#file === 'string'
      ? this.#file.indexOf('\n', from)
      : this.#file.indexOf(NEWLINE, from);
  }
}

const NEWLINE = 10;

function readBytesSpan(bytes: Uint8Array, start: number, end: number): Span {
  const raw = decodeSpan(bytes, start, end);
  if (!raw.includes('\ufffd')) return { raw };
  const { text, isUtf8 } = decodeExactly(bytes.subarray(start, end));
  return isUtf8 ? { raw } : { raw, bytes: text };
}

function readTextSpan({ text, isUtf8 }: Decoded, start: number, end: number): Span {
  const slice = text.slice(start, end);
  if (isUtf8) return { raw: slice };
  const raw = decodeBytes(Uint8Array.from(slice, (char) => char.charCodeAt(0)));
  return raw.includes('\ufffd') ? { raw, bytes: slice } : { raw };
}

/** Whether a row is JSON: the fields of a record are texts, which lose nothing. */
function isJson({ path }: Pick<SourceRow, 'path'>): boolean {
  return path !== undefined;
}

const readJson = (raw: string): Json | undefined => parseJson(raw)?.value;

function readJsonRows(bytes: Uint8Array, isRow: boolean): readonly SourceRow[] {
  const maker = new RowMaker(bytes, (start, end) => readBytesSpan(bytes, start, end));
  const walk = new JsonWalk(bytes);
  let start = 0;
  while (bytes[start] !== BRACE && bytes[start] !== BRACKET) start += 1;
  if (isRow) {
    maker.add(start, walk.skipValue(start), { path: 'row' }, readJson);
    return maker.rows;
  }
  const visitList = (from: number, prefix: string, table: { table?: string }): number =>
    walk.visit(from, (key, at) => {
      const end = walk.skipValue(at);
      maker.add(at, end, { path: `${prefix}/${key}`, ...table }, readJson);
      return end;
    });
  if (bytes[start] === BRACKET) {
    visitList(start, 'rows', {});
    return maker.rows;
  }
  walk.visit(start, (name, at) => {
    const key = String(name);
    if (hasObject(walk, bytes, at)) return visitList(at, key, { table: key });
    const end = walk.skipValue(at);
    maker.add(at, end, { path: key, key }, readJson);
    return end;
  });
  return maker.rows;
}

const [BRACE, BRACKET] = [123, 91] as const;

/** Whether a list of which an element is an object begins at `start`. */
function hasObject(walk: JsonWalk, bytes: Uint8Array, start: number): boolean {
  let found = false;
  if (bytes[start] !== BRACKET) return found;
  walk.visit(start, (_, at) => {
    found ||= bytes[at] === BRACE;
    return walk.skipValue(at);
  });
  return found;
}

function readCsvRows(file: Decoded, delimiter: string): readonly SourceRow[] {
  const { text } = file;
  const [header, ...records] = readCsvRecords(skipMark(text), delimiter);
  const shift = text.length - skipMark(text).length;
  const columns = readHeader(header);
  const maker = new RowMaker(text, (start, end) => readTextSpan(file, start, end));
  for (const { start, end, fields, isDamaged } of records) {
    const raw = text.slice(start + shift, end + shift);
    if (raw.trim() === '') continue;
    const read = (decoded: string): Json | undefined => {
      if (isDamaged) return undefined;
      const given = file.isUtf8 ? fields : (readCsvRecords(decoded, delimiter)[0]?.fields ?? []);
      return Object.fromEntries(given.map((field, index) => [columns[index] ?? nameColumn(index), field]));
    };
    const size = raw.replace(/\r?\n$|\r$/, '').length;
    maker.add(start + shift, start + shift + size, {}, read);
  }
  return maker.rows;
}

/** The mark as it reads where each byte is one character. */
const BYTE_MARK = '\u00ef\u00bb\u00bf';

function skipMark(text: string): string {
  return text.startsWith(BYTE_MARK) ? text.slice(BYTE_MARK.length) : text;
}

/**
 * The rows that are objects, each once. Others are reported and kept; a row equal to another of its table
 * is merged into it.
 */
export function screenTableRows(rows: readonly SourceRow[], draft: PlanDraft): readonly SourceRow[] {
  const known = new Map<string, SourceRow>();
  return rows.filter((row) => {
    const identity = JSON.stringify([row.table ?? null, row.key ?? '', row.text]);
    const same = known.get(identity);
    if (same !== undefined) {
      draft.merge(row, same);
      return false;
    }
    known.set(identity, row);
    if (row.bytes !== undefined)
      draft.report(row, 'not_utf8', 'the row is not UTF-8: its bytes are kept aside', row.raw);
    if (row.value === undefined) {
      draft.report(row, 'not_json', 'the row cannot be read: it is kept as text', row.raw);
      draft.setAside(row, 'not_json');
      return false;
    }
    if (row.key !== undefined) {
      draft.setAside(row, 'table_member', 0, { key: row.key, value: row.value });
      return false;
    }
    if (isJsonObject(row.value)) {
      draft.reportRepeatedKey(row);
      return true;
    }
    draft.report(row, 'not_a_row', 'the row is not an object: it is kept as it is', row.raw);
    draft.setAside(row, 'not_a_row');
    return false;
  });
}
