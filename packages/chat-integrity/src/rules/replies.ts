import type { Rule } from '../rule.js';
import type { Survey } from '../survey.js';

export const REPLY_RULES: readonly Rule[] = [
  {
    id: 'IN4',
    name: 'reply_target_absent',
    severity: 'warning',
    description: 'The message that a reply answers is in the document.',
    check: (survey) =>
      listReplies(survey)
        .filter(({ target }) => !survey.messages.has(target))
        .map(({ id, target }) => ({
          ids: [id, target],
          message: 'this message replies to one that is not in the document; it shows under the root',
        })),
    unrepaired: 'The message that it answers may still arrive; until then the reply shows under the root.',
  },
  {
    id: 'IN5',
    name: 'reply_elsewhere',
    severity: 'error',
    description: 'A reply is in the same thread as the message that it answers.',
    check: (survey) =>
      listReplies(survey)
        .filter(({ target, thread }) => (survey.messages.get(target)?.thread_id ?? thread) !== thread)
        .map(({ id, target }) => ({
          ids: [id, target],
          message: 'this message replies to one of another thread; it shows under the root of its own',
        })),
    unrepaired: 'Where a reply belongs is for its author to say; it shows, under the root.',
  },
  {
    id: 'IN6',
    name: 'reply_cycle',
    severity: 'error',
    description: 'No message replies to itself, directly or through others.',
    check: (survey) =>
      findCycles(survey).map((ids) => ({
        ids,
        message:
          ids.length === 1
            ? 'this message replies to itself'
            : `these ${ids.length} messages reply to each other in a circle`,
      })),
    unrepaired: 'No message can be changed; the order leaves the circle out, and all of them show.',
  },
];

function listReplies({
  messages,
}: Survey): readonly { readonly id: string; readonly target: string; readonly thread: string }[] {
  const replies: { readonly id: string; readonly target: string; readonly thread: string }[] = [];
  for (const { message_id, reply_to_message_id: target, thread_id } of messages.values()) {
    if (target !== undefined) replies.push({ id: message_id, target, thread: thread_id });
  }
  return replies;
}

/** Each cycle once, its ids sorted. A message replies to one other at most, so a walk meets one cycle at most. */
function findCycles(survey: Survey): readonly (readonly string[])[] {
  const targets = new Map(listReplies(survey).map(({ id, target }) => [id, target]));
  const walkOf = new Map<string, string>();
  const cycles: string[][] = [];
  for (const start of targets.keys()) {
    const path: string[] = [];
    let at: string | undefined = start;
    while (at !== undefined && targets.has(at) && !walkOf.has(at)) {
      walkOf.set(at, start);
      path.push(at);
      at = targets.get(at);
    }
    if (at !== undefined && walkOf.get(at) === start && path.includes(at))
      cycles.push(path.slice(path.indexOf(at)).sort());
  }
  return cycles;
}
