/** Numbers by ref, in an open-addressed table: a `Map` of as many takes ten times as long to fill. */
export class RefMap {
  /** Ref + 1 and number, in turn; 0 is free. At most half full. */
  #cells: Int32Array;
  #size = 0;

  readonly #seed: number;

  /** `size` is how many refs are expected; `seed` is random, so that nobody can choose refs that collide. */
  constructor(size: number, seed: number) {
    this.#seed = seed;
    let room = 16;
    while (room < size * 2) room *= 2;
    this.#cells = new Int32Array(room * 2);
  }

  /** The number of a ref, or -1. */
  get(ref: number): number {
    const at = this.#seek(ref);
    return this.#cells[at] === 0 ? -1 : (this.#cells[at + 1] as number);
  }

  set(ref: number, number: number): void {
    let at = this.#seek(ref);
    if (this.#cells[at] === 0) {
      if (this.#size * 4 >= this.#cells.length) {
        this.#grow();
        at = this.#seek(ref);
      }
      this.#size += 1;
      this.#cells[at] = ref + 1;
    }
    this.#cells[at + 1] = number;
  }

  #seek(ref: number): number {
    const cells = this.#cells;
    const mask = cells.length / 2 - 1;
    let hash = Math.imul(ref ^ this.#seed, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    for (let place = hash ^ (hash >>> 13); ; place += 1) {
      const at = (place & mask) * 2;
      const cell = cells[at] as number;
      if (cell === 0 || cell === ref + 1) return at;
    }
  }

  #grow(): void {
    const before = this.#cells;
    this.#cells = new Int32Array(before.length * 2);
    for (let i = 0; i < before.length; i += 2) {
      if (before[i] === 0) continue;
      const at = this.#seek((before[i] as number) - 1);
      this.#cells[at] = before[i] as number;
      this.#cells[at + 1] = before[i + 1] as number;
    }
  }
}
