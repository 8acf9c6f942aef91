/** Items pushed by callbacks, for a loop to read in order. Ends once. Each item costs O(1), however many wait. */
export class EventQueue<T> {
  #items: T[] = [];
  #error: { readonly error: unknown } | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** Ignored after the end. */
  push(item: T): void {
    if (this.#isEnded) return;
    this.#items.push(item);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#error = { error };
    this.end();
  }

  /** Yields until the end; then throws the error that it failed with. */
  async *drain(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const batch = this.#items;
      this.#items = [];
      yield* batch;
      if (batch.length > 0) continue;
      if (this.#isEnded) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== undefined) throw this.#error.error;
  }
}
