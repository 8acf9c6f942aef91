/** What the engine takes of the world to wait. Tests and simulators inject their own. */
export interface Timers {
  /** Milliseconds from some start, never back and never jumping: no wall clock. */
  now(): number;
  /** Calls `callback` once, after `ms`. The result is for `clear`. */
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

export const systemTimers: Timers = {
  // biome-ignore lint/plugin: the one place that reads the monotonic clock
  now: () => performance.now(),
  // biome-ignore lint/plugin: the one place that sets timers
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (handle) => clearTimeout(handle as Parameters<typeof clearTimeout>[0]),
};
