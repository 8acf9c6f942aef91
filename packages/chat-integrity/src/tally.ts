/** What is wrong, by rule and by what it is about, with the sums kept: reading one is O(1). */
export class Tally {
  readonly #subjects = new Map<string, Map<string, number>>();
  readonly #totals = new Map<string, number>();

  /** `count` of 0 forgets the subject. */
  set(rule: string, subject: string, count: number): void {
    const known = this.#subjects.get(rule)?.get(subject) ?? 0;
    if (known === count) return;
    let subjects = this.#subjects.get(rule);
    if (subjects === undefined) {
      subjects = new Map();
      this.#subjects.set(rule, subjects);
    }
    if (count === 0) subjects.delete(subject);
    else subjects.set(subject, count);
    this.#totals.set(rule, this.total(rule) + count - known);
  }

  total(rule: string): number {
    return this.#totals.get(rule) ?? 0;
  }

  subjects(rule: string): ReadonlyMap<string, number> {
    return this.#subjects.get(rule) ?? NONE;
  }
}

/** Names that count once, however many subjects hold them: lines that are wrong, ids with a problem. */
export class NameTally {
  readonly #held = new Map<string, readonly Named[]>();
  readonly #counts = new Map<string, Map<string, number>>();

  /** From now on `subject` holds these names. */
  hold(subject: string, names: readonly Named[]): void {
    for (const { rule, name } of this.#held.get(subject) ?? []) this.#add(rule, name, -1);
    if (names.length === 0) {
      this.#held.delete(subject);
      return;
    }
    this.#held.set(subject, names);
    for (const { rule, name } of names) this.#add(rule, name, 1);
  }

  total(rule: string): number {
    return this.#counts.get(rule)?.size ?? 0;
  }

  /** O(names held). */
  subjects(rule: string): ReadonlyMap<string, number> {
    const subjects = new Map<string, number>();
    for (const [subject, names] of this.#held) {
      const count = names.filter((named) => named.rule === rule).length;
      if (count > 0) subjects.set(subject, count);
    }
    return subjects;
  }

  #add(rule: string, name: string, by: number): void {
    let counts = this.#counts.get(rule);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(rule, counts);
    }
    const count = (counts.get(name) ?? 0) + by;
    if (count === 0) counts.delete(name);
    else counts.set(name, count);
  }
}

export interface Named {
  readonly rule: string;
  readonly name: string;
}

const NONE: ReadonlyMap<string, number> = new Map();
