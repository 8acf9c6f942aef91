import type { Entry, Json } from '@chatdoc/schema';
import type { MessageEntry } from '@chatdoc/schema/internal';
import { repeatsKey } from '../source/json-walk.js';
import type { SourceRow } from '../source/rows.js';
import type { TableProblemCode } from '../tables/problems.js';
import { type Ledger, type LedgerCheck, LedgerColumns } from './ledger.js';
import { createLegacyRow, createTextRows } from './legacy-rows.js';
import { type WrittenEntry, writeEntry } from './written-entry.js';

/** Codes that a reader reports: none stops a migration, and no message has content of the chat. */
export type ProblemCode =
  /** A reply that could answer two messages of one millisecond. */
  | 'ambiguous_reply'
  /** A version of a message that has no text. */
  | 'bad_history'
  /** A `reply_to` that names no time. */
  | 'bad_reply_to'
  /** A date without a zone, read as UTC. */
  | 'date_without_zone'
  /** A row with one key twice: the last value counts, and the row is also kept as text. */
  | 'duplicate_key'
  /** Some of the chat is not in the file, by its own count. */
  | 'incomplete_file'
  /** No usable date: kept in order of appearance, at 1970. */
  | 'no_date'
  | 'not_a_row'
  | 'not_json'
  | 'not_utf8'
  /** A reply to a message that the file does not hold. */
  | 'orphan_reply'
  /** A row with something like a key or a token: nothing is removed. */
  | 'possible_secret'
  /** A row, or some of it, that no entry can hold (too long, too deep): kept as text. */
  | 'unfit'
  | TableProblemCode;

export interface Problem {
  readonly row: number;
  readonly line: number;
  readonly path?: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** The text of the row in the file, where it could not be read. */
  readonly raw?: string;
}

/** Collects what becomes of each row. The only way to an entry leads through a row, so none escapes the ledger. */
export class PlanDraft {
  readonly problems: Problem[] = [];
  readonly #columns = new LedgerColumns();
  /** Entries of the ledger, by number. */
  readonly #written: WrittenEntry[] = [];
  readonly #numbers = new Map<string, number>();
  /** By line, entries whose id another entry has too. */
  readonly #doubles = new Map<string, WrittenEntry>();
  readonly #setAside: SourceRow[] = [];

  /** Records that the row is equal to an earlier one. */
  merge(row: SourceRow, target: SourceRow): void {
    this.#columns.settle(row.row, 'merged', 'same_row', target.row);
  }

  /** Reports a row with one key twice. Its text is kept by the reader, as of every row that is not exact. */
  reportRepeatedKey(row: SourceRow): void {
    const { exact, value, bytes, raw } = row;
    if (exact || value === undefined || bytes !== undefined || !repeatsKey(value, raw)) return;
    this.report(
      row,
      'duplicate_key',
      'the row has one key twice: the last value counts, and the row is kept as text',
    );
  }

  /**
   * The row became these entries, the first of them the one that the others are about. What does not fit is
   * kept as text; without the first one, the row is set aside.
   */
  become(row: SourceRow, main: Entry, ...others: readonly Entry[]): boolean {
    let kept = writeEntry(main);
    let whole = kept !== undefined;
    if (kept === undefined && main.type === 'message' && main.legacy !== undefined) {
      const { legacy: _, ...bare } = main satisfies MessageEntry;
      kept = writeEntry(bare);
    }
    if (kept === undefined) {
      this.report(row, 'unfit', 'the row does not fit the limits of an entry: it is kept as text');
      this.setAside(row, 'unfit');
      return false;
    }
    this.#columns.settle(row.row, 'became');
    this.#add(row, kept);
    for (const entry of others) whole = this.#hold(row, entry) && whole;
    if (!whole) this.#keepUnfit(row, kept);
    return true;
  }

