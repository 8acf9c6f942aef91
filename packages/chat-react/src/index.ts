export { type ConnectionLike, type ConnectionStatusLike, useConnection } from './hooks/connection.js';
export { type DraftOptions, useDraft } from './hooks/draft.js';
export { type MessagesOptions, useMessages } from './hooks/messages.js';
export { type TypingHandle, usePresence, useTyping } from './hooks/presence.js';
export {
  type ChatFields,
  ChatProvider,
  type ChatProviderProps,
  type ConnectionFields,
} from './hooks/provider.js';
export {
  useAnnotations,
  useChat,
  useConfig,
  useConflicts,
  useMessage,
  useThread,
  useThreadState,
  useThreads,
} from './hooks/records.js';
export type { ChatPeer, ChatPresence, ChatScope, ScopeOptions } from './hooks/scope.js';
export { type SubmitOptions, type TurnCalls, type TurnHandle, useTurn } from './hooks/turn.js';
export { useMarkRead, useUnread } from './hooks/unread.js';
export { type Initial, snapshotOf } from './store/initial.js';
export { TYPING_MS } from './store/typing.js';
