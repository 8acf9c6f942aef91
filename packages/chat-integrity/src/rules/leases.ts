import { INTERRUPT_ABANDONED } from '../repairs/interrupt-abandoned.js';
import { NO_MARKS, type Rule } from '../rule.js';

/**
 * A rule about attempts that nobody runs. Who runs an attempt is not in the document: `isLive` reports whether some
 * process still shows the attempt within its lease. Pass the rule to `check` and `repair` beside `RULES`, in a process
 * that was in touch with its peers all the while.
 */
export function createLeaseRule(isLive: (attempt: string) => boolean): Rule {
  const rule: Rule<'open_attempt'> = {
    id: 'IN28',
    name: 'abandoned_attempt',
    counter: 'chat.acp.abandoned_attempts',
    severity: 'warning',
    description: 'An open attempt has a runner within its lease.',
    subjects: ['open_attempt'],
    judge: ({ id, message }) =>
      isLive(id) ? NO_MARKS : [{ ids: [id, message], message: 'this attempt is open, and nobody runs it' }],
    repair: INTERRUPT_ABANDONED,
  };
  return rule;
}
