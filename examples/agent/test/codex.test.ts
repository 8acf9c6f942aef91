import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Message, openChat } from '@chatdoc/schema';
import { type EngineEvent, getOrCreateThread, stopTurn, submitPrompt, TurnEngine } from '@chatdoc/turns';
import { type AcpAgentOptions, acpAgent } from '@chatdoc/turns/acp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { findCodex, prepareCodex } from '../src/codex/codex-acp.js';
import {
  type ModelInput,
  type ModelReply,
  type ModelServer,
  startModelServer,
} from '../src/codex/model-server.js';
import { answerByScript, STORY } from '../src/codex/script.js';

const codex = findCodex();
const title =
  codex === undefined
    ? 'the real Codex (not installed: npx -y pnpm@10 --filter agent codex)'
    : 'the real Codex';
const slot = { root_id: 'test', owner_id: 'ada', provider: 'codex', purpose: 'chat' } as const;

describe.skipIf(codex === undefined)(title, () => {
  let folder: string;
  let model: ModelServer;
  let script: (input: ModelInput) => ModelReply;
  let engine: TurnEngine;
  let events: EngineEvent[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chatdoc-codex-'));
    script = answerByScript;
    model = await startModelServer((input) => script(input));
  });

  afterEach(async () => {
    await engine.close();
    model.close();
    const left = listProcesses();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    expect(left, 'every agent has ended').toEqual([]);
  });

  /** Whatever runs in the folder of the test. */
  function listProcesses(): string[] {
    if (!existsSync('/proc/self/cwd')) return [];
    const { stdout } = spawnSync('sh', ['-c', `ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F '${folder}'`]);
    return stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  }

  /** A process that serves the document: its engine, and Codex in the home of the test. */
  function serve(doc: Y.Doc, options: Partial<AcpAgentOptions> = {}) {
    const chat = openChat(doc);
    const command = prepareCodex(codex ?? '', folder, model.url);
    writeFileSync(join(folder, 'workspace', 'notes.txt'), 'Friday\n');
    // Whoever does not hear a cancel is left behind by the engine, not killed before that.
    const agent = acpAgent({ ...command, cancel_grace_ms: 60_000, ...options });
    engine = new TurnEngine({ runner_id: 'r' });
    events = [];
    engine.subscribe((event) => events.push(event));
    engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'codex' }) });
    const { thread_id } = getOrCreateThread(chat, slot, { created_by: 'ada' });
    const ask = async (content: string, onChange?: (answer: Message) => void): Promise<Message> => {
      const date = new Date().toISOString();
      const prompt = { thread_id, sender_id: 'ada', content, client_message_id: content, date };
      const sent = submitPrompt(chat, prompt);
      if (!sent.ok) throw new Error(sent.code);
      const find = (): Message | undefined =>
        chat.messages(thread_id).find(({ prompt_id }) => prompt_id === sent.message.message_id);
      const off = chat.subscribe(() => {
        const answer = find();
        if (answer?.generating) onChange?.(answer);
      });
      await engine.idle();
      off();
      return find() as Message;
    };
    return { chat, thread_id, ask };
  }

  const allowOnce: NonNullable<AcpAgentOptions['onPermission']> = ({ options }) =>
    options.find(({ kind }) => kind === 'allow_once')?.optionId ?? null;

  it('streams a turn with a tool call, for which it asks', async () => {
    const asked: unknown[] = [];
    const onPermission: AcpAgentOptions['onPermission'] = (request) => {
      asked.push(request.tool_call.toolCallId);
      return allowOnce(request);
    };
    const { chat, thread_id, ask } = serve(new Y.Doc(), { onPermission });
    const seen = new Set<string>();
    script = (input) =>
      input.output === undefined ? answerByScript(input) : { type: 'say', words: STORY.slice(0, 40) };
    const answer = await ask('What is in this folder?', ({ content }) => seen.add(content));
    expect(answer).toMatchObject({
      content: STORY.slice(0, 40).join(' '),
      attempt: { finish_reason: 'stop', state: 'settled' },
      acp_usage: { used: expect.any(Number) },
    });
    const [tool, text] = answer.parts;
    expect(tool).toMatchObject({ kind: 'tool_call', part_id: asked[0], state: 'completed' });
    expect(JSON.stringify(tool?.output)).toContain('notes.txt');
    expect(text).toMatchObject({ kind: 'text' });
    expect(asked).toHaveLength(1);
    // The first word at once, before the others are there.
    expect(seen.size).toBeGreaterThan(1);
    for (const shown of seen) expect(answer.content.startsWith(shown)).toBe(true);
    expect(model.inputs.at(-1)?.output).toContain('notes.txt');
    expect(chat.config(thread_id).session).toMatchObject({ acp_session_id: answer.acp_thread_id });
  });

  it('is refused what nobody allows', async () => {
    const { ask } = serve(new Y.Doc());
    const answer = await ask('What is in this folder?');
    // Codex then waits to be told what to do instead.
    expect(answer.attempt).toMatchObject({ finish_reason: 'stopped', state: 'settled' });
    expect(answer.parts.filter(({ state = '' }) => !['failed', 'cancelled'].includes(state))).toEqual([]);
    expect(model.inputs.some(({ output }) => output?.includes('notes.txt'))).toBe(false);
  });

  it('stops in mid-turn, with all that was shown', async () => {
    const { chat, thread_id, ask } = serve(new Y.Doc());
    let shown = '';
    const answer = await ask('Tell me a long story.', ({ message_id, content }) => {
      if (content.length < 100 || shown !== '') return;
      shown = content;
      stopTurn(chat, { message_id, by: 'ada' });
    });
    expect(answer.attempt).toMatchObject({ finish_reason: 'stopped', state: 'settled' });
    expect(answer.content.startsWith(shown)).toBe(true);
    expect(STORY.join(' ').startsWith(answer.content)).toBe(true);
    expect(chat.state(thread_id).state).toBe('complete');
    // Codex said so itself: it was not left behind.
    expect(events).toContainEqual(expect.objectContaining({ outcome: 'stopped', acknowledged: true }));
  });

  it('stops while a tool runs, and ends that', async () => {
    script = () => ({ type: 'run', command: 'sleep 300', reason: 'May I rest?' });
    const { chat, ask } = serve(new Y.Doc(), { onPermission: allowOnce });
    const answer = await ask('Rest.', ({ message_id, parts }) => {
      if (parts.some(({ state }) => state === 'in_progress')) stopTurn(chat, { message_id, by: 'ada' });
    });
    expect(answer.attempt).toMatchObject({ finish_reason: 'stopped', state: 'settled' });
    expect(answer.parts).toMatchObject([{ kind: 'tool_call', state: 'cancelled' }]);
    expect(events).toContainEqual(expect.objectContaining({ outcome: 'stopped', acknowledged: true }));
  });

  it.each(['resume', 'load'])('goes on after a restart, by session/%s', async (way) => {
    const wrapped = {
      command: process.execPath,
      args: [fileURLToPath(new URL('without-resume.mjs', import.meta.url)), codex ?? ''],
    };
    const options = { onPermission: allowOnce, ...(way === 'load' && wrapped) };
    const before = new Y.Doc();
    const first = serve(before, options);
    const { acp_thread_id } = await first.ask('What is in this folder?');
    const stopped = await first.ask('Tell me a story.', ({ message_id, content }) => {
      if (content.length > 100) stopTurn(first.chat, { message_id, by: 'ada' });
    });
    expect(stopped.attempt?.finish_reason).toBe('stopped');
    await engine.close();
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(before));
    const second = serve(doc, options);
    const answer = await second.ask('What did I ask first?');
    expect(answer).toMatchObject({
      content: 'You asked: "What is in this folder?" I said: "There is one file: notes.txt."',
      attempt: { finish_reason: 'stop' },
      acp_thread_id,
      parts: [{ kind: 'text' }],
    });
    // Codex remembered: we told it the last prompt alone.
    expect(model.inputs.at(-1)?.said).toEqual([
      'What is in this folder?',
      'Tell me a story.',
      'What did I ask first?',
    ]);
  });

  it('is killed in mid-turn, and goes on in the next', async () => {
    const { ask } = serve(new Y.Doc());
    await ask('What is first?');
    let isKilled = false;
    const killed = await ask('Tell me a long story.', ({ content }) => {
      if (content.length < 100 || isKilled) return;
      isKilled = true;
      for (const line of listProcesses()) process.kill(Number(/\/proc\/(\d+)\//.exec(line)?.[1]), 'SIGKILL');
    });
    expect(killed.attempt).toMatchObject({ finish_reason: 'error', error: { code: 'acp_closed' } });
    expect(STORY.join(' ').startsWith(killed.content)).toBe(true);
    expect(killed.content.length).toBeGreaterThanOrEqual(100);
    expect((await ask('And now?')).attempt).toMatchObject({ finish_reason: 'stop' });
  });

  it('fails as its model does', async () => {
    const { ask } = serve(new Y.Doc());
    model.close();
    const { attempt } = await ask('Is anybody there?');
    expect(attempt).toMatchObject({ finish_reason: 'error', error: { code: 'acp_failed' } });
  });

  it('is what `pnpm --filter agent codex` shows', () => {
    const args = ['--conditions=@chatdoc/source', '--import', 'tsx', 'src/codex/main.ts'];
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'A turn: ada asks what is in the folder.',
      '  codex asks for leave: May I list the folder? Ada: yes.',
      '  it ran a tool, which is completed',
      '  codex: There is one file: notes.txt.',
      'A stop: ada asks for a story, and stops it.',
      '  stopped, the thread is complete, its text is kept: true',
      'A restart: the document is opened again from its file, Codex is another process.',
      '  codex: You asked: "What is in this folder?" I said: "There is one file: notes.txt."',
      '',
    ]);
    expect(status).toBe(0);
    engine = new TurnEngine({ runner_id: 'r' });
  });
});
