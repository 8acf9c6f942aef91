import type { Chat, ThreadState } from '@chatdoc/schema';
import { listWaiting } from '@chatdoc/turns';
import { ChatStore } from './chat-store.js';
import { Derived, isSameList } from './derived.js';

/** State and queue of a thread. */
export interface TurnStatus {
  readonly state: ThreadState['state'];
  readonly active_message_id?: string;
  /** Prompts that wait, in the order in which they will run. */
  readonly queue: readonly string[];
}

/** The turns of a thread: the same object until one of them begins, ends or moves. */
export function turnView(chat: Chat, threadId: string): Derived<TurnStatus> {
  const store = ChatStore.of(chat);
  return new Derived<TurnStatus>({
    read: () => {
      const { state, active_message_id } = chat.state(threadId);
      const queue = listWaiting(chat, threadId);
      return Object.freeze({ state, ...(active_message_id !== undefined && { active_message_id }), queue });
    },
    isSame: (last, next) =>
      last.state === next.state &&
      last.active_message_id === next.active_message_id &&
      isSameList(last.queue, next.queue),
    subscribe: (invalidate) => {
      // One that is sent to run next is annotated: that changes its message, and not its thread.
      let waiting: (() => void)[] = [];
      const update = (): void => {
        for (const stop of waiting) stop();
        waiting = chat.queue(threadId).map((id) => store.onMessage(id, invalidate));
      };
      const stop = store.onThread(threadId, () => {
        update();
        invalidate();
      });
      update();
      return () => {
        stop();
        for (const one of waiting) one();
      };
    },
  });
}
