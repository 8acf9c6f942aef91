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
  const isAbsent = (id: string | undefined): id is string => id !== undefined && !survey.messages.has(id);
  const listAbout = (...types: readonly AboutMessage[]): string[] =>
    types.flatMap((type) => survey.entries(type).map(({ entry }) => entry.message_id)).filter(isAbsent);
  const turns = listAbout('stop', 'retry');
  // A stop or retry of an answer that nobody has begun is about its prompt.
  const expected = turns.length === 0 ? NOBODY : findExpected(survey, turns);
  const others = listAbout('revision', 'redaction', 'interrupt', 'annotation', 'legacy_row');
  return [...turns.filter((id) => !expected.has(id)), ...others];
}

type AboutMessage = 'stop' | 'retry' | 'revision' | 'redaction' | 'interrupt' | 'annotation' | 'legacy_row';

/** Those that are the answer of a prompt which is there. An answer has the time of its prompt in its id. */
function findExpected({ messages }: Survey, answers: readonly string[]): ReadonlySet<string> {
  const times = new Set(answers.map(timeOf));
  const expected = new Set<string>();
  for (const { message_id, expects } of messages.values()) {
    if (expects === 'answer' && times.has(timeOf(message_id))) expected.add(deriveAnswerId(message_id));
  }
  return expected;
}

/** The characters of an id that say its time. */
function timeOf(id: string): string {
  return id.slice(0, 10);
}

const NOBODY: ReadonlySet<string> = new Set();

function listAboutAttempts(survey: Survey): readonly string[] {
  const attempts = new Set<string | undefined>(
    survey.unusualEntries('message').map(({ id, entry }) => entry.attempt ?? id),
  );
  return (['part', 'finish'] as const)
    .flatMap((type) => survey.unusualEntries(type).map(({ entry }) => entry.attempt))
    .filter((id): id is string => id !== undefined && !attempts.has(id));
}

function listAboutThreads(survey: Survey): readonly string[] {
  const threads = new Set<string | undefined>(survey.threads.map(({ thread_id }) => thread_id));
  return (['thread_config', 'activation', 'annotation', 'thread_state'] as const)
    .flatMap((type) => survey.entries(type).map(({ entry }) => entry.thread_id))
    .filter((id): id is string => id !== undefined && !threads.has(id));
}

function listAnswers({ messages }: Survey): readonly string[] {
  const absent: string[] = [];
  for (const { prompt_id } of messages.values()) {
    if (prompt_id !== undefined && !messages.has(prompt_id)) absent.push(prompt_id);
  }
  return absent;
}
