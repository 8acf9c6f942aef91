import { defineEntry, type EntryDefinition } from './define.js';
import { count, id, ids, json, name, optional } from './field.js';
import type { Json } from './json.js';

export interface AnnotationEntry {
  readonly type: 'annotation';
  readonly id: string;
  readonly message_id?: string | undefined;
  readonly thread_id?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly user_id: string;
  readonly key: string;
  readonly value: Json;
  /** Of a read mark: how many messages of others its author had up to the one that it names. */
  readonly seen?: number | undefined;
}

export const annotation: EntryDefinition<AnnotationEntry> = defineEntry<AnnotationEntry>()(
  'annotation',
  {
    id,
    message_id: optional(id),
    thread_id: optional(id),
    replaces: optional(ids),
    user_id: name,
    key: name,
    value: json,
    seen: optional(count),
  },
  {
    head: { own: 'id', about: ['message_id', 'thread_id'] },
    unordered: ['seen'],
    author: 'user_id',
    sets: ({ user_id, key }) => [JSON.stringify([user_id, key])],
  },
);
