import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json, JsonObject } from '@chatdoc/schema';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  openAiChatAgent,
  openAiResponsesAgent,
  type ResponsesAgentOptions,
} from '../src/agents/openai/index.js';
import {
  type Agent,
  continueTurn,
  type FunctionTool,
  getOrCreateThread,
  handleOf,
  readSession,
  retryTurn,
  stopTurn,
  TurnEngine,
} from '../src/index.js';
import { answerTo, ask, createReplica, createThread, FakeTimers, present } from './world.js';

/** What the server answers next. A list of events is a stream; `hold` leaves it open; `cut` breaks it off. */
interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly json?: Json;
  readonly events?: readonly JsonObject[];
  readonly ending?: 'hold' | 'cut' | 'reset';
}

const requests: { path: string; body: JsonObject; headers: IncomingMessage['headers'] }[] = [];
let script: Scripted[] = [];
let open: ServerResponse[] = [];
let url = '';

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => {
    text += String(chunk);
  });
  request.on('end', () => {
    requests.push({
      path: request.url ?? '',
      body: JSON.parse(text) as JsonObject,
      headers: request.headers,
    });
    const { status = 200, headers = {}, json, events, ending } = script.shift() ?? { status: 500 };
    if (ending === 'reset') return request.socket.destroy();
    response.writeHead(status, headers);
    if (events === undefined) return response.end(JSON.stringify(json ?? {}));
    for (const event of events)
      response.write(`event: ${String(event['type'])}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`);
    if (ending === 'hold') open.push(response);
    else if (ending === 'cut') setTimeout(() => response.destroy(), 20);
    else response.end('data: [DONE]\n\n');
  });
});

beforeAll(async () => {
  // Connections are kept: one that is closed while it is used again is a case of its own.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
});
afterAll(() => server.close());
beforeEach(() => {
  requests.length = 0;
  script = [];
  for (const response of open) response.destroy();
  open = [];
});

function serve(agent: Agent, secrets: Record<string, string> = {}) {
  const { chat } = createReplica();
  const engine = new TurnEngine({ runner_id: 'r' });
  engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'agent', secrets }) });
  const thread_id = createThread(chat);
  const tell = async (content: string) => {
    const { message_id } = ask(chat, thread_id, content);
    await engine.idle();
    return answerTo(chat, thread_id, message_id);
  };
  const shows = async (text: string) => {
    while (!chat.messages(thread_id).at(-1)?.content.includes(text))
      await new Promise((done) => setTimeout(done, 5));
    return present(chat.messages(thread_id).at(-1));
  };
  const session = () => readSession(chat, handleOf(present(chat.thread(thread_id))));
  return { chat, engine, thread_id, tell, shows, session };
}

const tools: FunctionTool[] = [
  {
    name: 'pay',
    description: 'Pays.',
    parameters: { type: 'object', properties: { eur: { type: 'number' } } },
    run: ({ eur }) => ({ receipt: `R-${String(eur)}` }),
  },
];
const lastBody = (): JsonObject => present(requests.at(-1)).body;

