import { check } from '@chatdoc/integrity';
import type { Chat, Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan, messageWith, toLines } from './helpers/plans.js';

type Row = Readonly<Record<string, unknown>>;

const ADA = '11111111-1111-4111-8111-111111111111';
const DATES = [0, 1, 2].map((minute) => `2024-05-01T10:0${minute}:00.000Z`);
const [AT = ''] = DATES;

function chatRow(date: unknown, content: string, more: Row = {}): Row {
  return { date, event: 'chat', history: [{ author_id: ADA, content, date }], sender_id: ADA, ...more };
}

function newRow(message_id: string, content: string, more: Row = {}): Row {
  return { ...chatRow(AT, content), message_id, thread_id: 't', schema_version: 2, ...more };
}

const planOf = (...rows: readonly Row[]): MigrationPlan => expectPlan(toLines(...rows));
const listMessages = (chat: Chat): readonly Message[] =>
  chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
const contents = (chat: Chat): string[] => listMessages(chat).map(({ content }) => content);
const rules = (chat: Chat): string[] => check(chat).map(({ rule }) => rule);

// What other programs did to these inputs was found by running them: none of it may happen here.
describe('defects that we reproduced elsewhere', () => {
  it('[PL4] 1: of two messages of one millisecond and sender none is lost, and the report counts what is there', () => {
    const plan = planOf(chatRow(AT, 'a'), chatRow(AT, 'b'));
    expect(contents(importPlans(plan)).sort()).toEqual(['a', 'b']);
    expect(plan.ledger.became).toBe(entriesOf(plan, 'message').length);
  });

  it('[RW6] 2: of two threads that begin in one millisecond no message is lost', () => {
    for (const other of [{ sender_id: 'grace' }, {}]) {
      const chat = importPlans(planOf(chatRow(AT, 'a'), chatRow(AT, 'b', other)));
      // Replies name the millisecond: it is one thread, as everybody saw it.
      expect([chat.threads().length, contents(chat).sort()]).toEqual([1, ['a', 'b']]);
    }
  });

  it('[PL2] 3: of two messages under one id each has the same id in any order of the rows', () => {
    const rows = [newRow('m', 'a'), newRow('m', 'b')];
    expect(planOf(...rows.reverse()).jsonl).toBe(planOf(...rows.reverse()).jsonl);
    expect(contents(importPlans(planOf(...rows))).sort()).toEqual(['a', 'b']);
  });

  it('[RW12] 4: a chain of parents stays a chain', () => {
    const plan = planOf(
      newRow('root', 'root'),
      newRow('a', 'a', { date: DATES[2], parent_message_id: 'root' }),
      newRow('q', 'q', { date: DATES[1], parent_message_id: 'a' }),
      newRow('z', 'z', { date: '2030-01-01T00:00:00.000Z', parent_message_id: 'q' }),
    );
    expect(contents(importPlans(plan))).toEqual(['root', 'a', 'q', 'z']);
    // Only a clock that was behind needs a word.
    expect(messageWith(plan, 'q')).toMatchObject({ after: messageWith(plan, 'a').message_id });
    for (const content of ['a', 'z']) {
      expect(messageWith(plan, content).reply_to_message_id).toBeUndefined();
      expect(messageWith(plan, content).after).toBeUndefined();
    }
  });

  it('[GN1] 5: a message whose root was archived is no damage', () => {
    const chat = importPlans(planOf(newRow('m2', 'a', { parent_message_id: 'm1' })));
    expect(rules(chat)).toEqual([]);
  });

  it('[GN1] 6: a parent in another thread is kept as a column', () => {
    const plan = planOf(newRow('m1', 'a'), newRow('m2', 'b', { parent_message_id: 'm1', thread_id: 'u' }));
    const chat = importPlans(plan);
    expect(contents(chat).sort()).toEqual(['a', 'b']);
    expect(rules(chat)).toEqual([]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('"parent_message_id":"m1"');
  });

  it('[PL4] 7: one message id in two threads is two messages', () => {
    const plan = planOf(newRow('m', 'a'), newRow('m', 'b', { thread_id: 'u' }));
    const chat = importPlans(plan);
    expect(chat.threads()).toHaveLength(2);
    expect(contents(chat).sort()).toEqual(['a', 'b']);
    expect(rules(chat)).not.toContain('IN15');
  });

  it('[RW12] 8: two rows of settings for one thread are found, and the newest shows', () => {
    const config = { event: 'chat-thread-config', thread_id: 't', sender_id: '__thread_config__:t' };
    const plan = planOf(
      newRow('m', 'a'),
      { ...config, name: 'new', updated_at: DATES[2] },
      { ...config, name: 'old', updated_at: DATES[1] },
    );
    const chat = importPlans(plan);
    const [thread_id = ''] = chat.threads().map((thread) => thread.thread_id);
    expect(chat.config(thread_id).name).toBe('new');
    expect(rules(chat)).toContain('IN27');
  });

  it('[RW6] 9: a circle of replies is a thread that can be read', () => {
    const rows = DATES.map((date, index) => chatRow(date, `${index}`, { reply_to: DATES[(index + 1) % 3] }));
    const plan = planOf(...rows);
    const chat = importPlans(plan);
    expect([chat.threads().length, contents(chat)]).toEqual([1, ['0', '1', '2']]);
    expect(new Set(plan.problems.map(({ code }) => code))).toEqual(new Set(['orphan_reply']));
    expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('[RW12] 10: a message that was generating when its program went away is not generating for ever', () => {
    const plan = planOf(chatRow(AT, 'half an ans', { generating: true, sender_id: 'openai-gpt-4' }));
    expect(listMessages(importPlans(plan))).toMatchObject([{ content: 'half an ans', generating: false }]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('"generating":true');
  });
});
