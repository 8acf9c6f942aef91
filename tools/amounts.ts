/**
 * How much the tests of the workspace try. An amount in a test is that of `test:deep`, which CI runs; `test` tries a
 * tenth of it, so that everyone runs it. `CHATDOC_RUNS=3` makes it three times the amount, `CHATDOC_RUNS=0.5` half.
 */

const { CHATDOC_RUNS, CHATDOC_SEED = '20261121' } = process.env;

/** What amounts are multiplied by; undefined in the quick run. */
const factor = CHATDOC_RUNS === undefined || CHATDOC_RUNS === '' ? undefined : readFactor(CHATDOC_RUNS);

/** Odd, so that it falls on every bit of a byte and both of what alternates. */
const QUICK_STRIDE = 11;

/** One seed for all suites. */
export const SEED = Number(CHATDOC_SEED);

/** What is worth its time only now and then is left to the other runs. */
export const isQuick: boolean = factor === undefined;

/** Whether more than the amounts of CI is tried. */
export const isMore: boolean = (factor ?? 0) > 1;

/**
 * @param amount What CI tries.
 * @param quick What the quick run tries, where a tenth meets too little of what the test is about, or takes too long.
 */
export function scale(amount: number, quick = Math.min(amount, Math.max(5, amount / 10))): number {
  return Math.ceil(factor === undefined ? quick : amount * factor);
}

/** The same for fast-check, which prints the seed of a failure. */
export function runs(numRuns: number, quick?: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: SEED, numRuns: scale(numRuns, quick) };
}

/**
 * Of what is tried one by one, in order: whether the quick run tries the one at `index`. Any other run tries all.
 *
 * @param stride Of the quick run; larger where each takes a process. Defaults to 11.
 */
export function isDue(index: number, stride = QUICK_STRIDE): boolean {
  return factor !== undefined || index % stride === 0;
}

/** Those of `all` that are due, and the last. */
export function thin<T>(all: readonly T[], stride = QUICK_STRIDE): readonly T[] {
  return all.filter((_, index) => isDue(index, stride) || index === all.length - 1);
}

/** How many of `count` kinds of cases a run may miss: the quick one is too short for the rarest, any other misses none. */
export function mayMiss(count: number): number {
  return factor === undefined ? Math.ceil(count / 8) : 0;
}

function readFactor(text: string): number {
  const number = text === 'deep' ? 1 : Number(text);
  if (!(number > 0)) throw new Error(`CHATDOC_RUNS: expected 'deep' or a number above 0, got '${text}'`);
  return number;
}
