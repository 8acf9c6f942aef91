/**
 * The outcome of one input row. `became`: records of the chat. `merged`: it is equal to an earlier row.
 * `set_aside`: no record, but kept as `legacy_row` entries.
 */
export interface LedgerRow {
  /** The input row, counted from 1. */
  readonly row: number;
  readonly line: number;
  /** Its path in a JSON document. */
  readonly path?: string;
  readonly outcome: 'became' | 'merged' | 'set_aside';
  /** Ids of the entries that hold it, sorted; of a part, its attempt and number: `01J…/7`. */
  readonly entries: readonly string[];
  /** Why it was set aside, or merged. */
  readonly reason?: string;
}

export interface Ledger {
  readonly rows: readonly LedgerRow[];
  readonly became: number;
  readonly merged: number;
  readonly set_aside: number;
}

export type LedgerCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'ledger_mismatch'; readonly message: string };

const OUTCOMES = [undefined, 'became', 'merged', 'set_aside'] as const;
const NONE = -1;

/** The outcome of each row, in columns by the number of the row: a record of each is made only when asked for. */
export class LedgerColumns {
  /** Place in `OUTCOMES`. */
  #outcomes: Uint8Array = new Uint8Array(64);
  /** Numbers of entries. Nearly all rows have one or two. */
  #first: Int32Array = new Int32Array(64).fill(NONE);
  #second: Int32Array = new Int32Array(64).fill(NONE);
  /** May name one twice. */
  readonly #others = new Map<number, number[]>();
  readonly #reasons = new Map<number, string>();
  readonly #targets = new Map<number, number>();

