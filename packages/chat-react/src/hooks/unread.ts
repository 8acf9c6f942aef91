import { useCallback } from 'react';
import { Derived } from '../store/derived.js';
import { markRead, unreadView } from '../store/unread.js';
import { useLive } from './live.js';
import { type ScopeOptions, userOf, useScope } from './scope.js';

/** How many messages the user has not read. Zero without a user. */
export function useUnread(threadId: string, options?: ScopeOptions): number {
  const scope = useScope(options);
  const { chat, user_id: userId } = scope;
  return useLive<number>(
    scope,
    () => (userId === undefined ? NOTHING : unreadView(chat, threadId, userId)),
    () => 0,
    [threadId, userId],
  );
}

const NOTHING = new Derived<number>({ read: () => 0, isSame: Object.is, subscribe: () => () => {} });

/** Marks the thread as read to its end. */
export function useMarkRead(threadId: string, options?: ScopeOptions): () => void {
  const { chat, user_id } = useScope(options);
  return useCallback(() => markRead(chat, threadId, userOf({ chat, user_id })), [chat, threadId, user_id]);
}
