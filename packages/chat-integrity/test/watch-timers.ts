import type { WatchTimers } from '../src/index.js';

/** Timers that go off when told. */
export function handTimers(): WatchTimers & { readonly due: ReadonlyMap<number, () => void>; fire(): void } {
  const due = new Map<number, () => void>();
  let next = 0;
  return {
    due,
    setTimer: (call: () => void, _milliseconds: number): unknown => {
      next += 1;
      due.set(next, call);
      return next;
    },
    clearTimer: (timer: unknown): void => {
      due.delete(timer as number);
    },
    fire: (): void => {
      for (const [timer, call] of [...due]) {
        due.delete(timer);
        call();
      }
    },
  };
}
