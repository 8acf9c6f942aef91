import type { Json } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '../src/index.js';
import { answerTo, ask, createBackend, createThread, outcomes, present, runs, say, settle } from './world.js';

/** Gives a value in every place that takes one, or as the output of a tool alone. */
async function give(value: unknown, where: 'everywhere' | 'output' = 'everywhere') {
  const all = [
    say('before, '),
    { type: 'tool_call', part_id: 't', title: 'run', state: 'completed', input: value, output: value },
    { type: 'plan', data: value },
    { type: 'file', data: value },
    { type: 'tool_call', part_id: 'u', state: 'completed', data: { value } },
    { type: 'reasoning', text: 'hm', data: value },
    { type: 'usage', usage: { tokens: 1, value } },
    say('after'),
  ] as TurnEvent[];
  const events = where === 'output' ? [...all.slice(0, 1), { ...all[1], input: 1 }, ...all.slice(-1)] : all;
  const { chat, events: heard } = createBackend(async function* () {
    yield* events as TurnEvent[];
  });
  const thread_id = createThread(chat);
  const { message_id } = ask(chat, thread_id);
  await settle();
  return { answer: answerTo(chat, thread_id, message_id), chat, heard };
}

const nest = (depth: number, inner: unknown = 1): unknown => {
  let value = inner;
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { a: value };
  return value;
};

/** As written, however deep. */
const textOf = (value: unknown): string => JSON.stringify(value) ?? '';

describe('values of events', () => {
  it('[TE21] ✗ any value at all is stored, and the turn goes on', async () => {
    const anything = fc.oneof(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withSparseArray: true,
        withNullPrototype: true,
        withObjectString: true,
      }),
      fc.integer({ min: 20, max: 6_000 }).map((depth) => nest(depth)),
      fc.string({ unit: 'binary' }).map((text) => ({ ['__proto__' as string]: text, [text]: text })),
      fc.constantFrom<unknown>(undefined, Number.NaN, -0, Symbol('s'), () => 1, new Date(Number.NaN)),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const { answer, chat, heard } = await give(value);
        expect(outcomes(heard)).toEqual(['complete']);
        expect(answer.content).toBe('before, after');
        expect(chat.quarantine()).toEqual([]);
        expect(answer.parts.filter(({ kind }) => kind === 'notice')).toEqual([]);
      }),
      runs(60),
    );
  });

  it('[TE21] a value that a line can hold is stored as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 8 }), async (value) => {
        fc.pre(!textOf(value).includes('__proto__'));
        const { answer, heard } = await give(value);
        expect(answer.parts.find(({ part_id }) => part_id === 't')?.output).toEqual(
          JSON.parse(textOf(value)),
        );
        expect(heard.at(-1)).toMatchObject({ type: 'drained', cut_values: 0 });
      }),
      runs(40),
    );
  });

  it('[TE21] what does not fit is cut, with how much of it was', async () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle['self'] = circle;
    const cases: [unknown, RegExp, number][] = [
      [nest(40), /\[cut: nested too deep\]/, 20],
      ['y'.repeat(5_000_000), /^"y{1000000}y*\[cut: \d+ characters\]"$/, 1_000_000],
      [{ text: '\u{1F600}'.repeat(1_000_000) }, /\[cut: \d+ characters\]/, 100_000],
      [Array.from({ length: 1_000_000 }, (_, at) => at), /\[cut: \d+ items\]/, 10_000],
      [
        Object.fromEntries(Array.from({ length: 300_000 }, (_, at) => [`k${at}`, at])),
        /\[cut: \d+ fields\]/,
        10_000,
      ],
      [circle, /\[cut: refers to itself\]/, 10],
      [new Uint8Array(3_000_000), /\[cut: 3000000 bytes\]/, 10],
    ];
    for (const [value, mark, least] of cases) {
      const { answer, heard } = await give(value, 'output');
      const output = textOf(present(answer.parts.find(({ part_id }) => part_id === 't')).output);
      expect(output.slice(-200)).toMatch(mark.source.startsWith('^') ? /cut/ : /./);
      expect(mark.test(output), mark.source).toBe(true);
      expect(output.length).toBeGreaterThan(least);
      expect(outcomes(heard)).toEqual(['complete']);
      expect(heard.at(-1)).toMatchObject({ type: 'drained', cut_values: expect.any(Number) });
      expect(answer.content).toBe('before, after');
    }
  });

  it('[TE21] undefined, NaN, dates and the like are as JSON has them', async () => {
    const value = { gone: undefined, nan: Number.NaN, at: new Date(0), list: [undefined, 1], big: 10n };
    const { answer } = await give(value);
    const expected: Json = { nan: null, at: '1970-01-01T00:00:00.000Z', list: [null, 1], big: '10' };
    expect(answer.parts.find(({ part_id }) => part_id === 't')).toMatchObject({ output: expected });
    expect(answer.acp_usage).toEqual({ tokens: 1, value: expected });
  });
});
