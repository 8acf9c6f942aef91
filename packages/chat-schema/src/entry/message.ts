import { defineEntry, type EntryDefinition, ROLE } from './define.js';
import { date, id, json, literal, name, number, optional, text } from './field.js';
import type { Json } from './json.js';

export interface MessageEntry {
  readonly type: 'message';
  readonly message_id: string;
  readonly thread_id: string;
  /** Of an answer: the prompt, this try at it, and who runs it. The four are present together or not at all. */
  readonly prompt_id?: string | undefined;
  readonly attempt?: string | undefined;
  readonly epoch?: number | undefined;
  readonly runner_id?: string | undefined;
  readonly reply_to_message_id?: string | undefined;
  /** The last message of the thread that the author saw. Orders; means nothing else. */
  readonly after?: string | undefined;
  readonly client_message_id?: string | undefined;
  readonly sender_id: string;
  readonly date: string;
  readonly expects?: 'answer' | undefined;
  readonly acp_thread_id?: string | undefined;
  readonly legacy?: Json | undefined;
  readonly content?: string | undefined;
}

export const message: EntryDefinition<MessageEntry> = defineEntry<MessageEntry>()(
  'message',
  {
    message_id: id,
    thread_id: id,
    prompt_id: optional(id),
    attempt: optional(id),
    epoch: optional(number),
    runner_id: optional(name),
    reply_to_message_id: optional(id),
    after: optional(id),
    client_message_id: optional(name),
    sender_id: name,
    date,
    expects: optional(literal('answer')),
    acp_thread_id: optional(name),
    legacy: optional(json),
    content: optional(text),
  },
  {
    head: { own: 'message_id', about: 'self', role: ROLE.message },
    unordered: ['acp_thread_id', 'legacy'],
    author: 'sender_id',
    private: ['legacy', 'content'],
  },
);
