export { ChatStore } from './chat-store.js';
export { Derived, type Source } from './derived.js';
export { type DraftStorage, Drafts, draftKey } from './drafts.js';
export { type Initial, snapshotOf } from './initial.js';
export { MessageWindow, WINDOW_SIZE, type WindowSnapshot } from './message-window.js';
export { type TurnStatus, turnView } from './turn-view.js';
export { TYPING_MS, Typing, type TypingPresence } from './typing.js';
export { markRead, unreadView } from './unread.js';
