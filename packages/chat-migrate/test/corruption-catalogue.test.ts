import { check } from '@chatdoc/integrity';
import { describe, expect, it } from 'vitest';
import { type MigrationPlan, planMigration } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan, messageWith, toBytes, toLines } from './helpers/plans.js';

type Row = Readonly<Record<string, unknown>>;

const ADA = '11111111-1111-4111-8111-111111111111';
const AT = '2024-05-01T10:00:00.000Z';
const LATER = '2024-05-01T10:01:00.000Z';

function chatRow(date: unknown, content: string, more: Row = {}): Row {
  return { date, event: 'chat', history: [{ author_id: ADA, content, date }], sender_id: ADA, ...more };
}

/** A row of 2026. */
function newRow(message_id: string, content: string, more: Row = {}): Row {
  return { ...chatRow(AT, content), message_id, thread_id: 't', schema_version: 2, ...more };
}

const lines = (...rows: readonly unknown[]): MigrationPlan => expectPlan(toLines(...rows));
const jupyter = (document: unknown): MigrationPlan => expectPlan(toBytes(JSON.stringify(document)));
const codes = (plan: MigrationPlan): string[] => plan.problems.map(({ code }) => code);
const reasons = (plan: MigrationPlan): unknown[] => plan.ledger.rows.map(({ reason }) => reason);
const legacy = (plan: MigrationPlan): string => JSON.stringify(entriesOf(plan, 'legacy_row'));

