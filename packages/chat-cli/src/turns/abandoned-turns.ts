import type { Attempt, Chat, Message } from '@chatdoc/schema';
import { isRunnerGone } from './runner.js';

/** Answers of a thread that somebody is writing, by what the document says. */
export function listRunning(chat: Chat, threadId: string): readonly Message[] {
  return chat.messages(threadId).filter((message) => listOpen(message).length > 0);
}

/** The attempts of an answer that are open, those that do not show included. */
export function listOpen({ attempt, alternates }: Message): readonly Attempt[] {
  if (attempt === undefined) return [];
  return [attempt, ...alternates].filter(({ state }) => state === 'open');
}

/**
 * Says of attempts whose runner is gone that they are interrupted: then they can be continued, or skipped. Gives the
 * runners.
 */
export function interruptAbandoned(
  chat: Chat,
  answers: readonly Message[],
  isGone: (attempt: Attempt) => boolean = isRunnerGone,
): readonly string[] {
  const runners: string[] = [];
  for (const answer of answers) {
    for (const open of listOpen(answer).filter(isGone)) {
      chat.interrupt({ message_id: answer.message_id, attempt: open.attempt });
      runners.push(open.runner_id);
    }
  }
  return runners;
}
