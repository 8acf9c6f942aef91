/**
 * The rows of one text in the order of its lines, as runs of consecutive row numbers: a text that was read in one go
 * is one run, whatever its length. Looking one up costs the logarithm of the runs and of the rows.
 */
export class TextRows {
  /** First row and end of each run. */
  #runs: number[] = [];
  /** Where the line of a row begins. */
  readonly #startOf: (row: number) => number;

  constructor(startOf: (row: number) => number) {
    this.#startOf = startOf;
  }

  /** Adds the row of the line behind all others. */
  push(row: number): void {
    append(this.#runs, row);
  }

  clear(): void {
    this.#runs = [];
  }

  /** The row of the line that begins at or before `offset`, and those behind it, in order. */
  *from(offset: number): IterableIterator<number> {
    const runs = this.#runs;
    if (runs.length === 0) return;
    let place = this.#search(0, runs.length / 2, (at) => this.#startOf(runs[at * 2] as number) <= offset);
    const [first, end] = [runs[place * 2] as number, runs[place * 2 + 1] as number];
    let row = this.#search(first, end, (at) => this.#startOf(at) <= offset);
    while (place * 2 < runs.length) {
      for (; row < (runs[place * 2 + 1] as number); row += 1) yield row;
      place += 1;
      row = runs[place * 2] as number;
    }
  }

  /** The row before the line that begins at `offset`. */
  before(offset: number): number | undefined {
    if (offset <= 0 || this.#runs.length === 0) return undefined;
    const [row] = this.from(offset - 1);
    return row;
  }

  /** The greatest `at` in `[low, high)` for which `holds`, where it holds up to some place; `low` if for none. */
  #search(low: number, high: number, holds: (at: number) => boolean): number {
    let [from, to] = [low, high];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (holds(middle)) from = middle;
      else to = middle;
    }
    return from;
  }

  /** Puts `others` in the place of `rows`, which follow each other. Behind all where there are none. */
  replace(rows: readonly number[], others: readonly number[]): void {
    const first = rows[0];
    const last = rows.at(-1);
    const middle: number[] = [];
    if (first === undefined || last === undefined) {
      for (const row of others) append(this.#runs, row);
      return;
    }
    const runs = this.#runs;
    const holds = (row: number) => (_: number, i: number) =>
      i % 2 === 0 && row >= (runs[i] as number) && row < (runs[i + 1] as number);
    const from = runs.findIndex(holds(first));
    const to = runs.findIndex(holds(last));
    if ((runs[from] as number) < first) middle.push(runs[from] as number, first);
    for (const row of others) append(middle, row);
    if (last + 1 < (runs[to + 1] as number)) middle.push(last + 1, runs[to + 1] as number);
    runs.splice(from, to + 2 - from, ...middle);
  }
}

function append(runs: number[], row: number): void {
  if (runs.length > 0 && runs[runs.length - 1] === row) runs[runs.length - 1] = row + 1;
  else runs.push(row, row + 1);
}
