import type { Entry, Json, MessageEntry } from '@chatdoc/schema';
import { createLedger, type Ledger, type LedgerRow } from './ledger.js';
import { createLegacyRow, createTextRows } from './legacy-rows.js';
import type { SourceRow } from './source-rows.js';
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
  | 'unfit';

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
  outcome?: LedgerRow['outcome'];
  reason?: string;
  readonly entries: Map<string, WrittenEntry>;
  target?: SourceRow;
}

/** Collects what becomes of each row. The only way to an entry leads through a row, so none escapes the ledger. */
export class PlanDraft {
  readonly problems: Problem[] = [];
  readonly #accounts = new Map<SourceRow, Account>();

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
    const account = this.#account(row);
    account.outcome = 'became';
    delete account.reason;
    account.entries.set(kept.line, kept);
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
      if (written !== undefined) account.entries.set(written.line, written);
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
  entries(): readonly WrittenEntry[] {
    const byLine = new Map<string, WrittenEntry>();
    for (const { entries } of this.#accounts.values()) {
      for (const [line, written] of entries) byLine.set(line, written);
    }
    return [...byLine.values()];
  }

  /** Whether anything became of the row yet. */
  has(row: SourceRow): boolean {
    return this.#accounts.get(row)?.outcome !== undefined;
  }

  setAsideRows(): readonly SourceRow[] {
    return [...this.#accounts].filter(([, { outcome }]) => outcome === 'set_aside').map(([row]) => row);
  }

  ledger(rows: readonly SourceRow[]): Ledger {
    const accounted: LedgerRow[] = [];
    for (const row of rows) {
      const account = this.#accounts.get(row);
      // A row that no reader took up is missing here, and the check of the ledger refuses the plan.
      if (account?.outcome === undefined) continue;
      const holder = account.target === undefined ? account : this.#account(account.target);
      const refs = new Set([...holder.entries.values()].map(({ ref }) => ref));
      accounted.push({
        row: row.row,
        line: row.line,
        ...(row.path === undefined ? {} : { path: row.path }),
        outcome: account.outcome,
        entries: [...refs].sort(),
        ...(account.reason === undefined ? {} : { reason: account.reason }),
      });
    }
    return createLedger(accounted);
  }

  #account(row: SourceRow): Account {
    let account = this.#accounts.get(row);
    if (account === undefined) {
      account = { entries: new Map() };
      this.#accounts.set(row, account);
    }
    return account;
  }

  #hold(account: Account, entry: Entry): boolean {
    const written = writeEntry(entry);
    if (written === undefined) return false;
    account.entries.set(written.line, written);
    return true;
  }

  #holdText(account: Account, row: SourceRow, reason: string): void {
    for (const entry of createTextRows(reason, row)) this.#hold(account, entry);
  }
}
