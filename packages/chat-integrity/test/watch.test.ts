import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { COUNTERS, check, countFindings, RULES, type Sample, watch } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import { header, idAt, jsonl, message, openText, openWith, ROOT, THREAD, thread } from './documents.js';
import { handTimers } from './watch-timers.js';

describe('watch', () => {
  it('[WA2] writes nothing, and gives every counter in order, also where nothing is wrong', () => {
    const { chat, doc } = openWith();
    const before = Y.encodeStateAsUpdate(doc);
    const counters = watch(chat).counters();
    expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
    expect(Object.keys(counters)).toEqual([...new Set(Object.values(COUNTERS))].sort());
    expect(new Set(Object.values(counters))).toEqual(new Set([0]));
    expect(Object.isFrozen(counters)).toBe(true);
  });

  it('[WA2] has a counter for each rule, under the names of the design', () => {
    expect(RULES.filter(({ id }) => COUNTERS[id] === undefined)).toEqual([]);
    const { chat } = openWith(
      message(idAt(21), 21, { thread_id: idAt(20) }),
      message(idAt(22), 22, { reply_to_message_id: idAt(23) }),
      message(idAt(24), 22),
      thread(idAt(25), { root_message_id: idAt(26) }),
      thread(idAt(27)),
      message(idAt(28), 28, { thread_id: idAt(27), expects: 'answer' }),
      '{"type":"message","message_id":"x"}',
    );
    expect(watch(chat).counters()).toMatchObject({
      'chat.integrity.orphan_messages': 1,
      'chat.integrity.invalid_reply_targets': 1,
      'chat.integrity.duplicate_date_rows': 2,
      'chat.integrity.multi_root_per_thread': 1,
      'chat.integrity.missing_thread_config': 1,
      'chat.integrity.missing_identity_fields': 1,
      'chat.acp.finalize_mismatch': 0,
    });
  });

  it('[WA3] samples once an interval in which something came, with the ids where most is wrong', () => {
    const { chat } = openText();
    const timers = handTimers();
    const samples: Sample[] = [];
    const watcher = watch(chat, { onSample: (sample) => samples.push(sample), timers, top: 2 });
    expect(timers.due.size).toBe(0);
    const lost = [1, 1, 1, 2, 2, 3].map((at, i) => message(idAt(30 + i), 30, { thread_id: idAt(20 + at) }));
    chat.importJSONL(jsonl(header('a'), lost));
    chat.importJSONL(
      jsonl(header('b'), [thread(THREAD), message(ROOT, 2, { reply_to_message_id: idAt(3) })]),
    );
    expect(timers.due.size).toBe(1);
    timers.fire();
    expect(samples).toHaveLength(1);
    expect(samples[0]?.counters).toEqual(countFindings(check(chat)));
    expect(samples[0]?.offences).toEqual([
      {
        rule: 'IN1',
        name: 'thread_absent',
        count: 6,
        threads: [
          { id: idAt(21), count: 3 },
          { id: idAt(22), count: 2 },
        ],
        messages: [
          { id: idAt(30), count: 1 },
          { id: idAt(31), count: 1 },
        ],
      },
      {
        rule: 'IN4',
        name: 'reply_target_absent',
        count: 1,
        threads: [{ id: THREAD, count: 1 }],
        messages: [{ id: ROOT, count: 1 }],
      },
    ]);
    expect(timers.due.size).toBe(0);
    chat.importJSONL(jsonl(header('c'), [message(idAt(40), 40)]));
    watcher.close();
    expect(timers.due.size).toBe(0);
    chat.importJSONL(jsonl(header('d'), [message(idAt(41), 41)]));
    timers.fire();
    expect(samples).toHaveLength(1);
  });

  it('[WA4] names ids alone: nothing of what people wrote is in a sample', () => {
    for (const { open } of BREAKERS) {
      const { offences } = watch(open().chat).sample();
      expect(offences.length).toBeGreaterThan(0);
      for (const { threads, messages } of offences) {
        for (const { id } of [...threads, ...messages]) expect(id).toMatch(/^[0-9A-Z]{26}$/);
      }
    }
  });

  it('[WA5] counts abandoned attempts by what the host says of their runners', () => {
    const { chat } = openWith(message(idAt(21), 21, { expects: 'answer' }));
    const attempt = chat.openAttempt({ prompt_id: idAt(21), sender_id: 'bot', runner_id: 'laptop' });
    let live = true;
    const watcher = watch(chat, { isLive: () => live });
    const read = (): unknown => watcher.counters()['chat.acp.abandoned_attempts'];
    expect(read()).toBe(0);
    live = false;
    expect(read()).toBe(1);
    expect(watcher.sample().offences.map(({ rule, messages }) => [rule, messages.length])).toEqual([
      ['IN28', 1],
    ]);
    attempt.finish({ finish_reason: 'stop' });
    expect(read()).toBe(0);
  });
});
