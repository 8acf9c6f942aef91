import * as z from 'zod/mini';
import type { Json, JsonObject } from './json.js';
import { LIMITS, MAX_NAME, MAX_REPLACES } from './limits.js';
import { isUlid } from './ulid.js';

/** The schema of one field. */
export type Field<V> = z.ZodMiniType<V>;

export const id: Field<string> = z.string().check(z.refine(isUlid, 'expected a ULID'));
export const name: Field<string> = z.string().check(z.maxLength(MAX_NAME));
export const text: Field<string> = z.string().check(z.maxLength(LIMITS.text));
/** Text of any length. */
export const anyText: Field<string> = z.string();
/** ISO-8601 UTC with milliseconds. */
export const date: Field<string> = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
/** 0, 1, 2 … */
export const count: Field<number> = z.int().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER));
/** 1, 2, 3 … */
export const number: Field<number> = z.int().check(z.minimum(1), z.maximum(Number.MAX_SAFE_INTEGER));
export const flag: Field<boolean> = z.boolean();
export const json: Field<Json> = z.json() as unknown as Field<Json>;
export const object: Field<JsonObject> = z.record(z.string(), json);
/** What an entry that is folded by last writer replaces. */
export const ids: Field<readonly string[]> = z.array(id).check(z.maxLength(MAX_REPLACES));

export function optional<V>(field: Field<V>): Field<V | undefined> {
  return z.optional(field);
}

/** Absent leaves a setting as it is, `null` clears it. */
export function nullish<V>(field: Field<V>): Field<V | null | undefined> {
  return z.nullish(field);
}

export function oneOf<V extends string>(values: readonly V[]): Field<V> {
  return z.enum(values as readonly [V, ...V[]]) as unknown as Field<V>;
}

export function literal<V extends string | true>(value: V): Field<V> {
  return z.literal(value) as unknown as Field<V>;
}

/** An object with these fields. Unknown keys pass. */
export function group<T extends object>(
  fields: { readonly [K in keyof Required<T>]: Field<T[K]> },
): Field<T> {
  return z.looseObject(fields) as unknown as Field<T>;
}
