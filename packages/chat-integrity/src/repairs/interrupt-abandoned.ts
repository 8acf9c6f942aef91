import { deriveInterruptId, type InterruptEntry, type Message } from '@chatdoc/schema';
import type { Repair, RepairStep } from '../repair-step.js';
import type { Survey } from '../survey.js';

/**
 * Interrupts open attempts that nobody runs. The entry is the one that every recovery writes, and it counts only
 * while the runner writes nothing more: an attempt that was believed dead goes on by itself.
 */
export function createInterruption(listAbandoned: (message: Message) => readonly string[]): Repair {
  return {
    kind: 'append',
    description: 'Interrupts the attempt where its text ends, so that somebody may ask again.',
    undo: 'It is void by itself once the runner writes another line of the attempt.',
    plan: (survey) => {
      const written = new Set(survey.entries('interrupt').map(({ id }) => id));
      return [...survey.messages.values()].flatMap((message) =>
        listAbandoned(message)
          .map((attempt) => interrupt(survey, message.message_id, attempt))
          .filter(({ entry }) => !written.has((entry as InterruptEntry).id)),
      );
    },
  };
}

function interrupt({ chat }: Survey, message_id: string, attempt: string): RepairStep {
  let seen = 0;
  for (const { entry } of chat.inspector.read('attempt', attempt).entries) {
    if (entry.type === 'part') seen = Math.max(seen, entry.n);
  }
  const entry: InterruptEntry = {
    type: 'interrupt',
    id: deriveInterruptId(attempt, seen),
    message_id,
    attempt,
    seen,
  };
  return { ids: [attempt, message_id], entry };
}
