import type { ExternalStoreThreadListAdapter } from '@assistant-ui/react';
import type { Chat } from '@chatdoc/schema';
import { ChatStore } from '../store/chat-store.js';
import { Derived, isSameList } from '../store/derived.js';
import type { RuntimeScope } from './runtime-calls.js';

interface ListedThread {
  readonly id: string;
  readonly title: string | undefined;
  readonly isArchived: boolean;
}

/** The conversations of a chat with names, newest first; runs are not among them. */
export function listedThreads(chat: Chat): Derived<readonly ListedThread[]> {
  return new Derived<readonly ListedThread[]>({
    read: () =>
      chat
        .threads()
        .filter(({ purpose }) => purpose === 'chat')
        .map(({ thread_id: id }) => {
          const { name, archived } = chat.config(id);
          return { id, title: name, isArchived: archived === true };
        })
        .reverse(),
    isSame: (last, next) => isSameList(last.map(keyOf), next.map(keyOf)),
    subscribe: (invalidate) => ChatStore.of(chat).onThreads(invalidate),
  });
}

function keyOf({ id, title, isArchived }: ListedThread): string {
  return JSON.stringify([id, title, isArchived]);
}

/** The list of threads of a runtime, for a host that shows another one when asked. */
export function createThreadList(
  { chat, thread_id, user_id, setThread = () => {} }: RuntimeScope,
  threads: readonly ListedThread[],
): ExternalStoreThreadListAdapter {
  const change = (threadId: string, fields: { name?: string; archived?: boolean | null }): void => {
    chat.configure({ thread_id: threadId, updated_by: user_id, ...fields });
  };
  const list = <S extends 'regular' | 'archived'>(status: S) =>
    threads
      .filter(({ isArchived }) => isArchived === (status === 'archived'))
      .map(({ id, title }) => ({ id, remoteId: id, title, status }));
  return {
    threadId: thread_id,
    threads: list('regular'),
    archivedThreads: list('archived'),
    onSwitchToThread: setThread,
    onSwitchToNewThread: () => setThread(chat.createThread({ created_by: user_id }).thread_id),
    onRename: (threadId, name) => change(threadId, { name }),
    onArchive: (threadId) => change(threadId, { archived: true }),
    onUnarchive: (threadId) => change(threadId, { archived: null }),
  };
}
