import type { Chat } from '@chatdoc/schema';
import { countMarks, type Mark, NO_MARKS, type Rule } from '../rule.js';

const MISSING_CONFIG: Rule<'thread'> = {
  id: 'IN26',
  name: 'missing_thread_config',
  counter: 'chat.integrity.missing_thread_config',
  severity: 'warning',
  description: 'A thread in which an agent is asked has the settings of that agent. Counted.',
  subjects: ['thread'],
  judge: ({ id, isPresent, asksAgent, isConfigured }) =>
    isPresent && asksAgent && !isConfigured ? [{ ids: [id], message: '', group: 'threads' }] : NO_MARKS,
  report: (marks, chat) => {
    const count = marks.length;
    const threadsHave = count === 1 ? 'thread has' : 'threads have';
    const message = `${count} ${threadsHave} an agent and no settings for it`;
    return { ids: inOrderOfThreads(marks, chat), message, count };
  },
  unrepaired: 'The settings that an agent had cannot be derived from its answers.',
};

const UNRESOLVED_CONFLICT: Rule<'thread' | 'message'> = {
  id: 'IN27',
  name: 'unresolved_conflict',
  counter: 'chat.integrity.unresolved_conflicts',
  severity: 'warning',
  description: 'Nobody has changed a setting or a message without seeing what another changed. Counted.',
  subjects: ['thread', 'message'],
  judge: (facts) => {
    const [where, count] =
      facts.kind === 'message'
        ? ['messages', facts.contested]
        : ['settings', facts.isPresent ? facts.conflicts : 0];
    return count === 0 ? NO_MARKS : [{ ids: [facts.id], message: where, count, group: 'values' }];
  },
  report: (marks, chat) => {
    const settings = marks.filter(({ message }) => message === 'settings');
    const messages = marks.filter(({ message }) => message === 'messages');
    const ids = [...inOrderOfThreads(settings, chat), ...messages.flatMap((mark) => mark.ids).sort()];
    const count = countMarks(marks);
    const parts = [settings, messages]
      .filter((some) => some.length > 0)
      .map((some) => `${countMarks(some)} in ${some[0]?.message}`);
    const what = `${count} ${count === 1 ? 'value was' : 'values were'} changed by several at once`;
    const message = `${what} (${parts.join(', ')}); the latest shows until somebody writes again`;
    return { ids: [...new Set(ids)], message, count };
  },
  unrepaired:
    'Both values are what somebody chose: a person decides, by writing the field or the message again.',
};

export const CONFIG_RULES: readonly Rule[] = [MISSING_CONFIG, UNRESOLVED_CONFLICT];

function inOrderOfThreads(marks: readonly Mark[], chat: Chat): readonly string[] {
  if (marks.length === 0) return [];
  const marked = new Set(marks.map(({ ids }) => ids[0]));
  return chat
    .threads()
    .map(({ thread_id }) => thread_id)
    .filter((id) => marked.has(id));
}
