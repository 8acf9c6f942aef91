import * as Y from 'yjs';
import { Door } from '../update/door.js';
import type { FrameHead } from '../update/frame.js';
import { dropPending } from '../update/inspect.js';
import { NO_LIMITS } from '../update/limits.js';
import type { LogUpdate, ReadLog } from './read-log.js';
import type { Progress } from './whole-file.js';

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
