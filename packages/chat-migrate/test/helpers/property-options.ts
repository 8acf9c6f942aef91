/** One seed for all suites unless `CHATDOC_SEED` gives another; `CHATDOC_RUNS` multiplies the runs. */
export function propertyOptions(numRuns: number): { readonly numRuns: number; readonly seed: number } {
  const { CHATDOC_RUNS = '1', CHATDOC_SEED = '20261121' } = process.env;
  return { numRuns: numRuns * Number(CHATDOC_RUNS), seed: Number(CHATDOC_SEED) };
}
