/**
 * Columns of numbers that grow by doubling: a line of the document is a row, and costs no object. Chains are
 * linked through the rows, newest first; a chain's head stands in a `Column` by slot.
 */
export class Column {
  #values: Int32Array;
  readonly #empty: number;

  constructor(empty: number, capacity = 1024) {
    this.#empty = empty;
    this.#values = new Int32Array(capacity).fill(empty);
  }

  get(row: number): number {
    return row < this.#values.length ? (this.#values[row] as number) : this.#empty;
  }

  set(row: number, value: number): void {
    if (row >= this.#values.length) {
      const grown = new Int32Array(Math.max(row + 1, this.#values.length * 2)).fill(this.#empty);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[row] = value;
  }

  clear(): void {
    this.#values.fill(this.#empty);
  }
}

/** Ids as small numbers, so that chains and caches are arrays. A slot says nothing of what the id names. */
export class SlotTable {
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];

  get size(): number {
    return this.#ids.length;
  }

  find(id: string): number | undefined {
    return this.#slots.get(id);
  }

  /** The slot of `id`, made if need be. */
  take(id: string): number {
    let slot = this.#slots.get(id);
    if (slot === undefined) {
      slot = this.#ids.length;
      this.#ids.push(id);
      this.#slots.set(id, slot);
    }
    return slot;
  }

  idOf(slot: number): string {
    return this.#ids[slot] as string;
  }
}
