import { NO_MARKS, type Rule } from '../rule.js';

const TARGET_ABSENT: Rule<'message'> = {
  id: 'IN4',
  name: 'reply_target_absent',
  counter: 'chat.integrity.invalid_reply_targets',
  severity: 'warning',
  description: 'The message that a reply answers is in the document.',
  subjects: ['message'],
  judge: ({ id, target }) =>
    target === undefined || target.thread !== undefined
      ? NO_MARKS
      : [
          {
            ids: [id, target.id],
            message: 'this message replies to one that is not in the document; it shows under the root',
          },
        ],
  unrepaired: 'The message that it answers may still arrive; until then the reply shows under the root.',
};

const TARGET_ELSEWHERE: Rule<'message'> = {
  id: 'IN5',
  name: 'reply_elsewhere',
  counter: 'chat.integrity.invalid_reply_targets',
  severity: 'error',
  description: 'A reply is in the same thread as the message that it answers.',
  subjects: ['message'],
  judge: ({ id, thread, target }) =>
    target?.thread === undefined || target.thread === thread
      ? NO_MARKS
      : [
          {
            ids: [id, target.id],
            message: 'this message replies to one of another thread; it shows under the root of its own',
          },
        ],
  unrepaired: 'Where a reply belongs is for its author to say; it shows, under the root.',
};

const REPLY_CYCLE: Rule<'cycle'> = {
  id: 'IN6',
  name: 'reply_cycle',
  counter: 'chat.integrity.invalid_reply_targets',
  severity: 'error',
  description: 'No message replies to itself, directly or through others.',
  subjects: ['cycle'],
  judge: ({ messages }) => [
    {
      ids: messages,
      message:
        messages.length === 1
          ? 'this message replies to itself'
          : `these ${messages.length} messages reply to each other in a circle`,
    },
  ],
  unrepaired: 'No message can be changed; the order leaves the circle out, and all of them show.',
};

export const REPLY_RULES: readonly Rule[] = [TARGET_ABSENT, TARGET_ELSEWHERE, REPLY_CYCLE];
