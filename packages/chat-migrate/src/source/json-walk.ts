import type { Json } from '@chatdoc/schema';
import { isJsonArray } from './json-value.js';

const [QUOTE, COMMA, COLON, BACKSLASH, BRACE, BRACKET] = [34, 44, 58, 92, 123, 91] as const;
const [BRACE_END, BRACKET_END] = [125, 93] as const;

/** Takes the member that begins at `start`, under its key or index, and returns the offset after it. */
export type TakeMember = (key: string | number, start: number) => number;

/**
 * Walks over the members of JSON in a file, and goes on where it is not JSON: `isSound` is false then. It checks what is
 * between the values; the values themselves are for the caller to check.
 */
export class JsonWalk {
  readonly #bytes: Uint8Array;
  isSound = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Visits each member of the object or list that begins at `start`; returns the offset after the whole. */
  visit(start: number, take: TakeMember): number {
    const bytes = this.#bytes;
    const isObject = bytes[start] === BRACE;
    if (!isObject && bytes[start] !== BRACKET) {
      this.isSound = false;
      return start;
    }
    let count = 0;
    let at = this.skipSpace(start + 1);
    while (at < bytes.length && !isClosing(bytes[at])) {
      let key: string | number = count;
      if (isObject) {
        const end = this.#skipString(at);
        key = this.#readKey(at, end);
        at = this.skipSpace(end);
        if (bytes[at] !== COLON) this.isSound = false;
        at = this.skipSpace(at + 1);
      }
      count += 1;
      at = this.skipSpace(take(key, at));
      if (bytes[at] === COMMA) {
        at = this.skipSpace(at + 1);
        if (isClosing(bytes[at])) this.isSound = false;
      } else if (!isClosing(bytes[at])) {
        this.isSound = false;
      }
    }
    if (bytes[at] !== (isObject ? BRACE_END : BRACKET_END)) this.isSound = false;
    return at + 1;
  }

  skipSpace(at: number): number {
    let next = at;
    let byte = this.#bytes[next];
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) {
      next += 1;
      byte = this.#bytes[next];
    }
    if (byte !== 11 && byte !== 12) return next;
    // No white space of JSON, and yet nothing else.
    this.isSound = false;
    return this.skipSpace(next + 1);
  }

  /** The offset after the value that begins at `at`. */
  skipValue(at: number): number {
    const bytes = this.#bytes;
    const first = bytes[at];
    if (first === QUOTE) return this.#skipString(at);
    let next = at;
    if (first !== BRACE && first !== BRACKET) {
      for (; next < bytes.length; next += 1) {
        const byte = bytes[next] as number;
        if (byte === COMMA || isClosing(byte) || byte === 32 || (byte >= 9 && byte <= 13)) break;
      }
      return next;
    }
    let depth = 0;
    while (next < bytes.length) {
      const byte = bytes[next];
      if (byte === QUOTE) {
        next = this.#skipString(next);
        continue;
      }
      next += 1;
      if (byte === BRACE || byte === BRACKET) depth += 1;
      else if (isClosing(byte)) {
        depth -= 1;
        if (depth === 0) return next;
      }
    }
    return next;
  }

  #skipString(at: number): number {
    const bytes = this.#bytes;
    for (let end = bytes.indexOf(QUOTE, at + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
      let slashes = 0;
      while (bytes[end - 1 - slashes] === BACKSLASH) slashes += 1;
      if (slashes % 2 === 0) return end + 1;
    }
    return bytes.length;
  }

  #readKey(start: number, end: number): string {
    const text = decodeSpan(this.#bytes, start, end);
    try {
      const key: unknown = JSON.parse(text);
      if (typeof key === 'string') return key;
    } catch {
      // As any other key that is not a string.
    }
    this.isSound = false;
    return text;
  }
}

function isClosing(byte: number | undefined): boolean {
  return byte === BRACE_END || byte === BRACKET_END;
}

const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of `[start, end)`, which begins and ends with a character of ASCII; bad bytes are replaced. */
export function decodeSpan(bytes: Uint8Array, start: number, end: number): string {
  return LENIENT.decode(bytes.subarray(start, end));
}

/** Whether an object in a JSON text has a key twice: only the last of its values is in the parsed `value`. */
export function repeatsKey(value: Json, json: string): boolean {
  // Every key is a quote and a colon; strings may have some more of these, and then the walk decides.
  if ((json.match(KEY_END)?.length ?? 0) <= countKeys(value)) return false;
  const bytes = new TextEncoder().encode(json.trim());
  const walk = new JsonWalk(bytes);
  let isRepeated = false;
  const visit = (start: number, depth: number): number => {
    if ((bytes[start] !== BRACE && bytes[start] !== BRACKET) || depth === 0) return walk.skipValue(start);
    const keys = new Set<string | number>();
    return walk.visit(start, (key, at) => {
      isRepeated ||= keys.has(key);
      keys.add(key);
      return visit(at, depth - 1);
    });
  };
  visit(0, MAX_DEPTH);
  return isRepeated;
}

const KEY_END = /"\s*:/g;
/** Deeper values are kept as text anyway. */
const MAX_DEPTH = 64;

function countKeys(value: Json, depth: number = MAX_DEPTH): number {
  if (typeof value !== 'object' || value === null || depth === 0) return 0;
  let count = isJsonArray(value) ? 0 : Object.keys(value).length;
  for (const child of Object.values(value)) count += countKeys(child, depth - 1);
  return count;
}
