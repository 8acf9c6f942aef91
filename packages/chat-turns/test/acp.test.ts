import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from '@chatdoc/schema';
import { afterAll, describe, expect, it } from 'vitest';
import { type AcpAgentOptions, acpAgent } from '../src/agents/acp/index.js';
import { continueTurn, type EngineEvent, stopTurn, TurnEngine } from '../src/index.js';
import { answerTo, ask, createReplica, createThread, present } from './world.js';

const PROGRAM = fileURLToPath(new URL('agents/acp-process.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chatdoc-acp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(ability = '--none', options: Partial<AcpAgentOptions> = {}) {
  const replica = createReplica(`${ability}${Math.random()}`);
  const engine = new TurnEngine({ runner_id: 'r' });
  const events: EngineEvent[] = [];
  engine.subscribe((event) => events.push(event));
  const agent = acpAgent({ command: process.execPath, args: [PROGRAM, ability, folder], ...options });
  engine.serve(replica.chat, { agentFor: () => ({ agent, sender_id: 'agent' }) });
  const thread_id = createThread(replica.chat);
  /** The answer, once it has ended. */
  const tell = async (content: string): Promise<Message> => {
    const { message_id } = ask(replica.chat, thread_id, content);
    await engine.idle();
    return answerTo(replica.chat, thread_id, message_id);
  };
  /** Resolves when the answer to the last prompt shows this. */
  const shows = (text: string): Promise<Message> =>
    new Promise((resolve) => {
      const look = (): void => {
        const last = replica.chat.messages(thread_id).at(-1);
        if (last?.attempt === undefined || !last.content.includes(text)) return;
        off();
        resolve(last);
      };
      const off = replica.chat.subscribe(look);
      look();
    });
  return { ...replica, engine, events, thread_id, tell, shows };
}

const recalled = ({ content }: Message): { pid: number; said: string[] } => JSON.parse(content);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('acpAgent', () => {
  it('[AG2] all that an agent tells becomes parts, and what is not known is passed over', async () => {
    const { tell, chat, thread_id } = start();
    const answer = await tell('everything');
    expect(answer.content).toBe('Hello world.');
    expect(answer.parts.map(({ kind, title, state, output }) => [kind, title, state, output])).toEqual([
      ['reasoning', undefined, undefined, undefined],
      ['text', undefined, undefined, undefined],
      ['tool_call', 'ls', 'completed', 'a.txt'],
      ['plan', undefined, undefined, undefined],
      ['file', undefined, undefined, undefined],
      ['text', undefined, undefined, undefined],
    ]);
    expect(answer).toMatchObject({
      acp_usage: { used: 5, size: 100 },
      attempt: { finish_reason: 'stop', acp_thread_id: expect.stringMatching(/^s\d+$/) },
    });
    expect(chat.config(thread_id).session).toMatchObject({ acp_session_id: answer.acp_thread_id });
  });

  it.each(['--load', '--resume'])(
    '[AG2] with %s a thread goes on in its session, and replays are no answer',
    async (ability) => {
      const { tell } = start(ability);
      const first = recalled(await tell('one'));
      const second = await tell('two');
      expect(recalled(second).said).toEqual(['one', 'two']);
      expect(recalled(second).pid).not.toBe(first.pid);
      expect(isAlive(first.pid)).toBe(false);
      expect(second.content).not.toContain('replayed');
    },
  );

  it('[AG2] an agent that keeps nothing is told everything', async () => {
    const { tell } = start();
    await tell('one');
    const { said } = recalled(await tell('two'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^ada: one\n\nagent: .*\n\nada: two$/s);
  });

  it('[AG2] so is one that has lost its session', async () => {
    const { tell } = start('--load');
    const { pid } = recalled(await tell('one'));
    rmSync(join(folder, `s${pid}.json`));
    expect(recalled(await tell('two')).said[0]).toContain('ada: one');
  });

  it('[AG3] a stop is a cancel, and what comes before the answer to it is kept', async () => {
    const { chat, shows, engine, events } = start();
    const prompt = ask(chat, chat.threads()[0]?.thread_id ?? '', 'slow');
    const answer = await shows('started');
    stopTurn(chat, { message_id: prompt.message_id, by: 'ada' });
    await engine.idle();
    expect(chat.message(answer.message_id)).toMatchObject({
      content: 'started, flushed',
      attempt: { finish_reason: 'stopped' },
      parts: [{ kind: 'tool_call', state: 'cancelled' }, { kind: 'text' }],
    });
    expect(events).toContainEqual(expect.objectContaining({ type: 'settled', acknowledged: true }));
  });

  it('[AG3] ✗ after a stop the thread goes on in its session, and what was cut goes on there', async () => {
    const { chat, shows, engine, thread_id, tell } = start('--resume');
    const prompt = ask(chat, thread_id, 'slow');
    const answer = await shows('started');
    stopTurn(chat, { message_id: prompt.message_id, by: 'ada' });
    await engine.idle();
    const { session } = chat.config(thread_id);
    expect(session).toMatchObject({ last_message_id: answer.message_id });
    continueTurn(chat, { message_id: prompt.message_id, by: 'ada' });
    await engine.idle();
    const { said } = recalled({
      ...answer,
      content: present(chat.message(answer.message_id)?.parts.at(-1)?.text),
    });
    expect(said).toEqual(['slow', expect.stringMatching(/^Your answer was cut off/)]);
    expect(chat.config(thread_id).session).toMatchObject({ acp_session_id: session?.['acp_session_id'] });
    expect(recalled(await tell('next')).said).toHaveLength(3);
  });

  it('[AG3] a permission that is still asked for is answered', async () => {
    let asked: (() => void) | undefined;
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const onPermission = (): Promise<string> => {
      asked?.();
      return new Promise(() => undefined);
    };
    const { chat, engine, thread_id, events } = start('--none', { onPermission });
    const prompt = ask(chat, thread_id, 'ask');
    await asking;
    stopTurn(chat, { message_id: prompt.message_id, by: 'ada' });
    await engine.idle();
    expect(events).toContainEqual(expect.objectContaining({ outcome: 'stopped', acknowledged: true }));
    expect(answerTo(chat, thread_id, prompt.message_id).content).toBe('cancelled');
  });

  it('[AG4] a callback decides, and without one nothing is allowed', async () => {
    expect((await start().tell('ask')).content).toBe('chosen: no');
    const titles: unknown[] = [];
    const onPermission: AcpAgentOptions['onPermission'] = ({ tool_call, options }) => {
      titles.push(tool_call.title);
      return options[0]?.optionId ?? null;
    };
    expect((await start('--none', { onPermission }).tell('ask')).content).toBe('chosen: yes');
    expect(titles).toEqual(['rm']);
    expect((await start('--none', { onPermission: () => null }).tell('ask')).content).toBe('chosen: no');
    const { parts } = await start().tell('ask');
    expect(parts).toMatchObject([{ kind: 'tool_call', title: 'rm', state: 'cancelled' }, { kind: 'text' }]);
  });

  it('[AG5] an agent that dies, fails, cannot be started, or speaks no ACP', async () => {
    const died = await start().tell('die');
    expect(died).toMatchObject({ content: 'last words', attempt: { error: { code: 'acp_closed' } } });
    const failed = await start().tell('fail');
    expect(failed.attempt?.error).toEqual({
      code: 'acp_failed',
      message: 'the agent answered with error -32603: Internal error',
    });
    const missing = await start('--none', { command: '/nowhere/at/all' }).tell('hello');
    expect(missing.attempt?.error).toMatchObject({ code: 'acp_spawn' });
    const mute = await start('--none', { args: ['-e', 'console.log("hi")'] }).tell('hello');
    expect(mute.attempt?.error).toMatchObject({ code: 'acp_closed' });
  });

  it('[AG5] one that hears nothing is killed', async () => {
    const { chat, shows, engine, thread_id } = start('--none', { cancel_grace_ms: 100 });
    const prompt = ask(chat, thread_id, 'deaf');
    const answer = await shows('I hear nothing');
    const pid = Number(/pid (\d+)/.exec(answer.content)?.[1]);
    expect(isAlive(pid)).toBe(true);
    stopTurn(chat, { message_id: prompt.message_id, by: 'ada' });
    await engine.idle();
    expect(chat.message(answer.message_id)?.attempt).toMatchObject({ finish_reason: 'stopped' });
    expect(isAlive(pid)).toBe(false);
  });
});
