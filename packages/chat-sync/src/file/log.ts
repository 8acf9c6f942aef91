import { constants } from 'node:fs';
import { encodeFrame, type FrameHead, headOf, readDamagedFrame } from '../update/frame.js';
import {
  appendAtOnce,
  createTemporary,
  dropTemporary,
  fillFile,
  giveName,
  isLeftBehind,
  isToken,
  type Progress,
  readToEnd,
  releaseTemporary,
  removeIfThere,
  removeLeftovers,
  syncFolder,
  type Temporary,
  temporaryPath,
} from './atomic.js';
import {
  describeFault,
  errnoOf,
  FaultError,
  type FileEnvironment,
  type FileFault,
  type FileHandle,
  isSameFile,
} from './fs.js';
import { encodeToken, type HeadlessCode, nameHeadless, type ReadLog, readLog } from './read-document.js';

/**
 * The frames of one document file, written by any number of processes.
 *
 * Appends go to the end, whoever else appends. A file is replaced in three steps: the new one is created under a
 * name of its own; a **seal** that bears this name is appended to the old file; when the new one is whole, it is
 * renamed over the old. What stood before the seal is in the new file. Whoever appends behind a seal waits until
 * the rename has happened, and then goes on in the new file, or until the seal is **void**: its file is gone and
 * the old one is still in place. To end the waiting for a process that hangs, its file is removed: then its rename
 * can no longer happen. So of two that replace one file, exactly one does, and no append that was confirmed is
 * lost, without a lock that could go stale.
 */
export class FrameLog {
  readonly path: string;
  readonly head: FrameHead;
  readonly #environment: FileEnvironment;
  readonly #patience: number;
  #handle: FileHandle;
  /** Bytes of the file that we have read or written. */
  #known: number;
  /** Something stands in it that is no frame, or that may not be on the disk. */
  #isTorn: boolean;
  /** Somebody of a later version writes here, too. */
  #hasLater: boolean;
  /** Seals that are not known to be void. */
  readonly #seals = new Set<string>();

  /** @internal */
  constructor(
    path: string,
    head: FrameHead,
    handle: FileHandle,
    read: ReadLog,
    known: number,
    options: LogOptions,
  ) {
    this.path = path;
    this.head = head;
    this.#handle = handle;
    this.#known = known;
    this.#environment = options.environment;
    this.#patience = options.patience;
    this.#isTorn = read.scraps.length > 0;
    this.#hasLater = read.hasLater;
    for (const { token } of read.seals) this.#seals.add(token);
  }

  /** Bytes of the file, as far as this process has seen it. */
  get size(): number {
    return this.#known;
  }

