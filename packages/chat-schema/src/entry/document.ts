import { defineEntry, type EntryDefinition } from './define.js';
import { count, group, id, json, optional } from './field.js';
import type { Json } from './json.js';

/** A range of generations whose lines were rolled back, both ends included. */
export interface Rollback {
  readonly from: number;
  readonly to: number;
}

export interface DocumentEntry {
  readonly type: 'document';
  readonly id: string;
  readonly doc_id: string;
  readonly migrated_from?: Json | undefined;
  /** The generations that this one takes back. */
  readonly rolled_back?: Rollback | undefined;
}

export const document: EntryDefinition<DocumentEntry> = defineEntry<DocumentEntry>()(
  'document',
  {
    id,
    doc_id: id,
    migrated_from: optional(json),
    rolled_back: optional(group<Rollback>({ from: count, to: count })),
  },
  { head: { own: 'id', about: [] } },
);
