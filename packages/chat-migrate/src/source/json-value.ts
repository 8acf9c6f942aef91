import type { Json, JsonObject } from '@chatdoc/schema';

/** Deeper values have no canonical text: they are kept as the text they came as. */
const CANONICAL_DEPTH = 64;

/** A parsed JSON text, in a box because `null` is a value too. Undefined where it is not JSON. */
export function parseJson(text: string): { readonly value: Json } | undefined {
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A string that is not empty, else undefined. */
export function readName(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value without these keys; undefined when nothing is left. Own keys only, `__proto__` included. */
export function omitKeys(value: JsonObject, keys: ReadonlySet<string>): JsonObject | undefined {
  const rest = Object.entries(value).filter(([key]) => !keys.has(key));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

/** JSON with sorted keys: the same text for the same value, whatever order its keys came in. */
export function canonicalText(value: Json, depth: number = CANONICAL_DEPTH): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth === 0) return undefined;
  const parts: string[] = [];
  if (isJsonArray(value)) {
    for (const item of value) {
      const text = canonicalText(item, depth - 1);
      if (text === undefined) return undefined;
      parts.push(text);
    }
    return `[${parts.join(',')}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const text = canonicalText(value[key] as Json, depth - 1);
    if (text === undefined) return undefined;
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}

/** Whether `canonicalText` has a text for the value. */
export function isCanonical(value: Json, depth: number = CANONICAL_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (isJsonArray(value)) {
    for (const item of value) if (!isCanonical(item, depth - 1)) return false;
  } else {
    for (const key in value) if (!isCanonical(value[key] as Json, depth - 1)) return false;
  }
  return true;
}

/** The value with the keys of every object in order. */
export function sortKeys(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isJsonArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sortKeys(child)]));
}

const NUMBER = /-?\d[\d.eE+-]*/y;

/**
 * Whether a JSON text has a number that a double does not keep digit for digit (beyond 2^53, or with
 * more digits than it keeps). Such a row must be kept as text.
 */
export function losesDigits(json: string): boolean {
  // Fifteen digits always survive; so most rows are answered without a walk over their tokens.
  if (!/\d{8}\.?\d{8}|\d\.\d{15}|\d[eE]/.test(json)) return false;
  for (let at = 0; at < json.length; ) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      // Not by an expression: those overflow on very long strings.
      at = skipString(json, at);
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      NUMBER.lastIndex = at;
      const token = NUMBER.exec(json)?.[0] ?? '';
      if (normalizeNumber(token) !== normalizeNumber(String(Number(token)))) return true;
      at += Math.max(token.length, 1);
    } else {
      at += 1;
    }
  }
  return false;
}

/** The offset after the string whose opening quote is at `at`. */
function skipString(json: string, at: number): number {
  for (let end = json.indexOf('"', at + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
  return json.length;
}

const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** Significant digits and the power of ten of the last: `1.50e3` and `1500` read alike. */
function normalizeNumber(token: string): string {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(token);
  if (match === null) return token;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}
