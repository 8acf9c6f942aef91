import { describe, expect, it } from 'vitest';
import type { LedgerRow, MigrationPlan } from '../src/index.js';
import { entriesOf, expectPlan, messageWith, readFixture, toBytes, toLines } from './helpers/plans.js';

const ADA = '11111111-1111-4111-8111-111111111111';
const GRACE = '22222222-2222-4222-8222-222222222222';

/** A chat row as the writers since 2016 made it. */
function chatRow(
  date: unknown,
  content: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { date, event: 'chat', history: [{ author_id: ADA, content, date }], sender_id: ADA, ...more };
}

function planOf(...rows: readonly unknown[]): MigrationPlan {
  return expectPlan(toLines(...rows));
}

const contents = (plan: MigrationPlan): unknown[] => entriesOf(plan, 'message').map(({ content }) => content);
const codes = (plan: MigrationPlan): string[] => plan.problems.map(({ code }) => code);
const reasons = (plan: MigrationPlan): (string | undefined)[] => plan.ledger.rows.map(({ reason }) => reason);
const rowOf = (plan: MigrationPlan, row: number): LedgerRow | undefined => plan.ledger.rows[row - 1];

describe('RW rows of CoCalc chats', () => {
  it('[RW1] a bad line is one problem with line and raw text, and the rest goes on', () => {
    const plan = planOf(
      chatRow(1000, 'one'),
      '{"date":"20',
      'null',
      '[1]',
      '17',
      '"text"',
      chatRow(2000, 'two'),
    );
    expect(contents(plan)).toEqual(['one', 'two']);
    expect(plan.problems).toMatchObject([
      { line: 2, code: 'not_json', raw: '{"date":"20' },
      { line: 3, code: 'not_a_row', raw: 'null' },
      { line: 4, code: 'not_a_row', raw: '[1]' },
      { line: 5, code: 'not_a_row', raw: '17' },
      { line: 6, code: 'not_a_row', raw: '"text"' },
    ]);
    expect(entriesOf(plan, 'legacy_row').map(({ row }) => row)).toEqual(
      expect.arrayContaining(['{"date":"20', null, [1], 17, 'text']),
    );
  });

  it('[RW1] a line that is not UTF-8 is read, and its bytes are kept', () => {
    const good = toLines(chatRow(1000, 'one'), chatRow(2000, 'two X'), '');
    const bytes = good.map((byte) => (byte === 'X'.charCodeAt(0) ? 0xff : byte));
    const plan = expectPlan(bytes);
    expect(contents(plan)).toEqual(['one', 'two \ufffd']);
    expect(codes(plan)).toEqual(['not_utf8']);
    const marked = expectPlan(Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes]));
    expect(contents(marked)).toEqual(['one', 'two \ufffd']);
    const kept = entriesOf(plan, 'legacy_row').map(({ row }) => JSON.stringify(row));
    expect(kept.filter((row) => row.includes('latin1') && row.includes('two \u00ff'))).toHaveLength(1);
  });

  it('[RW2] a mark, CRLF, blank lines and a last newline change nothing', () => {
    const rows = [JSON.stringify(chatRow(1000, 'one')), JSON.stringify(chatRow(2000, 'two'))];
    const plain = expectPlan(toBytes(rows.join('\n')));
    for (const text of [`\ufeff${rows.join('\r\n')}\r\n`, `\n\n${rows.join('\n  \n\n')}\n`]) {
      expect(expectPlan(toBytes(text)).jsonl).toBe(plain.jsonl);
    }
  });

  it('[RW3] every generation alone and all of them in one file', () => {
    const names = ['a', 'bc', 'def', 'gh', 'ij', '2026'];
    const alone = names.map((name) => readFixture(`cocalc-${name}.chat`));
    const plans = alone.map((bytes) => contents(expectPlan(bytes)));
    expect(plans).toEqual([
      ['hello', 'same millisecond', 'hi\nAda'],
      ['B: is this on?', 'C: &lt;b&gt;hi&lt;/b&gt;'],
      ['D row', 'first version', 'regretted'],
      ['what is 1+1?', '2', ':robot: Thinking...', 'prompt', 'reply to a reply', 'the root is gone'],
      ['about the cell', 'root'],
      ['make it build', 'done', 'thanks', 'text of 2016', 'from an old client'],
    ]);
    const mixed = expectPlan(toBytes(alone.map((bytes) => new TextDecoder().decode(bytes)).join('\n')));
    expect(contents(mixed).sort()).toEqual(plans.flat().sort());
  });

  it('[RW4] the text is the history, then the payload, then the mesg', () => {
    const base = { date: '2016-01-01T10:00:00.000Z', event: 'chat', sender_id: ADA };
    const text = (row: Record<string, unknown>): unknown => contents(planOf({ ...base, ...row }));
    const history = [{ author_id: ADA, content: 'history' }];
    expect(text({ history, payload: { content: 'payload' } })).toEqual(['history']);
    expect(text({ history: [], payload: { content: 'payload' }, mesg: { content: 'mesg' } })).toEqual([
      'payload',
    ]);
    expect(text({ history: null, mesg: { event: 'chat', content: 'mesg' } })).toEqual(['mesg']);
    expect(text({ mesg: 'just text' })).toEqual(['just text']);
    expect(text({ history: 'damaged', payload: { content: 'payload' } })).toEqual(['payload']);
    expect(text({ history: [{ content: ' ' }], payload: { content: 'payload' } })).toEqual(['payload']);
    expect(text({ history: [] })).toEqual([undefined]);
  });

  it('[RW4] a text that is not shown is kept', () => {
    const plan = planOf({ ...chatRow(1000, 'history'), payload: { content: 'other text' } });
    expect(entriesOf(plan, 'legacy_row')).toMatchObject([
      { reason: 'columns', row: { columns: { payload: { content: 'other text' } } } },
    ]);
  });

  it('[RW5] the oldest version is the message, the others replace one another', () => {
    const history = [
      { author_id: GRACE, content: 'third', date: '2018-01-01T09:00:00.000Z' },
      { author_id: GRACE, content: '', date: '2018-01-01T10:07:00.000Z' },
      { author_id: ADA, content: 'first', date: '2018-01-01T10:00:00.000Z' },
    ];
    const plan = planOf({ ...chatRow('2018-01-01T10:00:00.000Z', ''), history });
    const message = messageWith(plan, 'first');
    const [second, third, ...none] = entriesOf(plan, 'revision');
    expect(none).toEqual([]);
    expect(second).toMatchObject({
      message_id: message.message_id,
      content: '',
      deleted: true,
      author_id: GRACE,
    });
    expect(third).toMatchObject({
      content: 'third',
      replaces: [second?.id],
      date: '2018-01-01T09:00:00.000Z',
    });
    expect(second).not.toHaveProperty('replaces');
    expect(third).not.toHaveProperty('deleted');
    expect(String(third?.id) > String(second?.id) && String(second?.id) > message.message_id).toBe(true);
  });

  it('[RW6] a root and its replies are a thread, whatever stands above', () => {
    const plan = expectPlan(readFixture('cocalc-gh.chat'));
    const root = messageWith(plan, 'what is 1+1?');
    const [reply, above] = [messageWith(plan, '2'), messageWith(plan, 'reply to a reply')];
    // A reply hangs under the root of its thread; its line is the same while the root is not in the file.
    expect([reply.thread_id, reply.reply_to_message_id]).toEqual([root.thread_id, undefined]);
    expect([above.thread_id, above.reply_to_message_id]).toEqual([root.thread_id, reply.message_id]);
    const [prompt, placeholder] = [messageWith(plan, 'prompt'), messageWith(plan, ':robot: Thinking...')];
    expect(placeholder.date).toBe(prompt.date);
    expect([placeholder.thread_id, placeholder.reply_to_message_id]).toEqual([
      prompt.thread_id,
      prompt.message_id,
    ]);
    const orphan = messageWith(plan, 'the root is gone');
    expect(orphan).not.toHaveProperty('reply_to_message_id');
    const threads = entriesOf(plan, 'thread');
    expect(threads.find(({ thread_id }) => thread_id === orphan.thread_id)).toMatchObject({
      created_at: '2024-05-01T10:00:00.001Z',
      created_by: '__unknown__',
    });
    expect(threads.map(({ root_message_id }) => root_message_id)).toEqual([
      undefined,
      root.message_id,
      prompt.message_id,
    ]);
    expect(plan.problems).toMatchObject([
      { row: 4, code: 'unfinished' },
      { row: 6, code: 'orphan_reply' },
    ]);
  });

  it('[RW6] a row that replies to itself alone is a root, of several the smallest id', () => {
    const date = '2024-06-01T10:00:00.000Z';
    const alone = planOf(chatRow(date, 'self', { reply_to: date }));
    expect(messageWith(alone, 'self')).not.toHaveProperty('reply_to_message_id');
    expect(codes(alone)).toEqual([]);
    const two = planOf(
      chatRow(date, 'self', { reply_to: date }),
      chatRow(date, 'too', { reply_to: date, sender_id: GRACE }),
    );
    expect(entriesOf(two, 'thread')).toHaveLength(1);
    const targets = entriesOf(two, 'message').map(({ reply_to_message_id }) => reply_to_message_id);
    expect(targets).toEqual([undefined, entriesOf(two, 'message')[0]?.message_id]);
  });

  it('[RW6] loops end, and two roots in one millisecond are reported', () => {
    const [one, two, three] = [1, 2, 3].map((second) => `2024-06-01T10:00:0${second}.000Z`);
    const loop = planOf(chatRow(one, 'a', { reply_to: two }), chatRow(two, 'b', { reply_to: one }));
    expect(entriesOf(loop, 'thread')).toMatchObject([{ created_at: '2024-06-01T10:00:01.001Z' }]);
    expect(
      entriesOf(loop, 'message').every(({ reply_to_message_id }) => reply_to_message_id === undefined),
    ).toBe(true);
    expect(codes(loop)).toEqual(['orphan_reply', 'orphan_reply']);
    const roots = [chatRow(one, 'a'), chatRow(one, 'b', { sender_id: GRACE })];
    const pair = planOf(...roots, chatRow(two, 'which?', { reply_to: one }));
    expect(entriesOf(pair, 'thread')).toHaveLength(1);
    expect(messageWith(pair, 'which?').thread_id).toBe(messageWith(pair, 'b').thread_id);
    expect(codes(pair)).toEqual(['ambiguous_reply']);
    const own = planOf(chatRow(one, 'a'), chatRow(one, 'b'));
    expect(entriesOf(own, 'thread')).toHaveLength(1);
    const below = planOf(chatRow(two, 'a', { reply_to: one }), chatRow(three, 'b', { reply_to: two }));
    expect(messageWith(below, 'b').reply_to_message_id).toBe(messageWith(below, 'a').message_id);
    expect(codes(planOf(chatRow(1000, 'a', { reply_to: 'soon' })))).toEqual(['bad_reply_to']);
  });

  it('[RW19] messages from before there were replies are one room, whatever else a file holds', () => {
    const old = [chatRow('2014-01-01T00:00:00.000Z', 'a'), chatRow('2023-02-28T23:59:59.999Z', 'b')];
    const reply = chatRow('2024-01-01T00:00:00.000Z', 'c', { reply_to: '2014-01-01T00:00:00.000Z' });
    const later = chatRow('2023-03-01T00:00:00.000Z', 'd');
    const rooms = [[...old, reply, later], [old[1], later], [reply]].map((rows) => {
      const plan = planOf(...rows);
      const [room] = entriesOf(plan, 'thread');
      return { plan, room };
    });
    expect(rooms.map(({ plan }) => entriesOf(plan, 'thread').length)).toEqual([2, 2, 1]);
    expect(new Set(rooms.map(({ room }) => JSON.stringify(room))).size).toBe(1);
    const [whole] = rooms;
    const inRoom = entriesOf(whole?.plan ?? planOf(), 'message').filter(
      ({ thread_id }) => thread_id === whole?.room?.thread_id,
    );
    expect(inRoom.map(({ content }) => content)).toEqual(['a', 'b', 'c']);
  });

  it('[RW20] read columns are marks on the thread: a time counts for more than a count', () => {
    const dates = [1, 2, 3].map((second) => `2026-06-01T10:00:0${second}.000Z`);
    const [first, second, third] = dates;
    const marks = {
      [`read-${ADA}`]: '2',
      [`read-${GRACE}`]: 9,
      [`lastread-${GRACE}`]: Date.parse(first ?? '') + 5,
    };
    const plan = planOf(
      chatRow(first, 'a', marks),
      chatRow(second, 'b', { reply_to: first }),
      chatRow(third, 'c', { reply_to: first, 'read-x': 'never', 'read-y': 0 }),
    );
    const id = (content: string): string => messageWith(plan, content).message_id;
    expect(
      entriesOf(plan, 'annotation')
        .map(({ user_id, key, value }) => [user_id, key, value])
        .sort(),
    ).toEqual([
      [ADA, 'read', id('b')],
      [GRACE, 'read', id('a')],
    ]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain(`read-${ADA}`);
  });

  it('[RW21] a fork goes on from its thread, and the blank message that says so is none', () => {
    const dates = [1, 2, 3, 4].map((second) => `2026-06-01T10:00:0${second}.000Z`);
    const [first, second, third, fourth] = dates;
    const fork = {
      forked_from_root_date: first,
      forked_from_latest_message_date: second,
      forked_from_title: 'T',
    };
    const plan = planOf(
      chatRow(first, 'a'),
      chatRow(second, 'b', { reply_to: first }),
      chatRow(third, '', fork),
      chatRow(fourth, 'c', { reply_to: third }),
    );
    const [origin, last] = [messageWith(plan, 'a'), messageWith(plan, 'b')];
    const thread = entriesOf(plan, 'thread').find(
      ({ thread_id }) => thread_id === messageWith(plan, 'c').thread_id,
    );
    expect(thread?.forked_from).toEqual({ thread_id: origin.thread_id, message_id: last.message_id });
    expect(contents(plan)).toEqual(['a', 'b', 'c']);
    const alone = planOf(chatRow(third, '', fork));
    expect(entriesOf(alone, 'thread')).toHaveLength(1);
    expect(rowOf(alone, 1)).toMatchObject({ outcome: 'set_aside', reason: 'placeholder' });
    const named = planOf(chatRow(first, 'a'), chatRow(third, 'not blank', fork));
    expect(entriesOf(named, 'thread').find((one) => one.forked_from !== undefined)?.forked_from).toEqual({
      thread_id: messageWith(named, 'a').thread_id,
    });
  });

  it('[RW7] settings on message rows are settings of the thread', () => {
    const plan = expectPlan(readFixture('cocalc-ij.chat'));
    const [placeholder, config] = entriesOf(plan, 'thread_config');
    expect(config).toMatchObject({
      thread_id: messageWith(plan, 'root').thread_id,
      name: 'Cell 3',
      pin: true,
      anchor: { id: 'cell-uuid', path: 'a.ipynb' },
    });
    expect(messageWith(plan, 'root')).not.toHaveProperty('name');
    const reply = messageWith(plan, 'about the cell');
    expect(placeholder).toMatchObject({ thread_id: reply.thread_id, anchor: { id: 'cell-2' } });
    expect(contents(plan)).not.toContain('');
    expect(reply).not.toHaveProperty('reply_to_message_id');
  });

  it('[RW7] the settings row counts where there is one', () => {
    const plan = expectPlan(readFixture('cocalc-2026.chat'));
    expect(entriesOf(plan, 'thread_config').map(({ name }) => name)).toEqual(['Build']);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('Stale name');
  });

  it('[RW8] drafts, video, agents, partial and unknown rows are set aside whole', () => {
    expect(reasons(expectPlan(readFixture('cocalc-def.chat')))).toEqual([
      'draft',
      undefined,
      'video_chat',
      undefined,
      undefined,
      'partial',
    ]);
    const plan = expectPlan(readFixture('cocalc-ij.chat'));
    expect(reasons(plan).slice(3)).toEqual(['agent', 'agent', 'unknown_event']);
    expect(entriesOf(plan, 'legacy_row').find(({ reason }) => reason === 'unknown_event')?.row).toEqual({
      date: '2026-04-21T11:00:00.000Z',
      event: 'something-new',
      sender_id: ADA,
      text: 'later',
    });
    expect(reasons(planOf({ event: 'chat', date: 1, folding: [ADA] }))).toEqual(['partial']);
  });

  it.each([
    ['2016-07-23T23:10:04.837Z', '2016-07-23T23:10:04.837Z', []],
    ['2016-07-24T01:10:04.837+02:00', '2016-07-23T23:10:04.837Z', []],
    [1469315404837, '2016-07-23T23:10:04.837Z', []],
    ['1469315404837', '2016-07-23T23:10:04.837Z', []],
    [{ DateEpochMS: 1469315404837 }, '2016-07-23T23:10:04.837Z', []],
    ['Sat Jul 23 2016 23:10:04 GMT+0000 (UTC)', '2016-07-23T23:10:04.000Z', []],
    ['2016-07-23T23:10:04.837', '2016-07-23T23:10:04.837Z', ['date_without_zone']],
    ['2016-07-23 23:10', '1970-01-01T00:00:00.000Z', ['no_date']],
    [-5, '1970-01-01T00:00:00.000Z', ['no_date']],
    [1e300, '1970-01-01T00:00:00.000Z', ['no_date']],
    [null, '1970-01-01T00:00:00.000Z', ['no_date']],
  ])('[RW9] the date %j is %s', (date, expected, problems) => {
    const plan = planOf(chatRow(date, 'dated'));
    expect(entriesOf(plan, 'message')).toMatchObject([{ date: expected }]);
    expect(codes(plan)).toEqual(problems);
  });

  it('[RW9] messages without a date keep the order of the file', () => {
    const plan = expectPlan(readFixture('cocalc-damaged.chat'));
    const [one, two, three] = ['undated 1', 'undated 2', 'undated 3'].map((text) => messageWith(plan, text));
    const before = messageWith(plan, 'digits');
    expect([one?.after, two?.after, three?.after]).toEqual([
      before.message_id,
      one?.message_id,
      two?.message_id,
    ]);
    expect(new Set([one?.thread_id, two?.thread_id, three?.thread_id]).size).toBe(1);
    expect(one?.legacy).toMatchObject({ date: 'not a date' });
  });

  it('[RW10] senders', () => {
    expect(entriesOf(expectPlan(readFixture('cocalc-a.chat')), 'message')).toMatchObject([
      { sender_id: 'Ada Example', legacy: { color: '1f80d8' } },
      { sender_id: 'Ada Example', legacy: { color: 'e0e0e0' } },
      { sender_id: 'Grace Example', legacy: { color: '35821c' } },
    ]);
    const nobody = planOf(chatRow(1000, 'by nobody', { sender_id: undefined }));
    expect(messageWith(nobody, 'by nobody')).toMatchObject({
      sender_id: '__unknown__',
      legacy: { author_id: ADA },
    });
    const changed = planOf(chatRow(1000, 'taken over', { sender_id: 'openai-gpt-4' }));
    expect(messageWith(changed, 'taken over')).toMatchObject({
      sender_id: 'openai-gpt-4',
      legacy: { author_id: ADA },
    });
  });

  it('[RW11] columns that no entry says are kept beside the message', () => {
    const more = {
      generating: true,
      folding: [GRACE],
      feedback: { [ADA]: 'positive' },
      new_column: { deep: [1] },
    };
    const plan = planOf(chatRow(1000, 'x', more), chatRow(2000, 'y', { editing: {}, generating: false }));
    const { message_id } = messageWith(plan, 'x');
    const columns = { folding: [GRACE], generating: true, new_column: { deep: [1] } };
    expect(entriesOf(plan, 'legacy_row')).toMatchObject([
      { message_id, reason: 'columns', row: { columns } },
    ]);
    expect(entriesOf(plan, 'annotation')).toMatchObject([
      { message_id, user_id: ADA, key: 'feedback', value: 'positive' },
    ]);
  });

  it('[RW11] digits that a number cannot hold are kept as text', () => {
    const plan = expectPlan(readFixture('cocalc-bc.chat'));
    const rows = entriesOf(plan, 'legacy_row').map(({ row }) => row);
    expect(
      rows.filter((row) => typeof row === 'string' && row.includes('350601527372200512345678')),
    ).toHaveLength(1);
    expect(rows.filter((row) => typeof row === 'object')).toMatchObject([{ payload: { room_id: 3.5e23 } }]);
    const raw =
      '{"date":1000,"event":"chat","sender_id":"a","payload":{"content":"x"},"big":9007199254740993}';
    const message = expectPlan(toBytes(raw));
    expect(entriesOf(message, 'legacy_row').map(({ row }) => row)).toContain(raw);
    expect(contents(message)).toEqual(['x']);
  });

  it('[RW12] rows of 2026', () => {
    const plan = expectPlan(readFixture('cocalc-2026.chat'));
    const [thread, ...none] = entriesOf(plan, 'thread');
    expect(none).toEqual([]);
    const [build, done, thanks, old] = ['make it build', 'done', 'thanks', 'from an old client'].map(
      (content) => messageWith(plan, content),
    );
    expect(thread).toMatchObject({
      root_message_id: build?.message_id,
      created_at: '2026-04-01T09:59:00.000Z',
    });
    // Dates have the order of its messages: no line depends on another row.
    for (const message of [done, thanks, old]) {
      expect(message?.thread_id).toBe(thread?.thread_id);
      expect(message).not.toHaveProperty('reply_to_message_id');
      expect(message).not.toHaveProperty('after');
    }
    expect(build?.legacy).toMatchObject({ message_id: '44444444-4444-4444-8444-444444444441' });
    expect(entriesOf(plan, 'thread_config')).toMatchObject([
      {
        acp_config: { model: 'gpt-5.3-codex' },
        agent_kind: 'acp',
        name: 'Build',
        pin: false,
        updated_by: ADA,
      },
    ]);
    expect(entriesOf(plan, 'thread_state')).toMatchObject([
      { state: 'interrupted', active_message_id: done?.message_id },
    ]);
    expect(rowOf(plan, 2)).toMatchObject({ outcome: 'set_aside', reason: 'old_config' });
    expect(codes(plan)).toEqual(['incomplete_file']);
  });

  it('[RW12] settings without messages are an empty thread', () => {
    const plan = planOf({ event: 'chat-thread-config', thread_id: 't', name: 'Empty', updated_at: 1000 });
    const [thread] = entriesOf(plan, 'thread');
    expect(thread).toMatchObject({ created_at: '1970-01-01T00:00:01.000Z', legacy: { thread_id: 't' } });
    expect(entriesOf(plan, 'thread_config')).toMatchObject([{ thread_id: thread?.thread_id, name: 'Empty' }]);
  });

  it('[RW18] what no entry can hold is reported and kept as text', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const rows = [
      `{"date":1000,"event":"chat","sender_id":"a","payload":{"content":"deep"},"x":${deep}}`,
      '{"date":2000,"event":"chat","sender_id":"a","payload":{"content":"proto"},"__proto__":{"y":1}}',
      `{"date":3000,"event":"chat","sender_id":"${'s'.repeat(5000)}","payload":{"content":"long name"}}`,
      `{"event":"draft","x":${'['.repeat(40)}${']'.repeat(40)}}`,
    ];
    const plan = planOf(...rows);
    expect(contents(plan)).toEqual(['deep', 'proto']);
    const kept = entriesOf(plan, 'legacy_row').map(({ row }) => row);
    for (const index of [0, 1, 3]) expect(kept).toContain(rows[index]);
    expect(JSON.stringify(kept)).toContain('long name');
    expect(rowOf(plan, 3)).toMatchObject({ outcome: 'set_aside', reason: 'unfit' });
    expect(codes(plan)).toEqual(['unfit', 'unfit']);
  });

  it('[RW18] values nested 100,000 deep, wherever an entry would hold them', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const row = '"date":1000,"event":"chat","sender_id":"a"';
    const plan = planOf(
      `{${row},"history":[{"content":"in a version","x":${deep}}]}`,
      `{${row},"history":[{"content":"new","x":${deep}},{"content":"in a revision"}]}`,
      `{${row},"payload":{"content":"in settings"},"acp_config":{"x":${deep}}}`,
      `{"event":"chat-thread-config","thread_id":"t","acp_config":{"x":${deep}}}`,
    );
    expect(contents(plan).sort()).toEqual(['in a revision', 'in a version', 'in settings']);
    expect(codes(plan)).toEqual(['unfit', 'unfit', 'unfit', 'unfit']);
    const texts = entriesOf(plan, 'legacy_row').filter(({ row: kept }) => typeof kept === 'string');
    expect(new Set(texts.map(({ row: kept }) => kept)).size).toBe(4);
  });

  it('[RW18] a very long text goes on in parts', () => {
    const content = 'é👋'.repeat(400_000);
    const plan = planOf({ date: 1000, event: 'chat', sender_id: ADA, payload: { content } });
    const [message] = entriesOf(plan, 'message');
    const parts = entriesOf(plan, 'part');
    expect(parts.every(({ attempt, kind }) => attempt === message?.message_id && kind === 'text')).toBe(true);
    expect(parts.length).toBeGreaterThan(1);
    expect([message?.content, ...parts.map(({ text }) => text)].join('') === content).toBe(true);
  });
});
