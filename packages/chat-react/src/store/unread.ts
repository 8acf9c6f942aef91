import type { Chat } from '@chatdoc/schema';
import { ChatStore } from './chat-store.js';
import { Derived } from './derived.js';

/** How many messages of others come after the read mark of the user. Folds those alone. */
export function unreadView(chat: Chat, threadId: string, userId: string): Derived<number> {
  return new Derived({
    read: () => countUnread(chat, threadId, userId),
    isSame: (last, next) => last === next,
    subscribe: (invalidate) => ChatStore.of(chat).onThread(threadId, invalidate),
  });
}

function countUnread(chat: Chat, threadId: string, userId: string): number {
  const mark = chat.readMark(threadId, userId);
  const limit = chat.messageCount(threadId);
  const range = mark === undefined ? { limit } : { limit, after: mark };
  return chat.messages(threadId, range).filter(({ sender_id, deleted }) => sender_id !== userId && !deleted)
    .length;
}

/** Marks the thread as read to its end. Writes nothing if it is. */
export function markRead(chat: Chat, threadId: string, userId: string): void {
  const [last] = chat.messageIds(threadId, { limit: 1 });
  if (last === undefined || chat.readMark(threadId, userId) === last) return;
  chat.annotate({ thread_id: threadId, user_id: userId, key: 'read', value: last });
}
