import type { Json } from '@chatdoc/schema';
import { type JsonSpan, readSpans } from './json-spans.js';
import { canonicalText, losesDigits, parseJson } from './json-value.js';

/** One row of a legacy file: a line of JSON lines, or an element of a JSON document. */
export interface SourceRow {
  /** Counted from 1 over the rows of the file: what the ledger accounts for. */
  readonly row: number;
  /** The line of the file that it begins on, counted from 1. */
  readonly line: number;
  /** Where it stands in a JSON document, such as `messages/3`. */
  readonly path?: string;
  /** The top-level member of a JSON document that it belongs to. */
  readonly table?: string;
  /** Its key, where it is a member of an object. */
  readonly key?: string;
  /** As it stands in the file. */
  readonly raw: string;
  /** Its bytes as Latin-1, where they are no UTF-8 and `raw` cannot give them back. */
  readonly bytes?: string;
  /** Undefined where `raw` is no JSON. */
  readonly value: Json | undefined;
  /** Whether `value` says all that the file does: no bad bytes, no digits beyond those of a double. */
  readonly exact: boolean;
  /** Equal for rows that say the same, whatever their white space and order of keys. */
  readonly text: string;
}

const BOM = '\ufeff';
const NEWLINE = 10;

/** UTF-8 without its byte order mark, bad bytes replaced. */
export function decodeBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}

/** The rows of a file of JSON lines. Empty lines are no rows. */
export function readLineRows(bytes: Uint8Array): readonly SourceRow[] {
  const rows: SourceRow[] = [];
  let line = 0;
  for (const { raw, bytes: exact } of readLines(bytes)) {
    line += 1;
    if (raw.trim() !== '') rows.push(createRow({ row: rows.length + 1, line, raw, ...exact }));
  }
  return rows;
}

interface Line {
  readonly raw: string;
  readonly bytes?: { readonly bytes: string };
}

function readLines(bytes: Uint8Array): Line[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return readDamagedLines(bytes);
  }
  return text.split('\n').map((raw) => ({ raw: trimReturn(raw) }));
}

// One bad byte must cost one line its exactness, and no other line anything.
function readDamagedLines(bytes: Uint8Array): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start <= bytes.length; ) {
    let end = bytes.indexOf(NEWLINE, start);
    if (end < 0) end = bytes.length;
    const slice = bytes.subarray(start, end);
    start = end + 1;
    const raw = trimReturn(new TextDecoder('utf-8', { ignoreBOM: true }).decode(slice));
    const text = lines.length === 0 && raw.startsWith(BOM) ? raw.slice(1) : raw;
    lines.push(isUtf8(slice) ? { raw: text } : { raw: text, bytes: { bytes: readLatin1(slice) } });
  }
  return lines;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

// Not the decoder of that name: the web's "latin1" is windows-1252, which maps 0x80 … 0x9f elsewhere.
function readLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function trimReturn(raw: string): string {
  return raw.endsWith('\r') ? raw.slice(0, -1) : raw;
}

/** The rows of a jupyter-chat document: each message, user and attachment, and every other top-level member. */
export function readJupyterRows(bytes: Uint8Array): readonly SourceRow[] {
  const text = decodeBytes(bytes);
  const rows: SourceRow[] = [];
  let line = 1;
  let newline = text.indexOf('\n');
  const add = (span: JsonSpan, table: string, path: string, key: { key?: string }): void => {
    for (; newline >= 0 && newline < span.start; newline = text.indexOf('\n', newline + 1)) line += 1;
    rows.push(
      createRow({ row: rows.length + 1, line, path, table, ...key, raw: text.slice(span.start, span.end) }),
    );
  };
  for (const member of readSpans(text, text.search(/\S/))) {
    const open = text.charAt(member.start);
    if (!JUPYTER_TABLES.has(member.key) || (open !== '{' && open !== '[')) {
      add(member, member.key, member.key, {});
      continue;
    }
    for (const span of readSpans(text, member.start)) {
      add(span, member.key, `${member.key}/${span.key}`, open === '{' ? { key: span.key } : {});
    }
  }
  return rows;
}

const JUPYTER_TABLES: ReadonlySet<string> = new Set(['messages', 'users', 'attachments']);

function createRow(row: Omit<SourceRow, 'value' | 'exact' | 'text'>): SourceRow {
  const value = parseJson(row.raw)?.value;
  const canonical = value === undefined || losesDigits(row.raw) ? undefined : canonicalText(value);
  const exact = canonical !== undefined && row.bytes === undefined;
  return { ...row, value, exact, text: exact ? canonical : (row.bytes ?? row.raw) };
}
