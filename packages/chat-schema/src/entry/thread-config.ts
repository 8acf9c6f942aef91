import { defineEntry, type EntryDefinition } from './define.js';
import { date, flag, id, ids, json, name, nullish, object, optional, text } from './field.js';
import type { Json, JsonObject } from './json.js';

/** Fields that hold the settings of a thread. `null` clears one; absent leaves it as it is. */
export interface ThreadConfigFields {
  readonly name?: string | null | undefined;
  readonly thread_color?: string | null | undefined;
  readonly thread_icon?: string | null | undefined;
  readonly thread_image?: string | null | undefined;
  readonly pin?: boolean | null | undefined;
  readonly archived?: boolean | null | undefined;
  readonly acp_config?: JsonObject | null | undefined;
  readonly agent_kind?: string | null | undefined;
  readonly session?: JsonObject | null | undefined;
  readonly template?: JsonObject | null | undefined;
  readonly variables?: JsonObject | null | undefined;
  readonly anchor?: JsonObject | null | undefined;
  readonly resolved?: JsonObject | null | undefined;
}

/** In the order in which conflicts are listed. */
export const CONFIG_FIELDS: readonly (keyof ThreadConfigFields)[] = [
  'name',
  'thread_color',
  'thread_icon',
  'thread_image',
  'pin',
  'archived',
  'acp_config',
  'agent_kind',
  'session',
  'template',
  'variables',
  'anchor',
  'resolved',
];

export interface ThreadConfigEntry extends ThreadConfigFields {
  readonly type: 'thread_config';
  readonly id: string;
  readonly thread_id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly updated_at: string;
  readonly updated_by: string;
  readonly legacy?: Json | undefined;
}

export const threadConfig: EntryDefinition<ThreadConfigEntry> = defineEntry<ThreadConfigEntry>()(
  'thread_config',
  {
    id,
    thread_id: id,
    replaces: optional(ids),
    updated_at: date,
    updated_by: name,
    name: nullish(text),
    thread_color: nullish(name),
    thread_icon: nullish(name),
    thread_image: nullish(text),
    pin: nullish(flag),
    archived: nullish(flag),
    acp_config: nullish(object),
    agent_kind: nullish(name),
    session: nullish(object),
    template: nullish(object),
    variables: nullish(object),
    anchor: nullish(object),
    resolved: nullish(object),
    legacy: optional(json),
  },
  {
    head: { own: 'id', about: ['thread_id'] },
    unordered: [...CONFIG_FIELDS, 'legacy'],
    author: 'updated_by',
    sets: (entry) => CONFIG_FIELDS.filter((field) => entry[field] !== undefined),
  },
);
