import type { EntryIndex } from '../index/entry-index.js';
import { Chooser, type Chosen, readRow, type Taken } from './choose.js';

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
 * again only where a row of the subject was dropped, because characters of it were deleted.
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
  #open: readonly number[] = NONE;
  /** Rows that were taken without choosing. */
  #direct: readonly number[] = NONE;

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

  /** Chooses between the lines of each id. Rows that were taken without it are read again. */
  get chooser(): Chooser {
    if (this.#chooser === undefined) {
      this.#chooser = new Chooser(this.index, this.#blank);
      for (const row of this.#direct) this.#chooser.take(row);
      this.#direct = NONE;
    }
    return this.#chooser;
  }

  /** Whether some id has more than one line, equal or not. */
  get isShared(): boolean {
    return this.#chooser?.shared ?? false;
  }

  /** Whether something was taken in. */
  update(): boolean {
    const { index, ref } = this;
    const blank = this.isBlank();
    const drops = index.dropsOf(ref);
    const isFresh = this.#epoch !== index.epoch || this.#drops !== drops || this.#blank !== blank;
    if (isFresh) {
      this.#chooser = undefined;
      this.#direct = NONE;
      this.#since = -1;
      this.#epoch = index.epoch;
      this.#drops = drops;
      this.#blank = blank;
      this.#count = 0;
      this.#open = NONE;
      this.clear();
    }
    const rows = filterRows(this.source, this.rowsSince(this.#since));
    this.#since = index.lastRow;
    if (rows.length === 0 && this.#open.length === 0) return isFresh;
    if (isFresh && this.#takeDirectly(rows)) return true;
    this.#takeRows(rows);
    return true;
  }

  /** Rows that can't be lines of one entry, because each is of another kind, need no choosing: most subjects are such. */
  #takeDirectly(rows: readonly number[]): boolean {
    const { index } = this;
    const [first, second] = rows;
    if (first === undefined || rows.length > 2 || index.isOpen(first)) return false;
    if (second !== undefined && (index.isOpen(second) || index.kindOf(first) === index.kindOf(second)))
      return false;
    this.#direct = rows;
    this.#count = rows.length;
    for (let i = rows.length - 1; i >= 0; i -= 1) {
      const chosen = readRow(index, rows[i] as number, this.#blank);
      if (chosen !== undefined) this.add(chosen);
    }
    return true;
  }

  #takeRows(rows: readonly number[]): void {
    const { index, chooser } = this;
    const again = this.#open;
    const open: number[] = [];
    let isWhole = true;
    const apply = ({ added, removed }: Taken): void => {
      if (removed !== undefined && isWhole) isWhole = this.remove(removed);
      if (added !== undefined && isWhole) this.add(added);
    };
    for (const row of again) {
      if (index.isOpen(row)) open.push(row);
      apply(chooser.reread(row));
    }
    for (let i = rows.length - 1; i >= 0; i -= 1) {
      const row = rows[i] as number;
      if (index.isOpen(row)) open.push(row);
      this.#count += 1;
      apply(chooser.take(row));
    }
    this.#open = open;
    if (isWhole) return;
    this.clear();
    for (const chosen of chooser.chosen()) this.add(chosen);
  }
}

const NONE: readonly never[] = Object.freeze([]);
