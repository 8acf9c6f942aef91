import { NO_MARKS, type Rule } from '../rule.js';

const DUPLICATE_DATE: Rule<'thread'> = {
  id: 'IN25',
  name: 'duplicate_date',
  counter: 'chat.integrity.duplicate_date_rows',
  severity: 'info',
  description: 'No two messages of a thread have the same date. Counted: dates neither order nor identify.',
  subjects: ['thread'],
  judge: ({ id, isPresent, sameDates: count }) =>
    isPresent && count > 0 ? [{ ids: [id], message: '', count, group: 'dates' }] : NO_MARKS,
  /** In reading order, which costs the order of a thread: only of those that need it. */
  report: (marks, chat) => {
    const threads = new Set(marks.map(({ ids }) => ids[0]));
    const ids = chat.threads().flatMap(({ thread_id }) => {
      if (!threads.has(thread_id)) return [];
      const byDate = new Map<string, string[]>();
      for (const { date, message_id } of chat.messages(thread_id)) {
        const known = byDate.get(date);
        if (known === undefined) byDate.set(date, [message_id]);
        else known.push(message_id);
      }
      return [...byDate.values()].filter((group) => group.length > 1).flat();
    });
    const message = `${ids.length} messages have the date of another one in their thread`;
    return { ids, message, count: ids.length };
  },
  unrepaired:
    'Nothing is wrong with it: messages that were imported or sent by a program often share a date.',
};

export const DATE_RULES: readonly Rule[] = [DUPLICATE_DATE];
