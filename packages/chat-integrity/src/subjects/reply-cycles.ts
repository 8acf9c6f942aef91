import { Links } from './links.js';

/**
 * Circles of replies, kept as edges come and go. A message replies to one other at most, so a new edge closes one
 * circle at most, and only where somebody replies to its beginning already.
 */
export class ReplyCycles {
  readonly #targets = new Map<string, string>();
  readonly #repliers = new Links();
  readonly #cycles = new Map<string, readonly string[]>();
  readonly #onChange: (cycle: readonly string[], exists: boolean) => void;

  /** `onChange` is called with each circle, its ids sorted, as it comes and as it goes. */
  constructor(onChange: (cycle: readonly string[], exists: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Messages that reply to this one. */
  repliers(target: string): Iterable<string> {
    return this.#repliers.of(target);
  }

  /** The message replies to `target` from now on. */
  link(message: string, target: string | undefined): void {
    const known = this.#targets.get(message);
    if (known === target) return;
    this.#repliers.move(message, known, target);
    if (known !== undefined) this.#open(message);
    if (target === undefined) {
      this.#targets.delete(message);
      return;
    }
    this.#targets.set(message, target);
    if (this.#repliers.count(message) > 0) this.#close(message);
  }

  #open(message: string): void {
    const cycle = this.#cycles.get(message);
    if (cycle === undefined) return;
    for (const id of cycle) this.#cycles.delete(id);
    this.#onChange(cycle, false);
  }

  #close(start: string): void {
    const path = [start];
    for (let at = this.#targets.get(start); at !== start; at = this.#targets.get(at)) {
      // The end of the chain, or a circle that was there before.
      if (at === undefined || this.#cycles.has(at)) return;
      path.push(at);
    }
    const cycle = path.sort();
    for (const id of cycle) this.#cycles.set(id, cycle);
    this.#onChange(cycle, true);
  }
}
