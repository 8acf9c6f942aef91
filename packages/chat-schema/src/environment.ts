/** Everything the library takes from the world. Tests and simulators inject their own. */
export interface Environment {
  /** Wall clock in milliseconds since 1970, UTC. May jump; values outside 0 … 2^48 are clamped. */
  now(): number;
  /** That many bytes from a cryptographic source, or from a seed in a test. */
  random(bytes: number): Uint8Array;
}

export const systemEnvironment: Environment = {
  // biome-ignore lint/plugin: the one place that reads the clock
  now: () => Date.now(),
  // biome-ignore lint/plugin: the one place that reads randomness
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
};
