import { openChat } from '@chatdoc/schema';
import { beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { check, createLeaseRule, repair, watch } from '../src/index.js';
import { bytesOf } from './repair-documents.js';
import { handTimers } from './watch-timers.js';

const MESSAGES = 10_000;
const TURNS = 1_000;
const HOUR_MS = 3_600_000;
const TEXT = 'Ship it? The list says two tests and a flag are left, and nobody has run the second one yet. ';

describe('a chat of 10,000 messages with 1,000 turns', () => {
  let now = Date.UTC(2026, 10, 21, 12);
  let calls = 0;
  const environment = {
    now: () => now,
    random: (bytes: number): Uint8Array => {
      calls += 1;
      return Uint8Array.from({ length: bytes }, (_, i) => (Math.imul(calls, 0x9e3779b1) >>> (i % 24)) & 255);
    },
  };
  const doc = new Y.Doc();
  const user = openChat(doc, { environment });
  const agent = openChat(doc, { environment });
  let characters = 0;
  let [count, size] = [0, 0];
  const textOf = (at: number): string => {
    const text = TEXT.repeat(4).slice(0, 20 + ((at * 37) % 300));
    characters += text.length;
    return text;
  };

  beforeAll(() => {
    let thread_id = '';
    for (let at = 0; at < MESSAGES; now += 1_000) {
      if (at % 500 === 0) ({ thread_id } = user.createThread({ created_by: 'ada', name: `Plan ${at}` }));
      const isTurn = at % (MESSAGES / TURNS) === 0;
      const { message_id } = user.send({
        thread_id,
        sender_id: 'ada',
        content: textOf(at),
        ...(isTurn && { expects: 'answer' }),
      });
      at += 1;
      if (!isTurn) continue;
      const answer = agent.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' });
      const part = answer.openPart();
      for (const token of textOf(at).match(/\S+\s*/g) ?? []) part.append(token);
      answer.finish({ finish_reason: 'stop' });
      at += 1;
    }
    count = user.threads().reduce((sum, thread) => sum + user.messageIds(thread.thread_id).length, 0);
    size = Y.encodeStateAsUpdate(doc).length;
  });

  it('[WA7] is at most 1.5 times its text and 200 bytes a message', () => {
    expect(count).toBe(MESSAGES);
    expect(size).toBeLessThanOrEqual(1.5 * characters + 200 * MESSAGES);
  });

  it('[WA7] gets no byte in an idle hour, watched, checked and with an answer open', () => {
    const [thread] = user.threads();
    const { message_id } = user.send({
      thread_id: thread?.thread_id ?? '',
      sender_id: 'ada',
      content: 'And now?',
      expects: 'answer',
    });
    agent
      .openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' })
      .openPart()
      .append('So');
    const timers = handTimers();
    const watcher = watch(user, { onSample: () => undefined, timers, isLive: () => true });
    user.annotate({ message_id, user_id: 'ada', key: 'seen', value: true });
    const before = bytesOf(doc);
    let updates = 0;
    doc.on('update', () => {
      updates += 1;
    });
    for (let minute = 0; minute < 60; minute += 1) {
      now += HOUR_MS / 60;
      timers.fire();
      watcher.counters();
    }
    check(user);
    expect(repair(user, { rules: [createLeaseRule(() => true)] })).toMatchObject({ lines: 0 });
    expect(updates).toBe(0);
    expect(bytesOf(doc)).toBe(before);
  });
});
