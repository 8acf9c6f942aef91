/** Freezes a value that came out of JSON, at every depth; its depth is bounded by the limits of a line. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freezeDeep(child);
  }
  return value;
}

/** A copy without the keys whose value is undefined. */
export function definedOnly<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const copy: Record<string, unknown> = {};
  // Not `Object.entries`: this runs for every message that is read, and the pairs would be garbage.
  for (const key of Object.keys(record)) {
    const value = (record as Record<string, unknown>)[key];
    if (value !== undefined) copy[key] = value;
  }
  return copy as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Whether two JSON values, or records of them, are equal; order of keys does not count. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) &&
      sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}

/** `next`, or `previous` where they are equal: a snapshot stays the same object until something changes. */
export function keepEqual<T>(previous: T | undefined, next: T): T {
  return previous !== undefined && sameValue(previous, next) ? previous : next;
}

/** The same for a list of records, compared by identity. */
export function keepList<T>(previous: readonly T[] | undefined, next: T[]): readonly T[] {
  if (
    previous !== undefined &&
    previous.length === next.length &&
    next.every((item, i) => item === previous[i])
  ) {
    return previous;
  }
  return Object.freeze(next);
}

/** Orders strings by code unit. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
