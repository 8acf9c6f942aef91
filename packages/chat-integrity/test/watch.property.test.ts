import { type Chat, deriveAnswerId } from '@chatdoc/schema';
import { deriveSlotThreadId } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { type Counters, check, countFindings, createLeaseRule, RULES, watch } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import {
  ANSWER,
  ATTEMPT,
  dateAt,
  header,
  healthyLines,
  idAt,
  jsonl,
  message,
  PROMPT,
  ROOT,
  thread,
} from './documents.js';
import { openReplicas, type Replica, run, send, steps } from './schedule.js';

const { test, all } = createParts();
const isLive = (attempt: string): boolean => attempt.charCodeAt(25) % 2 === 0;
const rules = [...RULES, createLeaseRule(isLive)];
const met = new Set<string>();

/** What refers to each other in every way that a rule looks at. */
const OTHER = idAt(20, 'other');
const SLOT = { root_id: 'r', owner_id: 'ada', provider: 'codex' };
const [ONE, TWO] = [1, 2].map((number) => deriveSlotThreadId({ ...SLOT, number }, 'chat')) as [
  string,
  string,
];
const LINES: readonly object[] = [
  ...healthyLines(),
  thread(OTHER, { root_message_id: PROMPT }),
  thread(idAt(28), { root_message_id: idAt(21) }),
  message(idAt(21), 21, { thread_id: idAt(28), reply_to_message_id: ROOT }),
  message(idAt(22), 22, { reply_to_message_id: idAt(23) }),
  message(idAt(23), 22, { reply_to_message_id: idAt(24) }),
  message(idAt(24), 22, { reply_to_message_id: idAt(22), expects: 'answer' }),
  message(idAt(25), 25, { reply_to_message_id: idAt(22) }),
  message(deriveAnswerId(idAt(24)), 26, {
    thread_id: OTHER,
    prompt_id: idAt(24),
    attempt: idAt(26),
    epoch: 1,
    runner_id: 'x',
  }),
  message(deriveAnswerId(ROOT), 27, { prompt_id: ROOT, attempt: idAt(27), epoch: 1, runner_id: 'x' }),
  { type: 'stop', id: idAt(31), message_id: ANSWER, epoch: 1, by: 'ada' },
  { type: 'retry', id: idAt(32), message_id: deriveAnswerId(idAt(24)), epoch: 2, by: 'ada' },
  { type: 'part', attempt: idAt(26), n: 1, kind: 'text', text: 5 },
  { type: 'finish', id: idAt(33), attempt: ATTEMPT, finish_reason: 'error' },
  { type: 'finish', id: idAt(34), attempt: idAt(27), finish_reason: 'error' },
  { type: 'redaction', id: idAt(35), message_id: idAt(25), by: 'ada', date: dateAt(35) },
  { type: 'revision', id: idAt(36), message_id: ROOT, author_id: 'ada', date: dateAt(36), content: 'a' },
  { type: 'revision', id: idAt(37), message_id: ROOT, author_id: 'bob', date: dateAt(37), content: 'b' },
  thread(ONE, { slot: { ...SLOT, number: 1 } }),
  thread(TWO, { slot: { ...SLOT, number: 2 } }),
  { type: 'activation', id: idAt(41), thread_id: ONE, slot: SLOT },
  { type: 'activation', id: idAt(42), thread_id: TWO, slot: SLOT },
  { type: 'activation', id: idAt(43), thread_id: OTHER, slot: SLOT },
  {
    type: 'thread_config',
    id: idAt(44),
    thread_id: ONE,
    session: { session_id: 's1' },
    updated_at: dateAt(44),
    updated_by: 'a',
  },
  { type: 'annotation', id: idAt(45), message_id: idAt(25), user_id: 'ada', key: 'k', value: 1 },
];

/** What the document itself lists, line by line. */
function expectReported(chat: Chat, counters: Counters): void {
  const report = chat.report();
  const count = (name: string): number => counters[`chat.integrity.${name}`] ?? Number.NaN;
  expect(count('quarantined_lines') + count('missing_identity_fields')).toBe(report.quarantined);
  expect(count('duplicate_ids')).toBe(
    chat.duplicates().filter(({ line }) => !line.endsWith(',"cut":true}')).length,
  );
  expect(count('foreign_entries')).toBe(report.ignored.length);
  expect(count('hidden_lanes')).toBe(report.hidden_lanes.length);
  expect(count('foreign_characters')).toBe(
    report.foreign.reduce((sum, { characters }) => sum + characters, 0),
  );
  expect(count('unknown_entries')).toBe(
    Object.values(report.unknown_types).reduce((sum, more) => sum + more, 0),
  );
  expect(count('orphan_messages')).toBe(chat.waiting().messages_without_thread);
}

describe('the counters of a watcher', () => {
  test('[WA1] are those of a check after every transaction, whatever happens', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (schedule, everyStep) => {
        const replicas = openReplicas(3);
        const watchers = replicas.map(({ chat }) => watch(chat, { isLive }));
        for (const [at, step] of schedule.entries()) {
          run(replicas, step);
          if (!everyStep && at % 7 !== 0) continue;
          for (const [which, { chat }] of replicas.entries()) {
            const counted = watchers[which]?.counters() as Counters;
            expect(counted).toEqual(countFindings(check(chat, rules)));
            expectReported(chat, counted);
            for (const [name, count] of Object.entries(counted)) if (count > 0) met.add(name);
          }
        }
        for (const [which, { chat }] of replicas.entries()) {
          const late = watch(chat, { isLive });
          expect(watchers[which]?.counters()).toEqual(late.counters());
        }
      }),
      runs(60),
    );
  });

  test('[WA1] are those of a check of each broken document, opened late or watched while it breaks', () => {
    for (const { open, damage } of BREAKERS) {
      const { chat, doc } = open();
      const counted = watch(chat, { isLive }).counters();
      expect(counted, damage).toEqual(countFindings(check(chat, rules)));
      for (const [name, count] of Object.entries(counted)) if (count > 0) met.add(name);
      const [replica] = openReplicas(1) as [Replica];
      const watcher = watch(replica.chat, { isLive });
      watcher.counters();
      send(doc, replica.doc);
      expect(watcher.counters(), damage).toEqual(countFindings(check(replica.chat, rules)));
    }
  });

  test('[WA1] are those of a check while lines come one by one, in any order, and texts go again', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...LINES], { minLength: LINES.length - 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (lines, drops) => {
          const [{ chat, doc }] = openReplicas(1) as [Replica];
          const watcher = watch(chat, { isLive });
          const compare = (): void => {
            const findings = check(chat, rules);
            expect(watcher.counters()).toEqual(countFindings(findings));
            const counts = new Map<string, number>();
            for (const { rule, count } of findings) counts.set(rule, (counts.get(rule) ?? 0) + count);
            expect(new Map(watcher.sample().offences.map(({ rule, count }) => [rule, count]))).toEqual(
              counts,
            );
          };
          for (const line of lines) {
            chat.importJSONL(jsonl(header('a'), [line]));
            compare();
          }
          for (const drop of drops) {
            const peer = new Y.Doc();
            send(doc, peer);
            const keys = [...peer.getMap('chat').keys()].sort();
            peer.getMap('chat').delete(keys[drop % keys.length] as string);
            send(peer, doc);
            compare();
          }
          chat.rehost();
          compare();
        },
      ),
      runs(25),
    );
  });

  it('[WA1] the documents above met every counter', async () => {
    await all();
    expect(Object.keys(countFindings([])).filter((name) => !met.has(name))).toEqual([]);
  });
});
