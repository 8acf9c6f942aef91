import type { Chat, Entry } from '@chatdoc/schema';
import type { Facts, SubjectKind } from '../facts.js';

/** One entry that a repair appends. A function of what it repairs alone, so that all replicas write the same. */
export interface RepairStep {
  /** Ids of records, the one that is repaired in front. */
  readonly ids: readonly string[];
  readonly entry: Entry;
}

interface Described {
  /** Its effect, in a sentence. */
  readonly description: string;
  /** How a person takes it back, in a sentence. */
  readonly undo: string;
}

/**
 * How a rule is repaired: by new entries for each subject that has a mark, or by writing again what this replica
 * holds of damaged lanes.
 */
export type Repair<K extends SubjectKind = SubjectKind> =
  | (Described & { readonly kind: 'append'; plan(facts: Facts<K>, chat: Chat): readonly RepairStep[] })
  | (Described & { readonly kind: 'rehost' });
