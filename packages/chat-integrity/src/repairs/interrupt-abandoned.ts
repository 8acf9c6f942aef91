import { deriveInterruptId, type InterruptEntry } from '@chatdoc/schema/internal';
import { readLines } from '../facts.js';
import type { Repair } from './repair-step.js';

/**
 * Interrupts open attempts that nobody runs. The entry is the one that every recovery writes, and it counts only
 * while the runner writes nothing more: an attempt that was believed dead goes on by itself.
 */
export const INTERRUPT_ABANDONED: Repair<'open_attempt'> = {
  kind: 'append',
  description: 'Interrupts the attempt where its text ends, so that somebody may ask again.',
  undo: 'It is void by itself once the runner writes another line of the attempt.',
  plan: ({ id: attempt, message }, chat) => {
    let seen = 0;
    for (const { entry } of chat.inspector.read('attempt', attempt).entries) {
      if (entry.type === 'part') seen = Math.max(seen, entry.n);
    }
    const id = deriveInterruptId(attempt, seen);
    if (readLines(chat, 'message', message).entries.some((each) => each.id === id)) return [];
    const entry: InterruptEntry = { type: 'interrupt', id, message_id: message, attempt, seen };
    return [{ ids: [attempt, message], entry }];
  },
};
