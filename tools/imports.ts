import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readSources, type SourceFile } from './workspace.js';

/** The sources of the packages, and which of them each one imports: types included, dynamic imports, too. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** `from '…'`, `import '…'` and `import('…')`, also in a type. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)'([^'\n]+)'/g;

/** Where a specifier of another package leads: `@chatdoc/sync/file` to its source. */
export type Entries = ReadonlyMap<string, string>;

export function readGraph(root: string): ImportGraph {
  return createGraph(readSources(root), readEntries(root));
}

export function createGraph(sources: readonly SourceFile[], entries: Entries): ImportGraph {
  const paths = new Set(sources.map(({ path }) => path));
  return new Map(
    sources.map(({ path, text }) => {
      const specifiers = [...maskComments(text).matchAll(SPECIFIER)].map(([, found = '']) => found);
      const targets = specifiers.map((specifier) => resolve(path, specifier, entries));
      return [path, new Set(targets.filter((target) => target !== undefined && paths.has(target)))];
    }) as [string, Set<string>][],
  );
}

function resolve(from: string, specifier: string, entries: Entries): string | undefined {
  if (!specifier.startsWith('.')) return entries.get(specifier);
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

function maskComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, { readonly '@chatdoc/source'?: string } | string>>;
}

export function readEntries(root: string): Entries {
  return new Map(readdirSync(join(root, 'packages')).flatMap((folder) => readEntriesOf(root, folder)));
}

function readEntriesOf(root: string, folder: string): [string, string][] {
  const path = join(root, 'packages', folder, 'package.json');
  if (!existsSync(path)) return [];
  const { name, exports = {} } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  return Object.entries(exports).flatMap(([key, target]): [string, string][] => {
    const source = typeof target === 'string' ? undefined : target['@chatdoc/source'];
    if (source === undefined) return [];
    return [[posix.join(name, key), posix.join('packages', folder, source)]];
  });
}

/** Circles of imports, the shortest one through each file that is in one, each once. */
export function findCircles(graph: ImportGraph): readonly (readonly string[])[] {
  const circles = new Map<string, readonly string[]>();
  for (const start of [...graph.keys()].sort()) {
    const circle = findCircle(graph, start);
    const key = [...(circle ?? [])].sort().join(' ');
    if (circle !== undefined && !circles.has(key)) circles.set(key, circle);
  }
  return [...circles.values()];
}

/** The shortest way from a file back to itself. */
function findCircle(graph: ImportGraph, start: string): readonly string[] | undefined {
  const before = new Map<string, string>();
  let edge = [start];
  while (edge.length > 0) {
    const next: string[] = [];
    for (const from of edge) {
      for (const to of graph.get(from) ?? []) {
        if (to === start) return walkBack(before, start, from);
        if (before.has(to)) continue;
        before.set(to, from);
        next.push(to);
      }
    }
    edge = next;
  }
  return undefined;
}

function walkBack(before: ReadonlyMap<string, string>, start: string, last: string): readonly string[] {
  const way: string[] = [];
  for (let at: string | undefined = last; at !== undefined && at !== start; at = before.get(at))
    way.unshift(at);
  return [start, ...way];
}
