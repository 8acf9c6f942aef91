import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileEnvironment } from './file-environment.js';
import { describeFault } from './file-fault.js';
import { errnoOf, type FileHandle, type FileSystem } from './fs.js';
import { giveName } from './give-name.js';
import { fillFile, readToEnd, syncFolder } from './whole-file.js';

/** Names beside a document file: `.NAME.PID-RANDOM.tmp` while it is written, `NAME.torn-1` for what is kept aside. */

export interface Temporary {
  readonly token: string;
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * Tokens in use. In a container every process may have the same number, so the number alone does not tell ours from
 * those of the one that was killed before us.
 */
const inUse = new Set<string>();

export async function createTemporary(environment: FileEnvironment, path: string): Promise<Temporary> {
  let random = '';
  for (const byte of environment.random(8)) random += byte.toString(16).padStart(2, '0');
  const token = `${environment.process_id}-${random}`;
  const temporary = temporaryPath(path, token);
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
  const handle = await environment.fileSystem.open(temporary, flags);
  inUse.add(token);
  return { token, path: temporary, handle };
}

/** It has got its name: its handle is somebody else's now. */
export function releaseTemporary({ token }: Temporary): void {
  inUse.delete(token);
}

export async function dropTemporary(environment: FileEnvironment, temporary: Temporary): Promise<void> {
  releaseTemporary(temporary);
  await temporary.handle.close().catch(() => undefined);
  await removeIfThere(environment, temporary.path).catch(() => undefined);
}

export function temporaryPath(path: string, token: string): string {
  return join(dirname(path), `.${basename(path)}.${token}.tmp`);
}

const TOKEN = /^(\d+)-[0-9a-f]{16}$/;

export function isToken(token: string): boolean {
  return TOKEN.test(token);
}

/** Whether the process that made a token has left it behind; false where that cannot be known. */
export function isLeftBehind({ process_id, isRunning }: FileEnvironment, token: string): boolean {
  const owner = Number(TOKEN.exec(token)?.[1]);
  return owner === process_id ? !inUse.has(token) : !isRunning(owner);
}

/**
 * Removes what processes that are gone have left beside `path`. Whoever is alive after all, on another machine,
 * loses a race by it and nothing else. What cannot be removed stays: it harms nobody.
 */
export async function removeLeftovers(environment: FileEnvironment, path: string): Promise<void> {
  const { fileSystem } = environment;
  const prefix = `.${basename(path)}.`;
  for (const name of await fileSystem.readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const token = name.slice(prefix.length, -'.tmp'.length);
    if (!isToken(token) || !isLeftBehind(environment, token)) continue;
    await removeIfThere(environment, join(dirname(path), name)).catch(() => undefined);
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

/**
 * Keeps `bytes` in a file of their own beside `path`, whole and on the disk when this returns. Gives its path: that of
 * the one that holds these bytes already, if an attempt before was that far.
 */
export async function keepAside(
  environment: FileEnvironment,
  path: string,
  what: string,
  bytes: Uint8Array,
): Promise<string> {
  const temporary = await createTemporary(environment, path);
  try {
    await fillFile(temporary.handle, bytes);
    for (let n = 1; ; n += 1) {
      const aside = `${path}.${what}-${n}`;
      try {
        await giveName(environment, temporary.path, aside);
      } catch (error) {
        if (describeFault(error).code !== 'exists') throw error;
        if (!(await holdsBytes(environment.fileSystem, aside, bytes))) continue;
      }
      await syncFolder(environment.fileSystem, path);
      return aside;
    }
  } finally {
    await dropTemporary(environment, temporary);
  }
}

async function holdsBytes(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<boolean> {
  const handle = await fileSystem.open(path, 'r');
  try {
    const { size } = await handle.stat();
    return size === bytes.length && Buffer.compare(await readToEnd(handle), bytes) === 0;
  } finally {
    await handle.close().catch(() => undefined);
  }
}
