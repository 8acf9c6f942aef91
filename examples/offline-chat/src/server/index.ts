export { buildPage } from './build-page.js';
export { type ChatPage, type ChatPageOptions, openChatPage } from './chat-page.js';
