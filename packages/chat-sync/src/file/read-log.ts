import { type FrameHead, findFrame, headOf, readFrame } from '../frame.js';

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
  readonly strangers: number;
  /** A frame of a later format: what follows cannot be judged. */
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

export interface Scrap {
  readonly start: number;
  readonly end: number;
  /**
   * A write that did not finish: at the end of the file, or the beginning of a frame in front of what another
   * process wrote after it. Anything else is damage.
   */
  readonly isTorn: boolean;
}

/** Reads all frames of `bytes`, and goes on behind what is none. O(bytes). `head`: what frames must agree with. */
export function readLog(bytes: Uint8Array, head?: FrameHead): ReadLog {
  const updates: LogUpdate[] = [];
  const seals: LogSeal[] = [];
  const scraps: Scrap[] = [];
  let strangers = 0;
  let hasLater = false;
  let first = head;
  for (let start = 0; start < bytes.length; ) {
    const read = readFrame(bytes, start);
    if (read.ok) {
      const { frame, end } = read;
      first ??= headOf(frame);
      if (frame.doc_id !== first.doc_id || frame.generation !== first.generation) strangers += 1;
      else if (frame.kind === 'seal') seals.push({ token: readToken(frame.payload), start });
      else updates.push({ payload: frame.payload, start, end, isSnapshot: frame.kind === 'snapshot' });
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

export function encodeToken(token: string): Uint8Array {
  return new TextEncoder().encode(token);
}

function readToken(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

function isCut(scrap: Uint8Array): boolean {
  const read = readFrame(scrap);
  return !read.ok && read.code === 'truncated';
}
