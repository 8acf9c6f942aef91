import { simulateReadableStream, type ToolSet } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AiSdkAgentOptions, aiSdkAgent, writeConversation } from '../src/agents/ai-sdk/index.js';
import { continueTurn, type Turn } from '../src/index.js';
import {
  answerTo,
  ask,
  createBackend,
  createThread,
  FakeTimers,
  outcomes,
  present,
  settle,
} from './world.js';

type Chunk =
  Extract<
    Awaited<ReturnType<MockLanguageModelV3['doStream']>>['stream'],
    ReadableStream
  > extends ReadableStream<infer T>
    ? T
    : never;

const usage = {
  inputTokens: { total: 3, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 7, text: undefined, reasoning: undefined },
};
const finish = (unified: 'stop' | 'length' | 'tool-calls'): Chunk => ({
  type: 'finish',
  finishReason: { unified, raw: undefined },
  usage,
});
const text = (delta: string): Chunk[] => [
  { type: 'text-start', id: 'x' },
  { type: 'text-delta', id: 'x', delta },
  { type: 'text-end', id: 'x' },
];

function createModel(...answers: readonly Chunk[][]): MockLanguageModelV3 {
  let at = 0;
  return new MockLanguageModelV3({
    doStream: async () => {
      const chunks = answers[Math.min(at, answers.length - 1)] ?? [];
      at += 1;
      return {
        stream: simulateReadableStream({ chunks: [...chunks], initialDelayInMs: null, chunkDelayInMs: null }),
      };
    },
  });
}

function start(options: AiSdkAgentOptions) {
  const backend = createBackend(aiSdkAgent(options), { timers: new FakeTimers() });
  const thread_id = createThread(backend.chat);
  const tell = async (content: string) => {
    const { message_id } = ask(backend.chat, thread_id, content);
    await backend.engine.idle();
    return answerTo(backend.chat, thread_id, message_id);
  };
  return { ...backend, thread_id, tell };
}

describe('aiSdkAgent', () => {
  it('[AG6] streams text and reasoning, with usage and finish reason', async () => {
    const reasoning: Chunk[] = [
      { type: 'reasoning-start', id: 'r' },
      { type: 'reasoning-delta', id: 'r', delta: 'Hm.' },
      { type: 'reasoning-end', id: 'r' },
    ];
    const model = createModel([...reasoning, ...text('Hello.'), finish('length')]);
    const answer = await start({ model }).tell('Hi');
    expect(answer).toMatchObject({
      content: 'Hello.',
      parts: [{ kind: 'reasoning', text: 'Hm.' }, { kind: 'text' }],
      acp_usage: { inputTokens: 3, outputTokens: 7 },
      attempt: { finish_reason: 'length' },
    });
  });

  it('[AG6] tool calls are parts, with input, result or failure', async () => {
    const call = (toolCallId: string, toolName: string, input: object): Chunk => ({
      type: 'tool-call',
      toolCallId,
      toolName,
      input: JSON.stringify(input),
    });
    const model = createModel(
      [call('c1', 'add', { a: 1, b: 2 }), call('c2', 'explode', {}), finish('tool-calls')],
      [...text('Three.'), finish('stop')],
    );
    const tools: ToolSet = {
      add: {
        inputSchema: z.object({ a: z.number(), b: z.number() }),
        execute: ({ a, b }: { a: number; b: number }) => ({ sum: a + b, at: new Date(0) }),
      },
      explode: {
        inputSchema: z.object({}),
        execute: () => {
          throw new Error('with what was asked');
        },
      },
    };
    const { tell, chat } = start({ model, tools, stopWhen: ({ steps }) => steps.length === 2 });
    const answer = await tell('1 + 2?');
    expect(answer.content).toBe('Three.');
    expect(answer.parts.filter(({ kind }) => kind === 'tool_call')).toMatchObject([
      {
        part_id: 'c1',
        title: 'add',
        state: 'completed',
        input: { a: 1, b: 2 },
        output: { sum: 3, at: '1970-01-01T00:00:00.000Z' },
      },
      { part_id: 'c2', title: 'explode', state: 'failed' },
    ]);
    expect(chat.toJSONL()).not.toContain('with what was asked');
  });

  it('[AG6] the model is sent the conversation, answers as its own', async () => {
    const model = createModel([...text('A.'), finish('stop')]);
    const { tell, chat, thread_id } = start({ model, system: 'Be brief.' });
    await tell('one');
    chat.send({ thread_id, sender_id: 'bob', content: 'aside' });
    await tell('two');
    const [, second] = model.doStreamCalls;
    const said = present(second).prompt.map(({ role, content }) => [
      role,
      typeof content === 'string'
        ? content
        : content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    ]);
    expect(said).toEqual([
      ['system', 'Be brief.'],
      ['user', 'ada: one'],
      ['assistant', 'A.'],
      ['user', 'bob: aside'],
      ['user', 'ada: two'],
    ]);
  });

  it('[AG6] an abort is a stop, with what came kept', async () => {
    const model = new MockLanguageModelV3({
      doStream: async ({ abortSignal }) => ({
        stream: new ReadableStream<Chunk>({
          start(controller) {
            for (const chunk of text('So far').slice(0, 2)) controller.enqueue(chunk);
            abortSignal?.addEventListener('abort', () =>
              controller.error(new DOMException('aborted', 'AbortError')),
            );
          },
        }),
      }),
    });
    const { chat, thread_id, engine, events } = start({ model });
    const { message_id } = ask(chat, thread_id, 'go');
    for (let tick = 0; tick < 50; tick += 1) await settle();
    chat.stop({ message_id, by: 'ada' });
    await engine.idle();
    expect(outcomes(events)).toEqual(['stopped']);
    expect(answerTo(chat, thread_id, message_id)).toMatchObject({
      content: 'So far',
      attempt: { finish_reason: 'stopped' },
    });
    expect(events).toContainEqual(expect.objectContaining({ type: 'settled', acknowledged: true }));
  });

  it('[AG6] a model that fails ends the turn as ai_failed, and says nothing of what it was sent', async () => {
    const model = new MockLanguageModelV3({
      doStream: async () => {
        throw new TypeError('prompt was: secret');
      },
    });
    const { tell, chat } = start({ model, maxRetries: 0 });
    const answer = await tell('x');
    expect(answer.attempt?.error).toEqual({ code: 'ai_failed', message: 'TypeError' });
    expect(chat.toJSONL()).not.toContain('secret');
  });

  it('[AG6] a continued turn shows the model what it said', async () => {
    const model = createModel([...text('One, '), finish('stop')], [...text('two.'), finish('stop')]);
    const { tell, chat, engine } = start({ model });
    const answer = await tell('count');
    continueTurn(chat, { message_id: answer.message_id, by: 'ada' });
    await engine.idle();
    expect(chat.message(answer.message_id)?.content).toBe('One, two.');
    expect(JSON.stringify(present(model.doStreamCalls[1]).prompt)).toContain('One, ');
  });

  it('[AG6] of a run the model is sent its messages', () => {
    const messages = [
      { role: 'system', content: 's' },
      { role: 'user', content: 'u' },
    ] as const;
    expect(writeConversation({ messages: [], run: { messages } } as unknown as Turn)).toEqual(messages);
  });
});
