import { check } from '@chatdoc/integrity';
import type { Chat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, toBytes, toLines } from './helpers/plans.js';

// An answer that is saved while it is written, and again when it is final: at any moments, on one machine or several,
// merged in any order, the final text shows, once.
const PERSON = '11111111-1111-4111-8111-111111111111';
const at = (second: number): string => new Date(Date.UTC(2026, 3, 20, 10, 1, second)).toISOString();

interface Stage {
  readonly text: string;
  readonly second: number;
  readonly isFinal: boolean;
}

const v1 = ({ text, second, isFinal }: Stage): Uint8Array =>
  toLines(
    {
      date: at(-60),
      event: 'chat',
      history: [{ author_id: PERSON, content: 'question', date: at(-60) }],
      sender_id: PERSON,
    },
    {
      date: at(0),
      event: 'chat',
      generating: !isFinal,
      history: [{ author_id: 'openai-gpt', content: text, date: at(second) }],
      reply_to: at(-60),
      sender_id: 'openai-gpt',
    },
  );

const v2 = ({ text, second, isFinal }: Stage): Uint8Array =>
  toLines(
    {
      date: at(-60),
      event: 'chat',
      history: [{ author_id: PERSON, content: 'question', date: at(-60) }],
      message_id: 'm1',
      sender_id: PERSON,
      thread_id: 't1',
    },
    {
      date: at(0),
      event: 'chat',
      generating: !isFinal,
      history: [{ author_id: 'codex', content: text, date: at(second) }],
      message_id: 'm2',
      parent_message_id: 'm1',
      sender_id: 'codex',
      thread_id: 't1',
    },
  );

const regenerated = ({ text, second, isFinal }: Stage): Uint8Array =>
  toLines({
    date: at(0),
    event: 'chat',
    generating: !isFinal,
    history: [
      { author_id: 'google-gemini', content: text, date: at(second) },
      { author_id: 'openai-gpt', content: 'the older answer', date: at(0) },
    ],
    sender_id: isFinal ? 'google-gemini' : 'openai-gpt',
  });

/** A bot may be writing as long as nothing follows; nothing in the file tells. */
const jupyter = ({ text, isFinal }: Stage): Uint8Array =>
  toBytes(
    JSON.stringify({
      messages: [
        { id: 'a1', type: 'msg', body: 'question', time: 1789472744.5, sender: 'u' },
        { id: 'a2', type: 'msg', body: text, time: 1789472745.5, sender: 'bot' },
        ...(isFinal ? [{ id: 'a3', type: 'msg', body: 'thanks', time: 1789472746.5, sender: 'u' }] : []),
      ],
      users: {},
      metadata: { id: 'c9' },
    }),
  );

function contentsOf(chat: Chat): readonly string[] {
  return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}

function expectFinal(plans: readonly MigrationPlan[], text: string): void {
  const chat = importPlans(...plans);
  expect(contentsOf(chat).filter((content) => content === text)).toHaveLength(1);
  expect(check(chat).filter(({ severity }) => severity !== 'info' && severity !== 'warning')).toEqual([]);
  expect(check(chat).filter(({ rule }) => rule === 'IN24')).toEqual([]);
  expect(
    chat
      .threads()
      .flatMap(({ thread_id }) => chat.messages(thread_id))
      .some(({ generating }) => generating),
  ).toBe(false);
}

const stages = fc.array(fc.tuple(fc.string({ maxLength: 40 }), fc.nat(50)), { minLength: 1, maxLength: 4 });

describe('RW the turn of an answer', () => {
  const row = (more: object): object => ({
    date: at(0),
    event: 'chat',
    history: [{ author_id: 'codex', content: 'cut off in the mid', date: at(0) }],
    message_id: 'm2',
    sender_id: 'codex',
    thread_id: 't1',
    ...more,
  });
  const interrupted = row({
    acp_interrupted: true,
    acp_thread_id: 'S-1',
    acp_usage: { total_tokens: 42 },
    generating: true,
  });
  const ended = row({ acp_interrupted: false, acp_thread_id: 'S-1', acp_usage: { total_tokens: 99 } });
  const read = (...plans: readonly MigrationPlan[]): object => {
    const chat = importPlans(...plans);
    expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
    return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id))[0] ?? {};
  };

  it('[RW26] use, thread and interruption are on the message', () => {
    const plan = expectPlan(toLines(interrupted));
    expect(read(plan)).toMatchObject({
      content: 'cut off in the mid',
      generating: false,
      acp_interrupted: true,
      acp_usage: { total_tokens: 42 },
      acp_thread_id: 'S-1',
    });
    expect(JSON.stringify(plan.entries.filter(({ type }) => type === 'legacy_row'))).not.toContain('acp_');
  });

  it('[RW26] the end of a turn shows instead of its interruption, whichever is imported first', () => {
    const plans = [interrupted, ended].map((one) => expectPlan(toLines(one)));
    for (const order of [plans, plans.slice().reverse()])
      expect(read(...order)).toMatchObject({ acp_interrupted: false, acp_usage: { total_tokens: 99 } });
    expect(read(expectPlan(toLines(row({ acp_thread_id: 7, acp_usage: 'many' }))))).not.toHaveProperty(
      'acp_usage',
    );
  });
});

