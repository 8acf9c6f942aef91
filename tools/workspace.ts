import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** From the root of the workspace, with slashes. */
  readonly path: string;
  readonly text: string;
}

export const ROOT: string = fileURLToPath(new URL('..', import.meta.url));

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'fixtures', 'golden', '.git']);

/** Every file below a folder of the workspace that `matches`, sorted; none if there is no such folder. */
export function readFiles(
  root: string,
  folder: string,
  matches: (path: string) => boolean,
): readonly SourceFile[] {
  return listFiles(join(root, folder))
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter(matches)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/** Sources of the packages. */
export function readSources(root: string): readonly SourceFile[] {
  return readFiles(root, 'packages', (path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path));
}

/** The folder under packages of a path, or its first folder, or `root`. */
export function groupOf(path: string): string {
  const [first = '', second] = path.split('/');
  if (second === undefined) return 'root';
  return first === 'packages' ? second : first;
}
