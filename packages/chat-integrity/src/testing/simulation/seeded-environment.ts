import type { Environment } from '@chatdoc/schema';

/** The same numbers for the same seed, from 0 up to 2^32 - 1 (mulberry32). */
export function createNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** A clock that the caller moves, and bytes from a seed. */
export function seededEnvironment(seed: number, now: () => number): Environment {
  const next = createNumbers(seed);
  return {
    now,
    random: (bytes) => {
      const out = new Uint8Array(bytes);
      for (let at = 0; at < bytes; at += 1) out[at] = next() & 0xff;
      return out;
    },
  };
}

/** A number of several, spread over 32 bits. */
export function mixSeeds(...seeds: readonly number[]): number {
  let mixed = 0x9e3779b9;
  for (const seed of seeds) {
    mixed = Math.imul(mixed ^ (seed >>> 0), 0x85ebca6b);
    mixed ^= mixed >>> 13;
  }
  return mixed >>> 0;
}
