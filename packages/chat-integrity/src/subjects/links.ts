/** Who refers to what: sources by target. A target with one source costs no set. */
export class Links {
  readonly #sources = new Map<string, string | Set<string>>();

  /** How many refer to the target. */
  count(target: string): number {
    const sources = this.#sources.get(target);
    if (sources === undefined) return 0;
    return typeof sources === 'string' ? 1 : sources.size;
  }

  /** Those that refer to the target. */
  of(target: string): Iterable<string> {
    const sources = this.#sources.get(target);
    if (sources === undefined) return NOBODY;
    return typeof sources === 'string' ? [sources] : sources;
  }

  /** The source refers to `to` instead of `from`. */
  move(source: string, from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined) this.#remove(source, from);
    if (to !== undefined) this.#add(source, to);
  }

  /** The same for a source that refers to several. */
  moveAll(source: string, from: readonly string[], to: readonly string[]): void {
    if (from === to) return;
    for (const target of from) if (!to.includes(target)) this.#remove(source, target);
    for (const target of to) this.#add(source, target);
  }

  #add(source: string, target: string): void {
    const sources = this.#sources.get(target);
    if (sources === undefined) this.#sources.set(target, source);
    else if (typeof sources !== 'string') sources.add(source);
    else if (sources !== source) this.#sources.set(target, new Set([sources, source]));
  }

  #remove(source: string, target: string): void {
    const sources = this.#sources.get(target);
    if (sources === source) this.#sources.delete(target);
    if (!(sources instanceof Set)) return;
    sources.delete(source);
    if (sources.size === 0) this.#sources.delete(target);
  }
}

const NOBODY: readonly string[] = Object.freeze([]);
