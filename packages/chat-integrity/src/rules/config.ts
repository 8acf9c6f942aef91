import { findHeads, type ThreadConfig } from '@chatdoc/schema';
import type { Rule } from '../rule.js';
import type { SurveyedEntry } from '../survey.js';

export const CONFIG_RULES: readonly Rule[] = [
  {
    id: 'IN26',
    name: 'missing_thread_config',
    severity: 'warning',
    description: 'A thread in which an agent is asked or answers has the settings of that agent. Counted.',
    check: ({ threads, messages, chat }) => {
      const withAgent = new Set<string>();
      for (const { thread_id, expects, attempt } of messages.values()) {
        if (expects === 'answer' || attempt !== undefined) withAgent.add(thread_id);
      }
      const ids = threads
        .map(({ thread_id }) => thread_id)
        .filter((id) => withAgent.has(id) && !hasAgentConfig(chat.config(id)));
      if (ids.length === 0) return [];
      const threadsHave = ids.length === 1 ? 'thread has' : 'threads have';
      return [
        { ids, message: `${ids.length} ${threadsHave} an agent and no settings for it`, count: ids.length },
      ];
    },
    unrepaired: 'Which settings an agent had cannot be told from what it said.',
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
          count,
          message: `${what} changed by several at once (${parts.join(', ')}); the latest shows until somebody writes again`,
        },
      ];
    },
    unrepaired:
      'Both values are what somebody chose: a person decides, by writing the field or the message again.',
  },
];

/** Messages once for each of their versions, or attempts, that several revisions show at once. */
function findContested(revisions: readonly SurveyedEntry<'revision'>[]): readonly string[] {
  const byMessage = new Map<string, SurveyedEntry<'revision'>[]>();
  for (const revision of revisions) {
    const { message_id = '' } = revision.entry;
    const known = byMessage.get(message_id);
    if (known === undefined) byMessage.set(message_id, [revision]);
    else known.push(revision);
  }
  const contested: string[] = [];
  for (const [messageId, own] of byMessage) {
    for (let left = countContested(own); left > 0; left -= 1) contested.push(messageId);
  }
  return contested.sort();
}

/** Of the revisions of one message: how many of its attempts, or itself, have more than one that shows. */
export function countContested(revisions: readonly SurveyedEntry<'revision'>[]): number {
  const byAttempt = new Map<
    string,
    { readonly id: string; readonly replaces?: readonly string[] | undefined }[]
  >();
  for (const { id, entry } of revisions) {
    const revision = { id, replaces: entry.replaces };
    const known = byAttempt.get(entry.attempt ?? '');
    if (known === undefined) byAttempt.set(entry.attempt ?? '', [revision]);
    else known.push(revision);
  }
  return [...byAttempt.values()].filter((own) => findHeads(own).length > 1).length;
}

/** Whether somebody has chosen how the agent of a thread works. */
export function hasAgentConfig({ acp_config, agent_kind, template }: ThreadConfig): boolean {
  return acp_config !== undefined || agent_kind !== undefined || template !== undefined;
}
