/**
 * What became of one input row. `became`: records of the chat. `merged`: it says the same as an earlier row.
 * `set_aside`: no record, but kept as `legacy_row` entries.
 */
export interface LedgerRow {
  /** The input row, counted from 1. */
  readonly row: number;
  readonly line: number;
  /** Where it stands in a JSON document. */
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

export function createLedger(rows: readonly LedgerRow[]): Ledger {
  const count = { became: 0, merged: 0, set_aside: 0 };
  for (const row of rows) count[row.outcome] += 1;
  return { rows, ...count };
}

/** What a `Set` of ids can do, as far as a check needs it. */
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
    if (!Number.isInteger(row) || row < 1 || row > rowCount) return mismatch(`there is no row ${row}`);
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
