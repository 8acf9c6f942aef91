import type { Json, JsonObject } from './json.js';
import { LIMITS, MAX_NAME, MAX_REPLACES } from './limits.js';
import { isUlid } from './ulid.js';

/** Where a value does not fit, innermost first found, and what was expected there. */
interface Misfit {
  readonly path: readonly string[];
  /** As it follows "expected". */
  readonly expected: string;
}

/** The values that a field may hold. */
export interface Field<V> {
  /** Whether a value fits. Allocates nothing, and never throws on JSON. */
  readonly fits: (value: unknown) => value is V;
  /** Explains why a value does not fit; called only then. */
  readonly explain: (value: unknown) => Misfit;
}

/** A field that is judged as a whole. */
function whole<V>(fits: (value: unknown) => boolean, expected: string): Field<V> {
  const misfit: Misfit = { path: [], expected };
  return { fits: fits as Field<V>['fits'], explain: () => misfit };
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function stringOf(maximum: number): Field<string> {
  return {
    fits: (value): value is string => isString(value) && value.length <= maximum,
    explain: (value) => ({ path: [], expected: isString(value) ? `at most ${maximum}` : 'a string' }),
  };
}

function integerFrom(least: number): Field<number> {
  return {
    fits: (value): value is number => Number.isSafeInteger(value) && (value as number) >= least,
    explain: (value) => ({
      path: [],
      expected: Number.isSafeInteger(value) ? `at least ${least}` : 'an integer',
    }),
  };
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const id: Field<string> = whole((value) => isString(value) && isUlid(value), 'a ULID');
export const name: Field<string> = stringOf(MAX_NAME);
export const text: Field<string> = stringOf(LIMITS.text);
/** Text of any length. */
export const anyText: Field<string> = whole(isString, 'a string');
/** ISO-8601 UTC with milliseconds. */
export const date: Field<string> = whole(
  (value) => isString(value) && DATE.test(value),
  'ISO-8601 UTC with milliseconds',
);
/** 0, 1, 2 … */
export const count: Field<number> = integerFrom(0);
/** 1, 2, 3 … */
export const number: Field<number> = integerFrom(1);
export const flag: Field<boolean> = whole((value) => typeof value === 'boolean', 'a boolean');
export const json: Field<Json> = { fits: isJson, explain: explainJson };
export const object: Field<JsonObject> = {
  fits: isJsonObject,
  explain: (value) => (isPlainObject(value) ? explainJson(value) : { path: [], expected: 'an object' }),
};
/** The entries that an entry folded by last writer replaces. */
export const ids: Field<readonly string[]> = {
  fits: (value): value is readonly string[] =>
    Array.isArray(value) && value.length <= MAX_REPLACES && value.every(id.fits),
  explain: (value) => {
    if (!Array.isArray(value)) return { path: [], expected: 'an array' };
    const at = value.findIndex((item) => !id.fits(item));
    return at < 0
      ? { path: [], expected: `at most ${MAX_REPLACES}` }
      : { ...id.explain(value[at]), path: [`${at}`] };
  },
};

export function optional<V>(field: Field<V>): Field<V | undefined> {
  const { fits, explain } = field;
  return { fits: (value): value is V | undefined => value === undefined || fits(value), explain };
}

/** Absent leaves a setting as it is, `null` clears it. */
export function nullish<V>(field: Field<V>): Field<V | null | undefined> {
  const { fits, explain } = field;
  return {
    fits: (value): value is V | null | undefined => value === undefined || value === null || fits(value),
    explain,
  };
}

export function oneOf<V extends string>(values: readonly V[]): Field<V> {
  const known = new Set<unknown>(values);
  return whole((value) => known.has(value), `one of ${values.join(', ')}`);
}

export function literal<V extends string | true>(value: V): Field<V> {
  return whole((given) => given === value, String(value));
}

/** An object with these fields. Unknown keys pass. */
export function group<T extends object>(
  fields: { readonly [K in keyof Required<T>]: Field<T[K]> },
): Field<T> {
  const keys = Object.keys(fields);
  const all = Object.values<Field<unknown>>(fields);
  const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return {
    fits: (value): value is T => {
      if (!isGroup(value)) return false;
      for (let i = 0; i < keys.length; i += 1) {
        if (!(all[i] as Field<unknown>).fits(value[keys[i] as string])) return false;
      }
      return true;
    },
    explain: (value) => {
      if (!isGroup(value)) return { path: [], expected: 'an object' };
      const at = keys.findIndex((key, i) => !all[i]?.fits(value[key]));
      const key = keys[at] as string;
      return within(key, (all[at] as Field<unknown>).explain(value[key]));
    },
  };
}

function within(key: string, { path, expected }: Misfit): Misfit {
  return { path: [key, ...path], expected };
}

/** Of any realm: an object of another window is as plain as one of ours. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// Depth is bounded by the limits of a line, which are looked at before.
function isJson(value: unknown): value is Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (!Array.isArray(value)) return isJsonObject(value);
      for (let i = 0; i < value.length; i += 1) if (!isJson(value[i])) return false;
      return true;
    default:
      return false;
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  if (!isPlainObject(value)) return isYjsId(value);
  for (const key of Object.keys(value)) if (!isJson(value[key])) return false;
  return true;
}

/** As `Y.relativePositionToJSON` leaves them in its result: written like a plain object of the same keys. */
function isYjsId(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'client,clock')
    return false;
  const { client, clock, toJSON } = value as { client: unknown; clock: unknown; toJSON?: unknown };
  return Number.isSafeInteger(client) && Number.isSafeInteger(clock) && toJSON === undefined;
}

function explainJson(value: unknown): Misfit {
  if (Array.isArray(value) || isPlainObject(value)) {
    for (const [key, child] of Object.entries(value))
      if (!isJson(child)) return within(key, explainJson(child));
  }
  return { path: [], expected: 'plain JSON' };
}
