import { defineEntry, type EntryDefinition } from './define.js';
import { id, name, number } from './field.js';

export interface RetryEntry {
  readonly type: 'retry';
  readonly id: string;
  readonly message_id: string;
  readonly epoch: number;
  readonly by: string;
}

export const retry: EntryDefinition<RetryEntry> = defineEntry<RetryEntry>()(
  'retry',
  { id, message_id: id, epoch: number, by: name },
  { head: { own: 'id', about: ['message_id'] }, author: 'by' },
);
