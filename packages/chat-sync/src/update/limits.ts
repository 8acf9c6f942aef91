/** What one update may hold. Sources of the defaults: measured costs of hostile updates, with a margin of ten. */
export interface UpdateLimits {
  /** Of the encoded update. */
  readonly bytes: number;
  readonly structs: number;
  readonly clients: number;
  /** Ranges that the update deletes. */
  readonly deletions: number;
  /** Clocks that structs without text may take: a few bytes can claim 2^50. */
  readonly jump: number;
  /** Nesting of JSON and of types in roots that are not ours. */
  readonly depth: number;
  /** Structs of lanes and keys that ask for one place: Yjs orders them in quadratic time. */
  readonly rivals: number;
}

/** For what a connected peer sends as it happens. */
export const LIVE_LIMITS: UpdateLimits = {
  bytes: 1024 * 1024,
  structs: 20_000,
  clients: 64,
  deletions: 20_000,
  jump: 1_000_000,
  depth: 32,
  rivals: 64,
};

/** For the first exchange of a connection, a snapshot, a stored row. */
export const INITIAL_LIMITS: UpdateLimits = {
  bytes: 64 * 1024 * 1024,
  structs: 1_000_000,
  clients: 16_384,
  deletions: 100_000,
  jump: 64_000_000,
  depth: 32,
  rivals: 1_000,
};

/** For files of our own, behind a checksum. Of depth there is one: recursion has an end, in Yjs too. */
export const NO_LIMITS: UpdateLimits = {
  bytes: Number.POSITIVE_INFINITY,
  structs: Number.POSITIVE_INFINITY,
  clients: Number.POSITIVE_INFINITY,
  deletions: Number.POSITIVE_INFINITY,
  jump: Number.POSITIVE_INFINITY,
  depth: 1_000,
  rivals: Number.POSITIVE_INFINITY,
};
