import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Hit, runRatchet } from './ratchet.js';
import { groupOf, ROOT, readFiles, type SourceFile } from './workspace.js';

/**
 * Checks that what pages link to exists, and that each source they name is one: `lane/structs.ts` is the end of the path of
 * a file. Run with `node --import tsx tools/pages.ts`.
 */

const LINK = /\]\((?!https?:|#|mailto:)([^)\s#]+)(?:#[^)\s]*)?\)/g;
const NAME = /`((?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|mjs|grit))`/g;

/** `NAME.ts`, where a recipe leaves the name open. */
const PLACEHOLDER = /(?:^|\/)[A-Z]+\.(?:test\.)?ts$/;

export function findMissing(
  page: SourceFile,
  paths: readonly string[],
  exists: (path: string) => boolean,
): Hit[] {
  const { path, text } = page;
  const links = [...text.matchAll(LINK)].map(({ index, 1: target = '' }) => ({
    index,
    target,
    found: exists(posix.join(posix.dirname(path), target)),
  }));
  const names = [...text.matchAll(NAME)].map(({ index, 1: target = '' }) => ({
    index,
    target,
    found: paths.some((one) => one === target || one.endsWith(`/${target}`)),
  }));
  return [...links, ...names]
    .filter(({ found, target }) => !found && !PLACEHOLDER.test(target))
    .map(({ index, target }) => ({
      group: groupOf(path),
      key: `missing ${target.split('/').slice(-2).join('/')}`,
      text: `${path}:${text.slice(0, index).split('\n').length} ${target} does not exist`,
    }));
}

/** Returns the exit code. */
export function main(
  root: string,
  args: readonly string[],
  out: (line: string) => void,
  err: (line: string) => void,
): number {
  const pages = readFiles(root, '.', (path) =>
    /(?:^|\/)(?:README|SPEC|CONTRIBUTING)\.md$|^docs\/[^/]+\.md$/.test(path),
  );
  const paths = readFiles(root, '.', (path) => /\.(?:ts|mjs|grit)$/.test(path)).map(({ path }) => path);
  const hits = pages.flatMap((page) => findMissing(page, paths, (path) => existsSync(join(root, path))));
  return runRatchet({ name: 'pages', file: join(root, 'tools/ratchets/pages.json'), hits, args, out, err });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(ROOT, process.argv.slice(2), console.log, console.error);
}
