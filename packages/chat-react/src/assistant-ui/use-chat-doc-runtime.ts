import { type AssistantRuntime, useExternalStoreRuntime } from '@assistant-ui/react';
import type { Chat, Message } from '@chatdoc/schema';
import { useMemo } from 'react';
import { useLive } from '../hooks/live.js';
import { useThreadState } from '../hooks/records.js';
import { type ScopeOptions, userOf, useScope } from '../hooks/scope.js';
import { ChatStore } from '../store/chat-store.js';
import { Derived, isSameList } from '../store/derived.js';
import { MessageWindow, WINDOW_SIZE } from '../store/message-window.js';
import { createRuntimeCalls } from './runtime-calls.js';
import { createThreadList, listedThreads } from './thread-list.js';
import { toThreadMessage } from './thread-message.js';

export interface RuntimeOptions extends ScopeOptions {
  readonly thread_id: string;
  /** Shows another thread. Without it there is no list of threads, and no editing, which forks. */
  readonly setThread?: (threadId: string) => void;
  /** How many of the last messages show at first. Defaults to 50: the kit reads all of them at each token. */
  readonly size?: number;
}

interface Page {
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
}

/** A thread as the runtime of assistant-ui, for the user of the provider. Throws `invalid_argument` without a user. */
export function useChatDocRuntime({
  thread_id,
  setThread,
  size = WINDOW_SIZE,
  ...options
}: RuntimeOptions): AssistantRuntime {
  const scope = useScope(options);
  const { chat, loaded = true } = scope;
  const user_id = userOf(scope);
  const window = useMemo(() => new MessageWindow(chat, thread_id, size), [chat, thread_id, size]);
  const { messages, hasOlder } = useLive<Page>(
    scope,
    () => pageOf(chat, thread_id, window),
    ({ messages: pages }) => {
      const page = pages[thread_id];
      return { messages: page?.messages ?? [], hasOlder: (page?.total ?? 0) > (page?.messages.length ?? 0) };
    },
    [thread_id, window],
  );
  const { state } = useThreadState(thread_id, scope);
  const threads = useLive(
    scope,
    () => listedThreads(chat),
    () => NONE,
    [],
  );
  const calls = useMemo(
    () => createRuntimeCalls({ chat, thread_id, user_id, setThread }),
    [chat, thread_id, user_id, setThread],
  );
  const adapters = useMemo(
    () =>
      setThread === undefined
        ? {}
        : { threadList: createThreadList({ chat, thread_id, user_id, setThread }, threads) },
    [chat, thread_id, user_id, setThread, threads],
  );
  return useExternalStoreRuntime<Message>({
    ...calls,
    messages,
    convertMessage: toThreadMessage,
    isRunning: state === 'running',
    isLoading: !loaded,
    hasEarlier: hasOlder,
    onLoadEarlier: async () => window.loadOlder(),
    adapters,
  });
}

/** The records of a window, what was deleted left out. */
function pageOf(chat: Chat, threadId: string, window: MessageWindow): Derived<Page> {
  let ids: ReadonlySet<string> = new Set();
  return new Derived<Page>({
    read: () => {
      const snapshot = window.snapshot();
      ids = new Set(snapshot.ids);
      const messages = snapshot.ids.flatMap((id) => chat.message(id) ?? []);
      const shown = messages.filter(({ deleted, redacted }) => !deleted && !redacted);
      return { messages: shown, hasOlder: snapshot.hasOlder };
    },
    isSame: (last, next) => last.hasOlder === next.hasOlder && isSameList(last.messages, next.messages),
    subscribe: (invalidate) => {
      const stops = [
        // Asking for older ones changes the window alone.
        window.subscribe(invalidate),
        ChatStore.of(chat).onChange(({ messages, threads }) => {
          if (!threads.includes(threadId) && messages.some((id) => ids.has(id))) invalidate();
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  });
}

const NONE: readonly never[] = Object.freeze([]);
