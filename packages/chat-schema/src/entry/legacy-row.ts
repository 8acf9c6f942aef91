import { defineEntry, type EntryDefinition } from './define.js';
import { id, json, name, optional } from './field.js';
import type { Json } from './json.js';

/** A row of a legacy file that became no record, or what of it a message has no field for. */
export interface LegacyRowEntry {
  readonly type: 'legacy_row';
  readonly id: string;
  /** The message that it is about, whose redaction takes its text too. */
  readonly message_id?: string | undefined;
  readonly reason?: string | undefined;
  readonly row: Json;
}

export const legacyRow: EntryDefinition<LegacyRowEntry> = defineEntry<LegacyRowEntry>()(
  'legacy_row',
  { id, message_id: optional(id), reason: optional(name), row: json },
  { head: { own: 'id', about: ['message_id'], optional: true }, private: ['row'], kept: ['reason'] },
);
