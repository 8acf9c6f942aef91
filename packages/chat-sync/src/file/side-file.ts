import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileEnvironment } from './file-environment.js';
import { errnoOf, type FileHandle } from './file-system.js';
import { fillFile, syncFolder } from './whole-file.js';

/** Names beside a document file: `.NAME.PID-RANDOM.tmp` while it is written, `NAME.torn-1` for what is kept aside. */

export interface Temporary {
  readonly token: string;
  readonly path: string;
  readonly handle: FileHandle;
}

export async function createTemporary(environment: FileEnvironment, path: string): Promise<Temporary> {
  let random = '';
  for (const byte of environment.random(8)) random += byte.toString(16).padStart(2, '0');
  const token = `${environment.process_id}-${random}`;
  const temporary = temporaryPath(path, token);
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
  return { token, path: temporary, handle: await environment.fileSystem.open(temporary, flags) };
}

export function temporaryPath(path: string, token: string): string {
  return join(dirname(path), `.${basename(path)}.${token}.tmp`);
}

const TOKEN = /^(\d+)-[0-9a-f]{16}$/;

/** The process that made a token; undefined for what is no token. */
export function processOfToken(token: string): number | undefined {
  const match = TOKEN.exec(token);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Removes what processes that are gone have left beside `path`. Whoever is alive after all, on another machine,
 * loses a race by it and nothing else.
 */
export async function removeLeftovers(environment: FileEnvironment, path: string): Promise<void> {
  const { fileSystem } = environment;
  const prefix = `.${basename(path)}.`;
  for (const name of await fileSystem.readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const owner = processOfToken(name.slice(prefix.length, -'.tmp'.length));
    if (owner === undefined || environment.isRunning(owner)) continue;
    await removeIfThere(environment, join(dirname(path), name));
  }
}

/** Whether it was there. */
export async function removeIfThere({ fileSystem }: FileEnvironment, path: string): Promise<boolean> {
  try {
    await fileSystem.unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Keeps `bytes` in a new file beside `path`, on the disk when this returns. Gives its path. */
export async function keepAside(
  environment: FileEnvironment,
  path: string,
  what: string,
  bytes: Uint8Array,
): Promise<string> {
  const { fileSystem } = environment;
  for (let n = 1; ; n += 1) {
    const aside = `${path}.${what}-${n}`;
    let handle: FileHandle;
    try {
      handle = await fileSystem.open(aside, 'wx+');
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue;
      throw error;
    }
    try {
      await fillFile(handle, bytes);
    } finally {
      await handle.close();
    }
    await syncFolder(fileSystem, path);
    return aside;
  }
}
