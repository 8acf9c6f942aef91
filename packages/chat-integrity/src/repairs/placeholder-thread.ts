import { formatDate, timeOfUlid } from '@chatdoc/schema';
import type { ThreadEntry } from '@chatdoc/schema/internal';
import type { Repair } from './repair-step.js';

/**
 * A line of a thread that is cut: any whole line of the thread outranks it, so that it can never get in the way
 * of the one that may still arrive. Until then what was written in the thread can be read.
 */
export const PLACEHOLDER_THREAD: Repair<'message'> = {
  kind: 'append',
  description: 'Writes a line in place of the thread, so that its messages show.',
  undo: 'It gives way by itself once the line of the thread arrives, for example from an import of another copy.',
  plan: ({ thread }) => {
    if (thread === undefined) return [];
    const entry: ThreadEntry & { readonly cut: true } = {
      type: 'thread',
      thread_id: thread,
      created_at: formatDate(timeOfUlid(thread)),
      created_by: '',
      purpose: 'chat',
      cut: true,
    };
    return [{ ids: [thread], entry }];
  },
};
