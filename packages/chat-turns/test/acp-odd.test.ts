import { fileURLToPath } from 'node:url';
import type { Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import { type AcpAgentOptions, acpAgent } from '../src/agents/acp/index.js';
import { redactSecrets } from '../src/agents/redact.js';
import { stopTurn, TurnEngine } from '../src/index.js';
import { answerTo, ask, createReplica, createThread, present } from './world.js';

const PROGRAM = fileURLToPath(new URL('agents/acp-odd.mjs', import.meta.url));

function start(oddity: string, options: Partial<AcpAgentOptions> = {}, secrets: Record<string, string> = {}) {
  const { chat } = createReplica(oddity);
  const engine = new TurnEngine({ runner_id: 'r' });
  const agent = acpAgent({ command: process.execPath, args: [PROGRAM, oddity], ...options });
  const service = engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'agent', secrets }) });
  const thread_id = createThread(chat);
  const tell = async (content = 'hello'): Promise<Message> => {
    const { message_id } = ask(chat, thread_id, content);
    await engine.idle();
    return answerTo(chat, thread_id, message_id);
  };
  return { chat, engine, service, thread_id, tell };
}

interface Sent {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

const sent = ({ content }: Message): readonly Sent[] => JSON.parse(content) as Sent[];

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  for (let at = 0; at < 100 && isAlive(pid); at += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAlive(pid)).toBe(false);
}

