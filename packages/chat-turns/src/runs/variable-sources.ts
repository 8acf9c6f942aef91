import type { Chat, Entry, Json, ThreadConfigFields } from '@chatdoc/schema';
import { findHeads, type ThreadConfigEntry, type VariablesEntry } from '@chatdoc/schema/internal';

/** Finds the entry that each shown value comes from, by field or name. */
export interface VariableSources {
  /** The entry of the thread's config that holds this field. */
  ofConfig(threadId: string, field: keyof ThreadConfigFields): string | null;
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
      return findHeads(entries.filter(isSetting))[0]?.id ?? null;
    },
    ofVariable: (scope, scopeId, name) => {
      settings ??= inspector.documentEntries().map(({ entry }) => entry);
      const isSetting = (entry: Entry): entry is VariablesEntry =>
        entry.type === 'variables' &&
        entry.scope === scope &&
        entry.scope_id === scopeId &&
        hasValue(entry.values, name);
      return findHeads(settings.filter(isSetting))[0]?.id ?? null;
    },
  };
}

function hasValue(values: Readonly<Record<string, Json>> | undefined, name: string): boolean {
  return values !== undefined && Object.hasOwn(values, name);
}
