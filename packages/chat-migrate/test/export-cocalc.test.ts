import { type Chat, openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createScriptEnvironment } from '../../chat-testkit/src/index.js';
import { exportChat } from '../src/export/export-chat.js';
import { openLegacy } from '../src/plan/open-legacy.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, readFixture, toBytes, toLines } from './helpers/plans.js';

type Row = Readonly<Record<string, unknown>>;

const DATE = '2026-11-21T12:00:00.000Z';
const LATER = '2026-11-21T12:05:00.000Z';
const ADA = '11111111-1111-4111-8111-111111111111';

function createChat(): Chat {
  return openChat(new Y.Doc(), { environment: createScriptEnvironment(1, 1000) });
}

function rowsOf(chat: Chat): readonly Row[] {
  const text = exportChat(chat, 'cocalc');
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Row);
}

function rowsWith(chat: Chat, event: string): readonly Row[] {
  return rowsOf(chat).filter((row) => row['event'] === event);
}

function reopen(chat: Chat): Chat {
  const opened = openLegacy(toBytes(exportChat(chat, 'cocalc')));
  if (!opened.ok) throw new Error(opened.message);
  return opened.chat;
}

const v2 = (message_id: string, minute: number, fields: Row = {}): Row => {
  const date = new Date(Date.parse(DATE) + minute * 60_000).toISOString();
  return {
    event: 'chat',
    message_id,
    thread_id: 't1',
    sender_id: ADA,
    date,
    schema_version: 2,
    history: [{ author_id: ADA, content: message_id, date }],
    ...fields,
  };
};

