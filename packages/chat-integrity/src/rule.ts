import type { Chat } from '@chatdoc/schema';
import type { Facts, SubjectKind } from './facts.js';
import type { Repair } from './repairs/repair-step.js';

/**
 * `error`: no entry that may still arrive can repair it. `warning`: something may be missing, or waits for a person.
 * `info`: counted, and harmless by itself.
 */
export type Severity = 'error' | 'warning' | 'info';

/** Something that is wrong with one subject, as the judge of a rule puts it. */
export interface Mark {
  /** Ids of records, entries or lanes, the one to look at first in front. Keys of foreign texts are not ULIDs. */
  readonly ids: readonly string[];
  /** For a person. Ids, names of fields and counts; never what somebody wrote. */
  readonly message: string;
  /** How many records, entries, lines or characters it is about. Defaults to 1. */
  readonly count?: number;
  /** Marks of one name are one mark, found by way of several subjects: it counts once. */
  readonly name?: string;
  /** Marks of one group make one finding: see `Rule.report`. */
  readonly group?: string;
}

/** One place where a rule does not hold. */
export interface Finding {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: Severity;
  /** Ids of records, entries or lanes, the one to look at first in front. Keys of foreign texts are not ULIDs. */
  readonly ids: readonly string[];
  /** For a person. Ids, names of fields and counts; never what somebody wrote. */
  readonly message: string;
  /** How many records, entries, lines or characters it is about. */
  readonly count: number;
}

/** Something that must hold in a chat document. Ids and names are stable; a number is never used again. */
export interface Rule<K extends SubjectKind = SubjectKind> {
  readonly id: string;
  readonly name: string;
  /** The name under which its findings are counted; rules may share one. Those without one are not counted. */
  readonly counter?: string;
  readonly severity: Severity;
  readonly description: string;
  /** Kinds of subjects that it is about. */
  readonly subjects: readonly K[];
  /** Returns what is wrong with one subject: a function of its facts that never throws. */
  judge(facts: Facts<K>): readonly Mark[];
  /** One finding of all marks of a group, in unspecified order. Needed where marks have a `group`. */
  report?(marks: readonly Mark[], chat: Chat): Omit<Finding, 'rule' | 'severity'>;
  /** Where entries can be appended that repair it, and nobody can lose by them. */
  readonly repair?: Repair<K>;
  /** Why there is no repair, in a sentence. */
  readonly unrepaired?: string;
}

/** The sum of what marks count. */
export function countMarks(marks: readonly Mark[]): number {
  return marks.reduce((sum, { count = 1 }) => sum + count, 0);
}

/** The marks of a subject with which nothing is wrong. */
export const NO_MARKS: readonly Mark[] = Object.freeze([]);
