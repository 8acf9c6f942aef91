import { COST } from '../host/cost.js';
import { LIMITS } from './limits.js';
import { findBadValue } from './line.js';
import { definitionOf, type Entry, type EntryType, type ReadEntry } from './table.js';

/** Whether an entry may be written: every reader takes it as it is. Depth and reserved keys included, length is not. */
export function fitsEntry(entry: Entry): boolean {
  if (findBadValue(entry, LIMITS.depth) !== undefined) return false;
  return definitionOf(entry.type).body.fits(entry);
}

export type EntryReading =
  | { readonly entry: Entry; readonly problem?: undefined }
  /** `problem` names the fields whose values do not fit the schema, smallest first; `entry` lacks them. */
  | { readonly entry: ReadEntry; readonly problem: string };

/**
 * A parsed body as an entry: what fits its schema, plus unknown keys. Never throws; a body that does not fit
 * loses the fields that do not, and names them.
 */
export function readEntry(
  type: Exclude<EntryType, 'lane'>,
  body: Readonly<Record<string, unknown>>,
): EntryReading {
  COST.checks += 1;
  const { body: whole, fields } = definitionOf(type);
  if (whole.fits(body)) return { entry: body as unknown as Entry };
  const bad = Object.keys(fields).filter((key) => !fields[key]?.fits(body[key]));
  const entry: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) if (!bad.includes(key)) entry[key] = value;
  entry['type'] = type;
  return { entry: entry as unknown as ReadEntry, problem: `schema: ${bad.sort().join(', ')}` };
}
