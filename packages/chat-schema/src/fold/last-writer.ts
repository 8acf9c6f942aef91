import { compareText } from '../host/values.js';

/** An entry that is folded by last writer: an id, and the ids of the heads that its author had seen. */
export interface Replacing {
  readonly id: string;
  readonly replaces?: readonly string[] | undefined;
}

/**
 * The entries that set one thing, folded by last writer. Those that no other present one replaces are the heads; the
 * greatest of them shows. Having seen another beats any clock; stamps decide only between entries that did not see each
 * other. Taking one more entry costs what it replaces, however many there are.
 */
export class LastWriter<T extends Replacing> {
  /** The first entry, until there are two: most things are set once. */
  #only: T | undefined;
  #entries: Map<string, T> | undefined;
  /** By id, how many of the entries replace it. */
  readonly #replaced = new Map<string, number>();
  readonly #heads = new Map<string, T>();
  #winner: T | undefined;

  add(entry: T): void {
    if (this.#entries === undefined) {
      if (this.#only === undefined) {
        this.#only = entry;
        this.#winner = entry;
        return;
      }
      this.#entries = new Map();
      this.#insert(this.#entries, this.#only);
    }
    this.#insert(this.#entries, entry);
  }

  #insert(entries: Map<string, T>, entry: T): void {
    entries.set(entry.id, entry);
    if (!this.#replaced.has(entry.id)) this.#heads.set(entry.id, entry);
    for (const id of entry.replaces ?? []) {
      if (id === entry.id) continue;
      this.#replaced.set(id, (this.#replaced.get(id) ?? 0) + 1);
      this.#heads.delete(id);
    }
    this.#winner = undefined;
  }

  /** Takes an entry back, of which another line has been chosen. */
  remove(entry: T): void {
    this.#winner = undefined;
    if (this.#entries === undefined) {
      if (this.#only?.id === entry.id) this.#only = undefined;
      return;
    }
    if (!this.#entries.delete(entry.id)) return;
    this.#heads.delete(entry.id);
    for (const id of entry.replaces ?? []) {
      if (id === entry.id) continue;
      const count = (this.#replaced.get(id) ?? 0) - 1;
      if (count > 0) {
        this.#replaced.set(id, count);
        continue;
      }
      this.#replaced.delete(id);
      const freed = this.#entries.get(id);
      if (freed !== undefined) this.#heads.set(id, freed);
    }
  }

  /** The entry that shows. O(heads) after a change. */
  get winner(): T | undefined {
    if (this.#winner === undefined && this.#entries !== undefined) {
      // A forged cycle leaves no head: then the greatest of all shows.
      const candidates = this.#heads.size > 0 ? this.#heads : this.#entries;
      for (const entry of candidates.values()) {
        if (this.#winner === undefined || entry.id > this.#winner.id) this.#winner = entry;
      }
    }
    return this.#winner;
  }

  /** The heads, the one that shows first. */
  heads(): readonly T[] {
    const { winner } = this;
    if (winner === undefined) return [];
    if (this.#heads.size < 2) return [winner];
    return [...this.#heads.values()].sort((a, b) => compareText(b.id, a.id));
  }
}

/** The heads of entries that set one thing, greatest first; the first one shows. */
export function findHeads<T extends Replacing>(entries: Iterable<T>): readonly T[] {
  const writer = new LastWriter<T>();
  for (const entry of entries) writer.add(entry);
  return writer.heads();
}
