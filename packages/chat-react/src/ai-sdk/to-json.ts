import type { Json } from '@chatdoc/schema';

/** A value of a UI message as JSON would have it; null for nothing. */
export function toJson(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value) ?? 'null') as Json);
}
