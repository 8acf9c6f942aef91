/** Waiting, and a clock that never jumps, as the host gives them. Tests and simulators inject their own. */
export interface Timers {
  /** Milliseconds since any moment; never goes back, whatever the wall clock does. */
  now(): number;
  /** Calls once, after that many milliseconds. The result is for `clearTimer`. */
  setTimer(call: () => void, milliseconds: number): unknown;
  clearTimer(timer: unknown): void;
}

export const systemTimers: Timers = {
  // biome-ignore lint/plugin: the one place that reads the monotonic clock
  now: () => performance.now(),
  // biome-ignore lint/plugin: the one place that sets timers
  setTimer: (call, milliseconds) => setTimeout(call, milliseconds),
  clearTimer: (timer) => clearTimeout(timer as number),
};
