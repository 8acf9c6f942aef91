import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { type Chat, deriveAnswerId, openChat } from '../src/index.js';
import { deriveInterruptId } from '../src/internal.js';
import { checkLaws, FoldLedger, readingEnvironment } from './laws.js';
import { DATE, idAt, laneHeader, laneUpdate, messageLine, START, threadLine } from './raw.js';
import { awkwardText, parameters } from './schedule.js';
import { Sightings } from './schedule-check.js';
import { NETWORK, seededEnvironment } from './schedule-run.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const sightings = new Sightings();
const THREAD = idAt(0, 'thread');
const PROMPT = idAt(1, 'prompt');
const ANSWER = deriveAnswerId(PROMPT);

interface Peer {
  readonly doc: Y.Doc;
  readonly chat: Chat;
}

function createPeers(count: number, seed: number): Peer[] {
  return Array.from({ length: count }, (_, at) => {
    const doc = new Y.Doc();
    doc.clientID = at + 1;
    let clock = START + ((seed >> at) % 5) * 3_600_000;
    const chat = openChat(doc, {
      environment: seededEnvironment(seed * 8 + at, () => ++clock),
      user_id: `u${at}`,
    });
    return { doc, chat };
  });
}

function exchange(peers: readonly Peer[]): void {
  for (let round = 0; round < 2; round += 1) {
    for (const to of peers)
      for (const from of peers) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc), NETWORK);
  }
}

/** A thread with one prompt, on every replica. */
function ask(peers: readonly Peer[]): { thread_id: string; prompt_id: string; answer: string } {
  const { chat } = peers[0] as Peer;
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: '?', expects: 'answer' });
  exchange(peers);
  return { thread_id, prompt_id: message_id, answer: deriveAnswerId(message_id) };
}

function expectAgreed(peers: readonly Peer[]): void {
  for (const { chat, doc } of peers) {
    sightings.note(checkLaws(chat, doc, ledger));
    expect(chat.digest()).toBe(peers[0]?.chat.digest());
  }
}

