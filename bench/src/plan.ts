import type { Fixtures } from './chat/fixtures.js';

/** What the command line asks of every section. */
export interface Plan {
  readonly fixtures: Fixtures;
  /** Messages, for the rows that are measured at several sizes. Ascending. */
  readonly sizes: readonly number[];
  /** Repetitions: `usual`, unless the command line gives another number. */
  reps(usual: number): number;
  /** An amount that a row has by itself: `full`, or a part of it in a run on a smaller scale. */
  amount(full: number): number;
  /** Whether a row is wanted, of those that have names of their own within a section. */
  wants(row: string): boolean;
}
