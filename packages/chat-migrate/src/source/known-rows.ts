import type { SourceRow } from './rows.js';

/**
 * Rows by their content, to find one that is equal to an earlier one. A mark is cheap, and equal for equal rows: only
 * rows that share one are compared by `text`, which is their whole content.
 */
export class KnownRows<Row extends SourceRow> {
  readonly #mark: (row: Row) => string | number;
  readonly #text: (row: Row) => string;
  /** Rows whose mark is a number above those of all before them: as long as that goes on, nothing is looked up. */
  #rising: Row[] | undefined = [];
  #risen: number[] = [];
  readonly #byMark = new Map<string | number, Row>();
  readonly #byText = new Map<string, Row>();
  /** Marks whose first row is in `byText` too. */
  readonly #shared = new Set<string | number>();
  #hasMarks = true;

  constructor(mark: (row: Row) => string | number, text: (row: Row) => string) {
    this.#mark = mark;
    this.#text = text;
  }

  /** The first equal row; undefined where this is the first. O(1) except for shared marks. */
  find(row: Row): Row | undefined {
    if (row.bytes !== undefined && this.#hasMarks) this.#forgetMarks();
    const mark = this.#hasMarks ? this.#mark(row) : '';
    if (this.#rising !== undefined && typeof mark === 'number') {
      if (mark > (this.#risen.at(-1) ?? -1)) {
        this.#rising.push(row);
        this.#risen.push(mark);
        return undefined;
      }
      this.#endRising();
    }
    const first = this.#byMark.get(mark);
    if (first === undefined) {
      this.#byMark.set(mark, row);
      return undefined;
    }
    if (!this.#shared.has(mark)) {
      this.#shared.add(mark);
      this.#byText.set(this.#text(first), first);
    }
    const text = this.#text(row);
    const same = this.#byText.get(text);
    if (same === undefined) this.#byText.set(text, row);
    return same;
  }

  #endRising(): void {
    for (const [index, row] of (this.#rising ?? []).entries())
      this.#byMark.set(this.#risen[index] as number, row);
    this.#rising = undefined;
    this.#risen = [];
  }

  // Bytes that are not UTF-8 could read like another row, whatever its mark.
  #forgetMarks(): void {
    this.#endRising();
    this.#hasMarks = false;
    for (const first of this.#byMark.values()) this.#byText.set(this.#text(first), first);
    this.#byMark.clear();
    this.#shared.clear();
    const [any] = this.#byText.values();
    if (any === undefined) return;
    this.#byMark.set('', any);
    this.#shared.add('');
  }
}
