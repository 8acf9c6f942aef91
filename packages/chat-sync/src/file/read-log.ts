import { SCHEMA_VERSION } from '@chatdoc/schema';
import { FRAME_MAGIC, type FrameHead, findFrame, headOf, readFrame } from '../update/frame.js';

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

export interface LogUpdate {
  readonly payload: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly isSnapshot: boolean;
}

export interface LogSeal {
  readonly token: string;
  readonly start: number;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Scrap extends Range {
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
