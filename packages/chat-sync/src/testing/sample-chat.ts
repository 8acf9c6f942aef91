import { type Chat, type Environment, formatDate, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { sha256 } from '@noble/hashes/sha2.js';
import * as Y from 'yjs';

const START = Date.UTC(2026, 10, 21, 12);
const DATE = formatDate(START);

/** `<doc_id>.<generation>` for a medium of a test. */
export const SAMPLE_NAME: string = `${deriveUlid(START, 'sample', 'document')}.0`;

/** The same for the same seed and calls. */
function createEnvironment(seed: string): Environment {
  let count = 0;
  return {
    now: () => START + count,
    random: (bytes) => {
      count += 1;
      return sha256(new TextEncoder().encode(`${seed} ${count}`)).subarray(0, bytes);
    },
  };
}

export interface SampleChat {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly thread_id: string;
}

/** A chat of `doc` with a thread to write in: the one that is there, or a new one. */
export function openSampleChat(seed: string, doc: Y.Doc = new Y.Doc()): SampleChat {
  const chat = openChat(doc, { environment: createEnvironment(seed) });
  const { thread_id } = chat.threads()[0] ?? chat.createThread({ created_by: 'ada', created_at: DATE });
  return { doc, chat, thread_id };
}

export function say({ chat, thread_id }: SampleChat, content: string): void {
  chat.send({ thread_id, sender_id: 'ada', content, date: DATE });
}

export interface History extends SampleChat {
  /** Each builds on the one before; together they are the document. */
  readonly updates: readonly Uint8Array[];
}

/** A chat that was written in so many updates. */
export function writeHistory(count: number, seed = 'history'): History {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  const sample = openSampleChat(seed, doc);
  while (updates.length < count) say(sample, `message ${updates.length}`);
  return { ...sample, updates };
}

/** What a chat reads from `doc`: equal digests, equal content. */
export function digestOf(doc: Y.Doc): string {
  const chat = openChat(doc, { readOnly: true });
  const digest = chat.digest();
  chat.close();
  return digest;
}

/** The digest of a document that these updates make. */
export function digestOfUpdates(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  return digestOf(doc);
}
