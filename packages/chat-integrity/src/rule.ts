import type { Repair } from './repair-step.js';
import type { Survey } from './survey.js';

/**
 * `error`: no entry that may still arrive can mend it. `warning`: something may be missing, or waits for a person.
 * `info`: counted, and harmless by itself.
 */
export type Severity = 'error' | 'warning' | 'info';

/** One place where a rule does not hold. */
export interface Violation {
  /** Ids of records, entries or lanes, the one to look at first in front. Keys of foreign texts are no ULIDs. */
  readonly ids: readonly string[];
  /** For a person. Ids, names of fields and counts; never what somebody wrote. */
  readonly message: string;
  /** How many records, entries or lines it is about: 1 unless given. What counters add up. */
  readonly count?: number;
}

export interface Finding extends Violation {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: Severity;
  readonly count: number;
}

/** Something that must hold in a chat document. Ids and names are stable; a number is never used again. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly severity: Severity;
  readonly description: string;
  /** Reads only, and never throws on what a document holds. */
  readonly check: (survey: Survey) => readonly Violation[];
  /** Where entries can be appended that mend it, and nobody can lose by them. */
  readonly repair?: Repair;
  /** Why there is no repair, in a sentence. */
  readonly unrepaired?: string;
}
