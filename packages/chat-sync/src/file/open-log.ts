import { encodeFrame, type FrameHead, headOf, readDamagedFrame } from '../update/frame.js';
import { describeFault, FaultError, type FileFault } from './file-fault.js';
import type { FileHandle } from './fs.js';
import { giveName } from './give-name.js';
import { APPEND, FrameLog, type LogOptions } from './log.js';
import { type HeadlessCode, nameHeadless, type ReadLog, readLog } from './read-log.js';
import {
  createTemporary,
  dropTemporary,
  releaseTemporary,
  removeLeftovers,
  type Temporary,
} from './side-file.js';
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

export function isHeadless(
  fault: FileFault | { readonly ok: false; readonly code: HeadlessCode },
): fault is { readonly ok: false; readonly code: HeadlessCode } {
  return fault.code === 'not_a_document' || fault.code === 'damaged' || fault.code === 'later_version';
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
    // Who gave the file its name may not have come to this yet, and what we confirm must not go with the name.
    await syncFolder(environment.fileSystem, path);
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
    await syncFolder(environment.fileSystem, path);
    releaseTemporary(temporary);
    const { handle } = temporary;
    temporary = undefined;
    const log = new FrameLog(path, { ...head, kind: 'snapshot' }, handle, NOTHING, bytes.length, options);
    return { ok: true, log };
  } catch (error) {
    return describeFault(error);
  } finally {
    if (temporary !== undefined) await dropTemporary(environment, temporary);
  }
}

const NOTHING: ReadLog = readLog(new Uint8Array(0));
