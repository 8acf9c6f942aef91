import { type Entry, type Json, LIMITS } from '@chatdoc/schema';
import { encodeLine, findBadValue, readEntry } from '@chatdoc/schema/internal';
import { sortKeys } from '../source/json-value.js';

/** An entry on its way into a plan: its line, and what the place of the line among the others depends on. */
export interface WrittenEntry {
  readonly type: Entry['type'];
  /** Canonical, without a newline. */
  readonly line: string;
  /** As the ledger names it. */
  readonly ref: string;
  /** The message or attempt that it is about; absent where it is placed by its line alone. */
  readonly subject: string | undefined;
  /** Of a part, its number. */
  readonly n: number;
}

/**
 * The line of an entry; undefined where the schema would quarantine that line or find a problem in it (too long, too
 * deep, a reserved key). The caller then keeps the row as text. O(length).
 */
export function writeEntry(entry: Entry): WrittenEntry | undefined {
  // First, because the encoder recurses without a limit.
  if (findBadValue(entry, LIMITS.depth) !== undefined) return undefined;
  const sorted = sortValues(entry);
  const line = encodeLine(sorted);
  if (line.length > LIMITS.line) return undefined;
  if (readEntry(entry.type, sorted as unknown as Record<string, unknown>).problem !== undefined)
    return undefined;
  return {
    type: entry.type,
    line,
    ref: refOf(entry),
    subject: subjectOf(entry),
    n: entry.type === 'part' ? entry.n : 0,
  };
}

/**
 * The entry with the keys of its values in order: one value in two revisions of a file must be one line, and writers
 * of jupyter-chat shuffle keys. The encoder orders the keys of the entry itself.
 */
function sortValues(entry: Entry): Entry {
  let sorted: Record<string, Json> | undefined;
  for (const [key, value] of Object.entries(entry) as [string, Json][]) {
    if (typeof value !== 'object' || value === null) continue;
    sorted ??= { ...(entry as unknown as Record<string, Json>) };
    sorted[key] = sortKeys(value);
  }
  return (sorted as Entry | undefined) ?? entry;
}

/** The id of an entry; a part has none, so its attempt and number. */
function refOf(entry: Entry): string {
  switch (entry.type) {
    case 'message':
      return entry.message_id;
    case 'thread':
      return entry.thread_id;
    case 'part':
      return `${entry.attempt}/${entry.n}`;
    default:
      return entry.id;
  }
}

function subjectOf(entry: Entry): string | undefined {
  switch (entry.type) {
    case 'part':
      return entry.attempt;
    case 'annotation':
      return entry.message_id ?? '';
    case 'message':
    case 'revision':
      return entry.message_id;
    default:
      return undefined;
  }
}