describe('RW answers in progress', () => {
  it.each([
    ['v1', v1, 2],
    ['v2', v2, 2],
    ['regenerated', regenerated, 1],
    ['jupyter', jupyter, 3],
  ] as const)('[RW22] the final text of a %s answer shows, whatever was saved before', (_, write, count) => {
    fc.assert(
      fc.property(
        stages,
        fc.string({ minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (partial, end, order) => {
          const final = `final: ${end}`;
          const saved = partial.map(([text, second]) => expectPlan(write({ text, second, isFinal: false })));
          const whole = expectPlan(write({ text: final, second: 55, isFinal: true }));
          const plans = [...saved, whole];
          plans.sort(() => ((order.next().value as number) % 2) * 2 - 1);
          expectFinal(plans, final);
          const chat = importPlans(...plans);
          expect(contentsOf(chat)).toHaveLength(count);
          expect(chat.digest()).toBe(importPlans(...[...plans].reverse()).digest());
        },
      ),
      runs(40),
    );
  });

  it('[RW22] an answer at rest that was being written is readable, does not run, and is reported', () => {
    const plan = expectPlan(v1({ text: 'The fin', second: 0, isFinal: false }));
    expect(plan.problems).toMatchObject([{ row: 2, code: 'unfinished' }]);
    const chat = importPlans(plan);
    expect(contentsOf(chat)).toEqual(['question', 'The fin']);
    expect(check(chat).map(({ rule, severity }) => [rule, severity])).toContainEqual(['IN24', 'warning']);
    // Of two moments the longer text shows.
    const later = expectPlan(v1({ text: 'The final', second: 5, isFinal: false }));
    for (const plans of [
      [plan, later],
      [later, plan],
    ])
      expect(contentsOf(importPlans(...plans))).toEqual(['question', 'The final']);
  });

  it('[RW22] what a bot shows before its first word is not a beginning of its answer', () => {
    const waiting = expectPlan(
      jupyter({ text: 'Thinking, please wait a moment...', second: 0, isFinal: false }),
    );
    const final = expectPlan(jupyter({ text: '4', second: 0, isFinal: false }));
    for (const plans of [
      [waiting, final],
      [final, waiting],
    ])
      expect(contentsOf(importPlans(...plans))).toEqual(['question', '4']);
    expect(waiting.jsonl).toContain('Thinking, please wait');
  });

  it('[RW22] a person edits a final answer: the edit shows, the answer stays in the history', () => {
    const row = (history: readonly object[]): Uint8Array =>
      toLines({ date: at(0), event: 'chat', generating: false, history, sender_id: 'openai-gpt' });
    const answer = { author_id: 'openai-gpt', content: 'four', date: at(3) };
    const first = expectPlan(row([answer]));
    const edited = expectPlan(row([{ author_id: PERSON, content: '4', date: at(9) }, answer]));
    const chat = importPlans(first, edited);
    expect(contentsOf(chat)).toEqual(['4']);
    expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(
      chat
        .threads()
        .flatMap(({ thread_id }) => chat.messages(thread_id))[0]
        ?.history.map(({ content }) => content),
    ).toEqual(['four', '4']);
  });

  it('[RW22] a very long text that is not final leaves no part beside the final one', () => {
    const long = 'x'.repeat(600_000);
    const saved = expectPlan(v1({ text: long, second: 1, isFinal: false }));
    const whole = expectPlan(v1({ text: 'short', second: 2, isFinal: true }));
    expectFinal([saved, whole], 'short');
    expect(saved.entries.filter(({ type }) => type === 'legacy_row').length).toBeGreaterThan(1);
  });
});