describe('acpAgent and odd agents', () => {
  it('[AG8] ✗ an agent of another version of the protocol is refused, with both versions', async () => {
    expect((await start('version').tell()).attempt?.error).toEqual({
      code: 'acp_version',
      message: 'the agent speaks another version of the protocol: version 99, expected 1',
    });
  });

  it('[AG8] ✗ its own words and its last lines are in the record, and no secrets', async () => {
    const quota = await start('quota', {}, { answer: 'ANSWER-42' }).tell();
    expect(quota.attempt?.error).toEqual({
      code: 'acp_failed',
      message:
        'the agent answered with error -32603: Internal error: …: You have run out of credits\n' +
        'WARN retrying with … and token=…',
    });
    const env = { ...process.env, HIDDEN_KEY: 'hunter2-hunter2' };
    const died = await start('dies', { env }).tell();
    expect(died.attempt?.error).toEqual({
      code: 'acp_closed',
      message: 'the agent ended before its answer did\nFATAL: cannot find config …',
    });
  });

  it('[AG8] secrets of well-known forms are taken out, and words are not', () => {
    const clean = 'The task skipped a key step; basic tokens are a monkey business.';
    expect(redactSecrets(clean, {})).toBe(clean);
    const texts = [
      'sk-ant-api03-abcdefgh',
      'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
      'Bearer abc.def-ghi',
      'api_key=QWERTYUIOP',
      '"password": "letmein99"',
      'AKIAIOSFODNN7EXAMPLE',
      'eyJhbGciOiJIUzI1.eyJzdWIi.c2ln',
    ];
    for (const text of texts)
      expect(redactSecrets(`it was ${text} here`, {}), text).toMatch(/^it was .*… ?"? ?here$/);
  });

  it('[AG9] ✗ an agent that asks to log in says how, and does by the method chosen', async () => {
    expect((await start('login').tell()).attempt?.error).toEqual({
      code: 'acp_auth',
      message: 'the agent asks to log in by API key (key)',
    });
    const asked: string[] = [];
    const authenticate: AcpAgentOptions['authenticate'] = ({ methods }) => {
      asked.push(...methods.map(({ id }) => id));
      return 'key';
    };
    const methods = sent(await start('login', { authenticate }).tell()).map(({ method }) => method);
    expect(methods).toEqual(['initialize', 'session/new', 'authenticate', 'session/new', 'session/prompt']);
    expect(asked).toEqual(['key']);
    expect((await start('login', { authenticate: 'key' }).tell()).attempt?.finish_reason).toBe('stop');
    const wrong = await start('login', { authenticate: 'other' }).tell();
    expect(wrong.attempt?.error).toMatchObject({ message: expect.stringContaining('no such method') });
  });

  it('[AG9] after a login the threads of a document are looked at again', async () => {
    const { chat } = createReplica();
    const engine = new TurnEngine({ runner_id: 'r' });
    let isLoggedIn = false;
    const agent = acpAgent({ command: process.execPath, args: [PROGRAM, 'plain'] });
    const agentFor = () => (isLoggedIn ? { agent, sender_id: 'agent' } : undefined);
    const service = engine.serve(chat, { agentFor });
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await engine.idle();
    expect(chat.queue(thread_id)).toEqual([message_id]);
    isLoggedIn = true;
    service.refresh();
    await engine.idle();
    expect(answerTo(chat, thread_id, message_id).attempt?.finish_reason).toBe('stop');
  });

  it('[AG10] ✗ mode, model and options of the thread are set where the agent offers them', async () => {
    const { chat, thread_id, tell } = start('settings');
    const acp_config = { mode: 'code', model: 'large', reasoning: 'low', options: { unknown: 1 } };
    chat.configure({ thread_id, updated_by: 'ada', acp_config });
    const set = sent(await tell()).filter(({ method }) => method.includes('/set_'));
    const sessionId = expect.any(String);
    expect(set).toEqual([
      { method: 'session/set_mode', params: { sessionId, modeId: 'code' } },
      { method: 'session/set_config_option', params: { sessionId, configId: 'm', value: 'large' } },
    ]);
    chat.configure({ thread_id, updated_by: 'ada', acp_config: { mode: 'ask', model: 'small' } });
    expect(sent(await tell()).some(({ method }) => method.includes('/set_'))).toBe(false);
  });

  it('[AG10] an agent without options is asked for its model by the older call, and a refusal is a notice', async () => {
    const plain = start('plain');
    plain.chat.configure({ thread_id: plain.thread_id, updated_by: 'ada', acp_config: { model: 'large' } });
    const answer = await plain.tell();
    expect(sent(answer).map(({ method }) => method)).toContain('session/set_model');
    expect(answer.parts.map(({ kind }) => kind)).toEqual(['text']);
    const refused = start('settings refused');
    const acp_config = { mode: 'code' };
    refused.chat.configure({ thread_id: refused.thread_id, updated_by: 'ada', acp_config });
    expect((await refused.tell()).parts[0]).toMatchObject({
      kind: 'notice',
      title: 'the agent refused the mode of the thread',
      data: { code: 'acp_config' },
    });
  });

  it('[AG11] ✗ kinds, places and diffs of a call are in its part', async () => {
    const [part] = (await start('tools').tell()).parts;
    expect(part).toMatchObject({
      kind: 'tool_call',
      state: 'completed',
      input: { path: '/a' },
      output: 'ok',
      data: {
        kind: 'edit',
        locations: [{ path: '/a', line: 3 }],
        content: [{ type: 'diff', path: '/a', oldText: '1', newText: '2' }],
      },
    });
  });

  it('[AG11] ✗ files that came before a prompt are sent as the agent takes them, with the ids of the thread', async () => {
    const files = [
      { media_type: 'image/png', base64: 'AAAA' },
      { type: 'resource_link', uri: 'file:///x/y.txt', name: 'y' },
      { type: 'resource', resource: { uri: 'file:///z', text: 'zed' } },
      { mimeType: 'audio/wav', data: 'BBBB', name: 'a.wav' },
    ];
    const prompts: unknown[] = [];
    for (const oddity of ['files', 'plain']) {
      const { chat, thread_id, tell } = start(oddity);
      const writer = chat.openMessage({ thread_id, sender_id: 'ada' });
      for (const data of files) writer.addPart({ kind: 'file', data });
      writer.finish({ finish_reason: 'stop' });
      const answer = await tell('Look.');
      const prompt = present(sent(answer).at(-1));
      expect(prompt.params['_meta']).toEqual({
        chatdoc: {
          thread_id,
          prompt_id: answer.prompt_id,
          message_id: answer.message_id,
          attempt: answer.attempt?.attempt,
        },
      });
      prompts.push((prompt.params['prompt'] as unknown[]).slice(1));
    }
    expect(prompts).toEqual([
      [
        { type: 'image', mimeType: 'image/png', data: 'AAAA' },
        { type: 'resource_link', uri: 'file:///x/y.txt', name: 'y' },
        { type: 'resource', resource: { uri: 'file:///z', text: 'zed' } },
        { type: 'resource', resource: { uri: 'attachment:a.wav', blob: 'BBBB', mimeType: 'audio/wav' } },
      ],
      [
        { type: 'text', text: '[a file that this agent cannot take: file, image/png]' },
        { type: 'resource_link', uri: 'file:///x/y.txt', name: 'y' },
        { type: 'text', text: 'file:///z:\n\nzed' },
        { type: 'text', text: '[a file that this agent cannot take: a.wav, audio/wav]' },
      ],
    ]);
  });

  it('[AG12] ✗ all that an agent has started ends with it', async () => {
    const { content } = await start('children').tell();
    await untilDead(Number(/pid (\d+)/.exec(content)?.[1]));
  });

  it('[AG12] ✗ one that ignores its cancel says no more after a second, and is ended after the grace time', async () => {
    const { chat, engine, thread_id } = start('deaf', { cancel_grace_ms: 1_500 });
    const { message_id } = ask(chat, thread_id);
    const shown = (): string => chat.messages(thread_id).at(-1)?.content ?? '';
    while (!shown().includes('tick')) await new Promise((resolve) => setTimeout(resolve, 20));
    const pid = Number(/pid (\d+)/.exec(shown())?.[1]);
    stopTurn(chat, { message_id, by: 'ada' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const after = shown();
    await engine.idle();
    expect(shown()).toBe(after);
    expect(answerTo(chat, thread_id, message_id).attempt?.finish_reason).toBe('stopped');
    await untilDead(pid);
  });

  it('[AG12] one that hangs before the prompt is ended at once', async () => {
    const { chat, engine, thread_id } = start('hang');
    const { message_id } = ask(chat, thread_id);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = performance.now();
    stopTurn(chat, { message_id, by: 'ada' });
    await engine.idle();
    expect(performance.now() - before).toBeLessThan(3_500);
    expect(answerTo(chat, thread_id, message_id).attempt?.finish_reason).toBe('stopped');
  });

  it('[AG13] ✗ a session that the agent has lost is told everything once, and the record says so', async () => {
    const { tell } = start('forgetful');
    await tell('one');
    const second = await tell('two');
    expect(second.parts[0]).toMatchObject({ kind: 'notice', data: { code: 'session_lost' } });
    const prompts = sent(second).filter(({ method }) => method === 'session/prompt');
    expect(prompts).toHaveLength(1);
    expect(JSON.stringify(prompts)).toContain('ada: one');
  });
});
