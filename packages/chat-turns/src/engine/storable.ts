import { type Json, type JsonObject, LIMITS } from '@chatdoc/schema';

/** Nesting of one value; a line adds two levels of its own, and a reader of a part may add more. */
const MAX_DEPTH = LIMITS.depth - 4;
/** Length of one value as written, in code units: below a line, with room for the rest of it. */
const MAX_LENGTH = (LIMITS.line * 3) / 4;
/** Length of one name, such as the id of a part. */
const MAX_NAME = 256;
/** Room for the mark of a cut, in code units. */
const MARK_LENGTH = 64;

/** A value in the nearest form that a line can hold. */
export interface Storable {
  readonly value: Json | undefined;
  /** Places at which something was left out. Each has a mark in the value that names how much. */
  readonly cuts: number;
}

/**
 * The nearest storable form of any value: as `JSON.stringify` has it, but without ever throwing. Undefined, functions
 * and symbols are left out of objects and null in lists; NaN and infinities are null; dates are ISO-8601; bigints are
 * decimal strings. What is nested too deep, is too long, or refers to itself is replaced by a mark such as
 * `[cut: 4000000 characters]`. Reads at most `budget` code units of it.
 */
export function toStorable(value: unknown, budget: number = MAX_LENGTH): Storable {
  const walk = new Walk(budget);
  return { value: walk.read(value, MAX_DEPTH), cuts: walk.cuts };
}

/** The same for what must be an object; anything else is under `value`. */
export function toStorableObject(value: unknown): JsonObject {
  const { value: stored = null } = toStorable(value, MAX_LENGTH / 4);
  return typeof stored === 'object' && stored !== null && !Array.isArray(stored)
    ? (stored as JsonObject)
    : { value: stored };
}

/** A string as a name: cut to a length that every field takes. */
export function toName(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') return undefined;
  return value.length <= MAX_NAME ? value : `${value.slice(0, MAX_NAME - 12)}~${hash(value)}`;
}

/** Distinguishes two long names with one beginning; not for security. FNV-1a, 32 bits. */
function hash(text: string): string {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, '0');
}

class Walk {
  cuts = 0;
  #left: number;
  /** The way down to the value that is read. */
  readonly #above = new Set<object>();

  constructor(budget: number) {
    this.#left = budget;
  }

  /** Undefined for what JSON leaves out. */
  read(value: unknown, depth: number): Json | undefined {
    switch (typeof value) {
      case 'string':
        return this.#readText(value);
      case 'number':
        this.#left -= 24;
        return Number.isFinite(value) ? value : null;
      case 'boolean':
        this.#left -= 5;
        return value;
      case 'bigint':
        return this.#readText(value.toString());
      case 'object':
        return value === null ? null : this.#readObject(value, depth);
      default:
        return undefined;
    }
  }

  #readObject(value: object, depth: number): Json | undefined {
    if (this.#above.has(value)) return this.#mark('refers to itself');
    if (depth === 0) return this.#mark('nested too deep');
    this.#above.add(value);
    // Getters, proxies and `toJSON` are code of the agent.
    try {
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
      if (ArrayBuffer.isView(value)) return this.#mark(`${value.byteLength} bytes`);
      const { toJSON } = value as { toJSON?: unknown };
      if (typeof toJSON === 'function') return this.read(toJSON.call(value, ''), depth - 1);
      if (value instanceof Map || value instanceof Set) return this.#readList([...value], depth);
      if (value instanceof Error) return this.#readText(`${value.name}: ${value.message}`);
      return Array.isArray(value) ? this.#readList(value, depth) : this.#readFields(value, depth);
    } catch {
      return this.#mark('cannot be read');
    } finally {
      this.#above.delete(value);
    }
  }

  #readList(list: readonly unknown[], depth: number): Json {
    const read: Json[] = [];
    for (let at = 0; at < list.length; at += 1) {
      if (this.#isFull()) {
        read.push(this.#mark(`${list.length - at} items`));
        break;
      }
      this.#left -= 1;
      read.push(this.read(list[at], depth - 1) ?? null);
    }
    return read;
  }

  #readFields(value: object, depth: number): Json {
    const keys = Object.keys(value);
    const read: Record<string, Json> = {};
    for (const [at, key] of keys.entries()) {
      if (this.#isFull()) {
        read['…'] = this.#mark(`${keys.length - at} fields`);
        break;
      }
      // Reserved: a line that has it is not read.
      if (key === '__proto__') {
        read['…'] = this.#mark('a reserved name');
        continue;
      }
      const child = this.read((value as Record<string, unknown>)[key], depth - 1);
      if (child === undefined) continue;
      read[this.#readText(key)] = child;
    }
    return read;
  }

  #readText(text: string): string {
    let cost = 2;
    for (let at = 0; at < text.length; at += 1) {
      cost += costOf(text.charCodeAt(at));
      if (cost <= this.#left - MARK_LENGTH) continue;
      this.#left = MARK_LENGTH;
      const end = at > 0 && isHigh(text.charCodeAt(at - 1)) ? at - 1 : at;
      return `${text.slice(0, end)}${this.#mark(`${text.length - end} characters`)}`;
    }
    this.#left -= cost;
    return text;
  }

  #isFull(): boolean {
    return this.#left <= MARK_LENGTH;
  }

  #mark(what: string): string {
    this.cuts += 1;
    return `[cut: ${what}]`;
  }
}

/** Code units of a character as a line has it, at most. */
function costOf(code: number): number {
  if (code > 0xff || code < 0x20) return 6;
  return code === 0x22 || code === 0x5c ? 2 : 1;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
