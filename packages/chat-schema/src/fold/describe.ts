import type { ChatReader } from '../chat/reader.js';

/** The records of a chat as one text: keys sorted, threads in order. */
export function describeFold(chat: ChatReader): string {
  const threads = chat.threads().map((thread) => ({
    thread,
    config: chat.config(thread.thread_id),
    state: chat.state(thread.thread_id),
    annotations: chat.annotations({ thread_id: thread.thread_id }),
    messages: chat.messages(thread.thread_id).map((message) => ({
      message,
      annotations: chat.annotations({ message_id: message.message_id }),
    })),
  }));
  return JSON.stringify({ doc_id: chat.docId(), threads, legacy_rows: chat.legacyRows() }, sortKeys);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
