import { defineEntry, type EntryDefinition } from './define.js';
import { id, ids, name, object, oneOf, optional } from './field.js';
import type { JsonObject } from './json.js';

export const VARIABLE_SCOPES = ['user', 'org', 'project'] as const;
export type VariableScope = (typeof VARIABLE_SCOPES)[number];

export interface VariablesEntry {
  readonly type: 'variables';
  readonly id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly scope: VariableScope;
  readonly scope_id: string;
  readonly values: JsonObject;
}

export const variables: EntryDefinition<VariablesEntry> = defineEntry<VariablesEntry>()(
  'variables',
  { id, replaces: optional(ids), scope: oneOf(VARIABLE_SCOPES), scope_id: name, values: object },
  { head: { own: 'id', about: [] }, sets: ({ values = {} }) => Object.keys(values) },
);
