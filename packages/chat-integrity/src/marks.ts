import type { Facts } from './facts.js';
import type { Mark } from './rule.js';

/** One subject with which something is wrong. */
export interface Marked {
  readonly facts: Facts;
  readonly marks: readonly Mark[];
}

/** The marks of one rule by subject, with their sum kept: reading it is O(1). */
export class RuleMarks {
  readonly #subjects = new Map<string, Marked>();
  readonly #names = new Map<string, number>();
  #sum = 0;

  /** Whether nothing is wrong. */
  get isEmpty(): boolean {
    return this.#subjects.size === 0;
  }

  /** The sum of the marks, those of one name once. */
  get count(): number {
    return this.#sum + this.#names.size;
  }

  /** Replaces the marks of a subject. */
  set(subject: string, facts: Facts | undefined, marks: readonly Mark[]): void {
    const known = this.#subjects.get(subject);
    if (known !== undefined) this.#add(known.marks, -1);
    this.#add(marks, 1);
    if (facts === undefined || marks.length === 0) this.#subjects.delete(subject);
    else this.#subjects.set(subject, { facts, marks });
  }

  /** Subjects with marks, in unspecified order. */
  subjects(): IterableIterator<Marked> {
    return this.#subjects.values();
  }

  /** All marks, each name once: that with the smallest message. */
  *distinct(): IterableIterator<Mark> {
    const named = new Map<string, Mark>();
    for (const { marks } of this.#subjects.values()) {
      for (const mark of marks) {
        if (mark.name === undefined) {
          yield mark;
          continue;
        }
        const known = named.get(mark.name);
        if (known === undefined || mark.message < known.message) named.set(mark.name, mark);
      }
    }
    yield* named.values();
  }

  #add(marks: readonly Mark[], by: number): void {
    for (const { name, count = 1 } of marks) {
      if (name === undefined) {
        this.#sum += count * by;
        continue;
      }
      const held = (this.#names.get(name) ?? 0) + by;
      if (held === 0) this.#names.delete(name);
      else this.#names.set(name, held);
    }
  }
}
