import type { Timers } from '@chatdoc/schema';

/** Timers that go off when told. */
export interface HandTimers extends Pick<Timers, 'setTimer' | 'clearTimer'> {
  readonly due: ReadonlyMap<number, () => void>;
  fire(): void;
}

export function handTimers(): HandTimers {
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
