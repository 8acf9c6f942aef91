import { type Chat, openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createScriptEnvironment } from '../../chat-testkit/src/index.js';
import { exportChat } from '../src/export/export-chat.js';
import { openLegacy } from '../src/plan/open-legacy.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, readFixture, toBytes } from './helpers/plans.js';

type Columns = Readonly<Record<string, unknown>>;
interface Document {
  readonly messages: readonly Columns[];
  readonly users: Readonly<Record<string, Columns>>;
  readonly attachments: Readonly<Record<string, Columns>>;
  readonly metadata?: Columns;
  readonly [member: string]: unknown;
}

const DATE = '2026-11-21T12:00:00.000Z';

function createChat(): Chat {
  return openChat(new Y.Doc(), { environment: createScriptEnvironment(1, 1000) });
}

function exported(chat: Chat): Document {
  return JSON.parse(exportChat(chat, 'jupyter')) as Document;
}

function migrated(document: unknown): Chat {
  return importPlans(expectPlan(toBytes(JSON.stringify(document))));
}

describe('EX exports to jupyter-chat', () => {
  it('[EX12] the document as it is written today: a list, two spaces, ASCII, no last newline', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', created_at: DATE });
    chat.send({ thread_id, sender_id: 'ada', content: 'h\u00e9 👋', date: DATE });
    const text = exportChat(chat, 'jupyter');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the bounds of ASCII
    expect(text).toMatch(/^[\u0000-\u007f]*\}$/);
    expect(text).toBe(
      JSON.stringify(JSON.parse(text), null, 2).replace('é', '\\u00e9').replace('👋', '\\ud83d\\udc4b'),
    );
    expect(exported(chat)).toEqual({
      attachments: {},
      messages: [
        {
          id: chat.messageIds(thread_id)[0],
          type: 'msg',
          body: 'h\u00e9 👋',
          time: Date.parse(DATE) / 1000,
          sender: 'ada',
        },
      ],
      users: { ada: { username: 'ada', name: 'ada', display_name: 'ada' } },
    });
  });

  it('[EX13] what was set aside, columns, attachments and tool calls come back', () => {
    const document = {
      messages: [
        {
          id: 'm1',
          type: 'msg',
          body: 'see',
          time: 1760000000.500001,
          sender: 'u1',
          mentions: ['u2'],
          raw_time: true,
          attachments: ['f1', 'gone'],
          stacked: true,
        },
        {
          id: 'm2',
          type: 'msg',
          body: '',
          time: 1760000001,
          sender: 'u2',
          metadata: {
            to_persona: 'x',
            tool_calls: [
              {
                tool_call_id: 't',
                title: 'ls',
                kind: 'execute',
                status: 'completed',
                raw_input: { a: 1 },
                raw_output: 'out',
              },
            ],
          },
        },
        { id: 'm3', type: 'msg', body: { 'text/markdown': 'bundle' }, time: 1760000002, sender: 'u1' },
        { id: 'm4', type: 'msg', body: 'new', time: 1760000003, sender: 'u1', edited: true },
        {
          id: 'm5',
          type: 'msg',
          body: '',
          time: 1760000004,
          sender: 'u1',
          deleted: true,
          attachments: ['f1'],
        },
        {
          id: 'm6',
          type: 'msg',
          body: 'inline',
          time: 1760000005,
          sender: 'u1',
          attachments: [{ type: 'file', value: 'b.txt' }],
        },
        {
          id: 'm7',
          type: 'msg',
          body: 'inline',
          time: 1760000006,
          sender: 'u1',
          attachments: [{ type: 'file', value: 'c.txt' }],
        },
      ],
      users: {
        u1: { username: 'u1', name: 'Moon', mention_name: null },
        u2: { username: 'u2', bot: true },
        silent: { username: 'silent' },
      },
      attachments: {
        f1: { type: 'notebook', value: 'a.ipynb', cells: [{ id: 'c', input_type: 'code' }] },
        f2: { type: 'file', value: 'unused' },
      },
      metadata: { acp_session_ids: { u2: 's' } },
      extra: { kept: true },
    };
    const { messages, attachments, ...rest } = exported(migrated(document));
    expect(rest).toEqual({ users: document.users, metadata: document.metadata, extra: document.extra });
    expect(attachments).toMatchObject(document.attachments);
    const [m6, m7] = messages
      .slice(5)
      .map(({ attachments: names }) => attachments[String((names as readonly unknown[])[0])]);
    expect([m6, m7]).toEqual([
      { type: 'file', value: 'b.txt' },
      { type: 'file', value: 'c.txt' },
    ]);
    expect(messages.slice(0, 5)).toEqual(document.messages.slice(0, 5));
  });

  it('[EX13] a body that was no text gives way to what somebody wrote since, and nothing is left of a redacted one', () => {
    const body = { 'text/markdown': 'bundle' };
    const message = {
      id: 'm1',
      type: 'msg',
      body,
      time: 1760000000,
      sender: 'u1',
      mime_model: { data: body },
      metadata: { a: 1 },
    };
    const chat = migrated({ messages: [message], users: {} });
    const [{ message_id } = { message_id: '' }] = chat.messages(chat.threads()[0]?.thread_id ?? '');
    chat.edit({ message_id, author_id: 'u1', content: 'mine', date: DATE });
    const { mime_model: _, ...plain } = message;
    expect(exported(chat).messages).toEqual([{ ...plain, body: 'mine', edited: true }]);
    chat.redact({ message_id, by: 'u1' });
    expect(exported(chat).messages).toEqual([
      { id: expect.any(String), type: 'msg', body: '', time: 1760000000, sender: 'u1', deleted: true },
    ]);
  });

  it('[EX13] a list of tool calls of which some are none comes back as it was', () => {
    const metadata = { tool_calls: [{ tool_call_id: 't', title: 'ls' }, 'no call'] };
    const message = { id: 'm1', type: 'msg', body: 'x', time: 1760000000, sender: 'u1', metadata };
    expect(exported(migrated({ messages: [message], users: {} })).messages).toEqual([message]);
  });

  it('[EX13] the chat id that a thread names comes back, and with it every id of a message', () => {
    const plan = expectPlan(readFixture('jupyter-2025.chat'));
    const jsonl = plan.jsonl.replace('"purpose":"chat"', '"purpose":"chat","legacy":{"chat_id":"c1"}');
    const chat = importPlans({ ...plan, jsonl });
    const document = exported(chat);
    expect(document.metadata).toEqual({ id: 'c1', acp_session_ids: { 'bots::helper': 's1' } });
    const opened = openLegacy(toBytes(JSON.stringify(document)));
    if (!opened.ok) throw new Error(opened.message);
    const ids = chat.messageIds(chat.threads()[0]?.thread_id ?? '');
    const kept = opened.chat.messageIds(opened.chat.threads()[0]?.thread_id ?? '');
    // The last one shared its id with another.
    expect(kept.slice(0, -1)).toEqual(ids.slice(0, -1));
    expect(kept).toHaveLength(ids.length);
    expect(opened.chat.docId()).toBe(chat.docId());
  });

  it('[EX14] threads are one list by time, each in its own order, and every sender is a user', () => {
    const chat = createChat();
    const at = (minute: number): string => new Date(Date.parse(DATE) + minute * 60_000).toISOString();
    const [a, b] = [0, 1].map(
      (minute) => chat.createThread({ created_by: 'ada', created_at: at(minute) }).thread_id,
    );
    const say = (thread_id = '', content: string, minute: number): unknown =>
      chat.send({ thread_id, sender_id: 'ada', content, date: at(minute) });
    say(a, 'a1', 1);
    say(a, 'a2', 8);
    // Dates order nothing: this one stands behind a2 in its thread.
    say(a, 'a3', 2);
    say(b, 'b1', 5);
    const prompt = chat.send({
      thread_id: b ?? '',
      sender_id: 'ada',
      content: 'b2',
      date: at(9),
      expects: 'answer',
    });
    const writer = chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'bot',
      runner_id: 'r',
      date: at(10),
    });
    writer.addPart({ kind: 'file', title: 'a.txt' });
    writer.addPart({ kind: 'tool_call', data: 5, title: 'run' });
    writer.finish({ finish_reason: 'complete' });
    const { messages, users, attachments } = exported(chat);
    expect(messages.map(({ body }) => body)).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', '']);
    expect(users['bot']).toEqual({ username: 'bot', name: 'bot', display_name: 'bot', bot: true });
    expect(attachments).toEqual({ 'file-1': { type: 'file', value: 'a.txt' } });
    expect(messages.at(-1)).toMatchObject({
      attachments: ['file-1'],
      metadata: { tool_calls: [{ title: 'run', data: 5 }] },
    });
  });
});
