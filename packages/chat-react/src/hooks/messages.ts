import { MessageWindow, WINDOW_SIZE, type WindowSnapshot } from '../store/message-window.js';
import { useLive } from './live.js';
import { type ScopeOptions, useScope } from './scope.js';

export interface MessagesOptions extends ScopeOptions {
  /** How many of the last messages show at first. Defaults to 50. */
  readonly size?: number;
}

/**
 * The ids of the last messages of a thread. The list renders again when messages come, go or move, not when one of
 * them changes: give each id to a row that calls `useMessage`.
 */
export function useMessages(
  threadId: string,
  { size = WINDOW_SIZE, ...options }: MessagesOptions = {},
): WindowSnapshot {
  const scope = useScope(options);
  const { chat } = scope;
  return useLive(
    scope,
    () => new MessageWindow(chat, threadId, size).derived,
    ({ messages }) => {
      const page = messages[threadId];
      const ids = page?.messages.map(({ message_id }) => message_id) ?? [];
      const total = page?.total ?? 0;
      return { ids, total, hasOlder: total > ids.length, loadOlder: () => {} };
    },
    [threadId, size],
  );
}
