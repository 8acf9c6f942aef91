import type { Entry } from '@chatdoc/schema';
import type { Survey } from './survey.js';

/** One entry that a repair appends. A function of what it mends alone, so that all replicas write the same. */
export interface RepairStep {
  /** Ids of records, the one that is mended in front. */
  readonly ids: readonly string[];
  readonly entry: Entry;
}

interface Described {
  /** What it does, in a sentence. */
  readonly description: string;
  /** How a person takes it back, in a sentence. */
  readonly undo: string;
}

/** How a rule is mended: by new entries, or by writing again what this replica holds of damaged lanes. */
export type Repair =
  | (Described & { readonly kind: 'append'; readonly plan: (survey: Survey) => readonly RepairStep[] })
  | (Described & { readonly kind: 'rehost' });
