import { defineEntry, type EntryDefinition } from './define.js';
import { date, id, ids, oneOf, optional } from './field.js';

export const THREAD_STATES = ['idle', 'queued', 'running', 'interrupted', 'error', 'complete'] as const;
export type ThreadStateName = (typeof THREAD_STATES)[number];

export interface ThreadStateEntry {
  readonly type: 'thread_state';
  readonly id: string;
  readonly thread_id: string;
  readonly active_message_id?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly state: ThreadStateName;
  readonly updated_at: string;
}

export const threadState: EntryDefinition<ThreadStateEntry> = defineEntry<ThreadStateEntry>()(
  'thread_state',
  {
    id,
    thread_id: id,
    active_message_id: optional(id),
    replaces: optional(ids),
    state: oneOf(THREAD_STATES),
    updated_at: date,
  },
  { head: { own: 'id', about: ['thread_id'] }, sets: () => [''] },
);