  outcomeOf(row: number): LedgerRow['outcome'] | undefined {
    return OUTCOMES[this.#outcomes[row] ?? 0];
  }

  settle(row: number, outcome: LedgerRow['outcome'], reason?: string, target?: number): void {
    if (row >= this.#outcomes.length) this.#grow(row);
    this.#outcomes[row] = OUTCOMES.indexOf(outcome);
    if (reason !== undefined) this.#reasons.set(row, reason);
    else if (this.#reasons.size > 0) this.#reasons.delete(row);
    if (target !== undefined) this.#targets.set(row, target);
  }

  /** The row holds the entry of that number. */
  hold(row: number, entry: number): void {
    if (row >= this.#outcomes.length) this.#grow(row);
    if (this.#first[row] === NONE) this.#first[row] = entry;
    else if (this.#second[row] === NONE) this.#second[row] = entry;
    else {
      const others = this.#others.get(row);
      if (others === undefined) this.#others.set(row, [entry]);
      else others.push(entry);
    }
  }

  rowsOf(outcome: LedgerRow['outcome']): readonly number[] {
    const rows: number[] = [];
    const wanted = OUTCOMES.indexOf(outcome);
    for (let row = 0; row < this.#outcomes.length; row += 1)
      if (this.#outcomes[row] === wanted) rows.push(row);
    return rows;
  }

  /** As `checkLedger`, of rows 1 … `rowCount` and entries 0 … `entryCount - 1`. */
  check(rowCount: number, entryCount: number): LedgerCheck {
    const held = new Uint8Array(entryCount);
    let count = 0;
    let missing = entryCount;
    for (let row = 1; row < this.#outcomes.length; row += 1) {
      if (this.#outcomes[row] === 0) continue;
      if (row > rowCount) return mismatch(`row ${row} does not exist`);
      count += 1;
      const entries = this.#entriesOf(row);
      if (entries.length === 0) return mismatch(`row ${row} has no entry`);
      for (const entry of entries) {
        if (held[entry] === 0) missing -= 1;
        held[entry] = 1;
      }
    }
    if (count !== rowCount) return mismatch(`${rowCount} rows were read, and ${count} are accounted for`);
    return missing === 0 ? { ok: true } : mismatch(`${missing} entries come from no row`);
  }

  /** Names of entries by number. Rows are in the order of their numbers. */
  toLedger(rows: readonly LedgerPlace[], names: readonly string[]): Ledger {
    const count = { became: 0, merged: 0, set_aside: 0 };
    for (const { row } of rows) {
      const outcome = this.outcomeOf(row);
      if (outcome !== undefined) count[outcome] += 1;
    }
    let places = rows;
    let records: readonly LedgerRow[] | undefined;
    const readRows = (): readonly LedgerRow[] => {
      records ??= places.flatMap((place) => this.#createRow(place, names));
      places = [];
      return records;
    };
    return {
      get rows() {
        return readRows();
      },
      ...count,
    };
  }

  #createRow({ row, line, path }: LedgerPlace, names: readonly string[]): readonly LedgerRow[] {
    const outcome = this.outcomeOf(row);
    if (outcome === undefined) return [];
    const entries = [...new Set(this.#entriesOf(row).map((entry) => names[entry] ?? ''))].sort();
    const reason = this.#reasons.get(row);
    return [
      {
        row,
        line,
        ...(path === undefined ? {} : { path }),
        outcome,
        entries,
        ...(reason === undefined ? {} : { reason }),
      },
    ];
  }

  /** Of a merged row, those of the row that it is equal to. */
  #entriesOf(row: number): readonly number[] {
    const holder = this.#targets.size === 0 ? row : (this.#targets.get(row) ?? row);
    const [first = NONE, second = NONE] = [this.#first[holder], this.#second[holder]];
    if (first === NONE) return [];
    if (second === NONE) return [first];
    return this.#others.size === 0 ? [first, second] : [first, second, ...(this.#others.get(holder) ?? [])];
  }

  #grow(row: number): void {
    const size = Math.max(row + 1, this.#outcomes.length * 2);
    const [outcomes, first, second] = [this.#outcomes, this.#first, this.#second];
    this.#outcomes = new Uint8Array(size);
    this.#outcomes.set(outcomes);
    this.#first = new Int32Array(size).fill(NONE);
    this.#first.set(first);
    this.#second = new Int32Array(size).fill(NONE);
    this.#second.set(second);
  }
}

/** The place of a row in its file. */
export type LedgerPlace = Pick<LedgerRow, 'row' | 'line'> & { readonly path?: string | undefined };

/** The part of a `Set` of ids that a check needs. */
export interface IdSet extends Iterable<string> {
  readonly size: number;
  has(id: string): boolean;
}

/**
 * Whether the ledger accounts for rows 1 … `rowCount`, each exactly once and each with an entry that is there,
 * and for every entry of `entryIds`. Sums that do not agree mean lost rows: nothing may be committed.
 */
export function checkLedger(ledger: Ledger, rowCount: number, entryIds: IdSet): LedgerCheck {
  const seen: boolean[] = [];
  const held = new Set<string>();
  for (const { row, entries } of ledger.rows) {
    if (!Number.isInteger(row) || row < 1 || row > rowCount) return mismatch(`row ${row} does not exist`);
    if (seen[row] === true) return mismatch(`row ${row} is accounted for twice`);
    seen[row] = true;
    if (entries.length === 0) return mismatch(`row ${row} has no entry`);
    for (const id of entries) {
      if (held.has(id)) continue;
      if (!entryIds.has(id)) return mismatch(`row ${row} names entry ${id}, which is not there`);
      held.add(id);
    }
  }
  const count = ledger.rows.length;
  const sum = ledger.became + ledger.merged + ledger.set_aside;
  if (count !== rowCount || sum !== rowCount) {
    return mismatch(`${rowCount} rows were read, and ${Math.min(count, sum)} are accounted for`);
  }
  if (held.size < entryIds.size) {
    for (const id of entryIds) if (!held.has(id)) return mismatch(`entry ${id} comes from no row`);
  }
  return { ok: true };
}

function mismatch(message: string): LedgerCheck {
  return { ok: false, code: 'ledger_mismatch', message };
}
