export { toThreadMessage } from './thread-message.js';
export { type RuntimeOptions, useChatDocRuntime } from './use-chat-doc-runtime.js';
