import { NO_MARKS, type Rule } from '../rule.js';

const FORGED_ANSWER: Rule<'message'> = {
  id: 'IN7',
  name: 'forged_answer',
  counter: 'chat.integrity.forged_answers',
  severity: 'error',
  description: 'A prompt has one answer: the message whose id derives from it.',
  subjects: ['message'],
  judge: ({ id, forged }) =>
    forged.map((prompt) => ({
      ids: [id, prompt],
      message:
        'this message names a prompt as the one it answers, but the answer to that prompt has another id',
    })),
  unrepaired: 'Its text is kept, and shows as a message of its own; only a person can know what it was.',
};

const WITHOUT_PROMPT: Rule<'message'> = {
  id: 'IN8',
  name: 'answer_without_prompt',
  counter: 'chat.integrity.answers_without_prompt',
  severity: 'error',
  description: 'An answer answers a message of its own thread that asks for an answer.',
  subjects: ['message'],
  judge: ({ id, thread, prompt, isAnswer }) => {
    if (!isAnswer || prompt?.thread === undefined) return NO_MARKS;
    const isElsewhere = prompt.thread !== thread;
    if (!isElsewhere && prompt.expects) return NO_MARKS;
    const message = isElsewhere
      ? 'the prompt of this answer is in another thread'
      : 'this message answers one that asks for no answer';
    return [{ ids: [id, prompt.id], message }];
  },
  unrepaired:
    'Both messages are what somebody wrote, and an entry that names another prompt cannot be changed.',
};

const FINISHED_TWICE: Rule<'attempt'> = {
  id: 'IN10',
  name: 'finished_twice',
  counter: 'chat.acp.finalize_mismatch',
  severity: 'error',
  description: 'A settled attempt of an answer has one finish.',
  subjects: ['attempt'],
  judge: ({ id, finishes }) =>
    finishes.length < 2
      ? NO_MARKS
      : [
          {
            ids: [id, ...finishes],
            message: `this attempt was finished ${finishes.length} times; the first counts`,
          },
        ],
  unrepaired: 'The smallest finish counts on every replica already, and the others are history.',
};

export const ANSWER_RULES: readonly Rule[] = [FORGED_ANSWER, WITHOUT_PROMPT, FINISHED_TWICE];
