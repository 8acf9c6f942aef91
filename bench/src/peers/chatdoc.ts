import { type Annotation, type Message, openChat } from '@chatdoc/schema';
import { loadDoc } from '../chat/layouts.js';
import type { Peer, ShownMessage } from './peer.js';

interface MessageAndReactions {
  readonly message: Message;
  readonly annotations: readonly Annotation[];
}

const REACTION = 'reaction:';

/** Frozen records; names are settings of the thread, reactions are annotations: a call of their own each. */
export const chatdocPeer: Peer<MessageAndReactions> = {
  name: 'chatdoc',
  bytes: (fixtures, size) => fixtures.chat(size, 'many'),
  open: (bytes) => {
    const chat = openChat(loadDoc(bytes));
    return {
      threads: () =>
        chat.threads().map(({ thread_id, created_at, created_by }) => {
          return { thread_id, name: chat.config(thread_id).name ?? '', created_at, created_by };
        }),
      messages: (threadId) =>
        chat.messages(threadId).map((message) => {
          return { message, annotations: chat.annotations({ message_id: message.message_id }) };
        }),
      close: () => chat.close(),
    };
  },
  show: ({ message, annotations }): ShownMessage => {
    const { sender_id, date, schema_version, content, history, acp_usage } = message;
    return {
      sender_id,
      date,
      schema_version,
      content,
      history: history.slice(0, -1),
      reactions: Object.fromEntries(
        annotations.map(({ key, user_id }) => [key.slice(REACTION.length), [user_id]]),
      ),
      ...(acp_usage === undefined ? {} : { acp_usage: acp_usage as NonNullable<ShownMessage['acp_usage']> }),
      isReply: message.reply_to_message_id !== undefined,
      isAnswer: message.prompt_id !== undefined,
    };
  },
};
