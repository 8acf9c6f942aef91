import type { Bench } from './storage-bench.js';
import type { StorageFaults } from './storage-harness.js';

/** A case as it is written down: `needs` names the faults that it inflicts. */
export interface StorageCaseOutline {
  readonly rule: string;
  readonly name: string;
  readonly needs?: readonly (keyof StorageFaults<unknown>)[];
  run<M>(bench: Bench<M>): Promise<void>;
}
