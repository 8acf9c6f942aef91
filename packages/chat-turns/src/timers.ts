/** What the engine takes of the world to wait. Tests and simulators inject their own. */
export interface Timers {
  /** Milliseconds from some start, never back and never jumping: no wall clock. */
  now(): number;
  /** Calls `callback` once, after `ms`. The result is for `clear`. */
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/** What the platform takes, 24 days: it would fire a longer one, or one that never ends, at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  // biome-ignore lint/plugin: the one place that reads the monotonic clock
  now: () => performance.now(),
  // biome-ignore lint/plugin: the one place that sets timers
  set: (callback, ms) => setTimeout(callback, Math.min(ms, LONGEST_MS)),
  clear: (handle) => clearTimeout(handle as Parameters<typeof clearTimeout>[0]),
};
