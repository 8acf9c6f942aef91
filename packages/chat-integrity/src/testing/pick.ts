/**
 * The numbers of a step, as choices among what exists when it runs. So any sub-list of steps is a run, and a
 * smaller number is a simpler choice.
 */
export class Pick {
  readonly #numbers: readonly number[];
  #taken = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers.length === 0 ? [0] : numbers;
  }

  /** A whole number from 0 up to `limit` - 1; 0 where the limit is no more than 1. */
  below(limit: number): number {
    const { length } = this.#numbers;
    const number = this.#numbers[this.#taken % length] as number;
    const round = Math.floor(this.#taken / length);
    this.#taken += 1;
    return limit <= 1 ? 0 : (number + round * 7) % limit;
  }

  /** One of the list; undefined of an empty one. */
  one<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  /** True in one of `times` cases. A simpler step says false. */
  chance(times: number): boolean {
    return this.below(times) === times - 1;
  }
}
