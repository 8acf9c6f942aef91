import { defineEntry, type EntryDefinition } from './define.js';
import { group, id, ids, name, optional } from './field.js';
import type { SlotKey } from './thread.js';

export interface ActivationEntry {
  readonly type: 'activation';
  readonly id: string;
  readonly thread_id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly slot: SlotKey;
}

export const activation: EntryDefinition<ActivationEntry> = defineEntry<ActivationEntry>()(
  'activation',
  {
    id,
    thread_id: id,
    replaces: optional(ids),
    slot: group<SlotKey>({ root_id: name, owner_id: name, provider: name }),
  },
  { head: { own: 'id', about: ['thread_id'] }, sets: () => [''] },
);
