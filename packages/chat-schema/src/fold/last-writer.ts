import { compareText } from '../host/values.js';

interface Replacing {
  readonly id: string;
  readonly replaces?: readonly string[] | undefined;
}

/**
 * The entries that no other present one replaces, greatest id first; only the greatest of all if a forged cycle
 * leaves none. The first one shows. Having seen another beats any clock; stamps decide only between the unseen.
 */
export function findHeads<T extends Replacing>(entries: readonly T[]): readonly T[] {
  if (entries.length < 2) return entries;
  const replaced = new Set<string>();
  for (const entry of entries) {
    for (const id of entry.replaces ?? []) if (id !== entry.id) replaced.add(id);
  }
  const sorted = [...entries].sort((a, b) => compareText(b.id, a.id));
  const heads = sorted.filter((entry) => !replaced.has(entry.id));
  return heads.length > 0 ? heads : sorted.slice(0, 1);
}
