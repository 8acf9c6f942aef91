import type { Message } from '@chatdoc/schema';
import { listAttempts, type TurnChat } from './turn-chat.js';

/** Annotation of a prompt that somebody sent to run before the others. */
export const NEXT_KEY = 'turn:next';

type QueueReader = Pick<TurnChat, 'annotations' | 'messages' | 'queue'>;

/** What keeps the queue of a thread waiting, or nothing. */
export type Holder = { readonly kind: 'running' | 'interrupted'; readonly message: Message };

/**
 * Prompts that wait, in the order in which they will run: those sent to run next, the latest of these first,
 * then the others in the order of the thread.
 */
export function listWaiting(chat: QueueReader, threadId: string): readonly string[] {
  const queue = chat.queue(threadId);
  if (queue.length < 2) return queue;
  const marks = new Map(queue.map((promptId) => [promptId, markOf(chat, promptId)]));
  const isMarked = (promptId: string): boolean => marks.get(promptId) !== '';
  const marked = queue.filter(isMarked);
  marked.sort((a, b) => ((marks.get(a) as string) < (marks.get(b) as string) ? 1 : -1));
  return Object.freeze([...marked, ...queue.filter((promptId) => !isMarked(promptId))]);
}

/** The stamp of the latest mark; empty without one. */
function markOf(chat: QueueReader, promptId: string): string {
  let latest = '';
  for (const { id, key, value } of chat.annotations({ message_id: promptId })) {
    if (key === NEXT_KEY && value === true && id > latest) latest = id;
  }
  return latest;
}

/**
 * The turn that holds the thread. Unlike the state of a thread it never comes from a host, so that a row of
 * an import cannot block a queue.
 */
export function findHolder(chat: QueueReader, threadId: string): Holder | undefined {
  let interrupted: Message | undefined;
  for (const message of chat.messages(threadId)) {
    if (message.attempt?.state === 'open') return { kind: 'running', message };
    if (message.attempt?.state === 'interrupted') interrupted ??= message;
  }
  if (interrupted === undefined) return undefined;
  // One that was retried waits for its turn like any other prompt.
  const queue = new Set(chat.queue(threadId));
  for (const message of chat.messages(threadId)) {
    if (message.attempt?.state !== 'interrupted' || queue.has(message.prompt_id ?? '')) continue;
    return { kind: 'interrupted', message };
  }
  return undefined;
}

/** Open attempts of a thread, those that do not show included. */
export function listOpen(
  chat: Pick<TurnChat, 'messages'>,
  threadId: string,
): { readonly message_id: string; readonly attempt: string }[] {
  const open: { message_id: string; attempt: string }[] = [];
  for (const message of chat.messages(threadId)) {
    if (message.attempt === undefined) continue;
    for (const { attempt, state } of listAttempts(message)) {
      if (state === 'open') open.push({ message_id: message.message_id, attempt });
    }
  }
  return open;
}
