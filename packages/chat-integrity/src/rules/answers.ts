import { deriveAnswerId, type Message } from '@chatdoc/schema';
import type { Rule, Violation } from '../rule.js';
import type { Survey, SurveyedEntry } from '../survey.js';

export const ANSWER_RULES: readonly Rule[] = [
  {
    id: 'IN7',
    name: 'forged_answer',
    severity: 'error',
    description: 'A prompt has one answer: the message whose id derives from it.',
    check: (survey) =>
      listForgedAnswers(survey).map(({ id, entry }) => ({
        ids: [id, entry.prompt_id ?? ''],
        message: 'this message says that it answers a prompt, but the answer to that prompt has another id',
      })),
    unrepaired:
      'What it says is kept, and shows as a message of its own; only a person can tell what it was.',
  },
  {
    id: 'IN8',
    name: 'answer_without_prompt',
    severity: 'error',
    description: 'An answer answers a message of its own thread that asks for an answer.',
    check: ({ messages }) => {
      const found: Violation[] = [];
      for (const message of messages.values()) {
        const { message_id, prompt_id, thread_id } = message;
        const prompt = prompt_id === undefined ? undefined : messages.get(prompt_id);
        if (prompt === undefined) continue;
        const isElsewhere = prompt.thread_id !== thread_id;
        if (!(isElsewhere || prompt.expects !== 'answer') || !isAnswer(message)) continue;
        found.push({
          ids: [message_id, prompt.message_id],
          message: isElsewhere
            ? 'the prompt of this answer is in another thread'
            : 'this message answers one that asks for no answer',
        });
      }
      return found;
    },
    unrepaired:
      'Both messages are what somebody wrote, and an entry that names another prompt cannot be changed.',
  },
  {
    id: 'IN10',
    name: 'finished_twice',
    severity: 'error',
    description: 'A settled attempt has one finish.',
    check: (survey) => {
      const finishes = new Map<string, Set<string>>();
      for (const { id, entry } of survey.unusualEntries('finish')) {
        const { attempt } = entry;
        if (attempt === undefined) continue;
        const known = finishes.get(attempt);
        if (known === undefined) finishes.set(attempt, new Set([id]));
        else known.add(id);
      }
      return [...finishes]
        .filter(([, ids]) => ids.size > 1)
        .map(([attempt, ids]) => ({
          ids: [attempt, ...[...ids].sort()],
          message: `this attempt was finished ${ids.size} times; the first counts`,
        }));
    },
    unrepaired: 'The smallest finish counts on every replica already, and the others are history.',
  },
];

/** Whether the id of the message derives from the prompt that it names. */
export function isAnswer({ message_id, prompt_id }: Message): boolean {
  return prompt_id !== undefined && deriveAnswerId(prompt_id) === message_id;
}

function listForgedAnswers(survey: Survey): readonly SurveyedEntry<'message'>[] {
  return survey
    .unusualEntries('message')
    .filter(
      ({ id, entry }) =>
        entry.prompt_id !== undefined &&
        entry.attempt !== undefined &&
        deriveAnswerId(entry.prompt_id) !== id,
    );
}
