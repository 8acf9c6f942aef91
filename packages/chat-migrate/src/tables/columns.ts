import type { Json, JsonObject } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';
import { isJsonObject, omitKeys } from '../source/json-value.js';
import { decodeSpan, JsonWalk } from '../source/json-walk.js';
import type { SourceRow } from '../source/rows.js';

/** The name of a column as all its writers spell it: `row_id`, `Row ID` and `rowId` are one. */
export function plainName(column: string): string {
  return column.toLowerCase().replace(/[^a-z0-9]/g, '');
}

export interface ColumnTime {
  /** Milliseconds since 1970, whole. */
  readonly time: number;
  /** Whether the column is finer than a millisecond. */
  readonly isFiner: boolean;
  /** It names no zone: read as UTC. */
  readonly assumedUtc: boolean;
}

/** The columns of one row, by plain name. What an export leaves empty is not there. */
export class TableColumns {
  readonly source: SourceRow;
  /** Column and value, by plain name. Of two that read alike the first counts, and the other is left over. */
  readonly #columns = new Map<string, readonly [column: string, value: Json]>();
  readonly #all: JsonObject;

  constructor(source: SourceRow) {
    this.source = source;
    this.#all = Object.fromEntries(
      Object.entries(readExactly(source)).filter(([, value]) => value !== null && value !== ''),
    );
    for (const [column, value] of Object.entries(this.#all)) {
      const name = plainName(column);
      if (!this.#columns.has(name)) this.#columns.set(name, [column, value]);
    }
  }

  /** The value of the first of these columns that has one. */
  value(...names: readonly string[]): Json | undefined {
    for (const name of names) {
      const value = this.#columns.get(name)?.[1];
      if (value !== undefined && value !== '\\N') return value;
    }
    return undefined;
  }

  /** Text, or what a table writes as a number. */
  text(...names: readonly string[]): string | undefined {
    const value = this.value(...names);
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? value : undefined;
  }

  /** An id that reads alike as a number, as its digits, and as a UUID in either case. */
  id(...names: readonly string[]): string | undefined {
    const text = this.text(...names)?.trim();
    if (text === undefined || text === '') return undefined;
    return UUID.test(text) ? text.toLowerCase() : text;
  }

  /** A whole number from 0. */
  count(...names: readonly string[]): number | undefined {
    const number = Number(this.text(...names) ?? Number.NaN);
    return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  }

  flag(...names: readonly string[]): boolean | undefined {
    const value = this.value(...names);
    const word = typeof value === 'boolean' ? String(value) : (this.text(...names) ?? '');
    return FLAGS.get(word.trim().toLowerCase());
  }

  time(...names: readonly string[]): ColumnTime | undefined {
    return readTime(this.value(...names));
  }

  /** The columns but these, as the file spells them; undefined where none is left. */
  rest(said: Iterable<string>): JsonObject | undefined {
    const columns = [...said].flatMap((name) => this.#columns.get(name)?.[0] ?? []);
    return omitKeys(this.#all, new Set(columns));
  }
}

/** The row, with the digits of ids that a number cannot hold. */
function readExactly({ value, exact, raw, bytes }: SourceRow): JsonObject {
  if (!isJsonObject(value)) return {};
  const json = raw.trim();
  if (exact || bytes !== undefined || !json.startsWith('{')) return value;
  const encoded = new TextEncoder().encode(json);
  const walk = new JsonWalk(encoded);
  const columns: [string, Json][] = [];
  walk.visit(0, (key, start) => {
    const end = walk.skipValue(start);
    const token = decodeSpan(encoded, start, end);
    const isLong = WHOLE.test(token) && !Number.isSafeInteger(Number(token));
    columns.push([String(key), isLong ? token : (value[key] as Json)]);
    return end;
  });
  return Object.fromEntries(columns);
}

const WHOLE = /^-?\d+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', '1', 'yes', 'y', 'on'].map((word) => [word, true] as const),
  ...['false', 'f', '0', 'no', 'n', 'off'].map((word) => [word, false] as const),
]);

/** As databases write times: a space for the T, up to nine digits of a second, a zone of hours alone. */
const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))? ?(?:(Z|UTC)|([+-]\d\d)(?::?(\d\d))?)?$/i;
const NUMBER = /^\d+(?:\.\d+)?$/;
/** Below this, a number is seconds: as milliseconds it would be in 1973. Above the other, microseconds. */
const MAX_SECONDS = 1e11;
const MAX_MILLISECONDS = 1e14;

function readTime(value: Json | undefined): ColumnTime | undefined {
  const text = typeof value === 'string' ? value.trim() : value;
  if (typeof text === 'number' || (typeof text === 'string' && NUMBER.test(text)))
    return readNumber(Number(text));
  const match = typeof text === 'string' ? TIMESTAMP.exec(text) : null;
  if (match === null) {
    const date = readDate(text);
    return date && { time: date.time, isFiner: false, assumedUtc: date.assumedUtc === true };
  }
  const [, day, minutes, seconds = ':00', fraction = '', utc, hours, rest = '00'] = match;
  const zone = hours === undefined ? 'Z' : `${hours}:${rest}`;
  const date = readDate(`${day}T${minutes}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`);
  if (date === undefined) return undefined;
  const isFiner = /[1-9]/.test(fraction.slice(3));
  return { time: date.time, isFiner, assumedUtc: utc === undefined && hours === undefined };
}

function readNumber(number: number): ColumnTime | undefined {
  const scale = number < MAX_SECONDS ? 1000 : number > MAX_MILLISECONDS ? 1 / 1000 : 1;
  // A float of seconds is seldom the millisecond that it means.
  const exact = Math.round(number * scale * 1000) / 1000;
  const date = readDate(Math.floor(exact));
  return date && { time: date.time, isFiner: !Number.isInteger(exact), assumedUtc: false };
}
