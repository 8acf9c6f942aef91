/** What a callback gives, for a loop to take in order. Ends once. */
export class EventQueue<T> {
  readonly #items: T[] = [];
  #error: { readonly error: unknown } | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** Nothing is taken after the end. */
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

  /** Until the end; then throws what it failed with. */
  async *drain(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
      if (this.#isEnded) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== undefined) throw this.#error.error;
  }
}
