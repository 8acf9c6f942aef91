import type { Chat, Json, ThreadConfigEntry, VariablesEntry } from '@chatdoc/schema';

/** Where the values that show come from, by field or name. */
export interface VariableSources {
  /** The entry of the thread's config that holds this field. */
  ofConfig(threadId: string, field: 'template' | 'variables'): string | null;
  /** The entry that sets this name in a scope. */
  ofVariable(scope: string, scopeId: string, name: string): string | null;
}

/** Reads the lines of a copy: O(document). Make it once for each run. */
export function findSources(chat: Pick<Chat, 'toJSONL'>): VariableSources {
  const configs: ThreadConfigEntry[] = [];
  const variables: VariablesEntry[] = [];
  for (const line of chat.toJSONL().split('\n')) {
    if (line.startsWith('{"type":"thread_config"')) read(line, configs);
    else if (line.startsWith('{"type":"variables"')) read(line, variables);
  }
  return {
    ofConfig: (threadId, field) =>
      pickWinner(configs.filter((entry) => entry.thread_id === threadId && entry[field] !== undefined)),
    ofVariable: (scope, scopeId, name) =>
      pickWinner(
        variables.filter(
          (entry) => entry.scope === scope && entry.scope_id === scopeId && hasValue(entry.values, name),
        ),
      ),
  };
}

function read<T>(line: string, into: T[]): void {
  try {
    into.push(JSON.parse(line) as T);
  } catch {
    // Quarantined: the fold does not show it either.
  }
}

function hasValue(values: Readonly<Record<string, Json>> | undefined, name: string): boolean {
  return typeof values === 'object' && values !== null && Object.hasOwn(values, name);
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
