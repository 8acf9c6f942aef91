import { describe, expect, it } from 'vitest';
import { planMigration } from '../src/index.js';
import { readDateBytes } from '../src/source/dates.js';
import { expectPlan, toBytes, toLines } from './helpers/plans.js';

describe('RW rows of documents and lines', () => {
  it('[DT2] [DT5] a document is told by its rows as it is by its value', () => {
    const format = (text: string): string => {
      const result = planMigration(toBytes(text));
      return result.ok ? result.plan.format : result.code;
    };
    const message = '{"body":"hi","sender":"ada","id":"m","time":1}';
    expect(format(`{"messages":[${message}]}`)).toBe('jupyter');
    expect(format(`\ufeff \t{"messages":{"m":${message}}} \r\n`)).toBe('jupyter');
    expect(format(`{"messages":5,"users":{},"metadata":{}}`)).toBe('jupyter');
    expect(format(`{"messages":[5,{"taskId":"t","role":"user","text":"hi"}]}`)).toBe('tasks');
    expect(format(`{"messages":[${message}],"event":"chat"}`)).toBe('cocalc');
    for (const torn of [
      `{"messages":[${message}`,
      `{"messages":[${message}]`,
      `{"messages":[${message},]}`,
      `{"messages":[${message}}]`,
      `{"messages":[${message}]}x`,
      `{"messages":[${message} ${message}]}`,
      `{"messages" [${message}]}`,
      `{"messages":[${message.replace('1}', '01}')}]}`,
      `{"messages":[${message}],"users":{x}}`,
      `{"messages":[\u000b${message}]}`,
    ]) {
      expect(format(torn)).toBe('unknown_format');
    }
    // The last of two counts, as for any reader of JSON.
    expect(format(`{"messages":[${message}],"messages":5}`)).toBe('unknown_format');
  });

  it('[PL7] a document that is no JSON makes no reader throw', () => {
    for (const text of ['{"a\u0001":1}', '{a:1}', '{"messages":{"x', '{"messages":[[[[', '{:}', '{,}'])
      expect(['jupyter', 'unknown_format']).toContain(
        ((result) => (result.ok ? result.plan.format : result.code))(
          planMigration(toBytes(text), { format: 'jupyter' }),
        ),
      );
  });

  it('[PL4] rows of one millisecond are counted in the order of their text', () => {
    const twin = (extra: object): object => ({
      sender_id: 'ada',
      event: 'chat',
      date: '2024-01-01T00:00:00.000Z',
      history: [{ author_id: 'ada', content: 'hi', date: '2024-01-01T00:00:00.000Z' }],
      ...extra,
    });
    const rows = [twin({}), twin({ editing: {} }), twin({ folding: [] })];
    const plan = expectPlan(toLines(...rows));
    expect(expectPlan(toLines(...[...rows].reverse())).jsonl).toBe(plan.jsonl);
    expect(plan.ledger.became).toBe(3);
  });

  it('[RW9] a date is read at its place in a longer text', () => {
    const bytes = toBytes('x2024-02-28T23:59:59.999Z');
    expect(readDateBytes(bytes, 1)).toBe(Date.UTC(2024, 1, 28, 23, 59, 59, 999));
    expect(readDateBytes(bytes, 0)).toBe(-1);
  });
});