describe('turns', () => {
  test('[TN1] runners that answer one prompt apart make one message, and their text never mixes', () => {
    fc.assert(
      fc.property(
        fc.array(awkwardText(5), { minLength: 2, maxLength: 4 }),
        fc.nat({ max: 10_000 }),
        (texts, seed) => {
          const peers = createPeers(texts.length, seed);
          const { thread_id, prompt_id, answer } = ask(peers);
          texts.forEach((text, at) => {
            const { chat } = peers[at] as Peer;
            const attempt = chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: `r${at}` });
            const part = attempt.openPart();
            part.append(text);
            part.close();
            if ((seed >> at) % 2 === 0) attempt.finish({ finish_reason: 'stop' });
          });
          exchange(peers);
          expectAgreed(peers);
          const { chat } = peers[0] as Peer;
          const message = chat.message(answer);
          expect(chat.messageIds(thread_id)).toEqual([prompt_id, answer]);
          const attempts = [message?.attempt, ...(message?.alternates ?? [])];
          expect(attempts.map((attempt) => attempt?.content).sort()).toEqual([...texts].sort());
          const settled = texts.filter((_, at) => (seed >> at) % 2 === 0).length;
          expect(message?.attempt?.state, '[TN5] settled before open').toBe(settled > 0 ? 'settled' : 'open');
          expect(chat.queue(thread_id), '[TN11]').toEqual([]);
        },
      ),
      parameters(40),
    );
  });

  test('[TN7] a stop beside a retry never covers the retried attempt', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), fc.nat({ max: 10_000 }), (finishFirst, stopFirst, seed) => {
        const peers = createPeers(3, seed);
        const [a, b, c] = peers as [Peer, Peer, Peer];
        const { prompt_id, answer } = ask(peers);
        const first = a.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r1' });
        first.openPart().append('first');
        if (finishFirst) first.finish({ finish_reason: 'error' });
        exchange(peers);
        const stop = (): void => b.chat.stop({ message_id: answer, by: 'bea' });
        const retry = (): void => c.chat.retry({ message_id: answer, by: 'cy' });
        if (stopFirst) stop();
        retry();
        if (!stopFirst) stop();
        const second = c.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r2' });
        second.openPart().append('second');
        exchange(peers);
        expectAgreed(peers);
        const message = a.chat.message(answer);
        expect(message?.attempt?.attempt).toBe(second.attempt);
        expect(message?.attempt?.epoch).toBe(2);
        expect(message?.attempt?.stop_requested, '[TN7]').toBe(false);
        const [other] = message?.alternates ?? [];
        expect(other?.stop_requested).toBe(!finishFirst);
        expect(other?.content).toBe('first');
      }),
      parameters(30),
    );
  });

  test('[TN8] recovery beside a late completion: what the runner wrote after all counts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('nothing', 'text', 'finish'),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        fc.nat({ max: 10_000 }),
        (late, stop, recoverers, seed) => {
          const peers = createPeers(1 + recoverers, seed);
          const [runner, ...others] = peers as [Peer, ...Peer[]];
          const { thread_id, prompt_id, answer } = ask(peers);
          const attempt = runner.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r' });
          const part = attempt.openPart();
          part.append('so far');
          exchange(peers);
          for (const { chat } of others) chat.interrupt({ message_id: answer });
          if (stop) others[0]?.chat.stop({ message_id: answer, by: 'ada' });
          // The runner was alive after all, and knows of nothing.
          if (late === 'text') {
            part.close();
            attempt.openPart().append(', and more');
          } else if (late === 'finish') attempt.finish({ finish_reason: 'stop' });
          const before = others[0]?.chat.message(answer)?.attempt;
          expect(before?.state, '[TN8] before it is heard').toBe(stop ? 'settled' : 'interrupted');
          if (stop) expect(before?.finish_reason).toBe('stopped');
          exchange(peers);
          expectAgreed(peers);
          const after = runner.chat.message(answer)?.attempt;
          const settled = late === 'finish' || (stop && late === 'nothing');
          expect(after?.state).toBe(settled ? 'settled' : late === 'text' ? 'open' : 'interrupted');
          expect(after?.content, '[TN13]').toBe(late === 'text' ? 'so far, and more' : 'so far');
          expect(after?.finish_reason).toBe(late === 'finish' ? 'stop' : settled ? 'stopped' : undefined);
          const state = runner.chat.state(thread_id).state;
          expect(state, '[TN12]').toBe(settled ? 'complete' : late === 'text' ? 'running' : 'interrupted');
        },
      ),
      parameters(40),
    );
  });

  test('[TN4] a forged epoch gains nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 2 ** 40 }),
        fc.nat({ max: 3 }),
        fc.boolean(),
        fc.nat({ max: 10_000 }),
        (epoch, retries, stop, seed) => {
          const peers = createPeers(2, seed);
          const [a] = peers as [Peer, Peer];
          const { thread_id, prompt_id, answer } = ask(peers);
          const attempts = [a.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r' })];
          for (let at = 0; at < retries; at += 1) {
            attempts.at(-1)?.finish({ finish_reason: 'error' });
            a.chat.retry({ message_id: answer, by: 'ada' });
            attempts.push(a.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r' }));
          }
          const shown = a.chat.message(answer)?.attempt;
          expect(shown?.epoch).toBe(1 + retries);
          const forged = [
            messageLine(answer, thread_id, {
              prompt_id,
              attempt: idAt(1, 'forged'),
              epoch: 1 + retries + epoch,
              runner_id: 'm',
            }),
            ...(stop
              ? [
                  {
                    type: 'stop',
                    id: idAt(2, 'forged'),
                    message_id: answer,
                    epoch: 1 + retries + epoch,
                    by: 'm',
                  },
                ]
              : []),
          ];
          Y.applyUpdate(a.doc, laneUpdate(77, laneHeader('mallory'), forged), NETWORK);
          exchange(peers);
          expectAgreed(peers);
          const message = a.chat.message(answer);
          if (retries > 0) {
            expect(message?.attempt?.attempt, '[TN4]').toBe(shown?.attempt);
            expect(message?.attempt?.stop_requested, '[TN4]').toBe(false);
          }
          const all = [message?.attempt, ...(message?.alternates ?? [])];
          expect(all.find((attempt) => attempt?.attempt === idAt(1, 'forged'))?.epoch).toBe(1);
        },
      ),
      parameters(40),
    );
  });

  test('[TN3] any set of attempts, retries, stops, finishes and interrupts, in any order of arrival, equals the oracle', () => {
    const epoch = fc.constantFrom(1, 1, 2, 2, 3, 4, 9);
    const minute = fc.integer({ min: 2, max: 9 });
    const attempt = fc.nat({ max: 3 });
    const event = fc.oneof(
      fc.record({ type: fc.constant('attempt' as const), attempt, epoch }),
      fc.record({ type: fc.constantFrom('retry' as const, 'stop' as const), minute, epoch }),
      fc.record({ type: fc.constant('finish' as const), minute, attempt, forged: fc.boolean() }),
      fc.record({
        type: fc.constant('part' as const),
        attempt,
        n: fc.integer({ min: 1, max: 3 }),
        forged: fc.boolean(),
      }),
      fc.record({ type: fc.constant('interrupt' as const), attempt, seen: fc.nat({ max: 3 }) }),
      fc.record({ type: fc.constant('revision' as const), minute, attempt }),
      fc.record({ type: fc.constant('state' as const), minute }),
    );
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 12 }),
        fc.array(fc.nat(), { minLength: 14, maxLength: 14 }),
        (events, order) => {
          const attemptId = (at: number): string => idAt(3 + at, 'attempt');
          const lineOf = (one: (typeof events)[number], at: number): object => {
            switch (one.type) {
              case 'attempt': {
                const attempt = attemptId(one.attempt);
                return messageLine(ANSWER, THREAD, {
                  prompt_id: PROMPT,
                  attempt,
                  epoch: one.epoch,
                  runner_id: `r${at}`,
                });
              }
              case 'retry':
              case 'stop':
                return {
                  type: one.type,
                  id: idAt(one.minute, `e${at}`),
                  message_id: ANSWER,
                  epoch: one.epoch,
                  by: 'ada',
                };
              case 'finish': {
                const finish_reason = one.minute % 2 === 0 ? 'error' : 'stop';
                return {
                  type: 'finish',
                  id: idAt(one.minute, `e${at}`),
                  attempt: attemptId(one.attempt),
                  finish_reason,
                };
              }
              case 'part':
                return {
                  type: 'part',
                  attempt: attemptId(one.attempt),
                  n: one.n,
                  kind: 'text',
                  text: `p${at}`,
                };
              case 'interrupt': {
                const attempt = attemptId(one.attempt);
                const id = deriveInterruptId(attempt, one.seen);
                return { type: 'interrupt', id, message_id: ANSWER, attempt, seen: one.seen };
              }
              case 'revision': {
                const attempt = attemptId(one.attempt);
                return {
                  type: 'revision',
                  id: idAt(one.minute, `e${at}`),
                  message_id: ANSWER,
                  attempt,
                  author_id: 'ada',
                  date: DATE,
                  content: `r${at}`,
                };
              }
              case 'state':
                return {
                  type: 'thread_state',
                  id: idAt(one.minute, `e${at}`),
                  thread_id: THREAD,
                  state: 'error',
                  updated_at: DATE,
                };
            }
          };
          const updates = events.map((one, at): Uint8Array => {
            const own =
              'attempt' in one && !('forged' in one && one.forged) ? `runner${one.attempt}` : `other${at}`;
            return laneUpdate(at + 10, laneHeader(own, { lane_id: idAt(0, `lane${at}`) }), [lineOf(one, at)]);
          });
          const base = [threadLine(THREAD), messageLine(PROMPT, THREAD, { expects: 'answer' })];
          const all = [...updates, laneUpdate(1, laneHeader('base'), base)];
          const doc = new Y.Doc();
          const chat = openChat(doc, { environment: readingEnvironment(START), readOnly: true });
          for (const at of [...all.keys()].sort((x, y) => (order[x] ?? 0) - (order[y] ?? 0))) {
            Y.applyUpdate(doc, all[at] as Uint8Array, NETWORK);
            sightings.note(checkLaws(chat, doc, ledger));
          }
          chat.close();
        },
      ),
      parameters(120, 30),
    );
  });

  it('[TN5] the runs above met what they are about', async () => {
    await all();
    expect(
      sightings.missing(
        ...[
          'alternates',
          'open attempts',
          'settled attempts',
          'interrupted attempts',
          'stop requests',
          'cut parts',
        ],
        ...['retried attempts', 'ignored lines', 'queued prompts', 'waiting', 'revisions', 'duplicates'],
        ...['state running', 'state interrupted', 'state queued', 'state error', 'state complete'],
      ),
    ).toEqual([]);
  });
});
