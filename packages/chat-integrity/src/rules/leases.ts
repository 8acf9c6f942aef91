import type { Message } from '@chatdoc/schema';
import type { Rule, Violation } from '../rule.js';

/**
 * Who runs an attempt is not in the document: `isLive` says whether some process still shows the attempt within its
 * lease. Give the rule to `check` beside `RULES`, in a process that was in touch with its peers all the while.
 */
export function createLeaseRule(isLive: (attempt: string) => boolean): Rule {
  return {
    id: 'IN28',
    name: 'abandoned_attempt',
    severity: 'warning',
    description: 'An open attempt has a runner within its lease.',
    check: ({ messages }) => {
      const found: Violation[] = [];
      for (const message of messages.values()) {
        for (const attempt of listOpenAttempts(message)) {
          if (isLive(attempt)) continue;
          found.push({
            ids: [attempt, message.message_id],
            message: 'this attempt is open, and nobody runs it',
          });
        }
      }
      return found;
    },
    unrepaired:
      'Only a process that can run turns may interrupt one: that is the recovery of the turn engine.',
  };
}

export function listOpenAttempts({ attempt, alternates }: Message): readonly string[] {
  if (attempt === undefined) return [];
  return [attempt, ...alternates].filter(({ state }) => state === 'open').map((each) => each.attempt);
}
