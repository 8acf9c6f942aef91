import type { Chat, Json } from '@chatdoc/schema';
import { definedOnly } from '@chatdoc/schema/internal';
import { fillTemplate, listNames, type PromptMessage, readTemplate } from './template.js';
import { findSources } from './variable-sources.js';

/** Where a value may come from; an earlier one wins. */
export const VALUE_SCOPES = ['call', 'thread', 'user', 'project', 'org', 'default'] as const;
export type ValueScope = (typeof VALUE_SCOPES)[number];

export interface RunScopes {
  readonly org?: string;
  readonly project?: string;
  readonly user?: string;
}

export interface RunRequest {
  /** A thread with the purpose `run` and a `template`. */
  readonly thread_id: string;
  readonly scopes?: RunScopes;
  /** Values for this run alone. */
  readonly call?: Readonly<Record<string, Json>>;
}

/** All that a run was made of, but the secrets: the same record gives the same bytes. */
export interface RunRecord {
  readonly template: {
    readonly version: string | null;
    readonly entry: string | null;
    readonly messages: readonly PromptMessage[];
  };
  readonly values: Readonly<
    Record<string, { readonly value: Json; readonly scope: ValueScope; readonly entry: string | null }>
  >;
  /** Names of the secrets that dispatch fills in. */
  readonly secrets: readonly string[];
  /** Whose values they are: what follows the run is resolved for the same. */
  readonly scopes?: RunScopes;
}

export type Resolution =
  | { readonly ok: true; readonly record: RunRecord; readonly messages: readonly PromptMessage[] }
  | {
      readonly ok: false;
      readonly code: 'not_found' | 'other_purpose' | 'no_template' | 'missing_variable';
      /** Of what is missing. */
      readonly names: readonly string[];
    };

/**
 * Values as they are in the document now, never as some form showed them. Preview and execution both call this,
 * so that they cannot differ. Secrets stay as they are in the template.
 */
export function resolveRun(chat: Chat, { thread_id, scopes = {}, call = {} }: RunRequest): Resolution {
  const thread = chat.thread(thread_id);
  if (thread === undefined) return { ok: false, code: 'not_found', names: [] };
  if (thread.purpose !== 'run') return { ok: false, code: 'other_purpose', names: [] };
  const config = chat.config(thread_id);
  const template = readTemplate(config.template);
  if (template === undefined) return { ok: false, code: 'no_template', names: [] };
  const sources = findSources(chat);
  const templateEntry = sources.ofConfig(thread_id, 'template');
  const places = {
    default: { values: template.defaults ?? {}, entryOf: () => templateEntry },
    org: readScope('org', scopes.org),
    project: readScope('project', scopes.project),
    user: readScope('user', scopes.user),
    thread: { values: config.variables ?? {}, entryOf: () => sources.ofConfig(thread_id, 'variables') },
    call: { values: call, entryOf: () => null },
  };
  const { variables, secrets } = listNames(template.messages);
  const values: Record<string, { value: Json; scope: ValueScope; entry: string | null }> = {};
  const missing: string[] = [];
  for (const name of variables) {
    const scope = VALUE_SCOPES.find((each) => hasValue(places[each].values, name));
    if (scope === undefined) missing.push(name);
    else {
      const { values: found, entryOf } = places[scope];
      values[name] = { value: found[name] as Json, scope, entry: entryOf(name) };
    }
  }
  if (missing.length > 0) return { ok: false, code: 'missing_variable', names: missing };
  const { version = null, messages } = template;
  const hasScopes = Object.values(scopes).some((id) => id !== undefined);
  const record = {
    template: { version, entry: templateEntry, messages },
    values,
    secrets,
    ...(hasScopes && { scopes: definedOnly(scopes) }),
  };
  return { ok: true, record, messages: fillRecord(record) };

  function readScope(
    scope: 'org' | 'project' | 'user',
    id: string | undefined,
  ): {
    readonly values: Readonly<Record<string, Json>>;
    readonly entryOf: (name: string) => string | null;
  } {
    if (id === undefined) return { values: {}, entryOf: () => null };
    return {
      values: chat.variables(scope, id),
      entryOf: (name) => sources.ofVariable(scope, id, name),
    };
  }
}

/** The messages of a record; with secrets only for the agent itself. */
export function fillRecord(
  { template, values }: RunRecord,
  secrets: Readonly<Record<string, string>> = {},
): readonly PromptMessage[] {
  const plain = Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]));
  return fillTemplate(template.messages, plain, secrets);
}

function hasValue(values: Readonly<Record<string, Json>>, name: string): boolean {
  return Object.hasOwn(values, name) && values[name] !== null && values[name] !== undefined;
}
