import { type AttemptWriter, type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';

export const ADA = 'ada';
export const GRACE = 'grace';

export { scale } from '../../../tools/amounts.js';

/** A chat with one thread of so many messages, alternately by two people. */
export function createChat(messages = 0): { readonly chat: Chat; readonly thread_id: string } {
  const chat = openChat(new Y.Doc());
  const { thread_id } = chat.createThread({ created_by: ADA, name: 'Roadmap' });
  say(chat, thread_id, messages);
  return { chat, thread_id };
}

/** Their ids, in order. */
export function say(chat: Chat, threadId: string, messages: number): string[] {
  return Array.from(
    { length: messages },
    (_, i) =>
      chat.send({
        thread_id: threadId,
        sender_id: i % 2 === 0 ? ADA : GRACE,
        content: `Message ${i}`,
      }).message_id,
  );
}

/** A prompt whose answer streams: its parts are written by hand. */
export function openAnswer(
  chat: Chat,
  threadId: string,
): { readonly prompt_id: string; readonly message_id: string; readonly attempt: AttemptWriter } {
  const { message_id } = chat.send({
    thread_id: threadId,
    sender_id: ADA,
    content: 'Well?',
    expects: 'answer',
  });
  const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' });
  return { prompt_id: message_id, message_id: attempt.message_id, attempt };
}
