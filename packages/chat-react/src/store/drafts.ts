import { isUlid } from '@chatdoc/schema';

type Listener = () => void;

/** Where drafts are kept: `localStorage`, or anything like it. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const PREFIX = 'chatdoc:draft:';

/**
 * The key of a draft: those of other users, threads and documents on one device are other drafts. The id of a thread
 * needs no document beside it, whose own id is known only once it is loaded.
 */
export function draftKey(docId: string | null, key: string, userId: string): string {
  const scope = isUlid(key) ? [key, userId] : [docId ?? '', key, userId];
  return `${PREFIX}${scope.map(encodeURIComponent).join(':')}`;
}

/**
 * Texts that a person has not sent. They belong to the device, not to the document: there every key stroke would stay
 * permanently. Other tabs follow by the `storage` event; where the storage throws, drafts are in memory.
 */
export class Drafts {
  readonly #storage: DraftStorage | undefined;
  readonly #memory = new Map<string, string>();
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(storage: DraftStorage | undefined = findStorage()) {
    this.#storage = storage;
  }

  /** Empty for a draft that is not there. */
  read(key: string): string {
    const held = this.#memory.get(key);
    if (held !== undefined) return held;
    try {
      return this.#storage?.getItem(key) ?? '';
    } catch {
      return '';
    }
  }

  /** An empty text removes the draft. */
  write(key: string, text: string): void {
    try {
      if (text === '') this.#storage?.removeItem(key);
      else this.#storage?.setItem(key, text);
      this.#memory.delete(key);
      if (this.#storage === undefined) this.#memory.set(key, text);
    } catch {
      // Full, or forbidden: the text that is being typed must not go.
      this.#memory.set(key, text);
    }
    this.#notify(key);
  }

  subscribe(key: string, listener: Listener): Listener {
    const set = this.#listeners.get(key) ?? new Set();
    if (this.#listeners.size === 0) globalThis.addEventListener?.('storage', this.#onStorage);
    this.#listeners.set(key, set);
    const own = (): void => listener();
    set.add(own);
    return () => {
      set.delete(own);
      if (set.size === 0 && this.#listeners.get(key) === set) this.#listeners.delete(key);
      if (this.#listeners.size === 0) globalThis.removeEventListener?.('storage', this.#onStorage);
    };
  }

  readonly #onStorage = (event: Event): void => {
    const { key } = event as StorageEvent;
    // Null: another tab has cleared all of it.
    for (const one of key === null ? [...this.#listeners.keys()] : [key]) {
      this.#memory.delete(one);
      this.#notify(one);
    }
  };

  #notify(key: string): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) listener();
  }
}

function findStorage(): DraftStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
