/** What presence takes from the world. Tests and simulators inject their own. */
export interface Timers {
  /** Milliseconds since any moment; never goes back and never jumps, whatever the wall clock does. */
  now(): number;
  /** Calls once, after that many milliseconds. The result is for `clearTimer`. */
  setTimer(call: () => void, milliseconds: number): unknown;
  clearTimer(timer: unknown): void;
}

export const systemTimers: Timers = {
  // biome-ignore lint/plugin: the one place that reads the monotonic clock
  now: () => performance.now(),
  setTimer: (call, milliseconds) => {
    // biome-ignore lint/plugin: the one place that sets timers
    const timer = setTimeout(call, milliseconds) as unknown;
    // Showing presence keeps no Node process alive; a browser's timer is a number.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as NodeJS.Timeout).unref();
    return timer;
  },
  clearTimer: (timer) => clearTimeout(timer as number),
};
