import { describe, expect, it } from 'vitest';
import { planMigration } from '../src/index.js';
import { expectPlan, readFixture, toBytes, toLines } from './helpers/plans.js';

const MB = 1_000_000;
const BODY = 'A line of words, "quoted" now and then.\n'.repeat(25);

function readProgress(bytes: Uint8Array): readonly (readonly [done: number, total: number])[] {
  const calls: (readonly [number, number])[] = [];
  const result = planMigration(bytes, { onProgress: (done, total) => calls.push([done, total]) });
  if (!result.ok) throw new Error(result.code);
  expect(result.plan.jsonl).toBe(expectPlan(bytes).jsonl);
  return calls;
}

describe('PL plan, watched', () => {
  it.each([
    ['cocalc', toLines(...Array.from({ length: 4000 }, (_, i) => createRow(i)))],
    [
      'jupyter',
      toBytes(JSON.stringify({ messages: Array.from({ length: 4000 }, (_, i) => createMessage(i)) })),
    ],
  ])('[PL2] progress of a %s file rises by less than a MB to all of it, and changes nothing', (_, bytes) => {
    const calls = readProgress(bytes);
    expect(bytes.length).toBeGreaterThan(4 * MB);
    expect(calls.every(([, total]) => total === bytes.length)).toBe(true);
    expect(calls.at(-1)).toEqual([bytes.length, bytes.length]);
    const steps = calls.map(([done], index) => done - (calls[index - 1]?.[0] ?? 0));
    expect(steps.every((step) => step > 0 && step < MB)).toBe(true);
  });

  it('[PL2] progress of a small file ends with all of it', () => {
    const bytes = readFixture('cocalc-a.chat');
    expect(readProgress(bytes).at(-1)).toEqual([bytes.length, bytes.length]);
  });
});

function createRow(index: number): unknown {
  const date = new Date(1_700_000_000_000 + index * 1000).toISOString();
  return { sender_id: 'ada', event: 'chat', date, history: [{ author_id: 'ada', content: BODY, date }] };
}

function createMessage(index: number): unknown {
  return { id: `m${index}`, body: BODY, sender: 'ada', time: 1_700_000_000 + index, type: 'msg' };
}
