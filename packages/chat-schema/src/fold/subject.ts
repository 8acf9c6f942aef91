import type { EntryIndex } from '../index/entry-index.js';
import { Chooser, type Chosen, type Taken } from './choose.js';

/** Which rows are read: all, or those of the past. */
export interface Source {
  readonly index: EntryIndex;
  readonly include?: (row: number) => boolean;
}

export function filterRows(source: Source, rows: number[]): number[] {
  return source.include === undefined ? rows : rows.filter(source.include);
}

/**
 * The fold of one subject, kept: `update` takes in the rows that have come since, and no other is read again. Built
 * anew only where a row of the subject was dropped, because characters of it were deleted.
 */
export abstract class SubjectFold {
  protected readonly source: Source;
  protected readonly ref: number;
  #chooser: Chooser | undefined;
  #since = -1;
  #epoch = -1;
  #drops = 0;
  #blank = false;
  #count = 0;
  /** Rows that had no end when they were read. */
  #open: number[] = [];

  constructor(source: Source, ref: number) {
    this.source = source;
    this.ref = ref;
  }

  /** Rows about the subject after `since`, newest first. */
  protected abstract rowsSince(since: number): number[];
  /** Whether the subject is redacted, so that its lines are read blanked. */
  protected abstract isBlank(): boolean;
  /** Forgets every entry. */
  protected abstract clear(): void;
  protected abstract add(chosen: Chosen): void;
  /** Takes an entry back; false where the others have to be added again. */
  protected abstract remove(chosen: Chosen): boolean;

  /** How many rows were read. */
  get size(): number {
    return this.#count;
  }

  get index(): EntryIndex {
    return this.source.index;
  }

  get chooser(): Chooser {
    this.#chooser ??= new Chooser(this.index, this.#blank);
    return this.#chooser;
  }

  /** Whether something was taken in. */
  update(): boolean {
    const { index, ref } = this;
    const blank = this.isBlank();
    const drops = index.dropsOf(ref);
    const isFresh = this.#epoch !== index.epoch || this.#drops !== drops || this.#blank !== blank;
    if (isFresh) {
      this.#chooser = undefined;
      this.#since = -1;
      this.#epoch = index.epoch;
      this.#drops = drops;
      this.#blank = blank;
      this.#count = 0;
      this.#open = [];
      this.clear();
    }
    const rows = filterRows(this.source, this.rowsSince(this.#since));
    this.#since = index.lastRow;
    const again = this.#open;
    if (rows.length === 0 && again.length === 0) return isFresh;
    this.#open = [];
    let isWhole = true;
    const apply = ({ added, removed }: Taken): void => {
      if (removed !== undefined && isWhole) isWhole = this.remove(removed);
      if (added !== undefined && isWhole) this.add(added);
    };
    const { chooser } = this;
    for (const row of again) {
      if (index.isOpen(row)) this.#open.push(row);
      apply(chooser.reread(row));
    }
    for (let i = rows.length - 1; i >= 0; i -= 1) {
      const row = rows[i] as number;
      if (index.isOpen(row)) this.#open.push(row);
      this.#count += 1;
      apply(chooser.take(row));
    }
    if (!isWhole) {
      this.clear();
      for (const chosen of chooser.chosen()) this.add(chosen);
    }
    return true;
  }
}
