import type { Entry, Json, MessageEntry } from '@chatdoc/schema';
import { createLedger, type IdSet, type Ledger, type LedgerRow } from './ledger.js';
import { createLegacyRow, createTextRows } from './legacy-rows.js';
import type { SourceRow } from './source-rows.js';
import type { TableProblemCode } from './table-problems.js';
import { type WrittenEntry, writeEntry } from './write-entry.js';

/** What a reader reports: nothing here stops a migration, and no content stands in a message. */
export type ProblemCode =
  /** A reply that could answer two messages of one millisecond. */
  | 'ambiguous_reply'
  /** A version of a message that has no text. */
  | 'bad_history'
  /** A `reply_to` that names no time. */
  | 'bad_reply_to'
  /** A date without a zone, read as UTC. */
  | 'date_without_zone'
  /** The file says that it is not the whole chat. */
  | 'incomplete_file'
  /** No usable date: kept in order of appearance, at 1970. */
  | 'no_date'
  | 'not_a_row'
  | 'not_json'
  | 'not_utf8'
  /** A reply to a message that the file does not hold. */
  | 'orphan_reply'
  /** A row, or some of it, that no entry can hold (too long, too deep): kept as text. */
  | 'unfit'
  | TableProblemCode;

export interface Problem {
  readonly row: number;
  readonly line: number;
  readonly path?: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** The row as it stands in the file, where it could not be read. */
  readonly raw?: string;
}

interface Account {
  readonly row: SourceRow;
  outcome: LedgerRow['outcome'] | undefined;
  reason: string | undefined;
  /** Entries of the row. Nearly all rows have one or two, and a list takes more memory than they do. */
  first: string | undefined;
  second: string | undefined;
  /** May name one twice. */
  others: string[] | undefined;
  target: SourceRow | undefined;
}

/** Collects what becomes of each row. The only way to an entry leads through a row, so none escapes the ledger. */
export class PlanDraft {
  readonly problems: Problem[] = [];
  /** By number of the row. */
  readonly #accounts: Account[] = [];
  readonly #written = new Map<string, WrittenEntry>();
  /** By line, entries whose id another entry has too. */
  readonly #doubles = new Map<string, WrittenEntry>();

  /** `reason` of the rows that say what an earlier row says. */
  merge(row: SourceRow, target: SourceRow): void {
    const account = this.#account(row);
    account.outcome = 'merged';
    account.reason = 'same_row';
    account.target = target;
  }

  /**
   * The row became these entries, the first of them the one that the others are about. What does not fit is
   * kept as text; without the first one, the row is set aside.
   */
  become(row: SourceRow, main: Entry, ...others: readonly Entry[]): boolean {
    return this.becomeQuoted(row, undefined, main, others);
  }

  /** As `become`; `content` is the JSON text of the content of the first entry, which need not be made again. */
  becomeQuoted(row: SourceRow, content: string | undefined, main: Entry, others: readonly Entry[]): boolean {
    let kept = writeEntry(main, content);
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
    const account = this.#account(row);
    account.outcome = 'became';
    account.reason = undefined;
    this.#add(account, kept);
    for (const entry of others) whole = this.#hold(account, entry) && whole;
    if (!whole) {
      this.report(
        row,
        'unfit',
        'a part of the row does not fit the limits of an entry: the row is also kept as text',
      );
      this.#holdText(account, row, 'unfit');
    }
    return true;
  }

  /** As `become`, of an entry that is written already. */
  becomeWritten(row: SourceRow, written: WrittenEntry): void {
    const account = this.#account(row);
    account.outcome = 'became';
    account.reason = undefined;
    this.#add(account, written);
  }

  /** The row became no record: it is kept whole. `time` dates its entry. */
  setAside(row: SourceRow, reason: string, time: number = 0, value: Json | undefined = row.value): void {
    const account = this.#account(row);
    account.outcome = 'set_aside';
    account.reason = reason;
    this.keep(row, reason, time, value);
  }

