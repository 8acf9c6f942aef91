import type { Chat, Message, Thread, ThreadConfig, ThreadState } from '@chatdoc/schema';

/** The first page of a chat whose document is not here yet: plain JSON, rendered by a server or kept beside the document. */
export interface Initial {
  readonly version: 1;
  readonly threads: readonly Thread[];
  readonly configs: Readonly<Record<string, ThreadConfig>>;
  readonly states: Readonly<Record<string, ThreadState>>;
  /** The last messages of the threads that were asked for. */
  readonly messages: Readonly<
    Record<string, { readonly total: number; readonly messages: readonly Message[] }>
  >;
}

/**
 * The threads of a chat with names and states, and the last `size` messages of each of `threadIds`. Folds no other
 * message. The result survives JSON.
 */
export function snapshotOf(chat: Chat, threadIds: readonly string[], size: number): Initial {
  const threads = chat.threads();
  const ids = threads.map(({ thread_id }) => thread_id);
  return {
    version: 1,
    threads,
    configs: byId(ids, (id) => chat.config(id)),
    states: byId(ids, (id) => chat.state(id)),
    messages: byId(threadIds, (id) => ({
      total: chat.messageCount(id),
      messages: chat.messages(id, { limit: size }),
    })),
  };
}

function byId<T>(ids: readonly string[], read: (id: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(ids.map((id) => [id, read(id)]));
}
