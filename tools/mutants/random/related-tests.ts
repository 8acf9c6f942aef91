import type { ImportGraph } from '../../imports.js';
import { groupOf } from '../../workspace.js';

/**
 * Test files that import a source, directly or through others: those of its own package first, then the nearest, then
 * the shortest.
 */
export function findRelatedTests(
  graph: ImportGraph,
  sizes: ReadonlyMap<string, number>,
  source: string,
): readonly string[] {
  const importers = new Map<string, string[]>();
  for (const [from, targets] of graph) {
    for (const to of targets) importers.set(to, [...(importers.get(to) ?? []), from]);
  }
  const distances = new Map([[source, 0]]);
  for (const [at, distance] of distances) {
    for (const from of importers.get(at) ?? []) if (!distances.has(from)) distances.set(from, distance + 1);
  }
  const rank = (path: string): readonly number[] => [
    groupOf(path) === groupOf(source) ? 0 : 1,
    // Heavier, and seldom the first to notice.
    path.includes('.property.') ? 1 : 0,
    distances.get(path) ?? 0,
    sizes.get(path) ?? 0,
  ];
  return [...distances.keys()]
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path, rank: rank(path) }))
    .sort((a, b) => compareRanks(a.rank, b.rank))
    .map(({ path }) => path);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
