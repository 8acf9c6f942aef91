import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, scale } from '../../../tools/amounts.js';
import { planMigration } from '../src/index.js';
import { entriesOf, expectPlan, readFixture, recordLines, toBytes, toLines } from './helpers/plans.js';

const times = fc.integer({ min: 0, max: 6 }).map((step) => 1_700_000_000_000 + step * 1000);
const dates = fc.oneof(
  times.map((time) => new Date(time).toISOString()),
  times,
  times.map((time) => String(time)),
);
const people = fc.constantFrom('ada', 'grace', 'openai-gpt-4');
const texts = fc.oneof(
  fc.constantFrom('', ' ', 'hello', 'yes', '👋'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const version = fc.record({ author_id: people, content: texts, date: dates }, { requiredKeys: ['content'] });
const extra = fc.record(
  {
    reply_to: dates,
    editing: fc.constantFrom({}, [], { ada: 'FUTURE' }),
    generating: fc.boolean(),
    folding: fc.array(people, { maxLength: 2 }),
    feedback: fc.dictionary(people, fc.constantFrom('positive', 'negative', null), { maxKeys: 2 }),
    name: texts,
    pin: fc.constantFrom(true, false, 'true', 1, 'maybe'),
    unknown: fc.jsonValue({ maxDepth: 3 }),
    message_id: fc.constantFrom('m1', 'm2', 'm3'),
    thread_id: fc.constantFrom('t1', 't2'),
    parent_message_id: fc.constantFrom('m1', 'm2', 'm9'),
    id: fc.constantFrom('cell', ''),
  },
  { requiredKeys: [] },
);
const dated = fc.oneof(
  fc.record({
    name: people,
    color: fc.constant('1f80d8'),
    date: dates,
    mesg: fc.record({ event: fc.constant('chat'), content: texts }),
  }),
  fc.record({
    sender_id: people,
    date: dates,
    event: fc.constant('chat'),
    payload: fc.record({ content: texts }),
  }),
  fc
    .tuple(
      fc.record({
        sender_id: people,
        date: dates,
        event: fc.constant('chat'),
        history: fc.array(version, { maxLength: 3 }),
      }),
      extra,
    )
    .map(([row, more]) => ({ ...more, ...row })),
  fc.record({ sender_id: people, date: fc.integer(), event: fc.constant('draft'), input: texts }),
  fc.record({
    sender_id: people,
    date: dates,
    event: fc.constant('start_video'),
    payload: fc.record({ room_id: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
  }),
  fc.record({ date: dates, folding: fc.array(people) }),
  fc.record({
    thread_id: fc.constantFrom('t1', 't2'),
    event: fc.constant('chat-thread-config'),
    name: texts,
    updated_at: dates,
  }),
  fc.record({
    thread_id: fc.constantFrom('t1', 't2'),
    event: fc.constant('chat-thread-state'),
    state: fc.constantFrom('running', 'idle', 'odd'),
  }),
  fc.record({
    thread_id: fc.constantFrom('t1', 't2'),
    event: fc.constant('chat-thread'),
    created_by: people,
    created_at: dates,
  }),
  fc.record({ sender_id: people, date: dates, event: fc.constant('new-thing'), value: fc.jsonValue() }),
);
const hostile = fc.oneof(
  { weight: 3, arbitrary: dated.map((row) => JSON.stringify(row)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc
      .record(
        {
          event: fc.constantFrom('chat', 'draft', 'chat-thread-config', 5),
          sender_id: fc.jsonValue(),
          date: fc.jsonValue(),
          history: fc.jsonValue(),
          payload: fc.jsonValue(),
          mesg: fc.jsonValue(),
          reply_to: fc.jsonValue(),
          message_id: fc.jsonValue(),
          thread_id: fc.jsonValue(),
          acp_config: fc.jsonValue(),
          resolved: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((row) => JSON.stringify(row)),
  },
);
const jupyterMessage = fc.record(
  {
    id: fc.constantFrom('m1', 'm2', 'm3', ''),
    body: fc.oneof(texts, fc.jsonValue()),
    time: fc.oneof(
      fc.double({ min: 1_700_000_000, max: 1_700_000_003, noNaN: true }),
      fc.integer({ min: 1, max: 3 }),
      fc.jsonValue(),
    ),
    sender: fc.oneof(people, fc.jsonValue()),
    deleted: fc.boolean(),
    edited: fc.boolean(),
    mentions: fc.oneof(fc.array(people), fc.jsonValue()),
    attachments: fc.oneof(fc.array(fc.constantFrom('f1', 'f2', '__proto__')), fc.jsonValue()),
    metadata: fc.oneof(
      fc.record({
        tool_calls: fc.array(
          fc.dictionary(
            fc.constantFrom('tool_call_id', 'title', 'status', 'raw_input', 'raw_output', 'kind'),
            fc.jsonValue(),
          ),
        ),
      }),
      fc.jsonValue(),
    ),
    mime_model: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const jupyterDocument = fc.record(
  {
    messages: fc.oneof(
      fc.array(jupyterMessage, { maxLength: 8 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), jupyterMessage),
      fc.array(fc.jsonValue()),
    ),
    users: fc.oneof(fc.dictionary(people, fc.jsonValue()), fc.jsonValue()),
    attachments: fc.oneof(fc.dictionary(fc.constantFrom('f1', 'f2'), fc.jsonValue()), fc.jsonValue()),
    metadata: fc.oneof(fc.record({ id: fc.constantFrom('c', 5) }), fc.jsonValue()),
    other: fc.jsonValue(),
  },
  { requiredKeys: ['messages'] },
);
// One chat row at the top, so that detection is no matter of luck.
const ANCHOR = {
  sender_id: 'ada',
  date: '2000-01-01T00:00:00.000Z',
  event: 'chat',
  payload: { content: 'first' },
};

/** As `ANCHOR`, of a jupyter-chat document. */
const JUPYTER_ANCHOR = { id: 'anchor', type: 'msg', body: 'first', time: 1, sender: 'ada' };

function shuffleKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffleKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, shuffleKeys(child)]),
  );
}

describe('PL plan, of any input', () => {
  it('[LG1] every row of a generated CoCalc chat is accounted for once', () => {
    let setAside = 0;
    let merged = 0;
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 20 }), (rows) => {
        const bytes = toLines(ANCHOR, ...rows);
        const { ledger } = expectPlan(bytes);
        const lines = new TextDecoder()
          .decode(bytes)
          .split('\n')
          .filter((line) => line.trim() !== '');
        expect(ledger.rows).toHaveLength(lines.length);
        setAside += ledger.set_aside;
        merged += ledger.merged;
      }),
      runs(300),
    );
    expect(setAside > scale(100) && merged > 0).toBe(true);
  });

  it('[LG1] every row of a generated jupyter-chat document is accounted for once', () => {
    let parts = 0;
    let revisions = 0;
    fc.assert(
      fc.property(jupyterDocument, (generated) => {
        const { messages } = generated;
        const anchored = Array.isArray(messages)
          ? [JUPYTER_ANCHOR, ...messages]
          : { anchor: JUPYTER_ANCHOR, ...messages };
        const document = { ...generated, messages: anchored };
        const plan = expectPlan(toBytes(JSON.stringify(document)));
        parts += entriesOf(plan, 'part').length;
        revisions += entriesOf(plan, 'revision').length;
        for (const table of ['messages', 'users', 'attachments'] as const) {
          const size = Object.keys(document[table] ?? {}).length;
          const found = plan.ledger.rows.filter(({ path = '' }) => path.startsWith(`${table}/`)).length;
          if (typeof document[table] === 'object') expect(found).toBe(size);
        }
      }),
      runs(300),
    );
    expect(parts > scale(20) && revisions > scale(20)).toBe(true);
  });

  it('[PL2] rows in another order, with other keys first and other white space, have the same plan', () => {
    const shuffled = fc
      .array(dated, { maxLength: 12 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    fc.assert(
      fc.property(shuffled, ([rows, permuted]) => {
        const plan = expectPlan(toLines(ANCHOR, ...rows));
        const spaced = permuted.map((row) => JSON.stringify(shuffleKeys(row), null, 1).replaceAll('\n', ' '));
        expect(expectPlan(toLines(...spaced, ANCHOR)).jsonl).toBe(plan.jsonl);
      }),
      runs(200),
    );
  });

  it('[PL2] time zone and locale do not matter', () => {
    const zone = process.env['TZ'];
    const rows = [
      '2016-07-23T23:10:04',
      '2016-07-23',
      'Sat Jul 23 2016 23:10:04 GMT+0200 (CEST)',
      '7/23/2016 10:00',
    ];
    const bytes = toLines(...rows.map((date) => ({ ...ANCHOR, date })));
    try {
      const plans = ['UTC', 'Asia/Kathmandu', 'America/New_York'].map((name) => {
        process.env['TZ'] = name;
        return expectPlan(bytes).jsonl;
      });
      expect(new Set(plans).size).toBe(1);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  // Rows as an append-only chat has them: a reply comes after what it replies to.
  it('[PL3] the lines of an earlier revision are among those of every later one', () => {
    const post = fc.record({
      text: texts,
      sender: people,
      versions: fc.array(texts, { maxLength: 2 }),
      reply: fc.nat(5),
      gap: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(post, { minLength: 3, maxLength: 12 }), fc.nat(10), fc.nat(10), (posts, a, b) => {
        let time = 1_700_000_000_000;
        const roots: string[] = [];
        const rows = posts.map(({ text, sender, versions, reply, gap }) => {
          time += gap;
          const date = new Date(time).toISOString();
          const root = reply > 2 ? roots[reply % Math.max(roots.length, 1)] : undefined;
          if (root === undefined) roots.push(date);
          const history = [text, ...versions]
            .map((content) => ({ author_id: sender, content, date }))
            .reverse();
          return {
            date,
            event: 'chat',
            sender_id: sender,
            history,
            ...(root === undefined ? {} : { reply_to: root }),
          };
        });
        const cuts = [a, b].map((cut) => 1 + (cut % rows.length)).sort((x, y) => x - y);
        const plans = [...cuts, rows.length].map((cut) => expectPlan(toLines(...rows.slice(0, cut))));
        const lines = plans.map((plan) => new Set(recordLines(plan)));
        for (const [index, known] of lines.entries()) {
          for (const line of known) expect(lines[index + 1]?.has(line) ?? true).toBe(true);
        }
        const docIds = plans.flatMap((plan) => entriesOf(plan, 'document').map(({ doc_id }) => doc_id));
        expect(new Set(docIds).size).toBe(1);
      }),
      runs(150),
    );
  });

  it('[PL3] message and revision lines of any rows are among those of more rows, if no two are alike', () => {
    const rows = fc.uniqueArray(
      fc.record({
        sender_id: people,
        date: times,
        event: fc.constant('chat'),
        payload: fc.record({ content: texts }),
      }),
      {
        minLength: 1,
        maxLength: 12,
        // No text is part of the identity of an answer.
        selector: (row) => JSON.stringify(row.sender_id === 'openai-gpt-4' ? { ...row, payload: null } : row),
      },
    );
    fc.assert(
      fc.property(
        rows.chain((all) => fc.tuple(fc.constant(all), fc.subarray(all, { minLength: 1 }))),
        ([all, some]) => {
          const known = new Set(recordLines(expectPlan(toLines(...all))));
          const lost = recordLines(expectPlan(toLines(...some))).filter((line) => !known.has(line));
          // The root of two messages of one millisecond is the smaller id of those that are there.
          expect(lost.filter((line) => !line.startsWith('{"type":"thread"'))).toEqual([]);
        },
      ),
      runs(150),
    );
  });

  it('[PL7] no bytes make it throw, nor does any prefix or any damaged byte of a file', () => {
    const codes = new Set<string>();
    const plan = (bytes: Uint8Array): void => {
      const result = planMigration(bytes);
      codes.add(result.ok ? result.plan.format : result.code);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), plan), runs(300));
    for (const name of ['cocalc-damaged', 'cocalc-2026', 'jupyter-2025', 'jupyter-2026']) {
      const bytes = readFixture(`${name}.chat`);
      for (let end = 0; end < bytes.length; end += 11) plan(bytes.subarray(0, end));
      plan(bytes);
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
          const damaged = bytes.slice();
          damaged[at] = byte;
          plan(damaged);
        }),
        runs(200),
      );
    }
    expect([...codes].sort()).toEqual(['cocalc', 'empty', 'jupyter', 'unknown_format']);
  });
});
