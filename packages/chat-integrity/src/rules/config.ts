import type { Rule } from '../rule.js';

export const CONFIG_RULES: readonly Rule[] = [
  {
    id: 'IN26',
    name: 'missing_thread_config',
    severity: 'warning',
    description: 'A thread in which an agent is asked or answers has the settings of that agent. Counted.',
    check: ({ threads, chat }) => {
      const ids = threads
        .filter(({ thread_id }) => {
          const { acp_config, agent_kind, template } = chat.config(thread_id);
          if (acp_config !== undefined || agent_kind !== undefined || template !== undefined) return false;
          return chat
            .messages(thread_id)
            .some(({ expects, attempt }) => expects === 'answer' || attempt !== undefined);
        })
        .map(({ thread_id }) => thread_id);
      if (ids.length === 0) return [];
      const threadsHave = ids.length === 1 ? 'thread has' : 'threads have';
      return [{ ids, message: `${ids.length} ${threadsHave} an agent and no settings for it` }];
    },
  },
  {
    id: 'IN27',
    name: 'unresolved_conflict',
    severity: 'warning',
    description: 'Nobody has changed a setting or a message without seeing what another changed. Counted.',
    check: (survey) => {
      const fields = survey.threads.flatMap(({ thread_id }) =>
        survey.chat.conflicts(thread_id).map(() => thread_id),
      );
      const messages = findContested(survey.entries('revision'));
      const count = fields.length + messages.length;
      if (count === 0) return [];
      const what = `${count} ${count === 1 ? 'value was' : 'values were'}`;
      const parts = [
        fields.length === 0 ? '' : `${fields.length} in settings`,
        messages.length === 0 ? '' : `${messages.length} in messages`,
      ].filter((part) => part !== '');
      return [
        {
          ids: [...new Set([...fields, ...messages])],
          message: `${what} changed by several at once (${parts.join(', ')}); the latest shows until somebody writes again`,
        },
      ];
    },
  },
];

/** Messages, or attempts at an answer, with more than one revision that no other replaces. */
function findContested(
  revisions: readonly {
    readonly id: string;
    readonly entry: {
      readonly message_id?: string | undefined;
      readonly attempt?: string | undefined;
      readonly replaces?: readonly string[] | undefined;
    };
  }[],
): readonly string[] {
  const replaced = new Set(revisions.flatMap(({ entry }) => entry.replaces ?? []));
  const heads = new Map<string, { readonly message: string; count: number }>();
  for (const { id, entry } of revisions) {
    if (replaced.has(id) || entry.message_id === undefined) continue;
    const key = `${entry.message_id} ${entry.attempt ?? ''}`;
    const known = heads.get(key);
    if (known === undefined) heads.set(key, { message: entry.message_id, count: 1 });
    else known.count += 1;
  }
  return [...heads.values()].filter(({ count }) => count > 1).map(({ message }) => message);
}
