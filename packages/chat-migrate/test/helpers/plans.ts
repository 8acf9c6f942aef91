import { readFileSync } from 'node:fs';
import type { Entry } from '@chatdoc/schema';
import { encodeLine, fitsEntry, parseLine } from '@chatdoc/schema/internal';
import { expect } from 'vitest';
import { checkLedger, type MigrationPlan, planMigration } from '../../src/index.js';

export function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
}

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function toLines(...rows: readonly unknown[]): Uint8Array {
  return toBytes(rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));
}

/** Plans, and checks every law that holds for any plan. */
export function expectPlan(bytes: Uint8Array): MigrationPlan {
  const copy = bytes.slice();
  const result = planMigration(bytes);
  if (!result.ok) throw new Error(`expected a plan, got ${result.code}: ${result.message}`);
  const { plan } = result;
  expect(Buffer.compare(bytes, copy)).toBe(0);
  const lines = plan.jsonl.split('\n');
  expect(lines.pop()).toBe('');
  expect(lines).toHaveLength(plan.entries.length + 1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'lane', lane_id: plan.lane_id, generation: 0 });
  for (const [index, entry] of plan.entries.entries()) {
    const line = lines[index + 1] ?? '';
    if (line !== encodeLine(entry) || !parseLine(line).ok) throw new Error(`not canonical: ${line}`);
    if (!fitsEntry(entry)) throw new Error(`no entry that may be written: ${line}`);
  }
  expect(new Set(lines).size).toBe(lines.length);
  const { ledger } = plan;
  expect(ledger.became + ledger.merged + ledger.set_aside).toBe(ledger.rows.length);
  expect(checkLedger(ledger, ledger.rows.length, new Set(plan.entries.map(refOf)))).toEqual({ ok: true });
  return plan;
}

export function refOf(entry: Entry): string {
  if (entry.type === 'message') return entry.message_id;
  if (entry.type === 'thread') return entry.thread_id;
  return entry.type === 'part' ? `${entry.attempt}/${entry.n}` : entry.id;
}

type OfType<T extends Entry['type']> = Extract<Entry, { type: T }>;

export function entriesOf<T extends Entry['type']>(plan: MigrationPlan, type: T): OfType<T>[] {
  return plan.entries.filter((entry): entry is OfType<T> => entry.type === type);
}

export function messageWith(plan: MigrationPlan, content: string): OfType<'message'> {
  const found = entriesOf(plan, 'message').filter((message) => message.content === content);
  if (found[0] === undefined || found.length > 1)
    throw new Error(`${found.length} messages with that content`);
  return found[0];
}

/** The lines of a plan without header and document, which tell how many rows there were. */
export function recordLines(plan: MigrationPlan): readonly string[] {
  return plan.jsonl.split('\n').filter((line) => line !== '' && !/^\{"type":"(?:lane|document)"/.test(line));
}
