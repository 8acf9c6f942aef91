import type { FileEnvironment } from './file-environment.js';
import { describeFault, FaultError, type FileFault } from './file-fault.js';
import { type FileHandle, isSameFile } from './fs.js';
import { giveName } from './give-name.js';
import { createTemporary, dropTemporary, removeIfThere, type Temporary } from './side-file.js';
import { fillFile, type Progress, readToEnd, syncFolder } from './whole-file.js';

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
