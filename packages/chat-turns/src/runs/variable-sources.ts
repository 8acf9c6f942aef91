import type { Chat, Entry, Json, ThreadConfigEntry, VariablesEntry } from '@chatdoc/schema';

/** Where the values that show come from, by field or name. */
export interface VariableSources {
  /** The entry of the thread's config that holds this field. */
  ofConfig(threadId: string, field: 'template' | 'variables'): string | null;
  /** The entry that sets this name in a scope. */
  ofVariable(scope: string, scopeId: string, name: string): string | null;
}

/** O(entries about the thread), and once O(entries about the document) where a scope is asked for. */
export function findSources({ inspector }: Pick<Chat, 'inspector'>): VariableSources {
  let settings: readonly Entry[] | undefined;
  return {
    ofConfig: (threadId, field) => {
      const entries = inspector.read('thread', threadId).entries.map(({ entry }) => entry);
      const isSetting = (entry: Entry): entry is ThreadConfigEntry =>
        entry.type === 'thread_config' && entry[field] !== undefined;
      return pickWinner(entries.filter(isSetting));
    },
    ofVariable: (scope, scopeId, name) => {
      settings ??= inspector.documentEntries().map(({ entry }) => entry);
      const isSetting = (entry: Entry): entry is VariablesEntry =>
        entry.type === 'variables' &&
        entry.scope === scope &&
        entry.scope_id === scopeId &&
        hasValue(entry.values, name);
      return pickWinner(settings.filter(isSetting));
    },
  };
}

function hasValue(values: Readonly<Record<string, Json>> | undefined, name: string): boolean {
  return values !== undefined && Object.hasOwn(values, name);
}

/** By the rule of the last writer: the greatest that nobody replaced; of a forged circle the greatest. */
function pickWinner(
  entries: readonly { readonly id: string; readonly replaces?: readonly string[] | undefined }[],
): string | null {
  const replaced = new Set(entries.flatMap(({ replaces }) => replaces ?? []));
  const heads = entries.filter(({ id }) => !replaced.has(id));
  const ids = (heads.length > 0 ? heads : entries).map(({ id }) => id).sort();
  return ids.at(-1) ?? null;
}
