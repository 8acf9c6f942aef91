import { describe, expect, it } from 'vitest';
import type { MigrationPlan } from '../src/index.js';
import { entriesOf, expectPlan, messageWith, readFixture, toBytes } from './helpers/plans.js';

function planOf(document: unknown): MigrationPlan {
  return expectPlan(toBytes(JSON.stringify(document)));
}

function message(
  id: string,
  time: number,
  body: unknown,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { id, type: 'msg', body, time, sender: 'u1', ...more };
}

const contents = (plan: MigrationPlan): unknown[] => entriesOf(plan, 'message').map(({ content }) => content);
const legacyRows = (plan: MigrationPlan, reason: string): unknown[] =>
  entriesOf(plan, 'legacy_row').flatMap((entry) => (entry.reason === reason ? [entry.row] : []));

/** What a reader sees: ids order, except that a message stands after the one it names. */
function readOrder(plan: MigrationPlan): unknown[] {
  const messages = entriesOf(plan, 'message');
  const keys = new Map<string, readonly [string, number]>();
  const keyOf = (id: string): readonly [string, number] => {
    const known = keys.get(id);
    if (known !== undefined) return known;
    const { after } = messages.find(({ message_id }) => message_id === id) ?? {};
    const [eff, hops] = after === undefined ? (['', 0] as const) : keyOf(after);
    const key = id >= eff ? ([id, 0] as const) : ([eff, hops + 1] as const);
    keys.set(id, key);
    return key;
  };
  return messages
    .map(({ message_id, content }) => ({ key: keyOf(message_id), content }))
    .sort((a, b) => (a.key[0] === b.key[0] ? a.key[1] - b.key[1] : a.key[0] < b.key[0] ? -1 : 1))
    .map(({ content }) => content);
}

