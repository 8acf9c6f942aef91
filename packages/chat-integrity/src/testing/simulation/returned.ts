import type { Outcome, Result } from '../subject/application.js';
import { LawBroken } from './law.js';

/**
 * Reads what the calls of an application return, only as it is declared: anything that is misunderstood would count
 * as nothing, and the run would hold by that.
 */

const OUTCOME_KEYS: ReadonlySet<string> = new Set(['acknowledged', 'withdrawn']);

/**
 * The outcome of a command or a stranger; undefined where there was nothing to do. Throws `LawBroken` for anything
 * else. A stranger may harm everything: the empty beginning, which would excuse every loss, is for strangers alone.
 */
export function readResult(call: string, result: Result, isStranger = false): Outcome | undefined {
  const value: unknown = result;
  if (value === false) return undefined;
  if (value === undefined) return {};
  if (Array.isArray(value)) return { acknowledged: readTexts(call, 'a list', value) };
  if (!isPlain(value)) throw misfit(call, 'false, undefined, a list of facts or an outcome', value);
  for (const key of Object.keys(value)) {
    if (!OUTCOME_KEYS.has(key)) {
      throw misfit(call, 'an outcome with `acknowledged` and `withdrawn`', value, ` with the key ${key}`);
    }
  }
  const { acknowledged = [], withdrawn = [] } = value as Record<string, unknown>;
  const beginnings = readTexts(call, '`withdrawn`', withdrawn);
  if (!isStranger && beginnings.includes(''))
    throw misfit(call, 'texts that are not empty in `withdrawn`', '');
  return { acknowledged: readTexts(call, '`acknowledged`', acknowledged), withdrawn: beginnings };
}

function readTexts(call: string, what: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw misfit(call, `${what} to be a list of texts`, value);
  for (const text of value as unknown[]) {
    if (typeof text !== 'string') throw misfit(call, `texts in ${what}`, text);
  }
  return value as readonly string[];
}

/** The facts that an application shows: any iterable of texts, read to its end. */
export function readFacts(value: unknown): ReadonlySet<string> {
  const isIterable = typeof value === 'object' && value !== null && Symbol.iterator in value;
  if (!isIterable) throw misfit('facts', 'an iterable of texts', value);
  const facts = new Set<string>();
  for (const fact of value as Iterable<unknown>) {
    if (typeof fact !== 'string') throw misfit('facts', 'texts', fact);
    facts.add(fact);
  }
  return facts;
}

/** Returns what is wrong, as `invariants` and `audit` report it: a text, or undefined. */
export function readComplaint(call: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw misfit(call, 'a text or undefined', value);
}

/** Throws `LawBroken` where JSON does not hold all of a value, with the path. A field that is undefined is absent. */
export function assertJson(call: string, value: unknown): void {
  const found = findMisfit(value, '', []);
  if (found === undefined) return;
  const where = found.path === '' ? call : `${call} at ${found.path}`;
  throw misfit(where, 'a value that JSON can hold', found.value, found.isCircle ? ' that holds itself' : '');
}

interface Misfit {
  readonly path: string;
  readonly value: unknown;
  readonly isCircle: boolean;
}

function findMisfit(value: unknown, path: string, above: readonly object[]): Misfit | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  const here: Misfit = { path, value, isCircle: false };
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : here;
  if (typeof value !== 'object') return here;
  if (above.includes(value)) return { ...here, isCircle: true };
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return findMisfit(toJSON.call(value, ''), path, [...above, value]);
  const keys = Object.keys(value);
  const isList = Array.isArray(value);
  // A map, a set, a promise: JSON shows nothing of it.
  if (keys.length === 0 && !isList && !isPlain(value)) return here;
  for (const key of isList ? value.keys() : keys) {
    const inner = (value as Record<string | number, unknown>)[key];
    if (inner === undefined && !isList) continue;
    const found = findMisfit(inner, `${path}/${key}`, [...above, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfit(call: string, expected: string, value: unknown, more = ''): LawBroken {
  return new LawBroken(
    'returns what is asked for',
    `${call}: expected ${expected}, got ${describe(value)}${more}`,
  );
}

const SHOWN = 60;

/** A value in a few words. */
function describe(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isPlain(value) ? 'an object' : `a ${nameOf(value)}`;
}

function nameOf(value: object): string {
  return Object.prototype.toString
    .call(value)
    .slice(8, -1)
    .replace('Object', value.constructor?.name ?? 'object');
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