  /** The row became no record: it is kept whole. `time` dates its entry. */
  setAside(row: SourceRow, reason: string, time: number = 0, value: Json | undefined = row.value): void {
    this.#columns.settle(row.row, 'set_aside', reason);
    this.#setAside.push(row);
    this.keep(row, reason, time, value);
  }

  /** Rows that are nobody else's business, such as accounts: only how many there are is kept. */
  leaveOut(rows: readonly SourceRow[], table: string): void {
    const entry = createLegacyRow(0, 'not_copied', { table, rows: rows.length });
    if (entry === undefined) return;
    this.share(rows, entry);
    for (const { row } of rows) this.#columns.settle(row, 'set_aside', 'not_copied');
  }

  /** Keeps the row besides what became of it: its value, or its text where that has more. */
  keep(row: SourceRow, reason: string, time: number = 0, value: Json | undefined = row.value): void {
    const entry = row.exact && value !== undefined ? createLegacyRow(time, reason, value) : undefined;
    if (entry === undefined || !this.#hold(row, entry)) this.keepText(row, reason);
  }

  /** Keeps the text of the row in the file, besides the message or other record that became of it. */
  keepText(row: SourceRow, reason: string, message_id?: string): void {
    for (const entry of createTextRows(reason, row, message_id)) this.#hold(row, entry);
  }

  /** An entry that these rows share in: their thread, the document. */
  share(rows: readonly SourceRow[], entry: Entry): void {
    const written = writeEntry(entry);
    let number: number | undefined;
    for (const row of rows) {
      if (!this.has(row)) this.#columns.settle(row.row, 'became');
      if (written === undefined) continue;
      number ??= this.#number(written);
      this.#columns.hold(row.row, number);
    }
  }

  report(row: SourceRow, code: ProblemCode, message: string, raw?: string): void {
    const path = row.path === undefined ? {} : { path: row.path };
    this.problems.push({
      row: row.row,
      line: row.line,
      ...path,
      code,
      message,
      ...(raw === undefined ? {} : { raw }),
    });
  }

  /** Every entry once, in no order. */
  entries(): WrittenEntry[] {
    return [...this.#written, ...this.#doubles.values()];
  }

  /** Whether anything became of the row yet. */
  has(row: SourceRow): boolean {
    return this.#columns.outcomeOf(row.row) !== undefined;
  }

  /** In the order of the file. */
  setAsideRows(): readonly SourceRow[] {
    const rows = this.#setAside.filter(({ row }) => this.#columns.outcomeOf(row) === 'set_aside');
    return rows.sort((a, b) => a.row - b.row);
  }

  /** Whether a reader took up all of these rows, and no entry came from elsewhere. */
  checkLedger(rows: readonly SourceRow[]): LedgerCheck {
    return this.#columns.check(rows.length, this.#written.length);
  }

  ledger(rows: readonly SourceRow[]): Ledger {
    return this.#columns.toLedger(
      rows,
      this.#written.map(({ ref }) => ref),
    );
  }

  #hold(row: SourceRow, entry: Entry): boolean {
    const written = writeEntry(entry);
    if (written === undefined) return false;
    this.#add(row, written);
    return true;
  }

  #add(row: SourceRow, written: WrittenEntry): void {
    this.#columns.hold(row.row, this.#number(written));
  }

  /** The number of the entry, which is that of an earlier one with its id. */
  #number(written: WrittenEntry): number {
    const { ref, line } = written;
    const known = this.#numbers.get(ref);
    if (known === undefined) {
      const number = this.#written.push(written) - 1;
      this.#numbers.set(ref, number);
      return number;
    }
    if (this.#written[known]?.line !== line) this.#doubles.set(line, written);
    return known;
  }

  #keepUnfit(row: SourceRow, { type, ref }: WrittenEntry): void {
    const message = 'a part of the row does not fit the limits of an entry: the row is also kept as text';
    this.report(row, 'unfit', message);
    this.keepText(row, 'unfit', type === 'message' ? ref : undefined);
  }
}
