/**
 * Counters of the work that has been done: the laws of cost in SPEC.md are about these numbers, which do not depend on the
 * machine. They only grow; read them before and after.
 */
export interface Cost {
  /** Heads of lines read. */
  heads: number;
  /** Lines given to `JSON.parse`. */
  parses: number;
  /** Bodies held against the schema of their type. */
  checks: number;
  /** Characters taken out of texts of the document. */
  characters: number;
  /** SHA-256 runs for derived ids. */
  hashes: number;
  /** Ids looked up in the table of refs. */
  lookups: number;
  /** Steps along chains of rows. */
  rows: number;
}

export const COST: Cost = {
  heads: 0,
  parses: 0,
  checks: 0,
  characters: 0,
  hashes: 0,
  lookups: 0,
  rows: 0,
};
