import type { Json, JsonObject } from '@chatdoc/schema';

/** Sums the numbers of the same name, at every depth; of anything else the later one. */
export function addUsage(sum: JsonObject, more: JsonObject): JsonObject {
  const added: Record<string, Json> = { ...sum };
  for (const [key, value] of Object.entries(more)) {
    const before = added[key];
    if (typeof value === 'number') added[key] = (typeof before === 'number' ? before : 0) + value;
    else if (isJsonObject(value)) added[key] = addUsage(isJsonObject(before) ? before : {}, value);
    else added[key] = value;
  }
  return added;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
