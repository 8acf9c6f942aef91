import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, scale } from '../../../tools/amounts.js';
import { PlainCocalcRows } from '../src/cocalc/plain-rows.js';
import { planMigration } from '../src/index.js';
import { PlainJupyterMessages } from '../src/jupyter/plain-messages.js';
import { readDateBytes } from '../src/source/dates.js';
import { JsonBytes, StringSpan } from '../src/source/json-bytes.js';
import { expectPlan, toBytes, toLines } from './helpers/plans.js';

// Most rows are read from their bytes, the others by `JSON.parse`: both must make the same of them. A row that says the
// same in a way that only the long one reads is the other side of the comparison.
const people = fc.constantFrom('ada', 'grace', '1111-1111');
const texts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'hello',
    '"quoted"\n\ttwice \\',
    'é and ß',
    'a → b',
    '日本語だけ',
    '👋',
    '\u0080\u00ff',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', 'é', '→', '👋', '"', '\\', '\n', '\u0007', '\ufeff'),
    maxLength: 60,
  }),
);
const dates = fc
  .integer({ min: 0, max: 5 })
  .map((step) => new Date(1_700_000_000_000 + step * 1000).toISOString());
const version = fc.record({ author_id: people, content: texts, date: dates }, { requiredKeys: ['content'] });
const plainRow = fc.tuple(people, texts, dates, fc.boolean()).map(([sender_id, content, date, isReply]) => ({
  sender_id,
  event: 'chat',
  date,
  history: [{ author_id: sender_id, content, date }],
  feedback: {},
  ...(isReply ? { reply_to: date } : {}),
}));
const anyRow = fc.record(
  {
    sender_id: people,
    event: fc.constantFrom('chat', 'draft'),
    date: dates,
    history: fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .tuple(people, texts, dates)
          .map(([author_id, content, date]) => [{ author_id, content, date }]),
      },
      { weight: 1, arbitrary: fc.array(version, { maxLength: 3 }) },
    ),
    reply_to: fc.oneof(dates, fc.constantFrom(null, '', 'never')),
    editing: fc.constantFrom({}, [], false, { ada: 'FUTURE' }),
    folding: fc.constantFrom([], {}, ['ada']),
    feedback: fc.oneof(
      fc.constantFrom({}, [], false),
      fc.dictionary(fc.oneof(people, texts), fc.constantFrom('positive', 'é', null), { maxKeys: 2 }),
    ),
    generating: fc.constantFrom(false, true, {}),
  },
  { requiredKeys: ['sender_id', 'event', 'date', 'history'] },
);

const row = fc.oneof(plainRow, anyRow);

