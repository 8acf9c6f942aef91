/** Waiting, and a clock that never jumps, as the host gives them. Tests and simulators inject their own. */
export interface Timers {
  /** Milliseconds since any moment; never goes back, whatever the wall clock does. */
  now(): number;
  /** Calls once, after that many milliseconds. The result is for `clearTimer`. */
  setTimer(call: () => void, milliseconds: number): unknown;
  clearTimer(timer: unknown): void;
}

/** The longest time that the platform takes, 24 days: it would fire a longer one, or one that never ends, at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  // biome-ignore lint/plugin: the one place that reads the monotonic clock
  now: () => performance.now(),
  // biome-ignore lint/plugin: the one place that sets timers
  setTimer: (call, milliseconds) => setTimeout(call, Math.min(milliseconds, LONGEST_MS)),
  clearTimer: (timer) => clearTimeout(timer as number),
};
