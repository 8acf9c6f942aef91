import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  describeFault,
  errnoOf,
  FaultError,
  type FileEnvironment,
  type FileFault,
  type FileHandle,
  type FileSystem,
  isSameFile,
} from './fs.js';

export type WroteFile = { readonly ok: true } | FileFault;

/**
 * Makes a file of these bytes, whole and on the disk, or none. One of that name stays as it is: `exists`.
 */
export function createFile(
  path: string,
  bytes: Uint8Array,
  environment: FileEnvironment,
  onProgress?: Progress,
): Promise<WroteFile> {
  return writeAside(path, bytes, environment, onProgress, (temporary) =>
    giveName(environment, temporary.path, path),
  );
}

/**
 * Puts these bytes in the place of the file, whole and on the disk, or leaves it as it is. `isExpected` looks at
 * what is there at the last moment: if that is not what the caller has read, the result is `conflict`.
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array,
  isExpected: (present: Uint8Array) => boolean,
  environment: FileEnvironment,
  onProgress?: Progress,
): Promise<WroteFile> {
  return writeAside(path, bytes, environment, onProgress, async (temporary) => {
    const present = await readWhole(environment, path);
    if (!isExpected(present)) throw new FaultError('conflict');
    await environment.fileSystem.rename(temporary.path, path);
  });
}

export type ReadFile = { readonly ok: true; readonly bytes: Uint8Array } | FileFault;

/** All bytes of a file. */
export async function readFile(
  path: string,
  environment: FileEnvironment,
  onProgress?: Progress,
): Promise<ReadFile> {
  try {
    return { ok: true, bytes: await readWhole(environment, path, onProgress) };
  } catch (error) {
    return describeFault(error);
  }
}

async function readWhole(
  { fileSystem }: FileEnvironment,
  path: string,
  onProgress?: Progress,
): Promise<Uint8Array> {
  const handle: FileHandle = await fileSystem.open(path, 'r');
  try {
    if ((await handle.stat()).isDirectory()) throw new FaultError('directory');
    return await readToEnd(handle, 0, onProgress);
  } finally {
    await handle.close();
  }
}

async function writeAside(
  path: string,
  bytes: Uint8Array,
  environment: FileEnvironment,
  onProgress: Progress | undefined,
  move: (temporary: Temporary) => Promise<void>,
): Promise<WroteFile> {
  let temporary: Temporary | undefined;
  try {
    temporary = await createTemporary(environment, path);
    await fillFile(temporary.handle, bytes, onProgress);
    await move(temporary);
    await syncFolder(environment.fileSystem, path);
    return { ok: true };
  } catch (error) {
    return describeFault(error);
  } finally {
    if (temporary !== undefined) await dropTemporary(environment, temporary);
  }
}

/**
 * Gives a file another name in its folder, and never takes the place of another: `exists`. Processes that have it
 * open go on writing to the same file.
 */
export async function moveFile(from: string, to: string, environment: FileEnvironment): Promise<WroteFile> {
  const { fileSystem } = environment;
  try {
    try {
      await giveName(environment, from, to);
    } catch (error) {
      // Killed between the two names the last time.
      if (describeFault(error).code !== 'exists') throw error;
      if (!isSameFile(await fileSystem.stat(from), await fileSystem.stat(to))) throw error;
    }
    await removeIfThere(environment, from);
    await syncFolder(fileSystem, to);
    return { ok: true };
  } catch (error) {
    return describeFault(error);
  }
}

/** Bytes of one read or write: progress is told, and a fault found, this often. */
const CHUNK = 4 * 1024 * 1024;

export type Progress = (done: number, total: number) => void;

/** All bytes from `from` to the end as it is now. */
export async function readToEnd(
  handle: FileHandle,
  from = 0,
  onProgress: Progress = () => {},
): Promise<Uint8Array> {
  const { size } = await handle.stat();
  const bytes = new Uint8Array(Math.max(0, size - from));
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, bytes.length - at), from + at);
    // Cut short meanwhile.
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
    onProgress(at, bytes.length);
  }
  return bytes;
}

/**
 * Appends `bytes` in one write, so that no other process's bytes stand within them. False if the system took less:
 * the rest would be neither a frame nor the beginning of one if somebody wrote before it.
 */
export async function appendAtOnce(handle: FileHandle, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length === 0) return true;
  const { bytesWritten } = await handle.write(bytes, 0, bytes.length, null);
  if (bytesWritten <= 0) throw new FaultError('disk_full');
  return bytesWritten === bytes.length;
}

/** Writes all of `bytes` into an empty file. The system may take less at a time, never nothing. */
async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  onProgress: Progress = () => {},
): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const length = Math.min(CHUNK, bytes.length - at);
    const { bytesWritten } = await handle.write(bytes, at, length, at);
    if (bytesWritten <= 0) throw new FaultError('disk_full');
    at += bytesWritten;
    onProgress(at, bytes.length);
  }
}

/**
 * Writes a file that nobody reads yet, whole: all bytes, on the disk, read back and compared. The
 * atomic-write packages do less, and replace a good file by a cut one when the disk is full.
 */
export async function fillFile(
  handle: FileHandle,
  bytes: Uint8Array,
  onProgress: Progress = () => {},
): Promise<void> {
  await writeAll(handle, bytes, onProgress);
  await handle.sync();
  const { size } = await handle.stat();
  if (size !== bytes.length) throw new FaultError('not_as_written');
  const chunk = new Uint8Array(Math.min(CHUNK, bytes.length));
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, bytes.length - at), at);
    if (bytesRead === 0) throw new FaultError('not_as_written');
    for (let index = 0; index < bytesRead; index += 1) {
      if (chunk[index] !== bytes[at + index]) throw new FaultError('not_as_written');
    }
    at += bytesRead;
  }
}

/** Makes names in the folder of `path` last: without it a rename may be undone by a loss of power. */
export async function syncFolder(fileSystem: FileSystem, path: string): Promise<void> {
  const folder = await fileSystem.open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives the file `from` the name `to`, or fails if something has it: `exists`. Where there are no hard links, a file
 * that is made at the very moment between two calls is replaced.
 */
export async function giveName({ fileSystem }: FileEnvironment, from: string, to: string): Promise<void> {
  try {
    await fileSystem.link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    const isThere = await fileSystem.stat(to).then(
      () => true,
      (reason: unknown) => errnoOf(reason) !== 'ENOENT',
    );
    if (isThere) throw new FaultError('exists');
    await fileSystem.rename(from, to);
    return;
  }
  // A second name of the same file does no harm, and goes with the next start.
  await fileSystem.unlink(from).catch(() => undefined);
}

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
