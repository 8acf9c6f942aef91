import type { ChatFile } from '@chatdoc/sync/file';
import type { Io } from './io.js';

/** Between two looks, ms: what a stop from another process takes to be heard, and what kill -9 can lose. */
const PULSE_MS = 200;

/** Brings what is written here into the file, and what other processes write there into the document. */
export interface FilePulse {
  /** Resolves if the file has become that of another generation, and can no longer be kept in step. */
  readonly moved: Promise<void>;
  /** Resolves when no flush is under way any more. */
  end(): Promise<void>;
}

/** A write that fails is tried again with the next pulse; the last word is that of `file.close()`. */
export function startPulse(file: ChatFile, { timers }: Io): FilePulse {
  let timer: unknown;
  let isEnded = false;
  let running: Promise<void> = Promise.resolve();
  let onMoved: () => void;
  const moved = new Promise<void>((resolve) => {
    onMoved = resolve;
  });
  const beat = async (): Promise<void> => {
    const flushed = await file.flush();
    if (!flushed.ok && flushed.code === 'other_generation') onMoved();
    else if (!isEnded) plan();
  };
  const plan = (): void => {
    timer = timers.setTimer(() => {
      running = beat();
    }, PULSE_MS);
  };
  plan();
  return {
    moved,
    end: async () => {
      isEnded = true;
      timers.clearTimer(timer);
      await running;
    },
  };
}
