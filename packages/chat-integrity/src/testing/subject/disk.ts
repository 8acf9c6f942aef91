interface Image {
  readonly chunks: readonly Uint8Array[];
  /** The `syncs` of its moment. */
  readonly syncs: number;
}

const KEPT_IMAGES = 12;

/**
 * The stored bytes of a replica, which outlive its process. Bytes that were not synced may be lost when it dies: all of
 * them, or all after one that is torn in the middle.
 */
export class Disk {
  #chunks: Uint8Array[] = [];
  #synced = 0;
  #syncs = 0;
  readonly #images: Image[] = [];
  #isUsed = false;

  append(bytes: Uint8Array): void {
    this.#isUsed = true;
    this.#chunks.push(bytes);
  }

  /** Puts these bytes in the place of all others: done when it returns, or not at all. */
  replace(bytes: Uint8Array): void {
    this.#isUsed = true;
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.sync();
  }

  /** Everything that is there will be replaced by what the next sync finds. Older states stay. */
  clear(): void {
    this.#chunks = [];
    this.#synced = 0;
  }

  sync(): void {
    this.#isUsed = true;
    this.#synced = this.#chunks.length;
    this.#syncs += 1;
    this.#images.push({ chunks: this.#chunks.slice(), syncs: this.#syncs });
    if (this.#images.length > KEPT_IMAGES) this.#images.shift();
  }

  read(): Uint8Array {
    const bytes = new Uint8Array(this.#chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** Whether anything was ever stored here. A storage of the embedder's own may keep its bytes elsewhere. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Counts syncs. */
  get syncs(): number {
    return this.#syncs;
  }

  get unsynced(): number {
    return this.#chunks.length - this.#synced;
  }

  /** The process dies: of what was not synced the first `kept` chunks are there, and `torn` bytes of the next. */
  crash(kept: number, torn: number): void {
    const end = Math.min(this.#chunks.length, this.#synced + kept);
    const next = this.#chunks[end];
    this.#chunks = this.#chunks.slice(0, end);
    if (next !== undefined && torn > 0) this.#chunks.push(next.slice(0, Math.min(torn, next.length - 1)));
    this.#synced = this.#chunks.length;
  }

  /** How many older states there are to go back to. */
  get images(): number {
    return this.#images.length;
  }

  /** Somebody puts an older state back: the `back`-th before the last sync. Returns the syncs of its moment. */
  restore(back: number): number {
    const image = this.#images[Math.max(0, this.#images.length - 1 - back)];
    this.#chunks = image?.chunks.slice() ?? [];
    this.#synced = this.#chunks.length;
    return image?.syncs ?? 0;
  }
}
