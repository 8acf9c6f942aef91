import { defineEntry, type EntryDefinition } from './define.js';
import { date, flag, id, ids, json, name, optional, text } from './field.js';
import type { Json } from './json.js';

export interface RevisionEntry {
  readonly type: 'revision';
  readonly id: string;
  readonly message_id: string;
  readonly attempt?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly author_id: string;
  readonly date: string;
  readonly deleted?: boolean | undefined;
  readonly legacy?: Json | undefined;
  readonly content: string;
}

export const revision: EntryDefinition<RevisionEntry> = defineEntry<RevisionEntry>()(
  'revision',
  {
    id,
    message_id: id,
    attempt: optional(id),
    replaces: optional(ids),
    author_id: name,
    date,
    deleted: optional(flag),
    legacy: optional(json),
    content: text,
  },
  {
    head: { own: 'id', about: ['message_id'] },
    unordered: ['legacy'],
    author: 'author_id',
    private: ['legacy', 'content'],
    sets: ({ attempt = '' }) => [attempt],
  },
);
