import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { MigrationPlan } from '../src/index.js';
import { entriesOf, expectPlan, readFixture, toBytes, toLines } from './helpers/plans.js';

const FIXTURES = [
  ...['cocalc-a', 'cocalc-bc', 'cocalc-def', 'cocalc-gh', 'cocalc-ij', 'cocalc-2026', 'cocalc-damaged'],
  ...['jupyter-2024-04-embedded', 'jupyter-2024-04-map', 'jupyter-2025', 'jupyter-2026'],
];
const plan = (name: string): MigrationPlan => expectPlan(readFixture(`${name}.chat`));

function importPlans(...plans: readonly MigrationPlan[]): { doc: Y.Doc; chat: ReturnType<typeof openChat> } {
  const doc = new Y.Doc();
  const chat = openChat(doc);
  for (const { jsonl } of plans) expect(chat.importJSONL(jsonl)).toMatchObject({ ok: true });
  return { doc, chat };
}

/** Contents by thread, as a reader sees them. */
function readThreads(chat: ReturnType<typeof openChat>): string[][] {
  return chat.threads().map(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}

function countDefects(chat: ReturnType<typeof openChat>): Record<string, unknown> {
  const { quarantined, duplicates, ignored, damaged } = chat.report();
  return { quarantined, duplicates, ignored: ignored.length, damaged, waiting: chat.waiting() };
}

const NO_DEFECTS = {
  quarantined: 0,
  duplicates: 0,
  ignored: 0,
  damaged: 0,
  waiting: {
    messages_without_thread: 0,
    parts_without_attempt: 0,
    entries_about_absent_messages: 0,
    config_without_thread: 0,
  },
};

describe('PL plan, imported', () => {
  it.each(FIXTURES)('[PL8] every message of %s is readable', (name) => {
    const planned = plan(name);
    const { chat } = importPlans(planned);
    expect(countDefects(chat)).toEqual(NO_DEFECTS);
    const read = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    expect(read).toHaveLength(entriesOf(planned, 'message').length);
    // An answer in progress is cut, and says so.
    const damaged = read.filter(({ problem = 'cut: ' }) => !problem.startsWith('cut: '));
    expect(damaged).toEqual([]);
    expect(chat.legacyRows()).toHaveLength(entriesOf(planned, 'legacy_row').length);
    expect(chat.docId()).toBe(entriesOf(planned, 'document')[0]?.doc_id);
    expect(read.every(({ generating }) => !generating)).toBe(true);
  });

  it('[RW11] [TB6] a redaction takes the columns and the text that were kept beside the message', () => {
    const cocalc = {
      date: '2024-06-01T10:00:00.000Z',
      sender_id: 'ada',
      event: 'chat',
      history: [{ content: 'SECRET', author_id: 'ada', date: '2024-06-01T10:00:00.000Z' }],
      note: ['SECRET'],
    };
    const exact = JSON.stringify(cocalc).replace('{', '{"big":9007199254740993,');
    const jupyter = {
      messages: [{ id: 'm', body: 'SECRET', sender: 'ada', time: 1_700_000_000, note: 'SECRET' }],
      users: { ada: { username: 'ada' } },
    };
    const task = {
      tasks: [{ taskId: 't' }],
      messages: [{ id: 'm', taskId: 't', role: 'user', content: 'SECRET', sequence: 1, note: 'SECRET' }],
    };
    for (const bytes of [toLines(exact), toBytes(JSON.stringify(jupyter)), toBytes(JSON.stringify(task))]) {
      const { doc, chat } = importPlans(expectPlan(bytes));
      const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
      const message = messages.find(({ content }) => content === 'SECRET');
      expect(JSON.stringify(chat.legacyRows())).toContain('SECRET');
      chat.redact({ message_id: message?.message_id ?? '', by: 'ada' });
      expect(JSON.stringify(chat.legacyRows())).not.toContain('SECRET');
      expect(Buffer.from(Y.encodeStateAsUpdate(doc)).includes('SECRET')).toBe(false);
    }
  });

  it('[PL8] what a reader sees', () => {
    expect(readThreads(importPlans(plan('cocalc-gh')).chat)).toEqual([
      ['the root is gone'],
      ['what is 1+1?', '2', 'reply to a reply'],
      ['prompt', ':robot: Thinking...'],
    ]);
    expect(readThreads(importPlans(plan('cocalc-def')).chat)).toEqual([['D row', 'second version', '']]);
    expect(readThreads(importPlans(plan('cocalc-damaged')).chat)[0]).toEqual([
      'under a mark',
      'digits',
      'undated 1',
      'undated 2',
      'undated 3',
      'good',
      'no zone',
      'later',
    ]);
    expect(readThreads(importPlans(plan('jupyter-2025')).chat)).toEqual([
      [
        'hi @Helper 👋',
        '',
        'now this',
        'tie, first in the list',
        'tie, second in the list',
        'another under one id',
      ],
    ]);
    expect(readThreads(importPlans(plan('jupyter-2026')).chat)).toEqual([
      ['**rich**', '# a\nb', '', 'no id, no time'],
    ]);
  });

  it('[PL8] settings, history, deletion, parts and feedback read back', () => {
    const { chat } = importPlans(
      plan('cocalc-2026'),
      plan('cocalc-def'),
      plan('jupyter-2026'),
      plan('cocalc-gh'),
    );
    const configs = chat.threads().map(({ thread_id }) => chat.config(thread_id));
    expect(configs.find(({ name }) => name === 'Build')).toMatchObject({ pin: false, agent_kind: 'acp' });
    const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    const edited = messages.find(({ content }) => content === 'second version');
    expect(edited?.history.map(({ content }) => content)).toEqual(['first version', 'second version']);
    const deleted = messages.filter((message) => message.deleted);
    expect(deleted.map(({ content, history }) => [content, history[0]?.content])).toEqual([
      ['', 'regretted'],
    ]);
    const tools = messages.flatMap(({ parts }) => parts).filter(({ kind }) => kind === 'tool_call');
    expect(tools).toMatchObject([
      { part_id: 't1', state: 'completed', output: 'a.txt' },
      { part_id: 't2', state: 'in_progress' },
    ]);
    const answer = messages.find(({ content }) => content === '2');
    expect(chat.annotations({ message_id: answer?.message_id ?? '' })).toMatchObject([{ value: 'positive' }]);
  });

  it('[PL8] a very long text reads back whole', () => {
    const content = 'é👋'.repeat(400_000);
    const long = expectPlan(toLines({ date: 1000, event: 'chat', sender_id: 'ada', payload: { content } }));
    const [[text] = []] = readThreads(importPlans(long).chat);
    expect(text === content).toBe(true);
  });

  it.each(FIXTURES)('[PL8] %s imported again writes nothing, and apart it merges to the same', (name) => {
    const planned = plan(name);
    const { doc, chat } = importPlans(planned);
    const before = Y.encodeStateAsUpdate(doc);
    expect(chat.importJSONL(planned.jsonl)).toEqual({ ok: true, lines: 0 });
    const other = importPlans(plan(name));
    expect(Buffer.compare(Y.encodeStateAsUpdate(other.doc), before)).toBe(0);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other.doc));
    expect(Buffer.compare(Y.encodeStateAsUpdate(doc), before)).toBe(0);
    expect(chat.digest()).toBe(other.chat.digest());
  });

  it('[PL8] two revisions are their union, imported one after the other or apart', () => {
    const call = { tool_call_id: 't', title: 'ls', status: 'in_progress' };
    const message = (id: string, time: number, more: object): object => ({
      id,
      time,
      sender: 'u',
      body: id,
      ...more,
    });
    const write = (...messages: readonly object[]): MigrationPlan =>
      expectPlan(toBytes(JSON.stringify({ messages, users: {}, metadata: { id: 'c' } })));
    const first = write(message('m1', 1, {}), message('m2', 2, { metadata: { tool_calls: [call] } }));
    const done = { ...call, status: 'completed', raw_output: 'a' };
    const second = write(
      message('m1', 1, { edited: true, body: 'changed' }),
      message('m2', 2, { metadata: { tool_calls: [done, { tool_call_id: 'u' }] } }),
      message('m3', 3, {}),
    );
    const apart = importPlans(first);
    Y.applyUpdate(apart.doc, Y.encodeStateAsUpdate(importPlans(second).doc));
    for (const { chat } of [importPlans(first, second), importPlans(second, first), apart]) {
      expect(readThreads(chat)).toEqual([['changed', 'm2', 'm3']]);
      const [m1, m2] = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
      expect(m1?.history.map(({ content }) => content)).toEqual(['m1', 'changed']);
      expect(m2?.parts.map(({ part_id, state }) => [part_id, state])).toEqual([
        ['t', 'completed'],
        ['u', undefined],
      ]);
      expect(chat.report().ignored).toEqual([]);
    }
  });

  it('[PL8] a chat that nobody wrote in imports', () => {
    const { chat } = importPlans(expectPlan(new Uint8Array()));
    expect([chat.threads(), chat.docId()]).toEqual([[], null]);
  });
});