  /** Keeps the row besides what became of it: its value, or its text where that says more. */
  keep(row: SourceRow, reason: string, time: number = 0, value: Json | undefined = row.value): void {
    const account = this.#account(row);
    const entry = row.exact && value !== undefined ? createLegacyRow(time, reason, value) : undefined;
    if (entry === undefined || !this.#hold(account, entry)) this.#holdText(account, row, reason);
  }

  /** Keeps the row as it stands in the file, besides what became of it. */
  keepText(row: SourceRow, reason: string): void {
    this.#holdText(this.#account(row), row, reason);
  }

  /** An entry that these rows share in: their thread, the document. */
  share(rows: readonly SourceRow[], entry: Entry): void {
    const written = writeEntry(entry);
    for (const row of rows) {
      const account = this.#account(row);
      account.outcome ??= 'became';
      if (written !== undefined) this.#add(account, written);
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
    return [...this.#written.values(), ...this.#doubles.values()];
  }

  /** As the ledger names the entries. */
  refs(): IdSet {
    const written = this.#written;
    return { size: written.size, has: (ref) => written.has(ref), [Symbol.iterator]: () => written.keys() };
  }

  /** Whether anything became of the row yet. */
  has(row: SourceRow): boolean {
    return this.#accounts[row.row]?.outcome !== undefined;
  }

  setAsideRows(): readonly SourceRow[] {
    return this.#accounts.filter(({ outcome }) => outcome === 'set_aside').map(({ row }) => row);
  }

  ledger(rows: readonly SourceRow[]): Ledger {
    const accounted: LedgerRow[] = [];
    for (const row of rows) {
      const account = this.#accounts[row.row];
      // A row that no reader took up is missing here, and the check of the ledger refuses the plan.
      if (account?.outcome === undefined) continue;
      const holder = account.target === undefined ? account : this.#account(account.target);
      accounted.push(createLedgerRow(row, account.outcome, listRefs(holder), account.reason));
    }
    return createLedger(accounted);
  }

  #account(row: SourceRow): Account {
    let account = this.#accounts[row.row];
    if (account === undefined) {
      account = {
        row,
        outcome: undefined,
        reason: undefined,
        first: undefined,
        second: undefined,
        others: undefined,
        target: undefined,
      };
      this.#accounts[row.row] = account;
    }
    return account;
  }

  #hold(account: Account, entry: Entry): boolean {
    const written = writeEntry(entry);
    if (written === undefined) return false;
    this.#add(account, written);
    return true;
  }

  #add(account: Account, written: WrittenEntry): void {
    const { ref, line } = written;
    if (account.first === undefined) account.first = ref;
    else if (account.second === undefined) account.second = ref;
    else if (account.others === undefined) account.others = [ref];
    else account.others.push(ref);
    const known = this.#written.get(ref);
    if (known === undefined) this.#written.set(ref, written);
    else if (known.line !== line) this.#doubles.set(line, written);
  }

  #holdText(account: Account, row: SourceRow, reason: string): void {
    for (const entry of createTextRows(reason, row)) this.#hold(account, entry);
  }
}

function createLedgerRow(
  { row, line, path }: SourceRow,
  outcome: LedgerRow['outcome'],
  entries: readonly string[],
  reason: string | undefined,
): LedgerRow {
  if (path !== undefined) {
    return reason === undefined
      ? { row, line, path, outcome, entries }
      : { row, line, path, outcome, entries, reason };
  }
  return reason === undefined ? { row, line, outcome, entries } : { row, line, outcome, entries, reason };
}

/** Sorted, each once. */
function listRefs({ first, second, others }: Account): readonly string[] {
  if (first === undefined) return [];
  if (others !== undefined) return [...new Set([first, second ?? first, ...others])].sort();
  if (second === undefined || second === first) return [first];
  return first < second ? [first, second] : [second, first];
}
