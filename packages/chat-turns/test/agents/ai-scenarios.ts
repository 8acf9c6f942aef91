import { simulateReadableStream, streamText } from 'ai';
import * as mocks from 'ai/test';
import { type AiSdkAgentOptions, aiSdkAgent } from '../../src/agents/ai-sdk/index.js';
import { continueTurn, stopTurn, submitPrompt, TurnEngine } from '../../src/index.js';
import { answerTo, ask, createReplica, createThread, DATE, settle } from '../world.js';

/** What the adapter does with one major of `ai`, as JSON: run in this process with 6, and in a newer Node with 7. */

const isNext = 'MockLanguageModelV4' in mocks;
const Mock = (mocks as Record<string, unknown>)[
  isNext ? 'MockLanguageModelV4' : 'MockLanguageModelV3'
] as new (
  options: object,
) => AiSdkAgentOptions['model'];

type Chunk = { readonly type: string; readonly [key: string]: unknown };

const usage = { inputTokens: { total: 3 }, outputTokens: { total: 7 } };
const finish = (unified: string): Chunk => ({ type: 'finish', finishReason: { unified }, usage });
const text = (delta: string): Chunk[] => [
  { type: 'text-start', id: 'x' },
  { type: 'text-delta', id: 'x', delta },
  { type: 'text-end', id: 'x' },
];
const call = (toolCallId: string, toolName: string, input: object): Chunk => ({
  type: 'tool-call',
  toolCallId,
  toolName,
  input: JSON.stringify(input),
});

function createModel(answers: readonly (readonly Chunk[])[]) {
  const prompts: unknown[] = [];
  const name = 'MockLanguageModelV4' in mocks ? 'MockLanguageModelV4' : 'MockLanguageModelV3';
  const Mock = (mocks as Record<string, unknown>)[name] as new (
    options: object,
  ) => AiSdkAgentOptions['model'];
  let at = 0;
  const model = new Mock({
    doStream: async (options: { readonly prompt: unknown }) => {
      prompts.push(options.prompt);
      const chunks = [...(answers[Math.min(at, answers.length - 1)] ?? [])];
      at += 1;
      return { stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) };
    },
  });
  return { model, prompts };
}

function start(options: AiSdkAgentOptions) {
  const { chat } = createReplica();
  const engine = new TurnEngine({ runner_id: 'r' });
  engine.serve(chat, { agentFor: () => ({ agent: aiSdkAgent(options), sender_id: 'agent' }) });
  const thread_id = createThread(chat);
  const tell = async (content: string) => {
    const { message_id } = ask(chat, thread_id, content);
    await engine.idle();
    return answerTo(chat, thread_id, message_id);
  };
  return { chat, engine, thread_id, tell };
}

const parts = (answer: ReturnType<typeof answerTo>) =>
  answer.parts.map(({ kind, title, state, input, output, text: said, data }) => ({
    kind,
    title,
    state,
    input,
    output,
    text: said,
    data,
  }));

/** Only what both majors send alike. */
const roles = (prompt: unknown): unknown =>
  (prompt as { role: string; content: unknown }[]).map(({ role, content }) => [
    role,
    typeof content === 'string'
      ? content
      : (content as { type: string; text?: string; output?: unknown; toolName?: string }[]).map(
          ({ type, text: said, output, toolName }) => said ?? output ?? toolName ?? type,
        ),
  ]);

/** Tools that the host runs. */
const schema = { type: 'object', properties: {} };
const inputSchema = {
  jsonSchema: schema,
  validate: (value: unknown) => ({ success: true, value }),
  [Symbol.for('vercel.ai.schema')]: true,
  _type: undefined,
};
const tools = { pick: { inputSchema }, fail: { inputSchema } } as never;

export async function runScenarios(): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = { hasStreamText: typeof streamText === 'function' };
  {
    const signature = { maker: { signature: 's-1' } };
    const { model, prompts } = createModel([
      [
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', delta: 'Hm.' },
        { type: 'reasoning-delta', id: 'r', delta: '', providerMetadata: signature },
        { type: 'reasoning-end', id: 'r' },
        { type: 'file', mediaType: 'image/png', data: isNext ? { type: 'data', data: 'AAAA' } : 'AAAA' },
        { type: 'source', sourceType: 'url', id: 's', url: 'https://example.org', title: 'A page' },
        ...text('Hello.'),
        finish('stop'),
      ],
    ]);
    const { tell } = start({ model, instructions: 'Be brief.' });
    const answer = await tell('Hi');
    results['events'] = {
      parts: parts(answer).map(({ kind, text: said, data }) => [kind, said, data]),
      usage: answer.acp_usage,
    };
    await tell('More');
    results['instructions'] = roles(prompts[1]);
    results['signature'] = JSON.stringify(prompts[1]).includes('s-1');
  }
  {
    const { model, prompts } = createModel([
      [call('c1', 'pick', { from: [1, 2] }), call('c2', 'fail', {}), finish('tool-calls')],
      [...text('Done.'), finish('stop')],
    ]);
    const onToolCall: AiSdkAgentOptions['onToolCall'] = async ({ tool_name, input }) => {
      if (tool_name === 'fail') throw new Error('with what was asked');
      return { picked: input };
    };
    const { tell, chat } = start({ model, tools, onToolCall });
    const answer = await tell('Pick');
    results['client tools'] = {
      parts: parts(answer).map(({ title, state, output, text: said }) => [title, state, output, said]),
      usage: (answer.acp_usage as { totalTokens?: number })?.totalTokens,
      finish: answer.attempt?.finish_reason,
      calls: prompts.length,
      second: roles(prompts[1]),
      leaked: chat.toJSONL().includes('with what was asked'),
    };
  }
  {
    const { model } = createModel([[call('c1', 'pick', {}), finish('tool-calls')]]);
    const answer = await start({ model, tools }).tell('Pick');
    results['no client'] = parts(answer).map(({ title, state }) => [title, state]);
  }
  {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const prompts: unknown[] = [];
    const model = new Mock({
      doStream: async ({ prompt, abortSignal }: { prompt: unknown; abortSignal: AbortSignal }) => {
        prompts.push(prompt);
        const isFirst = prompts.length === 1;
        return {
          stream: new ReadableStream({
            async start(controller) {
              for (const chunk of text('Half').slice(0, 2)) controller.enqueue(chunk);
              if (isFirst) {
                abortSignal.addEventListener('abort', () =>
                  controller.error(new DOMException('stop', 'AbortError')),
                );
                await held;
              } else {
                controller.enqueue({ type: 'text-end', id: 'x' });
                controller.enqueue(finish('stop'));
                controller.close();
              }
            },
          }),
        };
      },
    });
    const { chat, engine, thread_id } = start({ model });
    const sent = submitPrompt(chat, {
      thread_id,
      sender_id: 'ada',
      content: 'Go',
      client_message_id: 'c',
      date: DATE,
    });
    const message_id = sent.ok ? sent.message.message_id : '';
    for (let at = 0; at < 200 && !chat.messages(thread_id).at(-1)?.content.includes('Half'); at += 1)
      await settle();
    stopTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    release();
    const stopped = answerTo(chat, thread_id, message_id);
    continueTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    results['stop and continue'] = {
      stopped: [stopped.content, stopped.attempt?.finish_reason],
      continued: answerTo(chat, thread_id, message_id).content,
      told: roles(prompts[1]),
    };
  }
  return results;
}

if (process.argv[2] === 'print') process.stdout.write(`${JSON.stringify(await runScenarios())}\n`);
