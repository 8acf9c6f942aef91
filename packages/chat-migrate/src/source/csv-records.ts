import Papa from 'papaparse';

/** One record of a text of comma-separated values. */
export interface CsvRecord {
  readonly start: number;
  readonly end: number;
  readonly fields: readonly string[];
  /** Whether its quotes do not pair up: `fields` are then not to be trusted. */
  readonly isDamaged: boolean;
}

/** After so many records with bad quotes, lines are taken one by one: each search for an end may read the whole file. */
const MAX_SEARCHES = 100;

/**
 * The records of a text, in order and without gaps. A quote that never closes would take the rest of the file with
 * it: such a record ends with its line.
 */
export function readCsvRecords(text: string, delimiter: string): readonly CsvRecord[] {
  const newline = text.includes('\n') ? '\n' : text.includes('\r') ? '\r' : '\n';
  const records: CsvRecord[] = [];
  let at = 0;
  for (let searches = 0; at < text.length; searches += 1) {
    const isLast = searches >= MAX_SEARCHES;
    const end = isLast ? findLineEnd(text, at, newline) : text.length;
    at = readRun(text, at, end, { delimiter, newline }, records);
  }
  return records;
}

interface Dialect {
  readonly delimiter: string;
  readonly newline: '\n' | '\r';
}

/** Reads up to the first record with bad quotes, that one included. Returns where to go on. */
function readRun(text: string, from: number, to: number, dialect: Dialect, records: CsvRecord[]): number {
  const { delimiter, newline } = dialect;
  // The parser leaves a byte order mark out of its count.
  const origin = text.startsWith('\ufeff', from) ? from + 1 : from;
  let at = from;
  Papa.parse<string[]>(text.slice(from, to), {
    delimiter,
    newline,
    step: ({ data, errors, meta }, parser) => {
      const isDamaged = errors.some(({ type }) => type === 'Quotes');
      const end = isDamaged ? findLineEnd(text, at, newline) : origin + meta.cursor;
      const last = data.length - 1;
      const fields = data.map((field, index) => (index === last ? trimReturn(field, text, end) : field));
      if (end > at) records.push({ start: at, end, fields, isDamaged });
      at = end;
      if (isDamaged) parser.abort();
    },
  });
  // Whatever the parser does, this comes to an end.
  return at > from ? at : to;
}

function findLineEnd(text: string, from: number, newline: string): number {
  const end = text.indexOf(newline, from);
  return end < 0 ? text.length : end + newline.length;
}

/** The return of a CRLF belongs to the last field where that has no quotes. */
function trimReturn(field: string, text: string, end: number): string {
  const isOutside = text.endsWith('\r\n', end) && !text.endsWith('"\r\n', end);
  return isOutside && field.endsWith('\r') ? field.slice(0, -1) : field;
}