describe('EX exports to CoCalc', () => {
  it('[EX5] rows of 2026 in the text form of their writer, settings under the canonical key', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', created_at: DATE, name: 'Plan', pin: true });
    const [first, second, third] = ['one', 'two', 'three'].map((content) =>
      chat.send({ thread_id, sender_id: 'ada', content, date: DATE }),
    );
    const text = exportChat(chat, 'cocalc');
    const lines = text.split('\n');
    expect(lines).toEqual([...lines].sort());
    for (const line of lines)
      expect(Object.keys(JSON.parse(line) as Row)).toEqual(Object.keys(JSON.parse(line) as Row).sort());
    expect(text.endsWith('\n')).toBe(false);
    expect(rowsWith(chat, 'chat-thread-config')).toEqual([
      {
        event: 'chat-thread-config',
        sender_id: `__thread_config__:${thread_id}`,
        date: '1970-01-01T00:00:00.000Z',
        thread_id,
        name: 'Plan',
        pin: true,
        schema_version: 2,
        updated_at: DATE,
        updated_by: 'ada',
      },
    ]);
    expect(rowsWith(chat, 'chat-thread')).toEqual([
      {
        event: 'chat-thread',
        sender_id: '__thread__',
        date: DATE,
        thread_id,
        root_message_id: first?.message_id,
        created_at: DATE,
        created_by: 'ada',
        schema_version: 2,
      },
    ]);
    const parents = new Map(
      rowsWith(chat, 'chat').map((row) => [row['message_id'], row['parent_message_id']]),
    );
    expect(parents.get(first?.message_id)).toBeUndefined();
    expect(parents.get(second?.message_id)).toBe(first?.message_id);
    expect(parents.get(third?.message_id)).toBe(second?.message_id);
    expect(exportChat(createChat(), 'cocalc')).toBe('');
  });

  it('[EX5] a thread without settings has no row of them, and one without messages has its own row', () => {
    const chat = createChat();
    chat.createThread({ created_by: 'ada', created_at: DATE });
    expect(rowsOf(chat)).toHaveLength(1);
    expect(reopen(chat).threads()).toMatchObject([{ created_at: DATE, created_by: 'ada' }]);
  });

  it('[EX7] ids of the old file stay, and each is given once', () => {
    const plan = expectPlan(
      toLines(v2('m1', 0), v2('m1', 1, { history: [{ content: 'other', author_id: ADA }] })),
    );
    const chat = importPlans(plan);
    const names = rowsWith(chat, 'chat').map((row) => String(row['message_id']));
    expect(new Set(names).size).toBe(2);
    expect(names).toContain('m1');
    const ids = chat.messageIds(chat.threads()[0]?.thread_id ?? '');
    expect(names.filter((name) => ids.includes(name))).toHaveLength(1);
    expect(rowsWith(chat, 'chat').map((row) => row['thread_id'])).toEqual(['t1', 't1']);
    const [{ message_id } = { message_id: '' }] = chat.messages(chat.threads()[0]?.thread_id ?? '');
    expect(reopen(chat).message(message_id)).toBeDefined();
    // A chat merged with the migration of its own export: the copies bear the ids of the first.
    const own = createChat();
    const { thread_id } = own.createThread({ created_by: 'ada', created_at: DATE });
    own.send({ thread_id, sender_id: 'ada', content: 'once', date: DATE });
    own.importJSONL(reopen(own).toJSONL());
    const rows = rowsWith(own, 'chat');
    expect(new Set(rows.map((row) => row['message_id'])).size).toBe(2);
    expect(new Set(rows.map((row) => row['thread_id'])).size).toBe(2);
  });

  it('[EX8] columns, settings and rows that became no record come back', () => {
    const rows: readonly Row[] = [
      v2('m1', 0, {
        acp_prompt: 'really sent',
        inline_code_links: [{ code: 'a' }],
        [`read-${ADA}`]: 2,
        feedback: { [ADA]: 'positive', other: 5 },
      }),
      v2('m2', 1, {
        parent_message_id: 'm1',
        generating: true,
        history: [
          { author_id: ADA, content: 'edited', date: LATER, tool: 'x' },
          { author_id: 'gpt', content: 'm2', date: '2026-11-21T12:00:30.000Z', tokens: 5 },
        ],
      }),
      {
        event: 'chat-thread-config',
        sender_id: '__thread_config__:t1',
        date: '1970-01-01T00:00:00.000Z',
        thread_id: 't1',
        name: 'T',
        agent_model: 'gpt',
        archived_chat_rows: 3,
        updated_at: LATER,
        updated_by: ADA,
        schema_version: 2,
      },
      { event: 'draft', sender_id: ADA, date: -5, input: 'half', active: 5 },
      { event: 'start_video', sender_id: ADA, date: DATE, payload: { room_id: 3.5e23 } },
      {
        event: 'chat',
        thread_id: 't2',
        message_id: 'p2',
        sender_id: ADA,
        date: LATER,
        schema_version: 2,
        history: [{ author_id: ADA, content: '', date: LATER }],
        forked_from_root_date: DATE,
      },
      {
        event: 'chat-thread',
        sender_id: '__thread__',
        thread_id: 't2',
        date: LATER,
        created_at: LATER,
        created_by: ADA,
        schema_version: 2,
        note: 'kept',
      },
    ];
    const exported = rowsOf(importPlans(expectPlan(toLines(...rows))));
    expect(exported.filter((row) => row['forked_from_root_date'] !== undefined)).toHaveLength(1);
    for (const row of rows) {
      const found = exported.filter(
        ({ event, message_id, thread_id, date }) =>
          event === row['event'] &&
          message_id === row['message_id'] &&
          thread_id === row['thread_id'] &&
          (event !== 'draft' || date === row['date']),
      );
      expect(found).toEqual([expect.objectContaining(row)]);
    }
  });

  it('[EX8] so do colours of 2013, and rows with more digits than a number has', () => {
    const old = { name: 'Ada', color: '1f80d8', date: DATE, mesg: { event: 'chat', content: 'hi' } };
    const video = `{"event":"start_video","sender_id":"${ADA}","date":"${DATE}","payload":{"room_id":12345678901234567890123}}`;
    const chat = importPlans(expectPlan(toLines(old, video)));
    expect(rowsWith(chat, 'chat')).toMatchObject([{ sender_id: 'Ada', color: '1f80d8' }]);
    expect(exportChat(chat, 'cocalc').split('\n')).toContain(video);
  });

  it('[EX8] what was cleared or redacted since does not come back from an old column', () => {
    const config = {
      event: 'chat-thread-config',
      sender_id: '__thread_config__:t1',
      date: '1970-01-01T00:00:00.000Z',
      thread_id: 't1',
      pin: 'maybe',
      updated_at: LATER,
    };
    const chat = importPlans(
      expectPlan(
        toLines(v2('m1', 0, { acp_prompt: 'secret', feedback: { [ADA]: 'positive', x: 1 } }), config),
      ),
    );
    const [thread] = chat.threads();
    const [message] = chat.messages(thread?.thread_id ?? '');
    const { message_id = '', thread_id = '' } = message ?? {};
    chat.annotate({ message_id, user_id: ADA, key: 'feedback', value: null });
    chat.configure({ thread_id, updated_by: ADA, pin: true });
    expect(rowsWith(chat, 'chat')[0]?.['feedback']).toEqual({ x: 1 });
    expect(rowsWith(chat, 'chat-thread-config')[0]?.['pin']).toBe(true);
    chat.redact({ message_id, by: ADA });
    const text = exportChat(chat, 'cocalc');
    expect(text).not.toContain('secret');
    expect(text).not.toContain('"m1","date');
    const [again] = reopen(chat).messages(reopen(chat).threads()[0]?.thread_id ?? '');
    expect(again).toMatchObject({ content: '', deleted: true });
  });

  it('[EX8] an entry that claims to be a row of another kind is left out', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', created_at: DATE });
    chat.send({ thread_id, sender_id: 'ada', content: 'mine', date: DATE });
    const [header = ''] = chat.toJSONL().split('\n');
    const forged = { ...v2('x', 0), thread_id, forked_from_root_date: DATE };
    const ids = ['01KAJ8Z0000000000000000001', '01KAJ8Z0000000000000000002'];
    const lines = ['draft', 'placeholder'].map((reason, index) =>
      JSON.stringify({ type: 'legacy_row', id: ids[index], reason, row: forged }),
    );
    chat.importJSONL([header, ...lines, ''].join('\n'));
    expect(rowsWith(chat, 'chat')).toHaveLength(1);
  });

  it('[EX9] what runs or waits is interrupted, in the row of the state and on the message', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', created_at: DATE });
    const prompt = chat.send({ thread_id, sender_id: 'ada', content: 'go', date: DATE, expects: 'answer' });
    const state = (): unknown => rowsWith(chat, 'chat-thread-state')[0];
    expect(state()).toMatchObject({
      state: 'interrupted',
      active_message_id: prompt.message_id,
      updated_at: DATE,
    });
    const writer = chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'bot',
      runner_id: 'r',
      date: LATER,
    });
    writer.openPart({ kind: 'text' }).append('half an ans');
    expect(state()).toMatchObject({ state: 'interrupted', updated_at: LATER });
    const answer = rowsWith(chat, 'chat').find((row) => row['sender_id'] === 'bot');
    expect(answer).toMatchObject({
      acp_interrupted: true,
      history: [{ author_id: 'bot', content: 'half an ans', date: LATER }],
    });
    writer.finish({ finish_reason: 'complete', acp_usage: { tokens: 7 }, acp_thread_id: 'acp-1' });
    expect(state()).toMatchObject({ state: 'complete' });
    const settled = rowsWith(chat, 'chat').find((row) => row['sender_id'] === 'bot');
    expect(settled).toMatchObject({ acp_usage: { tokens: 7 }, acp_thread_id: 'acp-1' });
    expect(settled).not.toHaveProperty('acp_interrupted');
    chat.setState({ thread_id, state: 'error', updated_at: LATER });
    expect(state()).toMatchObject({ state: 'error', updated_at: LATER });
    const date = '2026-11-21T12:09:00.000Z';
    chat.send({ thread_id, sender_id: 'ada', content: 'again', date, expects: 'answer' });
    expect(state()).toMatchObject({ state: 'interrupted', updated_at: date });
  });

  it('[EX10] a fork begins with the blank message that says so, and read marks are times', () => {
    const chat = createChat();
    const origin = chat.createThread({ created_by: 'ada', created_at: DATE, name: 'Origin' });
    const [root, last] = [DATE, LATER].map((date) =>
      chat.send({ thread_id: origin.thread_id, sender_id: 'ada', content: date, date }),
    );
    chat.annotate({
      thread_id: origin.thread_id,
      user_id: 'grace',
      key: 'read',
      value: last?.message_id ?? '',
    });
    const forked_from = { thread_id: origin.thread_id, message_id: last?.message_id ?? '' };
    const fork = chat.createThread({ created_by: 'grace', created_at: LATER, forked_from });
    expect(rowsWith(chat, 'chat')).toContainEqual(
      expect.objectContaining({
        thread_id: fork.thread_id,
        sender_id: 'grace',
        history: [{ author_id: 'grace', content: '', date: LATER }],
        forked_from_root_date: DATE,
        forked_from_latest_message_date: LATER,
        forked_from_title: 'Origin',
      }),
    );
    expect(rowsWith(chat, 'chat').find((row) => row['message_id'] === root?.message_id)).toHaveProperty(
      'lastread-grace',
      Date.parse(LATER),
    );
    const again = reopen(chat);
    const [first, second] = again.threads();
    expect(second?.forked_from).toEqual({
      thread_id: first?.thread_id,
      message_id: again.messageIds(first?.thread_id ?? '')[1],
    });
    expect(again.messages(second?.thread_id ?? '')).toEqual([]);
    expect(again.readMark(first?.thread_id ?? '', 'grace')).toBe(
      forked_from.message_id === undefined ? '' : again.messageIds(first?.thread_id ?? '')[1],
    );
  });

  it('[EX10] a mark that somebody set later than the last message stays as it was', () => {
    const column = String(Date.parse(LATER) + 5);
    const plan = expectPlan(toLines(v2('m1', 0, { [`lastread-${ADA}`]: column })));
    expect(rowsWith(importPlans(plan), 'chat')).toMatchObject([{ [`lastread-${ADA}`]: column }]);
  });

  it('[EX6] the settings, versions and rows of a file of 2026 are those that it had', () => {
    const text = new TextDecoder().decode(readFixture('cocalc-2026.chat'));
    const rows = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
    const exported = rowsOf(importPlans(expectPlan(readFixture('cocalc-2026.chat'))));
    for (const row of rows.filter(({ event, message_id }) => event === 'chat' && message_id !== undefined)) {
      const { payload: _, history, parent_message_id: __, ...columns } = row;
      const found = exported.find(({ message_id }) => message_id === row['message_id']);
      expect(found).toMatchObject(columns);
      if ((history as readonly unknown[]).length > 0) expect(found?.['history']).toEqual(history);
    }
  });
});
