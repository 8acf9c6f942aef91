import { check } from '@chatdoc/integrity';
import type { Chat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, toLines } from './helpers/plans.js';

// A chat that goes on between two migrations: each program saves what it knows at that time, and the document of all
// runs is clean.
const START = Date.UTC(2026, 3, 20, 10);
const at = (minute: number): string => new Date(START + minute * 60_000).toISOString();

interface Row {
  readonly [column: string]: unknown;
}

function contentsOf(chat: Chat): readonly (readonly string[])[] {
  return chat.threads().map(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}

function expectClean(chat: Chat): void {
  expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(chat.quarantine()).toEqual([]);
}

function bothOrders(...plans: readonly MigrationPlan[]): Chat[] {
  return [importPlans(...plans), importPlans(...plans.slice().reverse())];
}

const message = (id: string, minute: number, more: Row = {}): Row => ({
  date: at(minute),
  event: 'chat',
  history: [{ author_id: 'u', content: id, date: at(minute) }],
  message_id: id,
  schema_version: 2,
  sender_id: 'u',
  thread_id: 't1',
  ...more,
});
const settings = (name: string, minute: number, thread_id = 't1'): Row => ({
  date: at(0),
  event: 'chat-thread-config',
  name,
  sender_id: `__thread_config__:${thread_id}`,
  thread_id,
  updated_at: at(minute),
  updated_by: 'u',
});
const old = (text: string, minute: number, more: Row = {}): Row => ({
  date: at(minute),
  event: 'chat',
  history: [{ author_id: 'user-1', content: text, date: at(minute) }],
  sender_id: 'user-1',
  ...more,
});

describe('RW a second run', () => {
  it.each([
    [
      'settings before the first message',
      [settings('New', 0)],
      [settings('New', 0), message('m1', 5)],
      [['m1']],
    ],
    [
      'a deleted message that gives the next another parent',
      [
        message('m1', 1),
        message('m2', 2, { parent_message_id: 'm1' }),
        message('m3', 3, { parent_message_id: 'm2' }),
      ],
      [message('m1', 1), message('m3', 3, { parent_message_id: 'm1' })],
      [['m1', 'm2', 'm3']],
    ],
    [
      'an offloaded head',
      [
        message('m1', 1),
        message('m2', 2, { parent_message_id: 'm1' }),
        message('m3', 3, { parent_message_id: 'm2' }),
      ],
      [message('m3', 3, { parent_message_id: 'm2' })],
      [['m1', 'm2', 'm3']],
    ],
    [
      'a root that comes back',
      [old('reply', 1, { reply_to: at(0) })],
      [old('root', 0), old('reply', 1, { reply_to: at(0) })],
      [['root', 'reply']],
    ],
  ])('[RW24] %s', (_, first, second, expected) => {
    for (const chat of bothOrders(expectPlan(toLines(...first)), expectPlan(toLines(...second)))) {
      expect(contentsOf(chat)).toEqual(expected);
      expectClean(chat);
    }
  });

  const edit = fc.oneof(
    fc.record({
      kind: fc.constant('say' as const),
      thread: fc.nat(3),
      isNew: fc.boolean(),
      text: fc.string(),
    }),
    fc.record({ kind: fc.constant('edit' as const), place: fc.nat(20), text: fc.string() }),
    fc.record({ kind: fc.constant('delete' as const), place: fc.nat(20) }),
    fc.record({ kind: fc.constant('offload' as const), count: fc.nat(3) }),
    fc.record({ kind: fc.constant('restore' as const) }),
    fc.record({ kind: fc.constant('rename' as const), thread: fc.nat(3), text: fc.string({ minLength: 1 }) }),
    fc.record({ kind: fc.constant('stream' as const), thread: fc.nat(3), text: fc.string({ minLength: 1 }) }),
    fc.record({ kind: fc.constant('settle' as const), text: fc.string({ minLength: 1 }) }),
    fc.record({ kind: fc.constant('save' as const) }),
  );
  type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

  /** The file at each save and at the end: a CoCalc chat whose rows are edited as its clients edit them. */
  function saves(edits: readonly Edit[], style: 'v1' | 'v2'): readonly (readonly Row[])[] {
    let rows: Row[] = [];
    const gone: Row[] = [];
    const saved: (readonly Row[])[] = [];
    const roots = new Map<number, string>();
    let minute = 0;
    const post = (thread: number, text: string, sender_id: string, more: Row = {}): void => {
      minute += 1;
      const date = at(minute);
      const history = [{ author_id: sender_id, content: text, date }];
      const row: Row = { date, event: 'chat', history, sender_id, ...more };
      if (style === 'v1') {
        const root = roots.get(thread);
        rows.push(root === undefined ? row : { ...row, reply_to: root });
        if (root === undefined) roots.set(thread, date);
      } else {
        const thread_id = `t${thread}`;
        const above = rows
          .filter((other) => other['thread_id'] === thread_id && other['event'] === 'chat')
          .at(-1);
        const parent = above === undefined ? {} : { parent_message_id: above['message_id'] };
        rows.push({ ...row, ...parent, message_id: `m${minute}`, thread_id });
      }
    };
    for (const each of edits) {
      const chats = rows.filter((row) => row['event'] === 'chat');
      switch (each.kind) {
        case 'say':
          if (each.isNew && style === 'v1') roots.delete(each.thread);
          post(each.thread, each.text, 'u');
          break;
        case 'stream':
          post(each.thread, each.text, 'openai-gpt', { generating: true });
          break;
        case 'settle':
          rows = rows.map((row) => {
            if (row['generating'] !== true) return row;
            const [version] = row['history'] as readonly Row[];
            return { ...row, generating: false, history: [{ ...version, content: each.text }] };
          });
          break;
        case 'edit': {
          const row = chats[each.place % Math.max(chats.length, 1)];
          if (row === undefined || row['generating'] !== undefined) break;
          minute += 1;
          const version = { author_id: 'u', content: each.text, date: at(minute) };
          const history = [version, ...(row['history'] as readonly Row[])];
          rows = rows.map((other) => (other === row ? { ...row, history } : other));
          break;
        }
        case 'delete': {
          const row = chats[each.place % Math.max(chats.length, 1)];
          if (row === undefined) break;
          rows = rows
            .filter((other) => other !== row)
            .map((other) =>
              style === 'v2' && other['parent_message_id'] === row['message_id']
                ? { ...other, parent_message_id: row['parent_message_id'] }
                : other,
            );
          break;
        }
        case 'offload':
          gone.push(...chats.slice(0, each.count));
          rows = rows.filter((row) => !gone.includes(row));
          break;
        case 'restore':
          rows.unshift(...gone.splice(0));
          break;
        case 'rename': {
          minute += 1;
          if (style === 'v2') {
            const config = settings(each.text, minute, `t${each.thread}`);
            rows = [...rows.filter((row) => row['sender_id'] !== config['sender_id']), config];
          } else {
            const root = roots.get(each.thread);
            rows = rows.map((row) => (row['date'] === root ? { ...row, name: each.text } : row));
          }
          break;
        }
        case 'save':
          saved.push(rows);
      }
    }
    return [...saved, rows];
  }

  it.each(['v1', 'v2'] as const)('[RW24] any history of a %s chat, saved at any moments', (style) => {
    let several = 0;
    fc.assert(
      fc.property(
        fc.array(edit, { minLength: 4, maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        (edits, order) => {
          const plans = saves(edits, style)
            .filter((rows) => rows.length > 0)
            .map((rows) => expectPlan(toLines(...rows)));
          if (plans.length > 1) several += 1;
          const shuffled = plans
            .map((plan) => ({ plan, key: order.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ plan }) => plan);
          const [inOrder, other] = [importPlans(...plans), importPlans(...shuffled)];
          expectClean(inOrder);
          expect(other.digest()).toBe(inOrder.digest());
          expect(contentsOf(other)).toEqual(contentsOf(inOrder));
        },
      ),
      runs(150),
    );
    expect(several).toBeGreaterThan(0);
  });
});

describe('RW the names of CoCalc', () => {
  const before = [
    old('prompt', 0, { acp_config: { model: 'codex' } }),
    old('reply', 1, {
      reply_to: at(0),
      sender_id: 'other',
      history: [{ author_id: 'other', content: 'reply', date: at(1) }],
    }),
  ];
  const thread_id = `legacy-thread-${START}`;
  const after = [
    { ...before[0], message_id: `legacy-message-${START}-user-1`, schema_version: 2, thread_id },
    {
      ...before[1],
      message_id: `legacy-message-${START + 60_000}-other`,
      parent_message_id: `legacy-message-${START}-user-1`,
      schema_version: 2,
      thread_id,
    },
    {
      created_at: at(0),
      created_by: 'user-1',
      date: at(0),
      event: 'chat-thread',
      root_message_id: `legacy-message-${START}-user-1`,
      sender_id: '__thread__',
      thread_id,
    },
  ];

  it('[RW25] settings and messages of the client of 2026 are in the thread that they name', () => {
    const plan = expectPlan(
      toLines(
        before[0],
        { ...settings('Mine', 9, thread_id), acp_config: { model: 'codex', sessionId: 'SAVED' } },
        message('m9', 5, { parent_message_id: `legacy-message-${START}-user_1`, thread_id }),
      ),
    );
    const chat = importPlans(plan);
    expect(contentsOf(chat)).toEqual([['prompt', 'm9']]);
    const config = chat.config(chat.threads()[0]?.thread_id ?? '');
    expect(config).toMatchObject({ name: 'Mine', acp_config: { model: 'codex', sessionId: 'SAVED' } });
    expect(JSON.stringify(plan.entries)).not.toContain('"parent_message_id"');
  });

  it('[RW25] a chat before and after the migration of CoCalc is one chat', () => {
    for (const chat of bothOrders(expectPlan(toLines(...before)), expectPlan(toLines(...after)))) {
      expect(contentsOf(chat)).toEqual([['prompt', 'reply']]);
      expect(chat.threads()).toMatchObject([{ created_at: at(0), created_by: 'user-1' }]);
      expect(chat.config(chat.threads()[0]?.thread_id ?? '').acp_config).toEqual({ model: 'codex' });
      expectClean(chat);
      expect(chat.duplicates()).toEqual([]);
    }
  });
});