describe('RW rows of jupyter-chat documents', () => {
  it('[RW13] lists and maps, senders as keys and objects', () => {
    const embedded = expectPlan(readFixture('jupyter-2024-04-embedded.chat'));
    expect(entriesOf(embedded, 'message')).toMatchObject([
      { sender_id: 'u1', content: 'hi', date: '2024-04-07T14:26:40.250Z' },
      { sender_id: 'u2', content: 'hello', date: '2024-04-07T14:26:41.000Z' },
    ]);
    expect(JSON.stringify(legacyRows(embedded, 'jupyter_user'))).toContain('"color":"red"');
    const map = expectPlan(readFixture('jupyter-2024-04-map.chat'));
    expect(contents(map)).toEqual(['first', 'second']);
    const keyed = planOf({ messages: { m1: { body: 'x', time: 1, sender: 'u1' } } });
    expect(messageWith(keyed, 'x').legacy).toEqual({ id: 'm1', time: 1 });
    const listed = planOf({ messages: [message('m1', 1, 'x')] });
    expect(messageWith(listed, 'x').message_id).toBe(messageWith(keyed, 'x').message_id);
  });

  it('[RW13] bodies that are MIME bundles', () => {
    const plan = expectPlan(readFixture('jupyter-2026.chat'));
    expect(contents(plan)).toEqual(['no id, no time', '**rich**', '# a\nb', '']);
    expect(JSON.stringify(legacyRows(plan, 'columns'))).toContain('"text/plain":"plain"');
    expect(contents(planOf({ messages: [message('m', 1, { data: { 'text/x': 'other' } })] }))).toEqual([
      'other',
    ]);
    const both = planOf({
      messages: [message('m', 1, 'body', { mime_model: { data: { 'text/plain': 'mime' } } })],
    });
    expect(contents(both)).toEqual(['body']);
    expect(JSON.stringify(legacyRows(both, 'columns'))).toContain('mime_model');
  });

  it('[RW14] tool calls and attachments are parts', () => {
    const plan = expectPlan(readFixture('jupyter-2026.chat'));
    const caller = messageWith(plan, '');
    expect(entriesOf(plan, 'part')).toMatchObject([
      {
        attempt: caller.message_id,
        kind: 'tool_call',
        part_id: 't1',
        state: 'completed',
        title: 'ls',
        input: { command: 'ls' },
        output: 'a.txt',
        data: { kind: 'execute' },
      },
      { attempt: caller.message_id, kind: 'tool_call', part_id: 't2', state: 'in_progress' },
    ]);
    const files = expectPlan(readFixture('jupyter-2025.chat'));
    const [file, ...none] = entriesOf(files, 'part');
    expect(none).toEqual([]);
    expect(file).toMatchObject({ kind: 'file', part_id: 'f1', title: 'a.ipynb', data: { type: 'notebook' } });
    expect(file?.attempt).toBe(messageWith(files, 'hi @Helper 👋').message_id);
    expect(legacyRows(files, 'jupyter_attachment')).toEqual([
      { key: 'f2', value: { type: 'file', value: 'unused.txt' } },
    ]);
    expect(JSON.stringify(legacyRows(files, 'columns'))).toContain('"attachments":["gone"]');
  });

  it('[RW14] one attachment of several messages is a part of each, and one written in place is one too', () => {
    const attachment = { type: 'file', value: 'a.txt' };
    const plan = planOf({
      messages: [
        message('m1', 1, 'one', { attachments: ['f'] }),
        message('m2', 2, 'two', { attachments: ['f'] }),
        message('m3', 3, 'three', { attachments: [attachment] }),
      ],
      attachments: { f: attachment },
    });
    expect(entriesOf(plan, 'part').map(({ title }) => title)).toEqual(['a.txt', 'a.txt', 'a.txt']);
    const row = plan.ledger.rows.find(({ path }) => path === 'attachments/f');
    expect(row?.entries).toHaveLength(2);
  });

  it('[RW15] deleted and edited messages', () => {
    const plan = expectPlan(readFixture('jupyter-2025.chat'));
    expect(entriesOf(plan, 'revision')).toMatchObject([
      { deleted: true, content: '', author_id: 'hidden::system' },
      { content: 'now this', author_id: 'u1' },
    ]);
    const revised = new Set(entriesOf(plan, 'revision').map(({ message_id }) => message_id));
    const messages = entriesOf(plan, 'message').filter(({ message_id }) => revised.has(message_id));
    expect(messages.map(({ content }) => content)).toEqual([undefined, undefined]);
    const kept = planOf({ messages: [message('m', 1, 'still here', { deleted: true })] });
    expect(contents(kept)).toEqual(['still here']);
  });

  it('[RW16] messages read in the order of the list', () => {
    expect(readOrder(expectPlan(readFixture('jupyter-2025.chat'))).slice(-3)).toEqual([
      'tie, first in the list',
      'tie, second in the list',
      'another under one id',
    ]);
    expect(readOrder(expectPlan(readFixture('jupyter-2026.chat'))).at(-1)).toBe('no id, no time');
    const micros = Array.from({ length: 40 }, (_, index) =>
      message(`m${index}`, 1760000000 + index / 1e6, `${index}`),
    );
    const near = planOf({ messages: micros });
    expect(contents(near)).toEqual(micros.map(({ body }) => body));
    expect(entriesOf(near, 'message').every(({ after }) => after === undefined)).toBe(true);
    const shuffled = [5, 3, 4, 1, 2, 6, 6, 6, 0].map((time, index) => message(`m${index}`, time, `${index}`));
    expect(readOrder(planOf({ messages: shuffled }))).toEqual(shuffled.map(({ body }) => body));
  });

  it('[RW17] users, metadata and unknown members are kept', () => {
    const plan = expectPlan(readFixture('jupyter-2026.chat'));
    expect(legacyRows(plan, 'jupyter_user')).toEqual([{ key: 'u1', value: { username: 'u1', bot: false } }]);
    expect(legacyRows(plan, 'jupyter_member')).toEqual([{ key: 'extra', value: { kept: 1 } }]);
    expect(legacyRows(expectPlan(readFixture('jupyter-2025.chat')), 'jupyter_metadata')).toEqual([
      { acp_session_ids: { 'bots::helper': 's1' } },
    ]);
    const twice = '{"messages":[],"users":{"u":{"name":"A"},"u":{"name":"B"},"u":{"name":"A"}},"users":3}';
    const plans = expectPlan(toBytes(twice));
    expect(legacyRows(plans, 'jupyter_user')).toHaveLength(3);
    expect(plans.ledger).toMatchObject({ became: 0, merged: 1, set_aside: 3 });
  });

  it('[RW17] what a message says beyond its entries is kept', () => {
    const more = {
      mentions: ['u2'],
      raw_time: true,
      stacked: true,
      metadata: { model: { id: null } },
      extra: 1,
    };
    const plan = planOf({ messages: [message('m', 1, 'x', more)] });
    const { message_id } = messageWith(plan, 'x');
    expect(entriesOf(plan, 'legacy_row')).toMatchObject([
      { message_id, reason: 'columns', row: { columns: more } },
    ]);
  });

  it('[RW1] an element that is no message is one problem', () => {
    const { problems } = expectPlan(readFixture('jupyter-2026.chat'));
    expect(problems).toMatchObject([
      { path: 'messages/3', code: 'not_a_row', raw: '"not a message"' },
      { path: 'messages/4', code: 'no_date' },
    ]);
  });

  it('[RW18] digits, depth and reserved keys in a document', () => {
    const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`;
    const text = `{"messages":[{"id":"m1","body":"x","time":1,"sender":"u","n":12345678901234567890},{"id":"m2","body":"y","time":2,"sender":"u","deep":${deep}},{"id":"m3","body":"z","time":3,"sender":"u","__proto__":{"a":1}}],"users":{"__proto__":{"deep":${deep}}}}`;
    const plan = expectPlan(toBytes(text));
    expect(contents(plan)).toEqual(['x', 'y', 'z']);
    const kept = JSON.stringify(entriesOf(plan, 'legacy_row'));
    for (const part of ['12345678901234567890', '__proto__', '[[[[[[[[']) expect(kept).toContain(part);
  });
});
