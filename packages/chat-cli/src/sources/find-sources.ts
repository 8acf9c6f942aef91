import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type GlobOptions, glob, isDynamicPattern } from 'tinyglobby';
import { type Failure, fail } from './read-source.js';

/** A file that a path means, as a person would name it, or a path that means none. */
export type ChatSource =
  | {
      readonly file: string;
      /** Under the folder that was named: its place under `--out`, too. */
      readonly within?: string;
    }
  | { readonly file: string; readonly failure: Failure };

/** Of a folder: the old chats in it, by name. */
export const OLD_CHATS = '**/*.{chat,sage-chat,smc-chat}';
/** Documents, too. */
export const ALL_CHATS = '**/*.{ychat,chatdoc.jsonl,chat,sage-chat,smc-chat}';
/** Hidden folders hold backups and histories; a hidden file is the side chat of another. */
const NOT_IN = ['**/.*/**/*', '**/node_modules/**/*'];

/**
 * The files that paths mean: each a file, a folder (what in it `chats` matches, at any depth) or a pattern. Each file
 * once, in order.
 */
export async function findSources(
  paths: readonly string[],
  cwd: string,
  chats: string,
): Promise<readonly ChatSource[]> {
  const found = new Map<string, ChatSource>();
  for (const path of new Set(paths)) {
    for (const source of await findSource(path, cwd, chats)) {
      const key = resolve(cwd, source.file);
      if (!found.has(key)) found.set(key, source);
    }
  }
  return [...found.values()];
}

async function findSource(path: string, cwd: string, chats: string): Promise<readonly ChatSource[]> {
  if (path === '' || path === '-') return [{ file: path }];
  const found = await stat(resolve(cwd, path)).catch(() => undefined);
  if (found?.isDirectory() === true) {
    const options = { cwd: resolve(cwd, path), dot: true, ignore: NOT_IN, followSymbolicLinks: false };
    const names = await listFiles(chats, { ...options, caseSensitiveMatch: false });
    if (names.length === 0)
      return [{ file: path, failure: fail('no_chats', 'there is no chat in this folder; name the files') }];
    return names.map((within) => ({ file: join(path, within), within }));
  }
  if (found !== undefined || !isDynamicPattern(path)) return [{ file: path }];
  const names = await listFiles(path, { cwd });
  if (names.length === 0)
    return [{ file: path, failure: fail('missing', 'no file has such a name; check the folder you are in') }];
  return names.map((file) => ({ file }));
}

async function listFiles(
  pattern: string,
  options: Omit<GlobOptions, 'patterns'>,
): Promise<readonly string[]> {
  const names = await glob([pattern], { expandDirectories: false, ...options });
  return names.sort();
}
