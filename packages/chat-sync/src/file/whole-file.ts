import { dirname } from 'node:path';
import { FaultError } from './file-fault.js';
import type { FileHandle, FileSystem } from './fs.js';

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
