import { describe, expect, it } from 'vitest';
import { checkLedger, type Ledger, type LedgerRow } from '../src/index.js';
import { expectPlan, readFixture, refOf } from './helpers/plans.js';

const row = (number: number, ...entries: readonly string[]): LedgerRow => ({
  row: number,
  line: number,
  outcome: 'became',
  entries,
});
const ledger = (...rows: readonly LedgerRow[]): Ledger => ({
  rows,
  became: rows.length,
  merged: 0,
  set_aside: 0,
});

describe('LG ledger', () => {
  it('[LG1] every row is accounted for once, by line', () => {
    const { ledger: found } = expectPlan(readFixture('cocalc-damaged.chat'));
    expect(found.rows.map(({ row, line }) => [row, line])).toEqual(
      [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((line, index) => [index + 1, line]),
    );
    expect({ ...found, rows: found.rows.length }).toEqual({ rows: 14, became: 8, merged: 1, set_aside: 5 });
  });

  it('[LG2] rows name the entries of the plan, and all of them', () => {
    const plan = expectPlan(readFixture('jupyter-2025.chat'));
    const named = new Set(plan.ledger.rows.flatMap(({ entries }) => entries));
    expect([...named].sort()).toEqual(plan.entries.map(refOf).sort());
    expect(plan.ledger.rows.every(({ entries }) => entries.length > 0)).toBe(true);
  });

  it('[LG3] a ledger that does not add up is refused', () => {
    const ids = new Set(['a', 'b']);
    const message = (found: Ledger, rows: number): string => {
      const check = checkLedger(found, rows, ids);
      return check.ok ? 'ok' : `${check.code}: ${check.message}`;
    };
    expect(message(ledger(row(1, 'a'), row(2, 'b')), 2)).toBe('ok');
    expect(message(ledger(row(1, 'a', 'b')), 2)).toBe(
      'ledger_mismatch: 2 rows were read, and 1 are accounted for',
    );
    expect(message(ledger(row(1, 'a'), row(1, 'b')), 2)).toBe(
      'ledger_mismatch: row 1 is accounted for twice',
    );
    expect(message(ledger(row(1, 'a'), row(3, 'b')), 2)).toBe('ledger_mismatch: row 3 does not exist');
    expect(message(ledger(row(1, 'a', 'b'), row(2)), 2)).toBe('ledger_mismatch: row 2 has no entry');
    expect(message(ledger(row(1, 'a', 'b'), row(2, 'c')), 2)).toBe(
      'ledger_mismatch: row 2 names entry c, which is not there',
    );
    expect(message(ledger(row(1, 'a'), row(2, 'a')), 2)).toBe('ledger_mismatch: entry b comes from no row');
    expect(message({ ...ledger(row(1, 'a'), row(2, 'b')), became: 1 }, 2)).toBe(
      'ledger_mismatch: 2 rows were read, and 1 are accounted for',
    );
  });

  it('[LG4] a row that says the same as an earlier one names its entries', () => {
    const { ledger: found } = expectPlan(readFixture('cocalc-damaged.chat'));
    const merged = found.rows.find(({ outcome }) => outcome === 'merged');
    expect(merged).toMatchObject({ row: 4, line: 5, reason: 'same_row' });
    expect(merged?.entries).toEqual(found.rows[2]?.entries);
  });
});
