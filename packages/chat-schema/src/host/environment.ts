/** Everything the library takes from the world. Tests and simulators inject their own. */
export interface Environment {
  /** Wall clock in milliseconds since 1970, UTC. May jump; values outside 0 … 2^48 are clamped. */
  now(): number;
  /** That many bytes from a cryptographic source, or from a seed in a test. */
  random(bytes: number): Uint8Array;
}

// A call for each stamp would cost more than the rest of a write.
const POOL_LENGTH = 4096;
let pool = new Uint8Array(0);
let used = 0;

function takeRandom(bytes: number): Uint8Array {
  if (used + bytes > pool.length) {
    // biome-ignore lint/plugin: the one place that reads randomness
    pool = crypto.getRandomValues(new Uint8Array(Math.max(POOL_LENGTH, bytes)));
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

/** A random uint32 that nobody has: for a Yjs clientID. */
export function drawClient(
  environment: Pick<Environment, 'random'>,
  isTaken: (client: number) => boolean,
): number {
  for (let tries = 0; ; tries += 1) {
    const bytes = environment.random(4);
    // A source that repeats itself, as in a test, must not hold us here.
    const client = (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) + tries) >>> 0;
    if (!isTaken(client)) return client;
  }
}

export const systemEnvironment: Environment = {
  // biome-ignore lint/plugin: the one place that reads the clock
  now: () => Date.now(),
  random: takeRandom,
};
