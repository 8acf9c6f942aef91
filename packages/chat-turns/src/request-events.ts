import type { Chat } from '@chatdoc/schema';

/** A request as it was answered, for counters. */
export type RequestEvent =
  | {
      readonly type: 'submitted';
      readonly outcome: 'sent' | 'known' | 'revised' | 'busy';
      /** Found by its client id although its date is another. */
      readonly has_other_date: boolean;
    }
  /** `kind`: what the stopped turn did then. */
  | { readonly type: 'stopped'; readonly kind: 'queued' | 'running' | 'interrupted' | 'ended' }
  | { readonly type: 'retried' };

type Listener = (event: RequestEvent) => void;

/** Requests are functions of a chat: who counts them is known by the chat alone, and goes with it. */
const LISTENERS = new WeakMap<Chat, Set<Listener>>();

/** Calls `listener` for each request made through this chat in this process. Returns an unsubscribe function. */
export function observeRequests(chat: Chat, listener: Listener): () => void {
  const listeners = LISTENERS.get(chat) ?? new Set();
  LISTENERS.set(chat, listeners);
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Errors of listeners must not reach who asked. */
export function notifyRequest(chat: Chat, event: RequestEvent): void {
  for (const listener of [...(LISTENERS.get(chat) ?? [])]) {
    try {
      listener(event);
    } catch (error) {
      void Promise.reject(error);
    }
  }
}
