import type { Chat, ChatChange } from '@chatdoc/schema';

type Listener = () => void;

const stores = new WeakMap<Chat, ChatStore>();

/**
 * Notifies by id: one subscription of a chat, fanned out to those who show one message, one thread, or the list of
 * threads. Holds no record: read those from the chat. Works without a framework.
 */
export class ChatStore {
  readonly chat: Chat;
  readonly #messages = new Map<string, Set<Listener>>();
  readonly #threads = new Map<string, Set<Listener>>();
  readonly #anyThread = new Set<Listener>();
  readonly #document = new Set<Listener>();
  readonly #changes = new Set<(change: ChatChange) => void>();
  #listeners = 0;
  #unsubscribe: (() => void) | undefined;

  private constructor(chat: Chat) {
    this.chat = chat;
  }

  /** The store of a chat: always the same one. */
  static of(chat: Chat): ChatStore {
    let store = stores.get(chat);
    if (store === undefined) {
      store = new ChatStore(chat);
      stores.set(chat, store);
    }
    return store;
  }

  /** Calls `listener` when the record of the message, or what is annotated to it, may have changed. */
  readonly onMessage = (messageId: string, listener: Listener): Listener =>
    this.#addTo(this.#messages, messageId, listener);

  /** The same for the record, config, state or list of messages of a thread. A streamed token is none of these. */
  readonly onThread = (threadId: string, listener: Listener): Listener =>
    this.#addTo(this.#threads, threadId, listener);

  /** The same for any thread. */
  readonly onThreads = (listener: Listener): Listener => this.#add(this.#anyThread, listener);

  /** The same for what belongs to the whole document: ids and variables. */
  readonly onDocument = (listener: Listener): Listener => this.#add(this.#document, listener);

  /** Calls `listener` with each change. */
  readonly onChange = (listener: (change: ChatChange) => void): Listener =>
    this.#add(this.#changes, listener);

  #addTo(sets: Map<string, Set<Listener>>, id: string, listener: Listener): Listener {
    const set = sets.get(id) ?? new Set();
    sets.set(id, set);
    const remove = this.#add(set, listener);
    return () => {
      remove();
      if (set.size === 0 && sets.get(id) === set) sets.delete(id);
    };
  }

  #add<T extends (...values: never[]) => void>(set: Set<T>, listener: T): Listener {
    // The same function twice is two subscriptions: each is taken back alone.
    const own = ((...values) => listener(...values)) as T;
    set.add(own);
    this.#listeners += 1;
    this.#unsubscribe ??= subscribeIfOpen(this.chat, this.#notify);
    return () => {
      if (!set.delete(own)) return;
      this.#listeners -= 1;
      if (this.#listeners > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
    };
  }

  readonly #notify = (change: ChatChange): void => {
    const due: Listener[] = [];
    for (const id of change.messages) due.push(...(this.#messages.get(id) ?? []));
    for (const id of change.threads) due.push(...(this.#threads.get(id) ?? []));
    if (change.threads.length > 0) due.push(...this.#anyThread);
    if (change.document) due.push(...this.#document);
    for (const listener of this.#changes) due.push(() => listener(change));
    const errors: unknown[] = [];
    for (const listener of due) {
      try {
        listener();
      } catch (error) {
        errors.push(error);
      }
    }
    // The chat reports what its listener threw.
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} listeners threw`);
  };
}

/** A chat that is closed changes no more: there is nothing to be notified of. */
function subscribeIfOpen(chat: Chat, listener: (change: ChatChange) => void): Listener | undefined {
  try {
    return chat.subscribe(listener);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'closed') return undefined;
    throw error;
  }
}
