import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, type Failure, fail } from './read-source.js';

export type Written = { readonly ok: true } | Failure;

/**
 * Writes a whole file or none: to a new file beside it, flushed, then under its name. Without `force` a file of that
 * name stays as it is, also if it comes at the last moment.
 */
export async function writeNewFile(path: string, text: string, force: boolean): Promise<Written> {
  let temporary: string | undefined;
  try {
    const found = await findKind(path);
    if (found === 'directory') return fail('directory', `${path} is a folder`);
    if (found === 'file' && !force) return describeExisting(path);
    const created = await createTemporary(path);
    temporary = created.path;
    try {
      await created.handle.writeFile(text);
      await created.handle.sync();
    } finally {
      await created.handle.close();
    }
    if (force) await rename(temporary, path);
    else await giveName(temporary, path);
    temporary = undefined;
    return { ok: true };
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? describeExisting(path) : describeWriteError(error, path);
  } finally {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
  }
}

/** A second name, then none of the first: unlike a rename, this never takes the place of another file. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    if ((await findKind(path)) !== undefined) throw Object.assign(new Error(path), { code: 'EEXIST' });
    await rename(temporary, path);
    return;
  }
  await unlink(temporary);
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
]);
const MAX_TEMPORARY = 100;

async function createTemporary(
  path: string,
): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  for (let n = 1; ; n += 1) {
    const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${n}.tmp`);
    try {
      return { path: temporary, handle: await open(temporary, 'wx') };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n === MAX_TEMPORARY) throw error;
    }
  }
}

export async function findKind(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether two names lead to one file. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  if (a === b) return true;
  try {
    const [x, y] = await Promise.all([stat(a), stat(b)]);
    return x.dev === y.dev && x.ino === y.ino;
  } catch {
    return false;
  }
}

function describeExisting(path: string): Failure {
  return fail(
    'exists',
    `${path} exists and was left as it is; --force replaces it, --out names another place`,
  );
}

export function describeWriteError(error: unknown, path: string): Failure {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('no_folder', `${path} cannot be written: there is no such folder; create it, or use --out`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail(
        'unwritable',
        `${path} cannot be written: you may not write there; use --out for another place`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('disk_full', `${path} cannot be written: the disk is full; nothing was changed`);
    default:
      return fail('unwritable', `${path} cannot be written (${code}); nothing was changed`);
  }
}