/** What a reader sees, thread by thread. */
function read(plan: MigrationPlan): readonly (readonly string[])[] {
  const chat = importPlans(plan);
  expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  return chat.threads().map(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}

// One test a row, under its number.
describe('the corruption catalogue of CoCalc chats', () => {
  it.each(['', '\n', '\ufeff', ' \r\n'])('[PL10] 1: an empty file (%j) is an empty chat', (text) => {
    expect(expectPlan(toBytes(text))).toMatchObject({ format: 'empty', entries: [], problems: [] });
  });

  it('[RW2] 2: an empty line at the start and no newline at the end', () => {
    const plan = expectPlan(
      toBytes(`\n${JSON.stringify(chatRow(AT, 'a'))}\n${JSON.stringify(chatRow(LATER, 'b'))}`),
    );
    expect([read(plan).flat(), plan.problems]).toEqual([['a', 'b'], []]);
  });

  it.each(['{"date":"2024', '<<<<<<< HEAD', '{"a":1}{"b":2}', 'by hand'])(
    '[RW1] 3: the damaged line %j',
    (line) => {
      const plan = lines(chatRow(AT, 'a'), line, chatRow(LATER, 'b'));
      expect(read(plan).flat()).toEqual(['a', 'b']);
      expect(plan.problems).toMatchObject([{ line: 2, code: 'not_json', raw: line }]);
      expect(entriesOf(plan, 'legacy_row')).toMatchObject([{ reason: 'not_json', row: line }]);
    },
  );

  it('[RW4] 4: a message that a rescue routine posted for lost lines is kept as it is', () => {
    const text = 'Corrupted chat: {"sender_id":"x","da';
    expect(read(lines(chatRow(AT, text), chatRow(LATER, text))).flat()).toEqual([text, text]);
  });

  it('[PL4] 5: an identical line twice is one message', () => {
    const plan = lines(chatRow(AT, 'a'), chatRow(AT, 'a'));
    expect([read(plan).flat(), plan.ledger.merged]).toEqual([['a'], 1]);
  });

  it('[PL4] 6: different rows of one key are both kept', () => {
    expect(
      read(lines(chatRow(AT, 'a'), chatRow(AT, 'b')))
        .flat()
        .sort(),
    ).toEqual(['a', 'b']);
    const twice = lines(newRow('m', 'a'), newRow('m', 'b'));
    expect(read(twice).flat().sort()).toEqual(['a', 'b']);
  });

  it('[PL4] 7: two senders in one millisecond are both kept', () => {
    const plan = lines(chatRow(AT, 'a'), chatRow(AT, 'b', { sender_id: 'openai-gpt-4' }));
    expect(read(plan).flat().sort()).toEqual(['a', 'b']);
  });

  it('[RW6] 8: a reply to its own date answers the other row of that millisecond', () => {
    const reply = chatRow(AT, 'reply', { sender_id: 'openai-gpt-4', reply_to: AT });
    const plan = lines(reply, chatRow(AT, 'prompt'));
    expect(read(plan)).toEqual([['prompt', 'reply']]);
    expect(messageWith(plan, 'reply').thread_id).toBe(messageWith(plan, 'prompt').thread_id);
    expect(read(lines(reply))).toEqual([['reply']]);
  });

  it('[RW6] 9: replies to a missing root are a thread, and reported', () => {
    const plan = lines(
      chatRow(AT, 'a', { reply_to: '2024-01-01T00:00:00.000Z' }),
      chatRow(LATER, 'b', { reply_to: '2024-01-01T00:00:00.000Z' }),
    );
    expect([read(plan), codes(plan)]).toEqual([[['a', 'b']], ['orphan_reply', 'orphan_reply']]);
  });

  it('[RW6] 10: replies to replies, and loops', () => {
    const dates = [0, 1, 2, 3].map((minute) => `2024-05-01T10:0${minute}:00.000Z`);
    const chain = dates.map((date, index) =>
      chatRow(date, `${index}`, index === 0 ? {} : { reply_to: dates[index - 1] }),
    );
    expect(read(lines(...chain))).toEqual([['0', '1', '2', '3']]);
    const loop = dates.map((date, index) => chatRow(date, `${index}`, { reply_to: dates[(index + 1) % 4] }));
    expect(read(lines(...loop))).toEqual([['0', '1', '2', '3']]);
  });

  it('[RW6] 11: a reply to two roots of one millisecond is noted', () => {
    const plan = lines(
      chatRow(AT, 'a'),
      chatRow(AT, 'b', { sender_id: 'x' }),
      chatRow(LATER, 'reply', { reply_to: AT }),
    );
    expect(read(plan).flat().sort()).toEqual(['a', 'b', 'reply']);
    expect(codes(plan)).toEqual(['ambiguous_reply']);
  });

  it.each([[undefined], [null], [[]]])(
    '[RW8] 12: a row whose history is %j, and that says nothing else',
    (history) => {
      const plan = lines(chatRow(AT, 'a'), { ...chatRow(LATER, ''), history });
      expect(read(plan).flat()).toEqual(['a', '']);
      const { sender_id: _, ...bare } = chatRow(LATER, '');
      expect(reasons(lines(chatRow(AT, 'a'), { ...bare, history }))).toEqual([undefined, 'partial']);
    },
  );

  it.each([
    { folding: [ADA] },
    { feedback: { [ADA]: 'positive' } },
    { generating: true },
    { editing: {}, history: [] },
  ])('[RW8] 13: the partial row %j is no message', (more) => {
    const plan = lines(chatRow(AT, 'a'), { date: AT, ...more });
    expect([read(plan).flat(), reasons(plan)]).toEqual([['a'], [undefined, 'partial']]);
    expect(reasons(lines(chatRow(AT, 'a'), { date: AT, event: 'chat', ...more }))).toEqual([
      undefined,
      'partial',
    ]);
  });

  it('[RW10] 14: a missing sender', () => {
    const { sender_id: _, ...bare } = chatRow(AT, 'a');
    const old = { name: 'Ada Example', date: AT, mesg: { event: 'chat', content: 'b' } };
    const plan = lines(bare, old);
    expect(messageWith(plan, 'a').sender_id).toBe('__unknown__');
    expect(messageWith(plan, 'b').sender_id).toBe('Ada Example');
  });

  it('[RW9] 15: dates that are missing, numbers, digits or no dates', () => {
    const time = Date.parse(AT);
    for (const date of [time, `${time}`, { DateEpochMS: time }])
      expect(messageWith(lines(chatRow(date, 'a')), 'a').date).toBe(AT);
    const plan = lines(chatRow('soon', 'a'), chatRow(undefined, 'b'), chatRow(Number.NaN, 'c'));
    expect(read(plan).flat()).toEqual(['a', 'b', 'c']);
    expect(codes(plan)).toEqual(['no_date', 'no_date', 'no_date']);
  });

  it('[RW5] 16: a history whose dates contradict its order', () => {
    const history = [
      { author_id: ADA, content: 'new', date: '2020-01-01T00:00:00.000Z' },
      { author_id: ADA, content: 'old', date: AT },
    ];
    const chat = importPlans(lines({ ...chatRow(AT, ''), history }));
    const [message] = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    expect(message?.history.map(({ content }) => content)).toEqual(['old', 'new']);
  });

  it('[RW10] 17: a sender who is not the first author', () => {
    const plan = lines({ ...chatRow(AT, 'a'), sender_id: 'openai-gpt-4' });
    expect(messageWith(plan, 'a')).toMatchObject({ sender_id: 'openai-gpt-4', legacy: { author_id: ADA } });
  });

  it('[RW5] 18: a blank root is a placeholder, or was deleted after it said something, or never said anything', () => {
    const deleted = { ...chatRow(AT, ''), history: [{ content: '' }, { content: 'regretted' }] };
    const chat = importPlans(lines(deleted));
    const [message] = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    expect(message).toMatchObject({ deleted: true, history: [{ content: 'regretted' }, { deleted: true }] });
    expect(entriesOf(lines(chatRow(AT, '', { id: 'cell' })), 'message')).toEqual([]);
    expect(entriesOf(lines(chatRow(AT, '')), 'revision')).toEqual([]);
  });

  it('[RW12] 19: nothing still runs in a file at rest', () => {
    const state = { event: 'chat-thread-state', thread_id: 't', state: 'running', updated_at: LATER };
    const chat = importPlans(lines(newRow('m', 'a', { generating: true, acp_state: 'running' }), state));
    const [thread_id = ''] = chat.threads().map((thread) => thread.thread_id);
    expect(chat.messages(thread_id)[0]?.generating).toBe(false);
    expect(chat.state(thread_id).state).toBe('interrupted');
    // The answer is cut, and nothing but it.
    expect(check(chat).filter(({ rule }) => rule === 'IN24')).toMatchObject([
      { severity: 'warning', count: 1 },
    ]);
  });

  it.each(['', ' ', 'half a reply'])('[RW8] 20: the draft %j is no message', (input) => {
    const plan = lines(chatRow(AT, 'a'), { event: 'draft', sender_id: ADA, date: 0, input, active: 1 });
    expect([read(plan).flat(), reasons(plan)]).toEqual([['a'], [undefined, 'draft']]);
  });

  it('[RW8] 21: the name of a session is no date', () => {
    const named = {
      event: 'coding-agent',
      msg_event: 'session_name',
      session_id: 's',
      date: 'session_name:s',
      content: 'title',
    };
    const plan = lines(chatRow(AT, 'a'), named, chatRow(LATER, 'b'));
    expect([read(plan).flat(), reasons(plan)]).toEqual([
      ['a', 'b'],
      [undefined, 'agent', undefined],
    ]);
  });

  it('[RW11] 22: digits beyond those of a number', () => {
    const video = `{"sender_id":"${ADA}","date":"${AT}","event":"start_video","payload":{"room_id":12345678901234567890123}}`;
    expect(legacy(lines(chatRow(AT, 'a'), video))).toContain('12345678901234567890123');
  });

  it('[RW2] 23: a mark and CRLF', () => {
    const text = [chatRow(AT, 'a'), chatRow(LATER, 'b')].map((row) => JSON.stringify(row)).join('\r\n');
    expect(expectPlan(toBytes(`\ufeff${text}\r\n`)).jsonl).toBe(expectPlan(toBytes(text)).jsonl);
  });

  it('[RW12] 24: settings under both keys', () => {
    const config = { event: 'chat-thread-config', thread_id: 't' };
    const plan = lines(
      newRow('m', 'a'),
      { ...config, sender_id: '__thread_config__', name: 'old', updated_at: LATER },
      { ...config, sender_id: '__thread_config__:t', name: 'canonical', updated_at: AT },
    );
    const chat = importPlans(plan);
    expect(chat.threads().map(({ thread_id }) => chat.config(thread_id).name)).toEqual(['canonical']);
    expect(reasons(plan)).toEqual([undefined, 'old_config', undefined]);
  });

  it('[RW12] 25: parents without a root, or in a circle', () => {
    const plan = lines(
      newRow('m1', 'a', { parent_message_id: 'm2' }),
      newRow('m2', 'b', { date: LATER, parent_message_id: 'm1' }),
    );
    expect(read(plan).flat().sort()).toEqual(['a', 'b']);
    expect(importPlans(plan).threads()[0]?.root_message_id).not.toBeNull();
  });

  it('[RW12] 26: a parent that is in an archive', () => {
    const plan = lines(
      newRow('m2', 'a', { parent_message_id: 'm1' }),
      newRow('m3', 'b', { date: LATER, parent_message_id: 'm2' }),
    );
    expect(read(plan)).toEqual([['a', 'b']]);
    expect(legacy(plan)).toContain('"parent_message_id":"m1"');
    expect(check(importPlans(plan)).filter(({ rule }) => rule === 'IN4')).toEqual([]);
  });

  it('[RW3] 27: a row of an old client in a file of 2026 joins the thread of the root that it names', () => {
    expect(read(lines(newRow('m1', 'root'), chatRow(LATER, 'reply', { reply_to: AT })))).toEqual([
      ['root', 'reply'],
    ]);
  });

  it('[RW4] 28: a text that the migration of 2026 left in payload or mesg', () => {
    for (const column of ['payload', 'mesg'])
      expect(read(lines(newRow('m', '', { history: [], [column]: { content: 'found' } })))).toEqual([
        ['found'],
      ]);
  });
});

describe('the corruption catalogue of jupyter-chat documents', () => {
  const message = (id: string, more: Row = {}): Row => ({
    id,
    type: 'msg',
    body: id,
    time: 1,
    sender: 'u',
    ...more,
  });

  it('[RW13] 29: a sender who is not among the users', () => {
    const plan = jupyter({ messages: [message('a', { sender: 'hidden::system' })], users: {} });
    expect(messageWith(plan, 'a').sender_id).toBe('hidden::system');
  });

  it('[RW15] 30: a deleted message without a body', () => {
    const chat = importPlans(jupyter({ messages: [message('a', { body: '', deleted: true })] }));
    const [read] = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    expect(read).toMatchObject({ deleted: true, content: '' });
  });

  it('[RW13] 31: messages as a map, a sender as an object, a body as an object', () => {
    const sender = { username: 'u' };
    const plan = jupyter({ messages: { m: { body: { 'text/plain': 'text' }, time: 1, sender } } });
    expect(messageWith(plan, 'text').sender_id).toBe('u');
  });

  it('[PL4] 32: a doubled list, and different messages under one id', () => {
    const plan = jupyter({
      messages: [message('a'), message('b'), message('a'), message('b'), message('b', { body: 'c' })],
    });
    expect([read(plan).flat().sort(), plan.ledger.merged]).toEqual([['a', 'b', 'c'], 2]);
  });

  it('[DT5] 33: a torn document is refused', () => {
    const text = JSON.stringify({ messages: [message('a'), message('b')] });
    for (const end of [20, 50, text.length - 1])
      expect(planMigration(toBytes(text.slice(0, end)))).toMatchObject({ ok: false, code: 'unknown_format' });
  });
});

// What the migration of 2026 lost: one test each, under its number.
describe('the traps of the historic migrator', () => {
  it('[RW4] 1: the text of a row with a blank history is found', () => {
    const plan = lines(
      { ...chatRow(AT, ''), history: [], payload: { content: 'in payload' } },
      { ...chatRow(LATER, ''), history: [], mesg: { content: 'in mesg' } },
    );
    expect(read(plan).flat()).toEqual(['in payload', 'in mesg']);
  });

  it('[RW1] 2: one bad line costs no other', () => {
    expect(read(lines('{', chatRow(AT, 'a'), '}')).flat()).toEqual(['a']);
  });

  it('[LG1] 3: rows of one key are kept, and counted as what they are', () => {
    const plan = lines(chatRow(AT, 'a'), chatRow(AT, 'b'), chatRow(AT, 'b'));
    expect(plan.ledger).toMatchObject({ became: 2, merged: 1, set_aside: 0 });
    expect(entriesOf(plan, 'message')).toHaveLength(2);
  });

  it('[RW6] 4: two people who begin threads in one millisecond are both there', () => {
    expect(
      read(lines(chatRow(AT, 'a'), chatRow(AT, 'b', { sender_id: 'x' })))
        .flat()
        .sort(),
    ).toEqual(['a', 'b']);
  });

  it('[RW6] 5: a reply to a reply is in the thread above', () => {
    const then = '2024-05-01T10:02:00.000Z';
    const plan = lines(
      chatRow(AT, 'a'),
      chatRow(LATER, 'b', { reply_to: AT }),
      chatRow(then, 'c', { reply_to: LATER }),
    );
    expect(read(plan)).toEqual([['a', 'b', 'c']]);
  });

  it('[RW6] 6: no reply to a missing root becomes the root in silence', () => {
    const plan = lines(chatRow(LATER, 'a', { reply_to: AT }));
    expect(codes(plan)).toEqual(['orphan_reply']);
    expect(entriesOf(plan, 'thread')[0]).toMatchObject({ created_by: '__unknown__' });
    expect(entriesOf(plan, 'thread')[0]?.root_message_id).toBeUndefined();
  });

  it('[RW6] 7: a reply_to that is no date is reported and kept', () => {
    const plan = lines(chatRow(AT, 'a', { reply_to: 'yesterday' }));
    expect([codes(plan), legacy(plan).includes('yesterday')]).toEqual([['bad_reply_to'], true]);
  });

  it('[RW7] 8: settings count on whatever row of the thread they stand', () => {
    const chat = importPlans(
      lines(chatRow(AT, 'a'), chatRow(LATER, 'b', { reply_to: AT, name: 'Title', pin: true })),
    );
    expect(chat.threads().map(({ thread_id }) => chat.config(thread_id))).toMatchObject([
      { name: 'Title', pin: true },
    ]);
  });

  it('[RW7] 9: anchors and resolved are settings; folding and read marks are not lost', () => {
    const resolved = { account_id: ADA, at: LATER, anchorId: 'cell' };
    const plan = lines(
      chatRow(AT, 'a', { id: 'cell', path: 'x', resolved, folding: [ADA], [`read-${ADA}`]: 3 }),
    );
    expect(entriesOf(plan, 'thread_config')).toMatchObject([{ anchor: { id: 'cell', path: 'x' }, resolved }]);
    expect(plan.jsonl).toContain('folding');
    expect(plan.jsonl).toMatch(/read-1111|"key":"read"/);
  });

  it('[RW3] 10: rows of 2013 are messages', () => {
    expect(
      read(lines({ name: 'Ada', color: 'fff', date: AT, mesg: { event: 'chat', content: 'a' } })).flat(),
    ).toEqual(['a']);
  });

  it('[RW7] 11: the settings row is the truth, whatever the root still says', () => {
    const config = {
      event: 'chat-thread-config',
      thread_id: 't',
      sender_id: '__thread_config__:t',
      name: 'new',
      updated_at: AT,
    };
    const chat = importPlans(lines(newRow('m', 'a', { name: 'stale', date: LATER }), config));
    expect(chat.threads().map(({ thread_id }) => chat.config(thread_id).name)).toEqual(['new']);
  });
});
