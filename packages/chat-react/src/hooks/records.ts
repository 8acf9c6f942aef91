import type {
  Annotation,
  Chat,
  ConfigConflict,
  Message,
  Thread,
  ThreadConfig,
  ThreadState,
} from '@chatdoc/schema';
import { ChatStore } from '../store/chat-store.js';
import { isSameRecord, type Source } from '../store/derived.js';
import type { Initial } from '../store/initial.js';
import { useLive } from './live.js';
import { type ScopeOptions, useScope } from './scope.js';

/** The chat of the nearest provider. */
export function useChat(options?: ScopeOptions): Chat {
  return useScope(options).chat;
}

/** Every thread, by time of creation. */
export function useThreads(options?: ScopeOptions): readonly Thread[] {
  const scope = useScope(options);
  const { chat } = scope;
  const source = (): Source<readonly Thread[]> => ({
    read: chat.threads,
    isSame: Object.is,
    subscribe: ChatStore.of(chat).onThreads,
  });
  return useLive(scope, source, ({ threads }) => threads, []);
}

/** Undefined while the thread is not here. */
export function useThread(threadId: string, options?: ScopeOptions): Thread | undefined {
  const readInitial = ({ threads }: Initial): Thread | undefined =>
    threads.find(({ thread_id }) => thread_id === threadId);
  return useOfThread(threadId, (chat) => chat.thread(threadId), Object.is, readInitial, options);
}

/** Name, color and other settings of a thread. */
export function useConfig(threadId: string, options?: ScopeOptions): ThreadConfig {
  const readInitial = ({ configs }: Initial): ThreadConfig => configs[threadId] ?? { thread_id: threadId };
  return useOfThread(threadId, (chat) => chat.config(threadId), isSameRecord, readInitial, options);
}

export function useThreadState(threadId: string, options?: ScopeOptions): ThreadState {
  const readInitial = ({ states }: Initial): ThreadState =>
    states[threadId] ?? { thread_id: threadId, state: 'idle' };
  return useOfThread(threadId, (chat) => chat.state(threadId), isSameRecord, readInitial, options);
}

/** Settings that two people have changed without seeing each other's change. */
export function useConflicts(threadId: string, options?: ScopeOptions): readonly ConfigConflict[] {
  return useOfThread(
    threadId,
    (chat) => chat.conflicts(threadId),
    Object.is,
    () => NONE,
    options,
  );
}

function useOfThread<T>(
  threadId: string,
  read: (chat: Chat) => T,
  isSame: (last: T, next: T) => boolean,
  readInitial: (initial: Initial) => T,
  options: ScopeOptions | undefined,
): T {
  const scope = useScope(options);
  const { chat } = scope;
  const source = (): Source<T> => ({
    read: () => read(chat),
    isSame,
    subscribe: (invalidate) => ChatStore.of(chat).onThread(threadId, invalidate),
  });
  return useLive(scope, source, readInitial, [threadId]);
}

/** Undefined while the message is not here. The component renders again when this message changes, and no other. */
export function useMessage(messageId: string, options?: ScopeOptions): Message | undefined {
  const scope = useScope(options);
  const { chat } = scope;
  const source = (): Source<Message | undefined> => ({
    read: () => chat.message(messageId),
    isSame: Object.is,
    subscribe: (invalidate) => ChatStore.of(chat).onMessage(messageId, invalidate),
  });
  return useLive(scope, source, (initial) => indexOf(initial).get(messageId), [messageId]);
}

const indexes = new WeakMap<Initial, Map<string, Message>>();

function indexOf(initial: Initial): Map<string, Message> {
  let index = indexes.get(initial);
  if (index === undefined) {
    const all = Object.values(initial.messages).flatMap(({ messages }) => messages);
    index = new Map(all.map((message) => [message.message_id, message]));
    indexes.set(initial, index);
  }
  return index;
}

/** Reactions, feedback and other annotations. Those of a message do not render what shows the message. */
export function useAnnotations(
  target: { readonly message_id: string } | { readonly thread_id: string },
  options?: ScopeOptions,
): readonly Annotation[] {
  const scope = useScope(options);
  const { chat } = scope;
  const ofMessage = 'message_id' in target;
  const id = ofMessage ? target.message_id : target.thread_id;
  const source = (): Source<readonly Annotation[]> => ({
    read: () => chat.annotations(ofMessage ? { message_id: id } : { thread_id: id }),
    isSame: Object.is,
    subscribe: (invalidate) => {
      const store = ChatStore.of(chat);
      return ofMessage ? store.onMessage(id, invalidate) : store.onThread(id, invalidate);
    },
  });
  return useLive(scope, source, () => NONE, [ofMessage, id]);
}

const NONE: readonly never[] = Object.freeze([]);
