/** Faults that a network, a machine or a clock brings, and strangers that write into the document. */
export const FAULTS = [
  'drop',
  'duplicate',
  'reorder',
  'delay',
  'replay',
  'partition',
  'one_way',
  'corrupt',
  'truncate',
  'garbage',
  'crash',
  'torn',
  'restore',
  'clock_back',
  'clock_day',
  'clock_far',
  'older',
  'newer',
  'hostile',
] as const;
/** One of `FAULTS`. */
export type Fault = (typeof FAULTS)[number];

/** A step that ends partitions and starts processes again, in the word of traces of format 1. */
export const RESUME = 'mend';

/**
 * One thing that happens. It is plain JSON, and its numbers pick among what exists when it runs: one that finds
 * nothing to act on does nothing.
 */
export interface Step {
  readonly do: 'command' | 'deliver' | 'flush' | typeof RESUME | 'audit' | 'fault';
  /** Of the command or the fault. */
  readonly name?: string;
  /** The replica, or the connection, that it happens to. */
  readonly at: number;
  readonly picks: readonly number[];
}

/** A whole run except what heals it and looks at it in the end: the same schedule gives the same run. */
export interface Schedule {
  readonly seed: number;
  readonly replicas: number;
  /** Milliseconds by which each replica's clock is wrong from the start. */
  readonly skews: readonly number[];
  readonly steps: readonly Step[];
}

const DEEDS: ReadonlySet<unknown> = new Set(['command', 'deliver', 'flush', RESUME, 'audit', 'fault']);

/** Whether a value that was read from a file is a schedule. */
export function isSchedule(value: unknown): value is Schedule {
  if (typeof value !== 'object' || value === null) return false;
  const { seed, replicas, skews, steps } = value as Partial<Record<keyof Schedule, unknown>>;
  return (
    Number.isSafeInteger(seed) &&
    Number.isSafeInteger(replicas) &&
    (replicas as number) > 0 &&
    Array.isArray(skews) &&
    skews.every((skew) => typeof skew === 'number') &&
    Array.isArray(steps) &&
    steps.every(isStep)
  );
}

function isStep(value: unknown): value is Step {
  if (typeof value !== 'object' || value === null) return false;
  const { do: deed, name, at, picks } = value as Partial<Record<keyof Step, unknown>>;
  return (
    DEEDS.has(deed) &&
    (name === undefined || typeof name === 'string') &&
    isIndex(at) &&
    Array.isArray(picks) &&
    picks.every(isIndex)
  );
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** In one line, for people. */
export function describeStep({ do: what, name, at, picks }: Step): string {
  return `${name === undefined ? what : `${what} ${name}`} at ${at} [${picks.join(' ')}]`;
}
