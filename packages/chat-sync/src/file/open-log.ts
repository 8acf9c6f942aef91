import { encodeFrame, type FrameHead, findFrame, headOf, readDamagedFrame } from '../frame.js';
import type { FileEnvironment } from './file-environment.js';
import { describeFault, FaultError, type FileFault } from './file-fault.js';
import { errnoOf, type FileHandle } from './file-system.js';
import { APPEND, FrameLog, type LogOptions } from './frame-log.js';
import { type ReadLog, readLog } from './read-log.js';
import { createTemporary, removeIfThere, removeLeftovers, type Temporary } from './side-file.js';
import { fillFile, type Progress, readToEnd, syncFolder } from './whole-file.js';

export type OpenedLog =
  | {
      readonly ok: true;
      readonly read: ReadLog;
      readonly bytes: Uint8Array;
      readonly head: FrameHead;
      /** Absent if it was opened for reading. */
      readonly log?: FrameLog;
    }
  | FileFault
  | { readonly ok: false; readonly code: HeadlessCode };

export type HeadlessCode =
  /** Nothing in it is, or was, one of our frames. */
  | 'not_a_document'
  /** Not one frame of it is whole. */
  | 'damaged'
  /** Frames of a later version of the library. */
  | 'later_version';

export function isHeadless(
  fault: FileFault | { readonly ok: false; readonly code: HeadlessCode },
): fault is { readonly ok: false; readonly code: HeadlessCode } {
  return fault.code === 'not_a_document' || fault.code === 'damaged' || fault.code === 'later_version';
}

function nameHeadless(bytes: Uint8Array, read: ReadLog): HeadlessCode {
  if (read.hasLater) return 'later_version';
  return findFrame(bytes, 0) < bytes.length ? 'damaged' : 'not_a_document';
}

function findDamagedHead(bytes: Uint8Array, { scraps }: ReadLog): FrameHead | undefined {
  for (const { start } of scraps) {
    const frame = readDamagedFrame(bytes.subarray(start));
    if (frame !== undefined) return headOf(frame);
  }
  return undefined;
}

/** Reads a document file whole. `salvage`: also one of which no frame is whole, as long as a header is. */
export async function openLog(
  path: string,
  readOnly: boolean,
  options: LogOptions,
  onProgress?: Progress,
  salvage = false,
): Promise<OpenedLog> {
  const { environment } = options;
  let handle: FileHandle | undefined;
  try {
    handle = await environment.fileSystem.open(path, readOnly ? 'r' : APPEND);
    if ((await handle.stat()).isDirectory()) throw new FaultError('directory');
    const bytes = await readToEnd(handle, 0, onProgress);
    const read = readLog(bytes);
    const head = read.head ?? (salvage ? findDamagedHead(bytes, read) : undefined);
    if (head === undefined) return { ok: false, code: nameHeadless(bytes, read) };
    if (readOnly) return { ok: true, read, bytes, head };
    await removeLeftovers(environment, path);
    const log = new FrameLog(path, head, handle, read, bytes.length, options);
    handle = undefined;
    return { ok: true, read, bytes, head, log };
  } catch (error) {
    return describeFault(error);
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

export type CreatedLog = { readonly ok: true; readonly log: FrameLog } | FileFault;

/** Makes a new document file, whole or not at all. A file of that name stays as it is: `exists`. */
export async function createLog(
  path: string,
  head: Omit<FrameHead, 'kind'>,
  snapshot: Uint8Array,
  options: LogOptions,
): Promise<CreatedLog> {
  const { environment } = options;
  const bytes = encodeFrame({ ...head, kind: 'snapshot', payload: snapshot });
  let temporary: Temporary | undefined;
  try {
    temporary = await createTemporary(environment, path);
    await fillFile(temporary.handle, bytes);
    await giveName(environment, temporary.path, path);
    const { handle } = temporary;
    temporary = undefined;
    await syncFolder(environment.fileSystem, path);
    const log = new FrameLog(path, { ...head, kind: 'snapshot' }, handle, NOTHING, bytes.length, options);
    return { ok: true, log };
  } catch (error) {
    return describeFault(error);
  } finally {
    if (temporary !== undefined) {
      await temporary.handle.close().catch(() => undefined);
      await removeIfThere(environment, temporary.path).catch(() => undefined);
    }
  }
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

async function giveName(environment: FileEnvironment, from: string, to: string): Promise<void> {
  const { fileSystem } = environment;
  try {
    await fileSystem.link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    const isThere = await fileSystem.stat(to).then(
      () => true,
      () => false,
    );
    if (isThere) throw new FaultError('exists');
    await fileSystem.rename(from, to);
    return;
  }
  // A second name of the same file does no harm, and goes with the next start.
  await removeIfThere(environment, from).catch(() => undefined);
}

const NOTHING: ReadLog = readLog(new Uint8Array(0));
