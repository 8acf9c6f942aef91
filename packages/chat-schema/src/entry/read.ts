import { COST } from '../host/cost.js';
import { LIMITS } from './limits.js';
import { findBadValue } from './line.js';
import { definitionOf, type Entry, type EntryType, entrySchemas, type ReadEntry } from './table.js';

/** Whether an entry may be written: every reader takes it as it is. Depth and reserved keys included, length is not. */
export function fitsEntry(entry: Entry): boolean {
  if (findBadValue(entry, LIMITS.depth) !== undefined) return false;
  return definitionOf(entry.type).fits(entry) || entrySchemas[entry.type].safeParse(entry).success;
}

export type EntryReading =
  | { readonly entry: Entry; readonly problem?: undefined }
  /** `problem` names the fields whose values do not fit the schema, smallest first; `entry` lacks them. */
  | { readonly entry: ReadEntry; readonly problem: string };

/**
 * A parsed body as an entry: what fits its schema, plus unknown keys. Never throws; a body that does not fit
 * loses the fields that do not, and says which.
 */
export function readEntry(
  type: Exclude<EntryType, 'lane'>,
  body: Readonly<Record<string, unknown>>,
): EntryReading {
  COST.checks += 1;
  if (definitionOf(type).fits(body)) return { entry: body as unknown as Entry };
  const parsed = entrySchemas[type].safeParse(body);
  if (parsed.success) return { entry: parsed.data as unknown as Entry };
  const bad = new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? '')));
  const entry: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) if (!bad.has(key)) entry[key] = value;
  entry['type'] = type;
  return { entry: entry as unknown as ReadEntry, problem: `schema: ${[...bad].sort().join(', ')}` };
}
