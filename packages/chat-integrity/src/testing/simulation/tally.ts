/** How often each thing happened. A run that never met a case has proved nothing about it. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  addAll(other: Tally): void {
    for (const [name, count] of other.#counts) this.add(name, count);
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Those of `names` that came up fewer than `least` times. */
  missing(names: readonly string[], least = 1): string[] {
    return names.filter((name) => this.count(name) < least);
  }

  /** By name. */
  entries(): [name: string, count: number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
