import { type Chat, openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createScriptEnvironment } from '../../chat-testkit/src/index.js';
import { describeLoss } from '../src/export/describe-loss.js';
import { type ExportFormat, exportChat } from '../src/export/export-chat.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, readFixture } from './helpers/plans.js';

const DATE = '2026-11-21T12:00:00.000Z';

function lossOf(chat: Chat, format: ExportFormat): Readonly<Record<string, number>> {
  return Object.fromEntries(describeLoss(chat, format).map(({ kind, count }) => [kind, count]));
}

/** A chat with one of everything. */
function createFullChat(): Chat {
  const chat = openChat(new Y.Doc(), { environment: createScriptEnvironment(1, 1000) });
  const { thread_id } = chat.createThread({
    created_by: 'ada',
    name: 'Plan',
    session: { id: 's' },
    template: {},
  });
  const prompt = chat.send({ thread_id, sender_id: 'ada', content: 'go', expects: 'answer' });
  const asked = { prompt_id: prompt.message_id, sender_id: 'bot', runner_id: 'r' };
  const first = chat.openAttempt(asked);
  first.finish({ finish_reason: 'error', error: { message: 'boom' } });
  chat.retry({ message_id: first.message_id, by: 'ada' });
  const second = chat.openAttempt(asked);
  for (const kind of ['reasoning', 'tool_call', 'file', 'plan', 'constructor']) second.addPart({ kind });
  second.finish({ finish_reason: 'error', error: { message: 'boom' } });
  const reply = chat.send({
    thread_id,
    sender_id: 'ada',
    content: 'one',
    reply_to_message_id: first.message_id,
  });
  chat.edit({ message_id: reply.message_id, author_id: 'ada', content: 'two' });
  chat.edit({ message_id: reply.message_id, author_id: 'ada', content: 'three' });
  chat.annotate({ message_id: reply.message_id, user_id: 'ada', key: 'reaction:x', value: true });
  chat.annotate({ message_id: reply.message_id, user_id: 'ada', key: 'feedback', value: 'positive' });
  chat.annotate({ thread_id, user_id: 'ada', key: 'read', value: reply.message_id });
  const open = chat.openMessage({ thread_id, sender_id: 'ada' });
  open.openPart().append('half');
  const secret = chat.send({ thread_id, sender_id: 'ada', content: 'secret' });
  chat.redact({ message_id: secret.message_id, by: 'ada' });
  chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 1, b: 2 } });
  chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 3 } });
  chat.createThread({
    created_by: 'ada',
    purpose: 'run',
    slot: { root_id: 'r', owner_id: 'o', provider: 'p' },
  });
  chat.createThread({ created_by: 'ada', forked_from: { thread_id } });
  return chat;
}

describe('EX describeLoss', () => {
  it('[EX17] counts what a format has no place for, by kind', () => {
    const chat = createFullChat();
    expect(lossOf(chat, 'jsonl')).toEqual({});
    const parts = { attachments: 1, other_parts: 2, reasoning: 1, tool_calls: 1 };
    expect(lossOf(chat, 'cocalc')).toEqual({
      ...parts,
      ...{ alternates: 1, annotations: 1, errors: 1, redactions: 1, replies: 1, settings: 2, slots: 1 },
      ...{ unfinished: 1, variables: 2 },
    });
    expect(lossOf(chat, 'jupyter')).toEqual({
      ...{ alternates: 1, annotations: 3, errors: 1, forks: 1, other_parts: 2, reasoning: 1, redactions: 1 },
      ...{
        replies: 1,
        settings: 3,
        slots: 1,
        states: 1,
        threads: 2,
        unfinished: 1,
        variables: 2,
        versions: 2,
      },
    });
    expect(lossOf(chat, 'markdown')).toEqual({
      ...{ alternates: 1, annotations: 3, errors: 1, reasoning: 1, settings: 2, slots: 1, states: 1 },
      ...{ variables: 2, versions: 2 },
    });
    const kinds = describeLoss(chat, 'jupyter').map(({ kind }) => kind);
    expect(kinds).toEqual([...kinds].sort());
  });

  it('[EX17] rows and columns of an old file are lost to every format but their own', () => {
    const cocalc = importPlans(expectPlan(readFixture('cocalc-2026.chat')));
    expect(lossOf(cocalc, 'cocalc')).toEqual({ set_aside: 2 });
    expect(lossOf(cocalc, 'jupyter')['set_aside']).toBe(cocalc.legacyRows().length);
    const jupyter = importPlans(expectPlan(readFixture('jupyter-2025.chat')));
    expect(lossOf(jupyter, 'jupyter')).toEqual({});
    expect(lossOf(jupyter, 'cocalc')).toEqual({ attachments: 1, set_aside: jupyter.legacyRows().length });
    expect(lossOf(jupyter, 'markdown')['set_aside']).toBe(jupyter.legacyRows().length);
  });

  it('[EX17] what is not lost comes back from an export', () => {
    const chat = openChat(new Y.Doc(), { environment: createScriptEnvironment(1, 1000) });
    const { thread_id } = chat.createThread({ created_by: 'ada', created_at: DATE, name: 'Plan' });
    chat.send({ thread_id, sender_id: 'ada', content: 'hello', date: DATE });
    for (const format of ['cocalc', 'markdown'] as const) expect(describeLoss(chat, format)).toEqual([]);
    expect(exportChat(chat, 'markdown')).toContain('# Plan');
  });
});
