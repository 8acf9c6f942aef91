import type { Chat } from '@chatdoc/schema';
import { ChatStore } from './chat-store.js';
import { Derived, isSameList } from './derived.js';

/** The last messages of a thread, by id, back to the first one that was asked for. */
export interface WindowSnapshot {
  /** In reading order. The same array until one of them changes. */
  readonly ids: readonly string[];
  /** Messages of the thread, those before the window included. */
  readonly total: number;
  readonly hasOlder: boolean;
  /** Shows as many messages more before the window, at once. Defaults to the size of the window. */
  readonly loadOlder: (count?: number) => void;
}

export const WINDOW_SIZE = 50;

/**
 * A window over the end of a thread. It is anchored at the id of its first row, so what arrives at the end makes it
 * longer and never slides it; until it has been full it shows the last `size` messages. Folds nothing.
 */
export class MessageWindow {
  readonly #chat: Chat;
  readonly #threadId: string;
  readonly #size: number;
  /** For bindings of frameworks. */
  readonly derived: Derived<WindowSnapshot>;
  #anchor: string | undefined;
  /** Where the anchor was last: if it vanishes, the window stays there. */
  #place = 0;

  constructor(chat: Chat, threadId: string, size: number = WINDOW_SIZE) {
    this.#chat = chat;
    this.#threadId = threadId;
    this.#size = size;
    this.derived = new Derived({
      read: () => this.#read(),
      isSame: (last, next) => last.total === next.total && isSameList(last.ids, next.ids),
      subscribe: (invalidate) => ChatStore.of(chat).onThread(threadId, invalidate),
    });
  }

  get subscribe(): (listener: () => void) => () => void {
    return this.derived.subscribe;
  }

  get snapshot(): () => WindowSnapshot {
    return this.derived.snapshot;
  }

  readonly loadOlder = (count: number = this.#size): void => {
    const { ids } = this.snapshot();
    const [first] = ids;
    if (first === undefined) return;
    const [oldest] = this.#chat.messageIds(this.#threadId, { limit: count, before: first });
    if (oldest === undefined) return;
    this.#anchor = oldest;
    this.derived.invalidate();
  };

  #read(): WindowSnapshot {
    const total = this.#chat.messageCount(this.#threadId);
    const ids = this.#readIds(total);
    const place = total - ids.length;
    this.#place = place;
    // A bulk that arrives at once shows its end: only a window that is full holds on to its first row.
    if (this.#anchor !== undefined || ids.length >= this.#size) this.#anchor = ids[0];
    return Object.freeze({ ids, total, hasOlder: place > 0, loadOlder: this.loadOlder });
  }

  #readIds(total: number): readonly string[] {
    const anchor = this.#anchor;
    if (anchor === undefined) return this.#chat.messageIds(this.#threadId, { limit: this.#size });
    const [present] = this.#chat.messageIds(this.#threadId, { limit: 1, around: anchor });
    // The anchor was rolled back, or is in another thread now: what follows its place.
    if (present !== anchor) {
      return this.#chat.messageIds(this.#threadId, { limit: Math.max(1, total - this.#place) });
    }
    return [anchor, ...this.#chat.messageIds(this.#threadId, { limit: total, after: anchor })];
  }
}
