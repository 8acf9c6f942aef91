import type { Rule } from '../rule.js';

export const DATE_RULES: readonly Rule[] = [
  {
    id: 'IN25',
    name: 'duplicate_date',
    severity: 'info',
    description: 'No two messages of a thread have the same date. Counted: dates neither order nor identify.',
    check: ({ threads, messages, chat }) => {
      const datesOf = new Map<string, Set<string>>();
      const repeating = new Set<string>();
      for (const { thread_id, date } of messages.values()) {
        const dates = datesOf.get(thread_id);
        if (dates === undefined) datesOf.set(thread_id, new Set([date]));
        else if (dates.has(date)) repeating.add(thread_id);
        else dates.add(date);
      }
      const ids: string[] = [];
      for (const { thread_id } of threads) {
        // In reading order, which costs the order of a thread: only where it is needed.
        if (!repeating.has(thread_id)) continue;
        const byDate = new Map<string, string[]>();
        for (const { date, message_id } of chat.messages(thread_id)) {
          const known = byDate.get(date);
          if (known === undefined) byDate.set(date, [message_id]);
          else known.push(message_id);
        }
        for (const group of byDate.values()) if (group.length > 1) ids.push(...group);
      }
      if (ids.length === 0) return [];
      return [
        {
          ids,
          message: `${ids.length} messages have the date of another one in their thread`,
          count: ids.length,
        },
      ];
    },
    unrepaired:
      'Nothing is wrong with it: messages that were imported or sent by a program often share a date.',
  },
];
