import { type UseChatHelpers, useChat } from '@ai-sdk/react';
import { type ScopeOptions, userOf, useScope } from '../hooks/scope.js';
import { docChatOf } from './doc-chat.js';
import type { ChatUIMessage } from './ui-message.js';

type GivenChat = Extract<Parameters<typeof useChat<ChatUIMessage>>[0], { chat: unknown }>['chat'];

/**
 * `useChat` over a thread of the document, for the user of the provider. Several components may use it on one thread.
 * Throws `invalid_argument` without a user.
 */
export function useDocChat(threadId: string, options?: ScopeOptions): UseChatHelpers<ChatUIMessage> {
  const scope = useScope(options);
  const docChat = docChatOf(scope.chat, threadId, userOf(scope));
  // The class has private fields, so that nothing else is assignable to it; what `useChat` calls is all here.
  return useChat<ChatUIMessage>({ chat: docChat as unknown as GivenChat });
}
