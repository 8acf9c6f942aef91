import { deriveSlotThreadId, type Json, type JsonObject } from '@chatdoc/schema';
import { CONFIRM_ACTIVE } from '../repairs/confirm-active.js';
import type { Rule, Violation } from '../rule.js';
import { findActivationHeads, groupActivations, isInSlot } from '../slot-activations.js';

export const SLOT_RULES: readonly Rule[] = [
  {
    id: 'IN11',
    name: 'slot_contested',
    severity: 'warning',
    description: 'Those who activated a thread of a slot agree on which.',
    check: (survey) => {
      return [...groupActivations(survey).values()].flatMap((activations): Violation[] => {
        const threads = new Set(findActivationHeads(activations).map(({ entry }) => entry.thread_id ?? ''));
        if (threads.size < 2) return [];
        return [
          {
            ids: [...threads].sort(),
            message: `${threads.size} threads of one slot were activated at the same time; one of them is active`,
          },
        ];
      });
    },
    repair: CONFIRM_ACTIVE,
  },
  {
    id: 'IN12',
    name: 'activation_elsewhere',
    severity: 'error',
    description: 'An activation names the slot that its thread is in.',
    check: ({ chat, entries }) =>
      entries('activation')
        .filter((activation) => {
          const thread = chat.thread(activation.entry.thread_id ?? '');
          return thread !== undefined && !isInSlot(thread, activation);
        })
        .map(({ id, entry }) => ({
          ids: [id, entry.thread_id ?? ''],
          message: 'this activation names a slot that its thread is not in, and does not count',
        })),
    unrepaired: 'Which thread was meant is for a person to say, by activating one.',
  },
  {
    id: 'IN13',
    name: 'slot_thread_id',
    severity: 'error',
    description: 'The id of a thread in a slot derives from the slot and its number.',
    check: ({ threads }) =>
      threads
        .filter(
          ({ thread_id, slot, purpose }) =>
            slot !== undefined && deriveSlotThreadId(slot, purpose) !== thread_id,
        )
        .map(({ thread_id }) => ({
          ids: [thread_id],
          message: 'the id of this thread does not derive from its slot: other replicas may make another one',
        })),
    unrepaired:
      'An id cannot be changed; the thread stays readable, and the slot makes its own when it is asked for.',
  },
  {
    id: 'IN14',
    name: 'shared_session',
    severity: 'error',
    description: 'No two threads go on in the same session of a provider.',
    check: ({ threads, chat }) => {
      const owners = new Map<string, Set<string>>();
      for (const { thread_id } of threads) {
        const { session } = chat.config(thread_id);
        for (const key of session === undefined ? [] : listSessions(session)) {
          const known = owners.get(key);
          if (known === undefined) owners.set(key, new Set([thread_id]));
          else known.add(thread_id);
        }
      }
      const groups = [...owners.values()].filter(({ size }) => size > 1).map((ids) => [...ids].sort());
      const distinct = new Map(groups.map((ids) => [ids.join(), ids]));
      return [...distinct.values()].map((ids) => ({
        ids,
        message: `${ids.length} threads use the same provider session, and overwrite each other's`,
      }));
    },
    unrepaired:
      'Whose session it is only the provider knows; clearing the wrong one would lose what an agent remembers.',
  },
];

/** Names under which providers give out an id of a session or of the last link of its chain. */
const SESSION_KEYS: ReadonlySet<string> = new Set([
  ...['session_id', 'sessionId', 'conversation_id', 'conversationId', 'thread_id', 'threadId'],
  ...['response_id', 'responseId', 'previous_response_id', 'previousResponseId'],
]);

/** What makes two sessions the same: an id of theirs; where they have none, all that they say. */
export function listSessions(session: JsonObject): readonly string[] {
  const ids = Object.entries(session)
    .filter(([key, value]) => SESSION_KEYS.has(key) && typeof value === 'string' && value !== '')
    .map(([key, value]) => JSON.stringify([key, value]));
  if (ids.length > 0) return ids;
  return Object.keys(session).length === 0 ? [] : [canonicalText(session)];
}

function canonicalText(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
