import { PLACEHOLDER_THREAD } from '../repairs/placeholder-thread.js';
import { NO_MARKS, type Rule } from '../rule.js';

const THREAD_ABSENT: Rule<'message'> = {
  id: 'IN1',
  name: 'thread_absent',
  counter: 'chat.integrity.orphan_messages',
  severity: 'warning',
  description: 'Every message belongs to a thread that is in the document.',
  subjects: ['message'],
  judge: ({ id, thread, hasThread }) =>
    thread === undefined || hasThread
      ? NO_MARKS
      : [
          {
            ids: [id, thread],
            message: 'the thread of this message is not in the document, so the message does not show',
          },
        ],
  repair: PLACEHOLDER_THREAD,
};

const ROOT_ABSENT: Rule<'thread'> = {
  id: 'IN2',
  name: 'root_absent',
  counter: 'chat.integrity.multi_root_per_thread',
  severity: 'warning',
  description: 'The message that a thread names as its root is in the document.',
  subjects: ['thread'],
  judge: ({ id, root }) =>
    root === undefined || root.thread !== undefined
      ? NO_MARKS
      : [
          {
            ids: [id, root.id],
            message:
              'the root that this thread names is not in the document; its first message takes its place',
          },
        ],
  unrepaired: 'The message may still arrive; until then the first message of the thread is its root.',
};

const ROOT_ELSEWHERE: Rule<'thread'> = {
  id: 'IN3',
  name: 'root_elsewhere',
  counter: 'chat.integrity.multi_root_per_thread',
  severity: 'error',
  description: 'The message that a thread names as its root is in that thread.',
  subjects: ['thread'],
  judge: ({ id, root }) =>
    root?.thread === undefined || root.thread === id
      ? NO_MARKS
      : [
          {
            ids: [id, root.id, root.thread],
            message: 'this thread names a message of another thread as its root',
          },
        ],
  unrepaired: 'The line of a thread cannot be changed; its first message is its root on every replica.',
};

export const THREAD_RULES: readonly Rule[] = [THREAD_ABSENT, ROOT_ABSENT, ROOT_ELSEWHERE];