/** Escapes every letter of the first key, which `JSON.parse` reads alike. */
function disguise(json: string): string {
  return json.replace(
    /^\{"(\w+)"/,
    (_, key: string) =>
      `{"${[...key].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join('')}"`,
  );
}

function describePlan(bytes: Uint8Array, format?: 'cocalc' | 'jupyter'): unknown {
  const result = planMigration(bytes, format === undefined ? {} : { format });
  if (!result.ok) return result.code;
  const { jsonl, ledger, problems } = result.plan;
  return { jsonl, ledger, problems: problems.map(({ row, code }) => [row, code]) };
}

describe('RW rows, read from their bytes', () => {
  it('[RW3] a CoCalc row says the same by the short way and by the long one', () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const lines = rows.map((one) => JSON.stringify(one));
        for (const line of lines) {
          const bytes = toBytes(line);
          if (new PlainCocalcRows(bytes).read(0, bytes.length)) plain += 1;
        }
        expect(describePlan(toLines(...lines.map(disguise)), 'cocalc')).toEqual(
          describePlan(toLines(...lines), 'cocalc'),
        );
      }),
      runs(300),
    );
    expect(plain).toBeGreaterThan(scale(100));
  });

  it('[RW13] a jupyter message says the same by the short way and by the long one', () => {
    const times = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 41 }).map((ms) => ms / 1000),
      fc.double({ min: 1_700_000_000, max: 1_700_000_003, noNaN: true }),
      fc.constantFrom(0, -1, 1e12, 1e300, 0.5),
    );
    const plainMessage = fc
      .tuple(
        texts,
        people,
        fc.constantFrom('m1', 'm2', 'm3'),
        fc.integer({ min: 1, max: 2 ** 41 }),
        fc.boolean(),
      )
      .map(([body, sender, id, ms, edited]) => ({ body, sender, id, time: ms / 1000, type: 'msg', edited }));
    const anyMessage = fc.record(
      {
        body: texts,
        sender: fc.oneof(people, texts),
        id: fc.oneof(fc.constantFrom('m1', 'm2', 'm3'), texts),
        time: times,
        raw_time: fc.boolean(),
        deleted: fc.boolean(),
        edited: fc.boolean(),
        type: fc.constantFrom('msg', 'other'),
        mentions: fc.constantFrom([], ['ada']),
        attachments: fc.constantFrom([], ['f1']),
        metadata: fc.constantFrom({}, { a: 1 }),
      },
      { requiredKeys: ['body', 'sender', 'id', 'time'] },
    );
    const message = fc.oneof(plainMessage, anyMessage);
    let plain = 0;
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), fc.boolean(), (messages, isNamed) => {
        const rows = messages.map((one) => JSON.stringify(one));
        for (const one of rows) if (new PlainJupyterMessages(toBytes(one)).read(0) >= 0) plain += 1;
        const rest = isNamed ? ',"metadata":{"id":"the \\"chat\\""}' : '';
        const write = (some: readonly string[]): Uint8Array =>
          toBytes(`{"messages":[${some.join(',')}]${rest}}`);
        expect(describePlan(write(rows.map(disguise)))).toEqual(describePlan(write(rows)));
      }),
      runs(300),
    );
    expect(plain).toBeGreaterThan(scale(100));
  });

  it('[RW1] a line that is no JSON is no plain row, nor is one of other columns or with one twice', () => {
    const line =
      '{"date":"2024-01-01T00:00:00.000Z","event":"chat","history":[{"author_id":"ada","content":"hi","date":"2024-01-01T00:00:00.000Z"}],"sender_id":"ada"}';
    const isPlain = (text: string): boolean => {
      const bytes = toBytes(text);
      return new PlainCocalcRows(bytes).read(0, bytes.length);
    };
    expect(isPlain(line)).toBe(true);
    expect(isPlain(` ${line.replaceAll(',', ' , ').replaceAll(':"', ': "')}\r`)).toBe(true);
    for (let end = 0; end < line.length; end += 1) expect(isPlain(line.slice(0, end))).toBe(false);
    for (const odd of [
      line.replace('{', '{"pin":true,'),
      line.replace('{', '{"event":"chat",'),
      line.replace('"hi"', '"h\u0001i"'),
      line.replace('"hi"', '"h\\/i"'),
      line.replace('"hi"', '"h\\u0041i"'),
      line.replace('"hi"', '5'),
      line.replace('"hi"', `"${'x'.repeat(70_000)}"`),
      line.replace('}]', ',}]'),
      line.replace(',"sender_id"', ',\n"sender_id"'),
      line.replaceAll('01-01', '02-30'),
      `${line}x`,
      `${line},`,
      `[${line}]`,
    ]) {
      const bytes = toBytes(odd);
      const end = bytes.indexOf(10);
      expect(new PlainCocalcRows(bytes).read(0, end < 0 ? bytes.length : end)).toBe(false);
    }
  });

  it('[RW1] a string is read from its bytes only where they are UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(7), (inside, before) => {
        const bytes = Uint8Array.from(
          [...' '.repeat(before)].map(() => 32).concat([34], [...inside], [34, 44, 44, 44, 44]),
        );
        const span = new StringSpan(new JsonBytes(bytes));
        if (!span.read(before)) return;
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
          bytes.subarray(span.from, span.to),
        );
        const value = JSON.parse(text) as string;
        expect(JSON.stringify(value)).toBe(text);
        const units = [...text].map((character) => [character.length, character.charCodeAt(0)] as const);
        expect([span.pairs, span.wide, span.extra]).toEqual([
          units.filter(([length]) => length === 2).length,
          units.filter(([length, code]) => length === 1 && code > 255).length,
          span.to - span.from - text.length,
        ]);
      }),
      runs(2000),
    );
  });

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

  it('[PL4] plain rows of one millisecond are counted in the order of their text', () => {
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

  it('[RW9] a date is read from bytes as from a text', () => {
    const bytes = toBytes('x2024-02-28T23:59:59.999Z');
    expect(readDateBytes(bytes, 1)).toBe(Date.UTC(2024, 1, 28, 23, 59, 59, 999));
    expect(readDateBytes(bytes, 0)).toBe(-1);
  });
});
