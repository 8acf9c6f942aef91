import { defineEntry, type EntryDefinition } from './define.js';
import { count, id } from './field.js';

export interface InterruptEntry {
  readonly type: 'interrupt';
  readonly id: string;
  readonly message_id: string;
  readonly attempt: string;
  /** The greatest part number seen when the runner was found gone; 0 is none. */
  readonly seen: number;
}

export const interrupt: EntryDefinition<InterruptEntry> = defineEntry<InterruptEntry>()(
  'interrupt',
  { id, message_id: id, attempt: id, seen: count },
  { head: { own: 'id', about: ['message_id'] } },
);
