import { STAND_IN_THREAD } from '../repairs/stand-in-thread.js';
import type { Rule, Violation } from '../rule.js';
import type { Survey } from '../survey.js';

export const THREAD_RULES: readonly Rule[] = [
  {
    id: 'IN1',
    name: 'thread_absent',
    severity: 'warning',
    description: 'Every message belongs to a thread that is in the document.',
    check: ({ threads, messages }) => {
      const present = new Set(threads.map(({ thread_id }) => thread_id));
      const found: Violation[] = [];
      for (const { message_id, thread_id } of messages.values()) {
        if (present.has(thread_id)) continue;
        found.push({
          ids: [message_id, thread_id],
          message: 'the thread of this message is not in the document, so the message does not show',
        });
      }
      return found;
    },
    repair: STAND_IN_THREAD,
  },
  {
    id: 'IN2',
    name: 'root_absent',
    severity: 'warning',
    description: 'The message that a thread names as its root is in the document.',
    check: (survey) =>
      findNamedRoots(survey)
        .filter(({ root }) => !survey.messages.has(root))
        .map(({ thread, root }) => ({
          ids: [thread, root],
          message:
            'the root that this thread names is not in the document; its first message stands in for it',
        })),
    unrepaired: 'The message may still arrive; until then the first message of the thread is its root.',
  },
  {
    id: 'IN3',
    name: 'root_elsewhere',
    severity: 'error',
    description: 'The message that a thread names as its root is in that thread.',
    check: (survey) =>
      findNamedRoots(survey).flatMap(({ thread, root }): Violation[] => {
        const found = survey.messages.get(root);
        if (found === undefined || found.thread_id === thread) return [];
        return [
          {
            ids: [thread, root, found.thread_id],
            message: 'this thread names a message of another thread as its root',
          },
        ];
      }),
    unrepaired: 'The line of a thread cannot be changed; its first message is its root on every replica.',
  },
];

/** Threads that name a root. Of several thread lines of a slot the one that shows. */
function findNamedRoots(survey: Survey): readonly { readonly thread: string; readonly root: string }[] {
  const shown = new Map<string, { readonly root: string | undefined; readonly createdAt: string }>();
  for (const { id, entry } of survey.entries('thread')) {
    const createdAt = entry.created_at ?? '';
    const known = shown.get(id);
    if (known === undefined || createdAt < known.createdAt)
      shown.set(id, { root: entry.root_message_id, createdAt });
  }
  return [...shown].flatMap(([thread, { root }]) => (root === undefined ? [] : [{ thread, root }]));
}
