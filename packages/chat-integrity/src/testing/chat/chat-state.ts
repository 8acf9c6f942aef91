import type { AttemptWriter, Chat, PartWriter } from '@chatdoc/schema';
import type { Watcher } from '../../watch.js';
import type { Seat } from '../subject/seat.js';

/** An answer or a message that this process streams. */
export interface Running {
  readonly writer: AttemptWriter;
  part: PartWriter | undefined;
  /** Pieces of text that were appended. */
  pieces: number;
}

/** One process of the chat application. */
export interface ChatState {
  readonly seat: Seat;
  readonly chat: Chat;
  /** Who writes here. */
  readonly user: string;
  readonly watcher: Watcher;
  readonly running: Running[];
  /** Ids of messages and threads that it has seen itself write. */
  readonly written: string[];
  /** The greatest id that it made. */
  lastStamp: string;
  /** Structs of the document at the last look. */
  structs: number;
  /** Lanes at the last look. */
  lanes: number;
  /** A lane went: what it held, and a redaction covers, is nowhere kept. */
  isDamaged: boolean;
  looks: number;
  /** Threads as they were a few steps ago: to list them again at each step would cost more than the step. */
  threads: readonly string[];
}

/** Threads and messages in the order of reading, of the present state. */
export function listThreadIds(chat: Chat): readonly string[] {
  return chat.threads().map(({ thread_id }) => thread_id);
}

/** The threads that a command chooses among, each of which is there. */
export function knownThreads(state: ChatState): readonly string[] {
  const { chat, threads, looks } = state;
  if (threads.length === 0 || looks % 6 === 0) state.threads = listThreadIds(chat);
  else if (threads.some((id) => chat.thread(id) === undefined)) {
    state.threads = listThreadIds(chat);
  }
  return state.threads;
}

/** Facts about one text: `said <message>: <text>`. */
export const saidFact = (messageId: string, content: string): string => `said ${messageId}: ${content}`;
export const messageFact = (messageId: string): string => `message ${messageId}`;
export const threadFact = (threadId: string): string => `thread ${threadId}`;
export const pieceFact = (messageId: string, attempt: string, piece: number): string =>
  `streamed ${messageId} ${attempt} ${piece}`;
export const settledFact = (messageId: string, attempt: string): string => `settled ${messageId} ${attempt}`;
/** Beginnings of every fact about the texts of a message. */
export const textsOf = (messageId: string): readonly string[] => [
  `said ${messageId}:`,
  `streamed ${messageId} `,
];

const PIECES = ['', '😀', '"\\', '\ud83d', '\ude00', '漢字', '\n', 'é ', '\u2028'];

/** A piece of a stream: its number, and something that is easily torn. */
export function createPiece(piece: number): string {
  return `${PIECES[piece % PIECES.length]} #${piece} `;
}

/** The numbers of the pieces in a streamed text, in their order. */
export function readPieces(text: string): number[] {
  return [...text.matchAll(/#(\d+) /g)].map(([, number]) => Number(number));
}
