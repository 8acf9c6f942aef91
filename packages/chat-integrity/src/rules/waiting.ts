import { deriveAnswerId } from '@chatdoc/schema';
import type { Rule, Violation } from '../rule.js';
import type { Survey } from '../survey.js';

export const WAITING_RULES: readonly Rule[] = [
  {
    id: 'IN9',
    name: 'waiting',
    severity: 'warning',
    description:
      'What an entry is about is in the document: its message, its attempt, its thread or its prompt.',
    check: (survey) => [
      ...countAbsent(listAboutMessages(survey), 'are about messages that are not in the document'),
      ...countAbsent(listAboutAttempts(survey), 'are about attempts that are not in the document'),
      ...countAbsent(listAboutThreads(survey), 'are about threads that are not in the document'),
      ...countAbsent(listAnswers(survey), 'answer prompts that are not in the document'),
    ],
    unrepaired: 'What they are about may still arrive, and then they count.',
  },
];

/** One finding with the ids of what is not there. */
function countAbsent(absent: readonly string[], what: string): readonly Violation[] {
  if (absent.length === 0) return [];
  const ids = [...new Set(absent)].sort();
  return [
    {
      ids,
      message: `${absent.length} ${absent.length === 1 ? 'entry' : 'entries'} ${what}`,
      count: absent.length,
    },
  ];
}

function listAboutMessages(survey: Survey): readonly string[] {
  const { messages } = survey;
  // A stop or retry of an answer that nobody has begun is about its prompt.
  const prompts = [...messages.values()].filter(({ expects }) => expects === 'answer');
  const answers = new Set(prompts.map(({ message_id }) => deriveAnswerId(message_id)));
  const turns = [...survey.entries('stop'), ...survey.entries('retry')].filter(
    ({ entry }) => !answers.has(entry.message_id ?? ''),
  );
  const others = (['revision', 'redaction', 'interrupt', 'annotation'] as const).flatMap((type) =>
    survey.entries(type).map(({ entry }) => entry.message_id),
  );
  return [...turns.map(({ entry }) => entry.message_id), ...others].filter(
    (id): id is string => id !== undefined && !messages.has(id),
  );
}

function listAboutAttempts(survey: Survey): readonly string[] {
  const attempts = new Set<string | undefined>(
    survey.entries('message').map(({ id, entry }) => entry.attempt ?? id),
  );
  return (['part', 'finish'] as const)
    .flatMap((type) => survey.entries(type).map(({ entry }) => entry.attempt))
    .filter((id): id is string => id !== undefined && !attempts.has(id));
}

function listAboutThreads(survey: Survey): readonly string[] {
  const threads = new Set<string | undefined>(survey.threads.map(({ thread_id }) => thread_id));
  return (['thread_config', 'activation', 'annotation', 'thread_state'] as const)
    .flatMap((type) => survey.entries(type).map(({ entry }) => entry.thread_id))
    .filter((id): id is string => id !== undefined && !threads.has(id));
}

function listAnswers({ messages }: Survey): readonly string[] {
  return [...messages.values()].flatMap(({ prompt_id }) =>
    prompt_id === undefined || messages.has(prompt_id) ? [] : [prompt_id],
  );
}
