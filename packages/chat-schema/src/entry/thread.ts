import { defineEntry, type EntryDefinition, ROLE } from './define.js';
import { date, group, id, json, name, number, oneOf, optional } from './field.js';
import type { Json } from './json.js';

export const PURPOSES = ['chat', 'run'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** A thread's place in a family: one thread of a slot is active. */
export interface Slot {
  readonly root_id: string;
  readonly owner_id: string;
  readonly provider: string;
  readonly number: number;
}

/** A slot without the number of the thread in it. */
export type SlotKey = Omit<Slot, 'number'>;

/** Where a thread was forked: the thread, and its last message that the fork includes; all of it without one. */
interface Fork {
  readonly thread_id: string;
  readonly message_id?: string | undefined;
}

export interface ThreadEntry {
  readonly type: 'thread';
  readonly thread_id: string;
  readonly root_message_id?: string | undefined;
  readonly forked_from?: Fork | undefined;
  readonly created_at: string;
  readonly created_by: string;
  readonly purpose: Purpose;
  readonly slot?: Slot | undefined;
  readonly legacy?: Json | undefined;
}

export const thread: EntryDefinition<ThreadEntry> = defineEntry<ThreadEntry>()(
  'thread',
  {
    thread_id: id,
    root_message_id: optional(id),
    forked_from: optional(group<Fork>({ thread_id: id, message_id: optional(id) })),
    created_at: date,
    created_by: name,
    purpose: oneOf(PURPOSES),
    slot: optional(group<Slot>({ root_id: name, owner_id: name, provider: name, number })),
    legacy: optional(json),
  },
  {
    head: { own: 'thread_id', about: 'self', role: ROLE.thread },
    unordered: ['legacy'],
    author: 'created_by',
  },
);
