/** JSON with sorted keys: one text for equal values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => sortKeys(inner)) ?? 'undefined';
}

/** A value with its own keys sorted, for a replacer of `JSON.stringify`. */
export function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  let isSorted = true;
  for (let at = 1; at < keys.length && isSorted; at += 1)
    isSorted = (keys[at - 1] as string) < (keys[at] as string);
  if (isSorted) return value;
  const sorted: Record<string, unknown> = {};
  for (const key of keys.sort()) sorted[key] = (value as Record<string, unknown>)[key];
  return sorted;
}

/** Where two canonical texts first differ and what is there; undefined for equal ones. */
export function findDifference(actual: string, expected: string): string | undefined {
  if (actual === expected) return undefined;
  const parse = (text: string): unknown => (text === 'undefined' ? undefined : JSON.parse(text));
  return differ(parse(actual), parse(expected), '') ?? 'the texts differ, their values do not';
}

function differ(actual: unknown, expected: unknown, path: string): string | undefined {
  if (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) {
    const [a, b] = [actual as Record<string, unknown>, expected as Record<string, unknown>];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const inner = differ(a[key], b[key], `${path}/${key}`);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  if (actual === expected) return undefined;
  return `at ${path === '' ? '/' : path}: ${shorten(actual)} instead of ${shorten(expected)}`;
}

const SHOWN = 120;

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
