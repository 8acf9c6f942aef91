import { type Chat, openChat, SCHEMA_VERSION } from '@chatdoc/schema';
import * as Y from 'yjs';
import { Door } from '../update/door.js';
import { FRAME_MAGIC, type FrameHead, findFrame, headOf, readFrame } from '../update/frame.js';
import { dropPending } from '../update/inspect.js';
import { NO_LIMITS } from '../update/limits.js';
import type { Progress } from './atomic.js';

export type ReadDocument =
  | {
      readonly ok: true;
      readonly doc_id: string;
      readonly generation: number;
      readonly doc: Y.Doc;
      /** For reading only. */
      readonly chat: Chat;
      readonly report: OpenReport;
    }
  | { readonly ok: false; readonly code: HeadlessCode };

/** Reads the bytes of a document file, such as an upload, without a file. What is damaged is read past and reported. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  const read = readLog(bytes);
  const { head } = read;
  if (head === undefined) return { ok: false, code: nameHeadless(bytes, read) };
  const doc = new Y.Doc();
  const report = loadUpdates(doc, head, read);
  const { doc_id, generation } = head;
  return { ok: true, doc_id, generation, doc, chat: openChat(doc, { readOnly: true, generation }), report };
}

/** What stands in a document file: frames, and whatever else. */
export interface ReadLog {
  /** Of the first frame. All others of `updates` agree in document and generation. */
  readonly head: FrameHead | undefined;
  /** Payloads of snapshots and updates, in order. */
  readonly updates: readonly LogUpdate[];
  /** Names of the seals, in order, with the offset at which each ends. */
  readonly seals: readonly LogSeal[];
  /** Ranges that are no frames. */
  readonly scraps: readonly Scrap[];
  /** Frames of another document or generation: copied in by mistake, never applied. */
  readonly strangers: readonly Range[];
  /** A frame of a later format, or one that asks for a later reader: what stands here is not ours to write. */
  readonly hasLater: boolean;
}

interface LogUpdate {
  readonly payload: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly isSnapshot: boolean;
}

