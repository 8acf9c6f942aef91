import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCircles, type ImportGraph, readGraph } from './imports.js';
import { type Hit, runRatchet } from './ratchet.js';
import { groupOf, ROOT } from './workspace.js';

/**
 * Draws packages, their folders and who imports whom into docs/architecture.md, and finds files that import each other
 * in a circle. Run with `pnpm structure`; `--check` compares the page, as lint does.
 */

export const PAGE = 'docs/architecture.md';
const START = '<!-- structure: written by `pnpm structure` -->\n';
const END = '<!-- /structure -->\n';

/** A picture of text: what is imported comes first, and `⇄` marks two folders that import each other. */
export function drawStructure(graph: ImportGraph): string {
  const packages = foldGraph(graph, groupOf);
  const folders = foldGraph(new Map([...graph].filter(([path]) => !ENTRY.test(path))), folderOf);
  const lines = sortByImports(packages).flatMap((name) => [
    drawNode(name, packages, (other) => other),
    ...sortByImports(keepGroup(folders, name)).map((folder) =>
      drawNode(`  ${nameFolder(folder)}`, keepGroup(folders, name), nameFolder, folder),
    ),
  ]);
  return `\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
}

function drawNode(
  label: string,
  graph: ImportGraph,
  name: (node: string) => string,
  node: string = label,
): string {
  const targets = sortByImports(graph).filter((target) => graph.get(node)?.has(target));
  const both = (target: string): boolean => graph.get(target)?.has(node) ?? false;
  const arrows = [
    ['→', targets.filter((target) => !both(target))],
    ['⇄', targets.filter(both)],
  ] as const;
  const drawn = arrows.filter(([, ends]) => ends.length > 0);
  const text = drawn.map(([arrow, ends]) => `${arrow} ${ends.map(name).join(', ')}`).join('  ');
  return `${label.padEnd(WIDTH)}${text}`.trimEnd();
}

const WIDTH = 20;

/** A list of exports, which is in no folder. */
const ENTRY = /^packages\/[^/]+\/src\/(?:index|internal)\.ts$/;

/** Package and first folder of a file; the files beside `index.ts` are the folder `.`. */
function folderOf(path: string): string {
  const [, name = '', , folder = '', ...rest] = path.split('/');
  return rest.length === 0 ? `${name}/.` : `${name}/${folder}`;
}

function nameFolder(node: string): string {
  return node.split('/')[1] ?? '';
}

/** Nodes that `nameOf` names alike become one; imports within it are left out. */
export function foldGraph(graph: ImportGraph, nameOf: (node: string) => string): ImportGraph {
  const folded = new Map<string, Set<string>>();
  for (const [from, targets] of graph) {
    const node = nameOf(from);
    const ends = folded.get(node) ?? new Set<string>();
    for (const to of targets) if (nameOf(to) !== node) ends.add(nameOf(to));
    folded.set(node, ends);
  }
  return folded;
}

function keepGroup(graph: ImportGraph, name: string): ImportGraph {
  const isInside = (node: string): boolean => node.split('/')[0] === name;
  return new Map(
    [...graph]
      .filter(([node]) => isInside(node))
      .map(([node, targets]) => [node, new Set([...targets].filter(isInside))]),
  );
}

/** What is imported before what imports it, by name where both or neither do. */
function sortByImports(graph: ImportGraph): readonly string[] {
  const sorted: string[] = [];
  const visited = new Set<string>();
  const visit = (node: string): void => {
    if (visited.has(node)) return;
    visited.add(node);
    for (const target of [...(graph.get(node) ?? [])].sort()) visit(target);
    sorted.push(node);
  };
  for (const node of [...graph.keys()].sort()) visit(node);
  return sorted;
}

/** The page with the picture between its two marks. Throws if they are missing. */
export function renderPage(page: string, picture: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${PAGE} has no place for the structure: ${START.trim()}`);
  return `${page.slice(0, start + START.length)}\n${picture}\n${page.slice(end)}`;
}

function toHit(circle: readonly string[]): Hit {
  const [first = ''] = circle;
  const names = circle.map((path) => path.split('/').at(-1)).sort();
  return {
    group: groupOf(first),
    key: `circle ${names.join(' ')}`,
    text: `import in a circle: ${[...circle, first].join(' → ')}`,
  };
}

/** Returns the exit code. */
export function main(
  root: string,
  args: readonly string[],
  out: (line: string) => void,
  err: (line: string) => void,
): number {
  const graph = readGraph(root);
  const file = join(root, PAGE);
  const page = readFileSync(file, 'utf8');
  const drawn = renderPage(page, drawStructure(graph));
  const [mode, ...rest] = args;
  if (mode === undefined) {
    writeFileSync(file, drawn);
    return 0;
  }
  const isStale = page !== drawn;
  if (isStale) err(`${PAGE} does not show the structure: run pnpm structure`);
  const hits = findCircles(graph).map(toHit);
  const circles = {
    name: 'circles',
    file: join(root, 'tools/ratchets/circles.json'),
    hits,
    args: rest,
    out,
    err,
  };
  return Math.max(isStale ? 1 : 0, runRatchet(circles));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(ROOT, process.argv.slice(2), console.log, console.error);
}
