/** Ids as the old formats write them: that of the old file where there was one, each for one record only. */
export class LegacyNames {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** Names come first to those who ask first. The record of an `id` has the same name ever after. */
  assign(id: string, wanted: string | undefined): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    let name = wanted === undefined || this.#taken.has(wanted) ? id : wanted;
    // A chat and its own copy, migrated and merged: the copy already bears the id of the first.
    for (let copy = 2; this.#taken.has(name); copy += 1) name = `${id}-${copy}`;
    this.#taken.add(name);
    this.#names.set(id, name);
    return name;
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }
}
