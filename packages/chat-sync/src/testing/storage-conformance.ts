import { BINDING_CASES } from './binding-cases.js';
import { ROW_CASES } from './row-cases.js';
import { Bench } from './storage-bench.js';
import type { StorageHarness } from './storage-harness.js';

export interface ConformanceOptions {
  /** How many rows the case named `many rows` writes. Defaults to 10,000. */
  readonly manyRows?: number;
}

export interface StorageCase {
  /** Of the SPEC of this package. */
  readonly rule: string;
  readonly name: string;
  /** False where the harness lacks a fault that the case needs: skip it, and say so. */
  readonly applicable: boolean;
  /** Names of these faults. */
  readonly missing: readonly string[];
  /** Rejects with what is wrong, and where the case does not apply. */
  run(): Promise<void>;
}

/**
 * What every storage must hold, as a list for any test runner:
 *
 * ```ts
 * for (const { name, applicable, run } of storageConformance(harness)) it.skipIf(!applicable)(name, run);
 * ```
 */
export function storageConformance<M>(
  harness: StorageHarness<M>,
  { manyRows = 10_000 }: ConformanceOptions = {},
): readonly StorageCase[] {
  return [...ROW_CASES, ...BINDING_CASES].map(({ rule, name, needs = [], run }) => {
    const missing = needs.filter((fault) => harness.faults[fault] === undefined);
    const applicable = missing.length === 0;
    return {
      rule,
      name,
      applicable,
      missing,
      run: async () => {
        if (!applicable) throw new Error(`not applicable: ${harness.name} lacks ${missing.join(', ')}`);
        const bench = new Bench(harness, await harness.create(), manyRows);
        try {
          await run(bench);
        } finally {
          await bench.close();
        }
      },
    };
  });
}
