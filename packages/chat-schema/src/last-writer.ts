import { compareText } from './choose.js';

interface Replacing {
  readonly id: string;
  readonly replaces?: readonly string[] | undefined;
}

/**
 * The entries that no other present one replaces, greatest id first; all of them if a forged cycle leaves
 * none. The first one shows. Having seen another beats any clock; stamps decide only between the unseen.
 */
export function findHeads<T extends Replacing>(entries: readonly T[]): readonly T[] {
  if (entries.length < 2) return entries;
  const replaced = new Set<string>();
  for (const entry of entries) {
    for (const id of entry.replaces ?? []) if (id !== entry.id) replaced.add(id);
  }
  const heads = entries.filter((entry) => !replaced.has(entry.id));
  return [...(heads.length > 0 ? heads : entries)].sort((a, b) => compareText(b.id, a.id));
}
