/**
 * Circles of replies, kept as edges come and go. A message replies to one other at most, so a new edge closes one
 * circle at most, and only where somebody replies to its beginning already.
 */
export class ReplyCycles {
  readonly #targets = new Map<string, string>();
  readonly #repliers = new Map<string, Set<string>>();
  readonly #cycles = new Map<string, readonly string[]>();
  readonly #onChange: (cycle: readonly string[], exists: boolean) => void;

  /** Told of each circle, its ids sorted. */
  constructor(onChange: (cycle: readonly string[], exists: boolean) => void) {
    this.#onChange = onChange;
  }

  repliers(target: string): ReadonlySet<string> {
    return this.#repliers.get(target) ?? NOBODY;
  }

  link(message: string, target: string | undefined): void {
    const known = this.#targets.get(message);
    if (known === target) return;
    if (known !== undefined) this.#unlink(message, known);
    if (target === undefined) return;
    this.#targets.set(message, target);
    const repliers = this.#repliers.get(target);
    if (repliers === undefined) this.#repliers.set(target, new Set([message]));
    else repliers.add(message);
    if (this.repliers(message).size > 0) this.#close(message);
  }

  #unlink(message: string, target: string): void {
    this.#targets.delete(message);
    const repliers = this.#repliers.get(target);
    repliers?.delete(message);
    if (repliers?.size === 0) this.#repliers.delete(target);
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

const NOBODY: ReadonlySet<string> = new Set();
