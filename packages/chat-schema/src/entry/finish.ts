import { defineEntry, type EntryDefinition } from './define.js';
import { id, name, object, optional } from './field.js';
import type { JsonObject } from './json.js';

export interface FinishEntry {
  readonly type: 'finish';
  readonly id: string;
  readonly attempt: string;
  readonly finish_reason: string;
  readonly acp_thread_id?: string | undefined;
  readonly acp_usage?: JsonObject | undefined;
  readonly error?: JsonObject | undefined;
}

export const finish: EntryDefinition<FinishEntry> = defineEntry<FinishEntry>()(
  'finish',
  {
    id,
    attempt: id,
    finish_reason: name,
    acp_thread_id: optional(name),
    acp_usage: optional(object),
    error: optional(object),
  },
  { head: { own: 'id', about: ['attempt'] }, private: ['error'] },
);
