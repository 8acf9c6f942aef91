/** What the program ends with. */
export const EXIT = {
  /** All well. */
  ok: 0,
  /** Done, but `verify` found errors, `migrate` set rows aside, or some of the files could not be done. */
  findings: 1,
  /** Nothing was done: wrong usage, or none of the files could be done. */
  nothing: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Of several files. */
export function exitCodeOf(done: number, failed: number): ExitCode {
  if (failed === 0) return EXIT.ok;
  return done === 0 ? EXIT.nothing : EXIT.findings;
}
