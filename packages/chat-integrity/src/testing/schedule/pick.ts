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

  /**
   * A whole number from 0 up to `limit` - 1, each of which some step reaches; 0 where the limit is not above 1. Throws
   * a `RangeError` for a limit that is not a safe integer.
   */
  below(limit: number): number {
    if (!Number.isSafeInteger(limit))
      throw new RangeError(`pick.below: expected a whole number, got ${limit}`);
    const number = this.#next();
    if (limit <= 1) return 0;
    return limit <= PICK_RANGE ? number % limit : (number * LOW_RANGE + (this.#next() % LOW_RANGE)) % limit;
  }

  /** One of the list; undefined of an empty one. */
  one<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  #next(): number {
    const { length } = this.#numbers;
    const number = this.#numbers[this.#taken % length] as number;
    const round = Math.floor(this.#taken / length);
    this.#taken += 1;
    return number + round * 7;
  }

  /** True in one of `times` cases. A simpler step gives false. */
  chance(times: number): boolean {
    return this.below(times) === times - 1;
  }
}

/** Numbers of a step are from 0 up to so many. */
export const PICK_RANGE: number = 2 ** 31;
/** Of a second number, where one is too small: 53 bits in all. */
const LOW_RANGE = 2 ** 22;
