import { CONFIRM_ACTIVE } from '../repairs/confirm-active.js';
import { NO_MARKS, type Rule } from '../rule.js';

const SLOT_CONTESTED: Rule<'slot'> = {
  id: 'IN11',
  name: 'slot_contested',
  counter: 'chat.integrity.contested_slots',
  severity: 'warning',
  description: 'Those who activated a thread of a slot agree on which.',
  subjects: ['slot'],
  judge: ({ heads }) => {
    const threads = new Set(heads.map(({ entry }) => entry.thread_id ?? ''));
    if (threads.size < 2) return NO_MARKS;
    const message = `${threads.size} threads of one slot were activated at the same time; one of them is active`;
    return [{ ids: [...threads].sort(), message }];
  },
  repair: CONFIRM_ACTIVE,
};

const ACTIVATION_ELSEWHERE: Rule<'thread'> = {
  id: 'IN12',
  name: 'activation_elsewhere',
  counter: 'chat.integrity.misplaced_activations',
  severity: 'error',
  description: 'An activation names the slot that its thread is in.',
  subjects: ['thread'],
  judge: ({ id, misplaced }) =>
    misplaced.map((activation) => ({
      ids: [activation, id],
      message: 'this activation names a slot that its thread is not in, and does not count',
    })),
  unrepaired: 'Which thread was meant is for a person to say, by activating one.',
};

const SLOT_THREAD_ID: Rule<'thread'> = {
  id: 'IN13',
  name: 'slot_thread_id',
  counter: 'chat.integrity.invalid_slot_thread_ids',
  severity: 'error',
  description: 'The id of a thread in a slot derives from the slot and its number.',
  subjects: ['thread'],
  judge: ({ id, derivedId }) =>
    derivedId === undefined || derivedId === id
      ? NO_MARKS
      : [
          {
            ids: [id],
            message:
              'the id of this thread does not derive from its slot: other replicas may make another one',
          },
        ],
  unrepaired:
    'An id cannot be changed; the thread stays readable, and the slot makes its own when it is asked for.',
};

const SHARED_SESSION: Rule<'session'> = {
  id: 'IN14',
  name: 'shared_session',
  counter: 'chat.acp.shared_sessions',
  severity: 'error',
  description: 'No two threads go on in the same session of a provider.',
  subjects: ['session'],
  judge: ({ threads }) =>
    threads.length < 2
      ? NO_MARKS
      : [
          {
            ids: threads,
            message: `${threads.length} threads use the same provider session, and overwrite each other's`,
            // The same threads may share several ids.
            name: threads.join(),
          },
        ],
  unrepaired:
    'Whose session it is only the provider knows; clearing the wrong one would lose what an agent remembers.',
};

export const SLOT_RULES: readonly Rule[] = [
  SLOT_CONTESTED,
  ACTIVATION_ELSEWHERE,
  SLOT_THREAD_ID,
  SHARED_SESSION,
];