describe('openAiResponsesAgent', () => {
  const agent = (options: Partial<ResponsesAgentOptions> = {}): Agent =>
    openAiResponsesAgent({ model: 'm', base_url: url, api_key: 'sk-test-1', ...options });
  const usage = { input_tokens: 3, output_tokens: 7 };
  const said = (id: string, text: string): JsonObject[] => [
    { type: 'response.created', response: { id } },
    { type: 'response.output_item.added', item: { type: 'message' } },
    ...[...text].map((delta) => ({ type: 'response.output_text.delta', delta })),
    { type: 'response.output_item.done', item: { type: 'message', role: 'assistant' } },
    { type: 'response.completed', response: { id, usage } },
  ];
  const called = (id: string, call_id: string, args: string): JsonObject[] => [
    { type: 'response.created', response: { id } },
    { type: 'response.reasoning_summary_text.delta', delta: 'Hm.' },
    {
      type: 'response.output_item.done',
      item: { type: 'reasoning', id: 'rs1', encrypted_content: 'E-1', summary: [] },
    },
    {
      type: 'response.output_item.done',
      item: { type: 'function_call', call_id, name: 'pay', arguments: args },
    },
    { type: 'response.completed', response: { id, usage } },
  ];
  const broken: Scripted = {
    status: 400,
    json: {
      error: { code: 'previous_response_not_found', param: 'previous_response_id', message: 'Not found.' },
    },
  };

  it('[AG14] streams a response, and goes on from it with what is new', async () => {
    script = [{ events: said('r1', 'Hello.') }, { events: said('r2', 'Yes.') }];
    const { tell, session } = serve(agent({ instructions: 'Be brief.', body: { store: true } }));
    const first = await tell('Hi');
    expect(first).toMatchObject({ content: 'Hello.', acp_usage: usage, attempt: { finish_reason: 'stop' } });
    expect(requests[0]).toMatchObject({
      path: '/v1/responses',
      headers: { authorization: 'Bearer sk-test-1' },
      body: {
        model: 'm',
        stream: true,
        store: true,
        instructions: 'Be brief.',
        input: [{ role: 'user', content: 'Hi' }],
      },
    });
    expect(session()).toMatchObject({ last_response_id: 'r1' });
    await tell('More?');
    expect(lastBody()).toMatchObject({ previous_response_id: 'r1', instructions: 'Be brief.' });
    expect(lastBody()['input']).toEqual([{ role: 'user', content: 'More?' }]);
  });

  it('[AG14] runs tools in one attempt, and sends their results in the chain', async () => {
    script = [
      { events: called('r1', 'c1', '{"eur":5}') },
      { events: called('r2', 'c2', 'no json') },
      { events: said('r3', 'Paid.') },
    ];
    const { tell, session } = serve(agent({ tools }));
    const answer = await tell('Pay');
    expect(answer.parts).toMatchObject([
      { kind: 'reasoning', text: 'Hm.' },
      { kind: 'reasoning', data: { encrypted_content: 'E-1' } },
      { kind: 'tool_call', title: 'pay', state: 'completed', input: { eur: 5 }, output: { receipt: 'R-5' } },
      { kind: 'reasoning', text: 'Hm.' },
      { kind: 'reasoning' },
      { kind: 'tool_call', state: 'failed' },
      { kind: 'text', text: 'Paid.' },
    ]);
    expect(requests.map(({ body }) => [body['previous_response_id'], body['input']])).toEqual([
      [undefined, [{ role: 'user', content: 'Pay' }]],
      ['r1', [{ type: 'function_call_output', call_id: 'c1', output: '{"receipt":"R-5"}' }]],
      [
        'r2',
        [
          {
            type: 'function_call_output',
            call_id: 'c2',
            output: 'error: the arguments are not a JSON object',
          },
        ],
      ],
    ]);
    expect(answer.acp_usage).toEqual({ input_tokens: 9, output_tokens: 21 });
    expect(session()).toMatchObject({ last_response_id: 'r3' });
  });

  it('[AG15] ✗ a response that was stopped is not gone on from, and the next turn is told of it', async () => {
    script = [
      { events: said('r1', 'Hello.') },
      { events: [...said('r2', 'Half an answer').slice(0, 6)], ending: 'hold' },
      { events: said('r3', 'Fine.') },
    ];
    const { chat, tell, shows, engine, thread_id, session } = serve(agent());
    await tell('Hi');
    const { message_id } = ask(chat, thread_id, 'Long?');
    const before = performance.now();
    await shows('Half');
    stopTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(answerTo(chat, thread_id, message_id).attempt).toMatchObject({
      finish_reason: 'stopped',
      content: 'Half',
    });
    expect(session()).toMatchObject({ last_response_id: 'r1' });
    await tell('Next');
    expect(lastBody()['previous_response_id']).toBe('r1');
    expect(lastBody()['input']).toEqual([
      { role: 'user', content: 'Long?' },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Half' }] },
      { role: 'user', content: expect.stringMatching(/stopped by a person.*Next/s) },
    ]);
  });

  it('[AG15] ✗ a turn stopped in the middle of a tool call poisons nothing', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = [{ ...present(tools[0]), run: () => held }];
    script = [
      { events: called('r1', 'c1', '{}') },
      { events: said('r2', 'Ok.') },
      { events: said('r3', 'Again.') },
    ];
    const { chat, tell, engine, thread_id, session } = serve(agent({ tools: slow }));
    const { message_id } = ask(chat, thread_id, 'Pay');
    while (chat.messages(thread_id).at(-1)?.parts.at(-1)?.kind !== 'tool_call')
      await new Promise((done) => setTimeout(done, 5));
    stopTurn(chat, { message_id, by: 'ada' });
    release();
    await engine.idle();
    expect(session()).toBeUndefined();
    await tell('Next');
    expect(lastBody()).not.toHaveProperty('previous_response_id');
    const sent = lastBody()['input'] as JsonObject[];
    const types = sent.map(({ type, role }) => type ?? role);
    expect(types).toEqual(['user', 'reasoning', 'function_call', 'function_call_output', 'user']);
    // Each call has a result: else the provider refuses all of it.
    expect(new Set(sent.flatMap(({ call_id }) => call_id ?? [])).size).toBe(1);
  });

  it.each(['chain', 'conversation'] as const)(
    '[AG15] ✗ a broken %s is sent again once, and the record says so',
    async (what) => {
      const state = what === 'chain' ? 'response' : 'conversation';
      const made: Scripted = { json: { id: 'conv_2' } };
      const create = (id: string): Scripted[] => (state === 'conversation' ? [{ json: { id } }] : []);
      script = [
        ...create('conv_1'),
        { events: said('r1', 'Hello.') },
        broken,
        ...(create('conv_2').length > 0 ? [made] : []),
        { events: said('r9', 'Yes.') },
      ];
      const { tell, session } = serve(agent({ state }));
      await tell('Hi');
      const second = await tell('More?');
      expect(second.content).toBe('Yes.');
      expect(second.parts[0]).toMatchObject({ kind: 'notice', data: { code: 'session_lost' } });
      expect(lastBody()['input']).toEqual([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
        { role: 'user', content: 'More?' },
      ]);
      expect(lastBody()).not.toHaveProperty('previous_response_id');
      expect(session()).toMatchObject(
        state === 'conversation' ? { conversation_id: 'conv_2' } : { last_response_id: 'r9' },
      );
      script = [broken, ...create('conv_3'), broken];
      expect((await tell('Third?')).attempt?.error).toMatchObject({ code: 'openai_failed' });
    },
  );

  it('[AG14] a conversation of the provider is its own for each thread, of chat and of run', async () => {
    script = [
      { json: { id: 'conv_1' } },
      { events: said('r1', 'A.') },
      { events: said('r2', 'B.') },
      { json: { id: 'conv_2' } },
      { events: said('r3', 'C.') },
    ];
    const { chat, tell, engine, session } = serve(agent({ state: 'conversation' }));
    await tell('One');
    await tell('Two');
    expect(requests.map(({ path, body }) => [path, body['conversation']])).toEqual([
      ['/v1/conversations', undefined],
      ['/v1/responses', 'conv_1'],
      ['/v1/responses', 'conv_1'],
    ]);
    expect(lastBody()['input']).toEqual([{ role: 'user', content: 'Two' }]);
    expect(session()).toMatchObject({ conversation_id: 'conv_1' });
    const slot = { root_id: 'x', owner_id: 'ada', provider: 'openai', purpose: 'run' } as const;
    const run = getOrCreateThread(chat, slot, { created_by: 'ada' });
    ask(chat, run.thread_id, 'Run');
    await engine.idle();
    expect(readSession(chat, run)).toMatchObject({ conversation_id: 'conv_2' });
    expect(session()).toMatchObject({ conversation_id: 'conv_1' });
  });

  it('[AG16] ✗ a server that is busy is asked again after the time that it names, and a stop does not wait for it', async () => {
    const timers = new FakeTimers();
    const busy = (headers: Record<string, string>): Scripted => ({
      status: 429,
      headers,
      json: { error: { message: 'slow down' } },
    });
    script = [
      busy({ 'retry-after': '7' }),
      busy({ 'retry-after-ms': '1500' }),
      { events: said('r1', 'Ok.') },
    ];
    const waits: number[] = [];
    const set = timers.setTimer.bind(timers);
    timers.setTimer = (callback, ms) => {
      waits.push(ms);
      return set(() => callback(), 0);
    };
    const pump = setInterval(() => void timers.advance(0), 5);
    expect((await serve(agent({ timers })).tell('Hi')).content).toBe('Ok.');
    expect(waits).toEqual([7_000, 1_500]);
    script = [busy({}), busy({}), busy({})];
    expect((await serve(agent({ timers })).tell('Hi')).attempt?.error).toEqual({
      code: 'openai_rate',
      message: 'the server answered with status 429: slow down',
    });
    clearInterval(pump);
    script = [busy({ 'retry-after': '50' })];
    const { chat, engine, thread_id } = serve(agent());
    const { message_id } = ask(chat, thread_id, 'Hi');
    while (requests.length < 7) await new Promise((done) => setTimeout(done, 5));
    await new Promise((done) => setTimeout(done, 50));
    stopTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    expect(answerTo(chat, thread_id, message_id).attempt?.finish_reason).toBe('stopped');
    script = [busy({ 'retry-after': '3600' })];
    expect((await serve(agent()).tell('Hi')).attempt?.error).toMatchObject({ code: 'openai_rate' });
  });

  it('[AG16] ✗ a request that did not reach the server is sent again', async () => {
    script = [{ ending: 'reset' }, { events: said('r1', 'Ok.') }];
    const answer = await serve(agent()).tell('Hi');
    expect(answer).toMatchObject({ content: 'Ok.', attempt: { finish_reason: 'stop' } });
    expect(requests).toHaveLength(2);
    script = [{ ending: 'reset' }];
    const once = await serve(agent({ max_retries: 0 })).tell('Hi');
    expect(once.attempt?.error).toEqual({
      code: 'openai_failed',
      message: 'the server could not be reached',
    });
  });

  it('[AG16] what the server says of a failure is in the record, without the key', async () => {
    script = [{ status: 401, json: { error: { message: 'Incorrect API key provided: KEY-12345.' } } }];
    const api_key = ({ key = '' }: Readonly<Record<string, string>>): string => key;
    const answer = await serve(agent({ api_key }), { key: 'KEY-12345' }).tell('Hi');
    expect(answer.attempt?.error).toEqual({
      code: 'openai_auth',
      message: 'the server answered with status 401: Incorrect API key provided: ….',
    });
    script = [
      {
        events: [
          { type: 'response.failed', response: { error: { code: 'server_error', message: 'Oops.' } } },
        ],
      },
    ];
    expect((await serve(agent()).tell('Hi')).attempt?.error).toMatchObject({
      message: 'the provider failed: Oops.',
    });
    script = [{ events: said('r1', 'Half').slice(0, 4), ending: 'cut' }];
    expect((await serve(agent()).tell('Hi')).attempt?.error).toMatchObject({ code: 'openai_failed' });
    script = [
      {
        events: [
          ...said('r1', 'Short').slice(0, -1),
          {
            type: 'response.incomplete',
            response: { id: 'r1', incomplete_details: { reason: 'max_output_tokens' } },
          },
        ],
      },
    ];
    expect((await serve(agent()).tell('Hi')).attempt?.finish_reason).toBe('max_output_tokens');
  });
});

