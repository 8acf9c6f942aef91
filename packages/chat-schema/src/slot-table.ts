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
