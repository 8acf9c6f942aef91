import type { Message } from '@chatdoc/schema';
import { createInterruption } from '../repairs/interrupt-abandoned.js';
import type { Rule, Violation } from '../rule.js';

/**
 * Who runs an attempt is not in the document: `isLive` says whether some process still shows the attempt within its
 * lease. Give the rule to `check` and `repair` beside `RULES`, in a process that was in touch with its peers all the
 * while.
 */
export function createLeaseRule(isLive: (attempt: string) => boolean): Rule {
  const listAbandoned = (message: Message): readonly string[] =>
    listOpenAttempts(message).filter((attempt) => !isLive(attempt));
  return {
    id: 'IN28',
    name: 'abandoned_attempt',
    severity: 'warning',
    description: 'An open attempt has a runner within its lease.',
    check: ({ messages }) => {
      const found: Violation[] = [];
      for (const message of messages.values()) {
        for (const attempt of listAbandoned(message)) {
          found.push({
            ids: [attempt, message.message_id],
            message: 'this attempt is open, and nobody runs it',
          });
        }
      }
      return found;
    },
    repair: createInterruption(listAbandoned),
  };
}

const NONE: readonly string[] = [];

export function listOpenAttempts({ attempt, alternates }: Message): readonly string[] {
  if (attempt === undefined) return NONE;
  return [attempt, ...alternates].filter(({ state }) => state === 'open').map((each) => each.attempt);
}
