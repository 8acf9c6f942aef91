/** The laws that the harness checks. A run that breaks one ends with a `LawBroken` of that name. */
export const LAWS = [
  'no call throws',
  'returns what is asked for',
  'nothing is pending',
  'invariants hold',
  'audits hold',
  'comes to rest',
  'converges within two rounds',
  'reads the same',
  'stores the same',
  'reloads the same',
  'a clean restart loses nothing',
  'keeps what it flushed',
  'keeps what it acknowledged',
  'replays the same',
] as const;
/** One of `LAWS`. */
export type Law = (typeof LAWS)[number];

/** A law that did not hold. The message names the place first; it may show data of the run, which is generated. */
export class LawBroken extends Error {
  override readonly name = 'LawBroken';
  readonly law: Law;

  constructor(law: Law, difference: string, cause?: unknown) {
    super(difference, cause === undefined ? undefined : { cause });
    this.law = law;
  }
}

/** Throws unless there is no difference. */
export function assertLaw(law: Law, difference: string | undefined): void {
  if (difference !== undefined) throw new LawBroken(law, difference);
}

/** Runs code of the subject. What it throws breaks a law, whatever it is. */
export function guard<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof LawBroken) throw error;
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new LawBroken('no call throws', `${what} threw ${said}`, error);
  }
}
