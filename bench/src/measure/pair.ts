import { type Clock, usualClock } from './clock.js';
import { progress } from './progress.js';

/** One side of a comparison. */
export interface Subject {
  readonly name: string;
  /** Not timed; returns what is timed. */
  prepare(): () => unknown;
  /** Frees the result after it was timed: what lies outside the heap is not collected between repetitions. */
  free?(result: unknown): void;
}

export function timed(name: string, run: () => unknown): Subject {
  return { name, prepare: () => run };
}

/** Timed is `run` alone, on what `prepare` made for this repetition. */
export function timedOn<T>(name: string, prepare: () => T, run: (prepared: T) => unknown): Subject {
  return {
    name,
    prepare: () => {
      const prepared = prepare();
      return () => run(prepared);
    },
  };
}

/** Only the third repetition of short work runs at full speed; long work warms up within one. */
const WARM_UP = 2;
const LONG_MS = 500;

/** By subject, the milliseconds of each repetition. */
export type Samples = Readonly<Record<string, readonly number[]>>;

const REPORT_MS = 5_000;

/**
 * Times the subjects beside one another in each repetition, the order rotating, garbage collected before each.
 * One or two more repetitions than asked are run first, and discarded. `label` says on stderr what runs.
 */
export function pair(
  label: string,
  reps: number,
  subjects: readonly Subject[],
  clock: Clock = usualClock(),
): Samples {
  progress(`${label}, ${reps} paired repetitions`);
  let reported = performance.now();
  const samples: Record<string, number[]> = Object.fromEntries(subjects.map(({ name }) => [name, []]));
  let long = false;
  for (let rep = -WARM_UP; rep < reps; rep += 1) {
    if (long && rep === 1 - WARM_UP) continue;
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const subject = subjects[(turn + rep + WARM_UP) % subjects.length];
      if (subject === undefined) continue;
      const time = once(subject, clock);
      if (rep >= 0) samples[subject.name]?.push(time);
      else long ||= time > LONG_MS;
      if (performance.now() - reported < REPORT_MS) continue;
      reported = performance.now();
      progress(`${label}: ${rep < 0 ? 'warming up' : `repetition ${rep + 1} of ${reps}`}, ${subject.name}`);
    }
  }
  return samples;
}

function once(subject: Subject, clock: Clock): number {
  const run = subject.prepare();
  collectGarbage();
  const start = clock();
  const result = run();
  const time = clock() - start;
  // Still reachable while it was timed.
  if (result === run) throw new Error('nothing was run');
  subject.free?.(result);
  return time;
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Run with node --expose-gc, as `pnpm bench` does.');
  globalThis.gc();
}

export interface Ratio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The median, least and greatest of the ratios of each repetition. */
export function ratioOf(subject: readonly number[] | undefined, floor: readonly number[] | undefined): Ratio {
  if (subject === undefined || floor === undefined) throw new Error('one side was not measured');
  return spreadOf(subject.map((time, rep) => time / (floor[rep] ?? Number.NaN)));
}

export function spreadOf(values: readonly number[] | undefined): Ratio {
  if (values === undefined || values.length === 0) throw new Error('nothing was measured');
  return { value: medianOf(values), low: Math.min(...values), high: Math.max(...values) };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
