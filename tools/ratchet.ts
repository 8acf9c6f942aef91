import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * A list of what is still wrong, which may only get shorter: by package and kind, how often it occurs. By package,
 * because files move between folders.
 */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Hit {
  /** As of `groupOf`. */
  readonly group: string;
  readonly key: string;
  /** Where it is and what to do, in one line. */
  readonly text: string;
}

export interface Comparison {
  /** Hits of each kind that occurs more often than the list allows. */
  readonly over: readonly Hit[];
  /** How many the list allows that no longer occur. */
  readonly spare: number;
}

export function countHits(hits: readonly Hit[]): Counts {
  const counts: Record<string, Record<string, number>> = {};
  for (const { group, key } of hits) {
    counts[group] ??= {};
    counts[group][key] = (counts[group][key] ?? 0) + 1;
  }
  return counts;
}

export function compareHits(hits: readonly Hit[], allowed: Counts): Comparison {
  const found = countHits(hits);
  const over = hits.filter(({ group, key }) => (found[group]?.[key] ?? 0) > (allowed[group]?.[key] ?? 0));
  let spare = 0;
  for (const [group, keys] of Object.entries(allowed)) {
    for (const [key, count] of Object.entries(keys)) {
      spare += Math.max(0, count - (found[group]?.[key] ?? 0));
    }
  }
  return { over, spare };
}

/** The smaller of both counts, zeros and empty groups left out, sorted. */
export function shrinkCounts(allowed: Counts, found: Counts): Counts {
  const shrunk = sortedEntries(allowed).map(([group, keys]): [string, Record<string, number>] => {
    const rest = sortedEntries(keys)
      .map(([key, count]): [string, number] => [key, Math.min(count, found[group]?.[key] ?? 0)])
      .filter(([, count]) => count > 0);
    return [group, Object.fromEntries(rest)];
  });
  return Object.fromEntries(shrunk.filter(([, keys]) => Object.keys(keys).length > 0));
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

export interface RatchetRun {
  /** First word of the closing line. */
  readonly name: string;
  /** The list, a JSON file. */
  readonly file: string;
  readonly hits: readonly Hit[];
  /** `--list [GROUP…]` prints every hit, `--update` shortens the list; otherwise hits are compared with it. */
  readonly args: readonly string[];
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** Returns the exit code. Without a file `--update` writes one that allows what occurs. */
export function runRatchet({ name, file, hits, args, out, err }: RatchetRun): number {
  const [mode, ...groups] = args;
  if (mode === '--list') {
    const listed = hits.filter(({ group }) => groups.length === 0 || groups.includes(group));
    for (const { text } of listed) out(text);
    out(`${name}: ${listed.length} in ${groups.length === 0 ? 'the workspace' : groups.join(', ')}`);
    return 0;
  }
  if (mode !== undefined && mode !== '--update') throw new Error(`expected --list or --update, got ${mode}`);
  const found = countHits(hits);
  let allowed: Counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  if (mode === '--update') {
    allowed = shrinkCounts(existsSync(file) ? allowed : found, found);
    writeFileSync(file, `${JSON.stringify(allowed, null, 2)}\n`);
  }
  const { over, spare } = compareHits(hits, allowed);
  for (const { text } of over) err(text);
  const hint = spare > 0 ? `; ${spare} fewer than allowed: shorten the list with --update` : '';
  out(`${name}: ${hits.length} known, ${over.length} too many${hint}`);
  return over.length === 0 ? 0 : 1;
}
