import type { Chat, Message, ThreadConfigFields } from '@chatdoc/schema';
import { type Resolution, type RunRequest, resolveRun } from '../runs/resolve.js';
import { findSources } from '../runs/variable-sources.js';

/**
 * All that the engine can do with a chat: read it, and write what belongs to turns. It holds no way to write the
 * settings of a thread, so no turn can lose one.
 */
export type TurnChat = Pick<
  Chat,
  | 'annotations'
  | 'config'
  | 'interrupt'
  | 'isQueued'
  | 'message'
  | 'messages'
  | 'openAttempt'
  | 'queue'
  | 'stop'
  | 'subscribe'
  | 'thread'
  | 'threads'
  | 'transcript'
> & {
  /** The entry that a setting comes from, also one that clears it; null if nobody has set it. */
  configEntry(threadId: string, field: keyof ThreadConfigFields): string | null;
  resolveRun(request: RunRequest): Resolution;
};

export function narrowChat(chat: Chat): TurnChat {
  return Object.freeze({
    annotations: (target) => chat.annotations(target),
    config: (threadId) => chat.config(threadId),
    configEntry: (threadId, field) => findSources(chat).ofConfig(threadId, field),
    interrupt: (interrupt) => chat.interrupt(interrupt),
    isQueued: (messageId) => chat.isQueued(messageId),
    message: (messageId) => chat.message(messageId),
    messages: (threadId) => chat.messages(threadId),
    openAttempt: (opening) => chat.openAttempt(opening),
    queue: (threadId) => chat.queue(threadId),
    resolveRun: (request) => resolveRun(chat, request),
    stop: (stop) => chat.stop(stop),
    subscribe: (listener) => chat.subscribe(listener),
    thread: (threadId) => chat.thread(threadId),
    threads: () => chat.threads(),
    transcript: (threadId) => chat.transcript(threadId),
  } satisfies TurnChat);
}

/** Every attempt at an answer, the one that shows first. */
export function listAttempts(message: Message): readonly NonNullable<Message['attempt']>[] {
  return message.attempt === undefined ? message.alternates : [message.attempt, ...message.alternates];
}
