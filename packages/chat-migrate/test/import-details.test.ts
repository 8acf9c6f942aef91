import { describe, expect, it } from 'vitest';
import { detectFormat, planMigration, summarize } from '../src/index.js';
import { listBroken, listSamples, openPlans } from './helpers/import-samples.js';
import { entriesOf, expectPlan, toLines } from './helpers/plans.js';

const SECRET = 'sk-abcdefghijklmnopqrstuvwx';
const PICTURE = 'iVBORw0KGgo'.repeat(200);

function prompt(uuid: string, content: unknown, parentUuid: string | null = null): unknown {
  const timestamp = '2026-05-04T10:00:01.000Z';
  return { type: 'user', uuid, parentUuid, sessionId: 's', timestamp, message: { role: 'user', content } };
}

describe('IM details', () => {
  it('[IM5] a picture is its type, size and hash', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE } };
    const plan = expectPlan(toLines(prompt('u', [{ type: 'text', text: 'Look' }, image, image])));
    expect(plan.jsonl).not.toContain(PICTURE.slice(0, 40));
    const data = { omitted: true, type: 'image/png', size: 1650 };
    const files = entriesOf(plan, 'part').map((part) => part.data);
    expect(files).toEqual([expect.objectContaining(data), expect.objectContaining(data)]);
  });

  it('[IM6] a key is reported by its row, stays in the text, and is in no problem', () => {
    const plan = expectPlan(toLines(prompt('u', `My key is ${SECRET}`), `{"torn ${SECRET}`, `["${SECRET}"]`));
    expect(plan.problems.map(({ row, code }) => [row, code])).toEqual([
      [1, 'possible_secret'],
      [2, 'not_json'],
      [3, 'not_a_row'],
    ]);
    expect(JSON.stringify(plan.problems)).not.toContain(SECRET);
    expect(openPlans(plan).messages(openPlans(plan).threads()[0]?.thread_id ?? '')[0]?.content).toContain(
      SECRET,
    );
    expect(JSON.stringify(planMigration(toLines(`{"torn ${SECRET}`)))).not.toContain(SECRET);
  });

  it('[IM3] what a model says after its answer had ended is a message of its own', () => {
    const said = (uuid: string, parentUuid: string, text: string): unknown => ({
      type: 'assistant',
      uuid,
      parentUuid,
      sessionId: 's',
      timestamp: '2026-05-04T10:00:02.000Z',
      message: {
        id: uuid,
        model: 'm',
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 1 },
      },
    });
    const lines = [prompt('u', 'Go'), said('a', 'u', 'Done.'), said('b', 'a', 'The build is over, too.')];
    const chat = openPlans(expectPlan(toLines(...lines.slice(0, 2))), expectPlan(toLines(...lines)));
    const [thread] = chat.threads();
    const texts = chat.messages(thread?.thread_id ?? '').map(({ content }) => content);
    expect(texts).toEqual(['Go', 'Done.', 'The build is over, too.']);
  });

  it('[IM8] of accounts only their number is kept', () => {
    const message = {
      id: '1',
      chat_id: 'c',
      role: 'user',
      content: 'Hi',
      created_at: '2026-02-01T12:00:01Z',
    };
    const users = [
      { id: 'u', name: 'Ada', email: 'ada@example.org' },
      { id: 'v', name: 'Bob', email: null },
    ];
    const logins = [{ id: 'l', token: SECRET }];
    const plan = expectPlan(toLines({ messages: [message], users, logins }));
    for (const secret of ['ada@example.org', SECRET, 'Bob']) expect(plan.jsonl).not.toContain(secret);
    expect(summarize(plan).set_aside).toEqual({ not_copied: 3 });
    expect(entriesOf(plan, 'legacy_row').map(({ row }) => row)).toEqual(
      expect.arrayContaining([
        { rows: 2, table: 'users' },
        { rows: 1, table: 'logins' },
      ]),
    );
  });

  it('[IM8] a tool, the calls around it, and the words after it are one answer', () => {
    const row = (id: number, role: string, more: object): object => ({
      id,
      session_id: 's',
      role,
      created_at: 1_770_000_000 + id,
      ...more,
    });
    const calls = [{ id: 'c', function: { name: 'weather', arguments: '{"city":"Bonn"}' } }];
    const rows = [
      row(1, 'user', { content: 'Rain?' }),
      row(2, 'assistant', { content: '', tool_calls: calls }),
      row(3, 'tool', { content: '4 C', tool_call_id: 'c' }),
      row(4, 'assistant', { content: 'No.' }),
      row(5, 'assistant', { content: 'Anything else?' }),
    ];
    const chat = openPlans(expectPlan(toLines(rows)));
    const messages = chat.messages(chat.threads()[0]?.thread_id ?? '');
    expect(messages.map(({ content }) => content)).toEqual(['Rain?', 'No.', 'Anything else?']);
    expect(messages[1]?.parts[0]).toMatchObject({
      title: 'weather',
      state: 'completed',
      input: { city: 'Bonn' },
      output: '4 C',
    });
    expect(messages[1]?.alternates).toEqual([]);
  });

  it.each([
    { id: 1, session_id: 's', sender_id: 'a', receiver_id: 'b', content: 'Hi' },
    { id: 1, thread_id: 't', author: 'a', subject: 'Hi', body: 'Hello' },
    { id: 1, session_id: 's', user_id: 'u', message: 'Hi', sent_at: '2026-01-01' },
    { id: 1, conversation_id: 's', direction: 'in', phone: '1', body: 'Hi', role: 'user' },
  ])('[IM8] %j is not of a table of chats', (row) => {
    expect(detectFormat(toLines([row])).format).toBe('unknown');
  });

  it('[IM8] steps of an agent component are one answer', () => {
    const row = (id: string, order: number, stepOrder: number, message: object): object => ({
      _id: id,
      _creationTime: 1_767_225_600_000 + order * 10 + stepOrder,
      threadId: 't',
      order,
      stepOrder,
      status: 'success',
      message,
    });
    const call = { type: 'tool-call', toolCallId: 'c', toolName: 'weather', args: { city: 'Bonn' } };
    const rows = [
      row('z', 0, 0, { role: 'user', content: 'Rain?' }),
      row('y', 0, 1, { role: 'assistant', content: [call] }),
      row('x', 0, 2, { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c', result: '4 C' }] }),
      row('w', 0, 3, { role: 'assistant', content: [{ type: 'text', text: 'No.' }] }),
    ];
    const chat = openPlans(expectPlan(toLines(...rows.reverse())));
    const messages = chat.messages(chat.threads()[0]?.thread_id ?? '');
    expect(messages.map(({ content }) => content)).toEqual(['Rain?', 'No.']);
    expect(messages[1]?.parts[0]).toMatchObject({ title: 'weather', state: 'completed', output: '4 C' });
  });

  it('[IM1] what a model says after a prompt that waited in the queue alone is a message of its own', () => {
    const queued = {
      type: 'attachment',
      uuid: 'q',
      parentUuid: null,
      sessionId: 's',
      timestamp: '2026-05-04T10:00:01.000Z',
      attachment: { type: 'queued_command', commandMode: 'prompt', prompt: 'Wait' },
    };
    const people = [
      { id: 1, room: 'r', author: 'ada', body: 'Hi' },
      { id: 2, room: 'r', author: 'bot', body: 'Ho', role: 'assistant' },
    ];
    for (const bytes of [toLines(queued), toLines(people)]) {
      expect(listBroken(openPlans(expectPlan(bytes)))).toEqual([]);
    }
  });

  it('[IM1] there are samples of every format', () => {
    const formats = new Set(listSamples().map((sample) => sample.split('/')[0]));
    expect([...formats].sort()).toEqual([
      'chatgpt',
      'claude-ai',
      'claude-code',
      'codex',
      'convex',
      'librechat',
      'messages-table',
      'not-jupyter',
      'open-webui',
    ]);
  });
});