describe('openAiChatAgent', () => {
  const agent = (options = {}): Agent => openAiChatAgent({ model: 'm', base_url: url, ...options });
  const piece = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
    choices: [{ index: 0, delta, finish_reason }],
  });
  const said = (text: string): JsonObject[] => [
    piece({ role: 'assistant', content: '' }),
    ...[...text].map((content) => piece({ content })),
    piece({}, 'stop'),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 7 } },
  ];
  const call = (index: number, id: string, name: string, pieces: readonly string[]): JsonObject[] => [
    piece({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
    ...pieces.map((text) => piece({ tool_calls: [{ index, function: { arguments: text } }] })),
  ];

  it('[AG17] streams an answer, and is told the whole conversation each time', async () => {
    script = [{ events: [piece({ reasoning_content: 'Hm.' }), ...said('Hello.')] }, { events: said('Yes.') }];
    const { tell, session } = serve(agent({ instructions: 'Be brief.', body: { temperature: 0 } }));
    expect(await tell('Hi')).toMatchObject({
      content: 'Hello.',
      parts: [{ kind: 'reasoning', text: 'Hm.' }, { kind: 'text' }],
      acp_usage: { prompt_tokens: 3, completion_tokens: 7 },
    });
    await tell('More?');
    expect(requests[1]).toMatchObject({
      path: '/v1/chat/completions',
      body: { model: 'm', stream: true, temperature: 0 },
    });
    expect(requests[1]?.headers).not.toHaveProperty('authorization');
    expect(lastBody()['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'More?' },
    ]);
    expect(session()).toBeUndefined();
  });

  it('[AG17] ✗ puts calls together, runs them in one attempt, and tells following turns and retries', async () => {
    const calls = [
      ...call(0, 'c1', 'pay', ['{"e', 'ur":5}']),
      ...call(1, 'c2', 'gone', ['{}']),
      piece({}, 'tool_calls'),
    ];
    script = [
      { events: calls },
      { events: said('Paid.') },
      { events: said('Yes.') },
      { events: said('Again.') },
    ];
    const { tell, chat, engine } = serve(agent({ tools }));
    const answer = await tell('Pay');
    expect(answer.parts).toMatchObject([
      { kind: 'tool_call', title: 'pay', state: 'completed', input: { eur: 5 }, output: { receipt: 'R-5' } },
      { kind: 'tool_call', title: 'gone', state: 'failed', output: 'there is no tool gone' },
      { kind: 'text', text: 'Paid.' },
    ]);
    const made = [
      { role: 'user', content: 'Pay' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'pay', arguments: '{"eur":5}' } },
          { id: 'c2', type: 'function', function: { name: 'gone', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: '{"receipt":"R-5"}' },
    ];
    expect(lastBody()['messages']).toEqual([
      ...made,
      { role: 'tool', tool_call_id: 'c2', content: 'error: there is no tool gone' },
    ]);
    await tell('Really?');
    const told = lastBody()['messages'] as Json[];
    expect(told.slice(0, 3)).toEqual(made);
    expect(told.slice(4)).toEqual([
      { role: 'assistant', content: 'Paid.' },
      { role: 'user', content: 'Really?' },
    ]);
    retryTurn(chat, { message_id: answer.message_id, by: 'ada' });
    await engine.idle();
    expect((lastBody()['messages'] as Json[]).slice(0, 3)).toEqual(made);
    expect(lastBody()['messages']).toHaveLength(5);
  });

  it('[AG17] a stop in mid-stream ends the request, and what goes on is told what it said', async () => {
    script = [
      { events: said('Half an answer').slice(0, 5), ending: 'hold' },
      { events: said(' is better.') },
    ];
    const { chat, engine, thread_id, shows } = serve(agent());
    const { message_id } = ask(chat, thread_id, 'Long?');
    await shows('Half');
    stopTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    const held = present(open[0]);
    if (!held.closed) await new Promise((resolve) => held.once('close', resolve));
    continueTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    expect(answerTo(chat, thread_id, message_id).content).toBe('Half is better.');
    expect(lastBody()['messages']).toEqual([
      { role: 'user', content: 'Long?' },
      { role: 'assistant', content: 'Half' },
      { role: 'user', content: expect.stringMatching(/cut off/) },
    ]);
  });

  it('[AG17] a stream that ends too early, or holds an error, is a failure', async () => {
    script = [{ events: said('Half').slice(0, 3) }];
    expect((await serve(agent()).tell('Hi')).attempt).toMatchObject({
      content: 'Ha',
      error: { code: 'openai_failed' },
    });
    script = [{ events: [{ error: { message: 'overloaded' } }] }];
    expect((await serve(agent()).tell('Hi')).attempt?.error).toMatchObject({
      message: 'the provider failed: overloaded',
    });
    const nowhere = agent({ base_url: 'http://127.0.0.1:1/v1', max_retries: 0 });
    expect((await serve(nowhere).tell('Hi')).attempt?.error).toEqual({
      code: 'openai_failed',
      message: 'the server could not be reached',
    });
  });
});
