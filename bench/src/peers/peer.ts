import type { Fixtures } from '../chat/fixtures.js';
import { type FinalRecord, generateChat, THREAD_LENGTH } from '../chat/generator.js';

/** A line of a list of threads. */
export interface ShownThread {
  readonly thread_id: string;
  readonly name: string;
  readonly created_at: string;
  readonly created_by: string;
}

/** What every peer must show of a message, in the form of the generator. Ids are each peer's own. */
export type ShownMessage = Omit<
  FinalRecord,
  'message_id' | 'thread_id' | 'reply_to_message_id' | 'prompt_id'
> & {
  readonly isReply: boolean;
  readonly isAnswer: boolean;
};

/** A chat that is open: it reads as a user of the library would, in that library's own records. */
export interface PeerChat<M> {
  /** By `created_at`. */
  threads(): readonly ShownThread[];
  /** In order, with their reactions. */
  messages(threadId: string): readonly M[];
  /** Frees what the garbage collector does not. */
  close?(): void;
}

/** One library, or one layout of it, that keeps the chat of the generator. */
export interface Peer<M = unknown> {
  readonly name: string;
  /** The encoded chat, as it would be stored. */
  bytes(fixtures: Fixtures, size: number): Uint8Array;
  /** From bytes to a chat whose threads and messages can be asked for. */
  open(bytes: Uint8Array): PeerChat<M>;
  show(message: M): ShownMessage;
}

/** The whole job of a first paint: bytes to the list of threads and one thread, that in the middle. */
export function paint<M>(peer: Peer<M>, bytes: Uint8Array): PeerChat<M> {
  const chat = peer.open(bytes);
  const threads = chat.threads();
  const shown = threads[threads.length >> 1];
  if (shown === undefined || chat.messages(shown.thread_id).length === 0) throw new Error('nothing to show');
  return chat;
}

/** The whole job of reading everything: bytes to the list of threads and every message. */
export function readAll<M>(peer: Peer<M>, bytes: Uint8Array): PeerChat<M> {
  const chat = peer.open(bytes);
  const messages = chat.threads().map(({ thread_id }) => chat.messages(thread_id));
  if (messages.length === 0) throw new Error('nothing was read');
  return chat;
}

/** A peer that showed something else would be timed at another job. Throws at the first difference. */
export function checkPeer<M>(peer: Peer<M>, fixtures: Fixtures, size: number): void {
  const chat = peer.open(peer.bytes(fixtures, size));
  const threads = chat.threads();
  const drafts = generateChat(size);
  const shown = threads.flatMap(({ thread_id }) =>
    chat.messages(thread_id).map((message) => peer.show(message)),
  );
  const named = threads.filter(({ name }, n) => name === `Thread ${n}`).length;
  if (named !== Math.ceil(size / THREAD_LENGTH)) throw new Error(`${peer.name} lists ${named} threads`);
  if (shown.length !== size) throw new Error(`${peer.name} shows ${shown.length} of ${size} messages`);
  for (const [n, { record, pieces, edited }] of drafts.entries()) {
    const got = describe(shown[n]);
    if (describe(showRecord(record)) === got) continue;
    // A character that two pieces split is lost in peers that encode each piece on its own.
    const content = edited ?? pieces.map((piece) => Buffer.from(piece).toString()).join('');
    const expected = describe(showRecord({ ...record, content }));
    if (expected !== got) throw new Error(`${peer.name}, message ${n}: expected ${expected}, got ${got}`);
  }
  chat.close?.();
}

/** The record as the generator has it. */
export function showRecord(record: FinalRecord): ShownMessage {
  const { message_id: _, thread_id: __, reply_to_message_id, prompt_id, ...rest } = record;
  return { ...rest, isReply: reply_to_message_id !== undefined, isAnswer: prompt_id !== undefined };
}

/** Whatever the order of keys, and whether an empty list is there or left out. */
function describe(message: ShownMessage | undefined): string {
  if (message === undefined) return 'nothing';
  const { sender_id, date, schema_version, content, isReply, isAnswer, acp_usage } = message;
  const history = (message.history ?? []).map((version) => [
    version.author_id,
    version.date,
    version.content,
  ]);
  const reactions = Object.entries(message.reactions ?? {});
  const usage = acp_usage === undefined ? [] : [acp_usage.input_tokens, acp_usage.output_tokens];
  return JSON.stringify([
    sender_id,
    date,
    schema_version,
    content,
    isReply,
    isAnswer,
    usage,
    history,
    reactions,
  ]);
}