  /**
   * Appends updates, in order, as one write, or none, to see what others have written. `sync` brings them to the disk.
   */
  async append(updates: readonly Uint8Array[], sync: boolean): Promise<Appended> {
    const others: Uint8Array[] = [];
    let isSyncing = false;
    try {
      if (this.#hasLater) throw new FaultError('later_version');
      if (this.#isTorn)
        return { ok: false, code: updates.length > 0 ? 'torn' : await this.#look(others), others };
      const { doc_id, generation, min_reader } = this.head;
      const frames = updates.map((payload) =>
        encodeFrame({ kind: 'update', doc_id, generation, min_reader, payload }),
      );
      const chunk = concatenate(frames);
      const start = this.#known;
      // Until it is known to be whole: a write that fails may have left a part.
      this.#isTorn = true;
      if (!(await appendAtOnce(this.#handle, chunk))) return { ok: false, code: 'torn', others };
      isSyncing = sync && chunk.length > 0;
      if (isSyncing) await this.#handle.sync();
      isSyncing = false;
      const { size } = await this.#handle.stat();
      this.#isTorn = false;
      if (size === start + chunk.length) this.#known = size;
      else {
        const read = await this.#readNews();
        const own = [...updates];
        for (const { payload } of read.updates) {
          const index = own.findIndex((update) => isEqual(update, payload));
          if (index < 0) others.push(payload);
          else own.splice(index, 1);
        }
        this.#isTorn = own.length > 0 || read.scraps.length > 0;
        if (this.#isTorn && !(this.#hasLater && own.length === 0)) return { ok: false, code: 'torn', others };
      }
      const place = await this.#outwaitSeals();
      if (place === 'replaced') return { ok: false, code: 'replaced', others };
      return { ok: true, others };
    } catch (error) {
      await this.#lookAgain(others);
      // The system tells once that it could not keep a write, then takes it for kept: these bytes are not to be
      // built on.
      this.#isTorn ||= isSyncing;
      return { ...describeFault(error), others };
    }
  }

  /** Where nothing can be appended: whether the file was replaced, and what others have finished writing in it. */
  async #look(others: Uint8Array[]): Promise<'torn' | 'replaced'> {
    if (!(await this.#isCurrent())) return 'replaced';
    const { size } = await this.#handle.stat();
    if (size === this.#known) return 'torn';
    // From the start: a frame of which a part was there ends behind what we know.
    const bytes = await readToEnd(this.#handle);
    const read = readLog(bytes, this.head);
    for (const { payload, end } of read.updates) if (end > this.#known) others.push(payload);
    for (const { token } of read.seals) this.#seals.add(token);
    this.#hasLater ||= read.hasLater;
    this.#known = bytes.length;
    return 'torn';
  }

  /** After a failed write: whether it left a part, and what others wrote meanwhile. */
  async #lookAgain(others: Uint8Array[]): Promise<void> {
    try {
      const read = await this.#readNews();
      for (const { payload } of read.updates) others.push(payload);
      this.#isTorn = read.scraps.length > 0;
    } catch {
      this.#isTorn = true;
    }
  }

  /**
   * Puts a new file in the place of this one: `build` gives its bytes, of which the first frame is a snapshot
   * with what `others` wrote in the meantime. `scraps` are bytes that are no frames, to be kept aside by it.
   */
  async replace(
    build: (news: {
      readonly others: readonly Uint8Array[];
      readonly scraps: readonly Uint8Array[];
    }) => Promise<{
      readonly head: FrameHead;
      readonly bytes: Uint8Array;
    }>,
    onProgress?: Progress,
  ): Promise<Replaced> {
    const environment = this.#environment;
    const others: Uint8Array[] = [];
    let temporary: Temporary | undefined;
    try {
      if (this.#hasLater) throw new FaultError('later_version');
      temporary = await createTemporary(environment, this.path);
      const scraps = await this.#appendSeal(temporary.token, others);
      if ((await this.#outwaitSeals(temporary.token)) === 'replaced') throw new FaultError('conflict');
      const { head, bytes } = await build({ others, scraps });
      await fillFile(temporary.handle, bytes, onProgress);
      await this.#moveInto(temporary);
      // From here on the old file is nobody's, whatever fails.
      const { handle } = temporary;
      releaseTemporary(temporary);
      temporary = undefined;
      await syncFolder(environment.fileSystem, this.path).catch((error: unknown) => {
        handle.close().catch(() => undefined);
        throw error;
      });
      await this.close().catch(() => undefined);
      const options = { environment, patience: this.#patience };
      return { ok: true, log: new FrameLog(this.path, head, handle, EMPTY, bytes.length, options) };
    } catch (error) {
      const fault = describeFault(error);
      // Ours is gone, so the seal is void, and this file goes on.
      if (temporary !== undefined) await dropTemporary(environment, temporary);
      return { ...fault, others };
    }
  }

  async #appendSeal(token: string, others: Uint8Array[]): Promise<Uint8Array[]> {
    const { doc_id, generation, min_reader } = this.head;
    const payload = encodeToken(token);
    const seal = encodeFrame({ kind: 'seal', doc_id, generation, min_reader, payload });
    for (let tries = 3; !(await appendAtOnce(this.#handle, seal)); tries -= 1) {
      if (tries === 0) throw new FaultError('disk_full');
    }
    const bytes = await readToEnd(this.#handle);
    const read = readLog(bytes, this.head);
    const own = read.seals.find((seal) => seal.token === token);
    if (own === undefined) throw new FaultError('not_as_written');
    if (read.hasLater) {
      this.#hasLater = true;
      throw new FaultError('later_version');
    }
    // What stands behind the seal is not ours to take: whoever wrote it waits for us. A frame that was being
    // written when we looked last ends behind what we know.
    for (const { payload: update, start, end } of read.updates) {
      if (end > this.#known && start < own.start) others.push(update);
    }
    for (const { token: other, start } of read.seals) if (start < own.start) this.#seals.add(other);
    return [...read.scraps, ...read.strangers]
      .filter(({ start }) => start < own.start)
      .map(({ start, end }) => bytes.subarray(start, end));
  }

  async #moveInto(temporary: Temporary): Promise<void> {
    try {
      await this.#environment.fileSystem.rename(temporary.path, this.path);
    } catch (error) {
      // Somebody lost patience and removed it.
      throw errnoOf(error) === 'ENOENT' ? new FaultError('conflict') : error;
    }
  }

  /**
   * Waits until every seal that stands in the file is void, or the file was replaced. `until` is our own: only
   * those before it count.
   */
  async #outwaitSeals(until?: string): Promise<'current' | 'replaced'> {
    for (const token of this.#seals) {
      if (token === until) continue;
      if ((await this.#outwait(token)) === 'replaced') return 'replaced';
      this.#seals.delete(token);
    }
    return (await this.#isCurrent()) ? 'current' : 'replaced';
  }

  async #outwait(token: string): Promise<'void' | 'replaced'> {
    const environment = this.#environment;
    const path = temporaryPath(this.path, token);
    for (let waited = 0; isToken(token); waited += STEP) {
      if (!(await this.#isThere(path))) break;
      const isHopeless = isLeftBehind(environment, token) || waited >= this.#patience;
      if (isHopeless) await removeIfThere(environment, path);
      else await environment.sleep(STEP);
    }
    // In this order: once its file is gone, it has been renamed or never will be.
    return (await this.#isCurrent()) ? 'void' : 'replaced';
  }

  async #isThere(path: string): Promise<boolean> {
    try {
      await this.#environment.fileSystem.stat(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Whether the name still means the file that we write. */
  async #isCurrent(): Promise<boolean> {
    const [there, ours] = await Promise.all([
      this.#environment.fileSystem.stat(this.path),
      this.#handle.stat(),
    ]);
    return isSameFile(there, ours);
  }

  /** What was written behind what we know. */
  async #readNews(): Promise<ReadLog> {
    const bytes = await readToEnd(this.#handle, this.#known);
    const read = readLog(bytes, this.head);
    for (const { token } of read.seals) this.#seals.add(token);
    this.#hasLater ||= read.hasLater;
    this.#known += bytes.length;
    return read;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

export interface LogOptions {
  readonly environment: FileEnvironment;
  /** Milliseconds to wait for another process that replaces the file, before it is stopped. */
  readonly patience: number;
}

export type Appended =
  | { readonly ok: true; readonly others: readonly Uint8Array[] }
  | ((
      | FileFault
      /** Something stands in the file that is no frame: replace it before anything is appended. */
      | { readonly ok: false; readonly code: 'torn' }
      /** Another process has put a new file in its place, without what was to be appended. */
      | { readonly ok: false; readonly code: 'replaced' }
    ) & { readonly others: readonly Uint8Array[] });

export type Replaced =
  | { readonly ok: true; readonly log: FrameLog }
  | (FileFault & { readonly others: readonly Uint8Array[] });

const APPEND: number = constants.O_RDWR | constants.O_APPEND;
/** Milliseconds between two looks at another process. */
const STEP = 20;
const EMPTY: ReadLog = readLog(new Uint8Array(0));

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(0)] = chunks;
  if (chunks.length === 1) return first;
  const all = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

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
    const log = new FrameLog(path, { ...head, kind: 'snapshot' }, handle, EMPTY, bytes.length, options);
    return { ok: true, log };
  } catch (error) {
    return describeFault(error);
  } finally {
    if (temporary !== undefined) await dropTemporary(environment, temporary);
  }
}
