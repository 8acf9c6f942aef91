/** What the program ends with. */
export const EXIT = {
  /** All well. */
  ok: 0,
  /**
   * Done, but `verify` or `repair` leaves errors, `migrate` set something aside that a person wrote, `run` has no whole
   * answer, `serve` could not save everything, or some of the files could not be done.
   */
  findings: 1,
  /** Nothing was done: wrong usage, or none of the files could be done. */
  nothing: 2,
  /** `run` was stopped by Ctrl-C: what shells give for it. */
  stopped: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Of several files. */
export function exitCodeOf(done: number, failed: number): ExitCode {
  if (failed === 0) return EXIT.ok;
  return done === 0 ? EXIT.nothing : EXIT.findings;
}
