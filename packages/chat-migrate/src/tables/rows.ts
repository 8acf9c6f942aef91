import type { Json, JsonObject } from '@chatdoc/schema';
import type { PlanDraft } from '../plan/draft.js';
import { type CsvRecord, readCsvRecords } from '../source/csv-records.js';
import { type JsonSpan, readSpans } from '../source/json-spans.js';
import { canonicalText, isJsonArray, isJsonObject, losesDigits, parseJson } from '../source/json-value.js';
import { decodeBytes, readLineRows, type SourceRow } from '../source/rows.js';
import { plainName } from './columns.js';

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Whether a table with these columns, in plain form, is of the format looked for. */
export type TableTest = (columns: ReadonlySet<string>) => boolean;

/** The columns of each table that a JSON document holds, as far as its first row tells: a list, or a member that is one. */
export function listColumns(whole: Json): readonly ReadonlySet<string>[] {
  const lists = isJsonObject(whole) ? Object.values(whole) : [whole];
  const rows = lists.map((list) => (isJsonArray(list) ? list.find(isJsonObject) : undefined));
  return [...rows, whole].flatMap((row) => (isJsonObject(row) ? [plainColumns(row)] : []));
}

export function plainColumns(row: JsonObject): ReadonlySet<string> {
  return new Set(Object.keys(row).map(plainName));
}

/** What separates the values of a text whose first line names the columns of such a table. */
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
    return readJsonRows(file, isRow);
  }
  const delimiter = findDelimiter(skipMark(file.text), isTable);
  if (delimiter !== undefined) return readCsvRows(file, delimiter);
  return readLineRows(bytes);
}

interface Decoded {
  /** Each byte as one character where the file is no UTF-8. */
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

/** Makes the rows of a file; what stands between quotes may hold newlines, so lines are counted. */
class RowMaker {
  readonly rows: SourceRow[] = [];
  readonly #file: Decoded;
  #line = 1;
  #newline: number;

  constructor(file: Decoded) {
    this.#file = file;
    this.#newline = file.text.indexOf('\n');
  }

  add(
    start: number,
    end: number,
    place: Pick<SourceRow, 'path' | 'table' | 'key'>,
    read: (raw: string) => Json | undefined,
  ): void {
    const { text, isUtf8 } = this.#file;
    for (; this.#newline >= 0 && this.#newline < start; this.#newline = text.indexOf('\n', this.#newline + 1))
      this.#line += 1;
    const slice = text.slice(start, end);
    const raw = isUtf8 ? slice : decodeBytes(Uint8Array.from(slice, (char) => char.charCodeAt(0)));
    const bytes = isUtf8 || !raw.includes('\ufffd') ? undefined : slice;
    const value = read(raw);
    const canonical = value === undefined || losesDigitsOf(raw, place) ? undefined : canonicalText(value);
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
}

/** Fields of a record are texts, which lose nothing. */
function losesDigitsOf(raw: string, { path }: Pick<SourceRow, 'path'>): boolean {
  return path !== undefined && losesDigits(raw);
}

const readJson = (raw: string): Json | undefined => parseJson(raw)?.value;

function readJsonRows(file: Decoded, isRow: boolean): readonly SourceRow[] {
  const { text } = file;
  const maker = new RowMaker(file);
  const start = text.search(/[[{]/);
  if (isRow) {
    maker.add(start, text.trimEnd().length, { path: 'row' }, readJson);
    return maker.rows;
  }
  const addList = (list: readonly JsonSpan[], prefix: string, table: { table?: string }): void => {
    for (const { start, end, key } of list)
      maker.add(start, end, { path: `${prefix}/${key}`, ...table }, readJson);
  };
  const members = readSpans(text, start);
  if (text.charAt(start) === '[') {
    addList(members, 'rows', {});
    return maker.rows;
  }
  for (const { start: at, end, key } of members) {
    const list = text.charAt(at) === '[' ? readSpans(text, at) : [];
    if (list.some((element) => text.charAt(element.start) === '{')) addList(list, key, { table: key });
    else maker.add(at, end, { path: key, key }, readJson);
  }
  return maker.rows;
}

function readCsvRows(file: Decoded, delimiter: string): readonly SourceRow[] {
  const { text } = file;
  const [header, ...records] = readCsvRecords(skipMark(text), delimiter);
  const shift = text.length - skipMark(text).length;
  const columns = readHeader(header);
  const maker = new RowMaker(file);
  for (const { start, end, fields, isDamaged } of records) {
    const raw = text.slice(start + shift, end + shift);
    if (raw.trim() === '') continue;
    const read = (decoded: string): Json | undefined => {
      if (isDamaged) return undefined;
      const told = file.isUtf8 ? fields : (readCsvRecords(decoded, delimiter)[0]?.fields ?? []);
      return Object.fromEntries(told.map((field, index) => [columns[index] ?? nameColumn(index), field]));
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
 * The rows that are objects, each once. Others are reported and kept; what says the same as another row of its table
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
    if (isJsonObject(row.value)) return true;
    draft.report(row, 'not_a_row', 'the row is no object: it is kept as it is', row.raw);
    draft.setAside(row, 'not_a_row');
    return false;
  });
}
