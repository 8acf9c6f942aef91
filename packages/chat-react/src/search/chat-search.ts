import { type Chat, type ChatChange, systemTimers, type Timers } from '@chatdoc/schema';
import MiniSearch from 'minisearch';
import { ChatStore } from '../store/chat-store.js';
import { listWords } from './words.js';

export interface SearchOptions {
  /** Defaults to all threads. */
  readonly thread_id?: string | undefined;
  /** Defaults to 20. */
  readonly limit?: number;
}

export interface SearchHit {
  readonly message_id: string;
  readonly thread_id: string;
  readonly score: number;
  /** The words of the message that match, without case and accents. */
  readonly words: readonly string[];
}

interface Indexed {
  readonly id: string;
  readonly text: string;
  readonly thread_id: string;
}

/** A shorter word must match whole: half of all messages have one that begins with it. */
const MIN_PREFIX = 3;
/** Messages that are read in one go while the index is built. */
const SLICE = 500;
/** Messages of one shard: a word that is everywhere is looked up in the newest of them alone. */
const SHARD = 3_000;

/** Words of a part of the messages. */
class Shard {
  readonly index: MiniSearch<Indexed> = new MiniSearch<Indexed>({
    fields: ['text'],
    tokenize: listWords,
    processTerm: (term) => term,
  });

  get isFull(): boolean {
    return this.index.documentCount >= SHARD;
  }
}

const searches = new WeakMap<Chat, ChatSearch>();

/**
 * Words of the messages of an open document, as they show. Built in slices from the first subscription or search on, and
 * kept up by the changes of the chat. What was redacted or deleted leaves it within the change that brings it.
 */
export class ChatSearch {
  readonly #chat: Chat;
  readonly #timers: Timers;
  /** The newest messages first. */
  #shards: Shard[] = [];
  readonly #shardOf = new Map<string, Shard>();
  readonly #indexed = new Map<string, Indexed>();
  /** Messages whose text may be another: read at the next search. */
  readonly #dirty = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #pending: string[] | undefined;
  #timer: unknown;
  #stop: (() => void) | undefined;

  constructor(chat: Chat, timers: Timers = systemTimers) {
    this.#chat = chat;
    this.#timers = timers;
  }

  /** The index of a chat, in this process: always the same one. */
  static of(chat: Chat): ChatSearch {
    let search = searches.get(chat);
    if (search === undefined) {
      search = new ChatSearch(chat);
      searches.set(chat, search);
    }
    return search;
  }

  /** Whether every message has been read. */
  get isReady(): boolean {
    return this.#pending?.length === 0;
  }

  /** Different words that are held. */
  get wordCount(): number {
    return this.#shards.reduce((count, { index }) => count + index.termCount, 0);
  }

  /** Builds what is not built yet, at once. O(document) the first time. */
  readonly build = (): void => {
    this.#start();
    while (!this.isReady) this.#readSlice();
  };

  /**
   * The messages that have all words of the query, the last one as a beginning from three letters on. The newest few
   * thousand come before older ones; among them, best first. Of what has been read so far.
   */
  readonly search = (query: string, { thread_id, limit = 20 }: SearchOptions = {}): readonly SearchHit[] => {
    this.#start();
    for (const id of this.#dirty) this.#update(id);
    this.#dirty.clear();
    const words = listWords(query);
    if (words.length === 0) return [];
    const hits: SearchHit[] = [];
    for (const shard of this.#shards) {
      if (hits.length >= limit) break;
      hits.push(...this.#searchShard(shard, query, thread_id));
    }
    return hits.slice(0, limit);
  };

  #searchShard({ index }: Shard, query: string, thread_id: string | undefined): SearchHit[] {
    const found = index.search(query, {
      combineWith: 'AND',
      prefix: (word, place, all) => place === all.length - 1 && word.length >= MIN_PREFIX,
      ...(thread_id !== undefined && {
        filter: ({ id }) => this.#indexed.get(id as string)?.thread_id === thread_id,
      }),
    });
    return found.map(({ id, score, terms }) => ({
      message_id: id as string,
      thread_id: (this.#indexed.get(id as string) as Indexed).thread_id,
      score,
      words: terms,
    }));
  }

  /** Calls `listener` when a search may find something else, streamed text left out until its message ends. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#start();
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  /** Forgets all of it. A later search builds it again. */
  readonly close = (): void => {
    this.#stop?.();
    this.#stop = undefined;
    this.#timers.clearTimer(this.#timer);
    this.#pending = undefined;
    this.#shards = [];
    this.#shardOf.clear();
    this.#indexed.clear();
    this.#dirty.clear();
  };

  #start(): void {
    if (this.#pending !== undefined) return;
    const chat = this.#chat;
    const ids = chat.threads().flatMap(({ thread_id }) => chat.messageIds(thread_id));
    // By their time, whatever thread they are in.
    this.#pending = ids.sort();
    this.#stop = ChatStore.of(chat).onChange(this.#onChange);
    this.#readLater();
  }

  #readLater(): void {
    if (this.isReady) return;
    this.#timer = this.#timers.setTimer(() => {
      this.#readSlice();
      this.#readLater();
    }, 0);
  }

  /** The newest first: they are what people look for. */
  #readSlice(): void {
    for (const id of this.#pending?.splice(-SLICE).reverse() ?? []) this.#update(id, 'older');
    if (this.isReady) this.#notify();
  }

  readonly #onChange = ({ messages, deltas }: ChatChange): void => {
    for (const id of messages) {
      // Words that must go do not wait for a search.
      if (this.#indexed.has(id) && this.#readText(id) === undefined) this.#update(id);
      else this.#dirty.add(id);
    }
    if (messages.length > new Set(deltas.map(({ message_id }) => message_id)).size) this.#notify();
  };

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Undefined for what does not show. */
  #readText(id: string): Omit<Indexed, 'id'> | undefined {
    const message = this.#chat.message(id);
    if (message === undefined || message.deleted || message.redacted || message.content === '')
      return undefined;
    return { text: message.content, thread_id: message.thread_id };
  }

  #update(id: string, age: 'older' | 'newer' = 'newer'): void {
    const last = this.#indexed.get(id);
    const next = this.#readText(id);
    if (last?.text === next?.text && last?.thread_id === next?.thread_id) return;
    // With its text: `discard` would leave the words where they are.
    const shard = this.#shardOf.get(id) ?? this.#openShard(age);
    if (last !== undefined) shard.index.remove(last);
    this.#indexed.delete(id);
    if (next === undefined) return;
    const document = { id, ...next };
    this.#indexed.set(id, document);
    this.#shardOf.set(id, shard);
    shard.index.add(document);
  }

  /** The first or the last shard, or a new one there. */
  #openShard(age: 'older' | 'newer'): Shard {
    const known = this.#shards.at(age === 'older' ? -1 : 0);
    if (known !== undefined && !known.isFull) return known;
    const shard = new Shard();
    if (age === 'older') this.#shards.push(shard);
    else this.#shards.unshift(shard);
    return shard;
  }
}