interface LogSeal {
  readonly token: string;
  readonly start: number;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Scrap extends Range {
  /**
   * A write that did not finish: at the end of the file, or the beginning of a frame in front of what another
   * process wrote after it, or what stood at the end when somebody began to replace the file. Anything else is
   * damage.
   */
  readonly isTorn: boolean;
}

/** Reads all frames of `bytes`, and goes on behind what is none. O(bytes). `head`: what frames must agree with. */
export function readLog(bytes: Uint8Array, head?: FrameHead): ReadLog {
  const updates: LogUpdate[] = [];
  const seals: LogSeal[] = [];
  const scraps: Scrap[] = [];
  const strangers: Range[] = [];
  let hasLater = false;
  let first = head;
  for (let start = 0; start < bytes.length; ) {
    const read = readFrame(bytes, start);
    if (read.ok) {
      const { frame, end } = read;
      first ??= headOf(frame);
      hasLater ||= frame.min_reader > SCHEMA_VERSION;
      if (frame.doc_id !== first.doc_id || frame.generation !== first.generation)
        strangers.push({ start, end });
      else if (frame.kind === 'seal') {
        seals.push({ token: readToken(frame.payload), start });
        const last = scraps.at(-1);
        if (last?.end === start) scraps[scraps.length - 1] = { ...last, isTorn: true };
      } else updates.push({ payload: frame.payload, start, end, isSnapshot: frame.kind === 'snapshot' });
      start = end;
    } else {
      hasLater ||= read.code === 'unknown_frame';
      let end = findFrame(bytes, start + 1);
      while (end < bytes.length && !readFrame(bytes, end).ok) end = findFrame(bytes, end + 1);
      scraps.push({ start, end, isTorn: end === bytes.length || isCut(bytes.subarray(start, end)) });
      start = end;
    }
  }
  return { head: first, updates, seals, scraps, strangers, hasLater };
}

/** Why a file without a head has none. */
export type HeadlessCode =
  /** Nothing in it is, or was, one of our frames. */
  | 'not_a_document'
  /** Not one frame of it is whole. */
  | 'damaged'
  /** Frames of a later version of the library. */
  | 'later_version';

export function nameHeadless(bytes: Uint8Array, read: ReadLog): HeadlessCode {
  if (read.hasLater) return 'later_version';
  return findFrame(bytes, 0) < bytes.length ? 'damaged' : 'not_a_document';
}

export function encodeToken(token: string): Uint8Array {
  return new TextEncoder().encode(token);
}

function readToken(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

/** More bytes than this with which a frame may begin are content. */
const MAX_CUTS = 32;

/** Whether it is the beginning of a frame, or several: who meets the first may be cut short, too. O(bytes). */
function isCut(scrap: Uint8Array): boolean {
  if (isTruncated(scrap)) return true;
  const [first = 0] = FRAME_MAGIC;
  const starts: number[] = [];
  for (let at = scrap.indexOf(first); at >= 0; at = scrap.indexOf(first, at + 1)) starts.push(at);
  if (starts.length > MAX_CUTS) return false;
  const ends = [scrap.length];
  for (const start of starts.reverse()) {
    if (ends.some((end) => isTruncated(scrap.subarray(start, end)))) ends.push(start);
  }
  return ends.includes(0);
}

function isTruncated(bytes: Uint8Array): boolean {
  const read = readFrame(bytes);
  return !read.ok && read.code === 'truncated';
}

/** What was odd about a file when it was opened. */
export interface OpenReport {
  readonly frames: number;
  /** Bytes of writes that did not finish. They are kept in a file beside it before anything is written. */
  readonly torn_bytes: number;
  /** Bytes that were written whole and are no frames any more. */
  readonly damaged_bytes: number;
  /** Whole frames that build on what is damaged. */
  readonly gaps: number;
  /** Frames of other documents or generations. */
  readonly strangers: number;
}

/** Of a file that was just written. */
export const WHOLE: OpenReport = { frames: 1, torn_bytes: 0, damaged_bytes: 0, gaps: 0, strangers: 0 };

/** How often the loading of frames is told. */
const TELL_EVERY = 1024;

/** Brings the frames of a file into `doc`; those behind what is damaged if they do not build on it. */
export function loadUpdates(
  doc: Y.Doc,
  head: FrameHead,
  read: ReadLog,
  onProgress: Progress = () => {},
): OpenReport {
  const end = read.scraps[0]?.start ?? Number.POSITIVE_INFINITY;
  const prefix = read.updates.filter((update) => update.end <= end);
  let gaps = 0;
  if (!applyAll(doc, prefix, (done) => onProgress(done, read.updates.length))) {
    gaps += applyEach(doc, head, prefix);
  }
  gaps += applyEach(doc, head, read.updates.slice(prefix.length));
  onProgress(read.updates.length, read.updates.length);
  let torn_bytes = 0;
  let damaged_bytes = 0;
  for (const { start, end: until, isTorn } of read.scraps) {
    if (isTorn) torn_bytes += until - start;
    else damaged_bytes += until - start;
  }
  return { frames: read.updates.length, torn_bytes, damaged_bytes, gaps, strangers: read.strangers.length };
}

/**
 * In one transaction: a hundred times faster than one each, and than `Y.mergeUpdates`. False if the frames were
 * not all there after all.
 */
function applyAll(doc: Y.Doc, updates: readonly LogUpdate[], onProgress: (done: number) => void): boolean {
  try {
    doc.transact(() => {
      updates.forEach(({ payload }, index) => {
        Y.applyUpdate(doc, payload);
        if (index % TELL_EVERY === 0) onProgress(index);
      });
    }, 'load');
  } catch {
    return false;
  }
  return !dropPending(doc);
}

/** How many could not be applied. */
function applyEach(doc: Y.Doc, head: FrameHead, updates: readonly LogUpdate[]): number {
  const door = trustingDoor(doc, head);
  return updates.filter(({ payload }) => !door.receiveUpdate(payload).ok).length;
}

/** Whether such a file may be written to; if not, it is for reading, and for `recoverChatFile`. */
export function isWritable({ hasLater }: ReadLog, { damaged_bytes, gaps }: OpenReport): boolean {
  return damaged_bytes === 0 && gaps === 0 && !hasLater;
}

/** For what stands behind a checksum of ours. */
export function trustingDoor(
  doc: Y.Doc,
  { doc_id, generation }: Pick<FrameHead, 'doc_id' | 'generation'>,
  origin?: unknown,
): Door {
  return new Door(doc, { doc_id, generation, others: 'any', limits: NO_LIMITS, origin });
}
