export { streamAnswer } from './answer-stream.js';
export { DocChat, type DocChatOptions, docChatOf, type SentMessage } from './doc-chat.js';
export { fromUIMessages, type ImportOptions } from './from-ui-messages.js';
export { ChatDocTransport, type TransportOptions } from './transport.js';
export { type ChatUIMessage, toUIMessage, toUIMessages, type UIMetadata, type UIPart } from './ui-message.js';
export { useDocChat } from './use-doc-chat.js';
