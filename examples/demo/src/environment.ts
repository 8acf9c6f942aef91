import type { Environment } from '@chatdoc/schema';

/** How far a clock moves each time somebody looks at it. */
const TICK_MS = 1_500;

/** A clock that moves only when it is read, and randomness from a seed: every run of the demo is the same. */
export function createEnvironment(seed: number, startMs: number): Environment {
  let time = startMs;
  let state = seed >>> 0;
  // Mulberry32: good enough for ids that nobody has to guess.
  const nextByte = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) & 0xff;
  };
  return {
    now: () => {
      time += TICK_MS;
      return time;
    },
    random: (bytes) => Uint8Array.from({ length: bytes }, nextByte),
  };
}
