/** A mutation that changes nothing anyone can observe. */
export interface Equivalent {
  readonly file: string;
  /** The lines that it touches, without the space around them. */
  readonly before: string;
  readonly after: string;
  /** Why no test can notice, in one line. */
  readonly reason: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [];
