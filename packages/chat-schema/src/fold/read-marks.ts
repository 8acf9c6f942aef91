import type { AnnotationEntry } from '../entry/annotation.js';
import type { ReadEntry } from '../entry/table.js';

type Entry = ReadEntry<AnnotationEntry>;

/**
 * The read marks of one user in one thread. Of these the furthest counts, not the last, so a device that is behind takes
 * nothing back; a mark of `null` does: it takes back all that its author had seen, whatever comes first.
 */
export class ReadMarks {
  readonly #entries = new Map<string, Entry>();
  readonly #void = new Set<string>();
  /** Those that count, in the order in which they came. */
  #list: Entry[] = [];
  /** Some of the list no longer count. */
  #isStale = false;
  #version = 0;

  /** Grows when marks no longer count. */
  get version(): number {
    return this.#version;
  }

  get list(): readonly Entry[] {
    if (this.#isStale) this.#list = this.#list.filter(({ id }) => !this.#void.has(id));
    this.#isStale = false;
    return this.#list;
  }

  add(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    if (entry.value === null || this.#void.has(entry.id)) this.#takeBack(entry.replaces ?? []);
    else this.#list.push(entry);
  }

  /** Takes back these marks, and all that their authors had seen. Each is visited once. */
  #takeBack(ids: readonly string[]): void {
    const waiting = [...ids];
    const before = this.#void.size;
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (this.#void.has(id)) continue;
      this.#void.add(id);
      for (const other of this.#entries.get(id)?.replaces ?? []) waiting.push(other);
    }
    if (this.#void.size === before) return;
    this.#version += 1;
    this.#isStale = true;
  }

  /** Of which another line has been chosen: all is judged again. */
  remove(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#void.clear();
    this.#list = [];
    this.#version += 1;
    for (const other of [...this.#entries.values()]) this.add(other);
  }
}
