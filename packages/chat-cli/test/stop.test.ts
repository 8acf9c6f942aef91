import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Chat, Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import { createChat } from './agent-chat.js';
import { createDocument, createFolder, readChat, readFolder, runProgram } from './program.js';

const FILE = 'talk.ychat';
const env = { USER: 'ada' };

interface Turns {
  readonly cwd: string;
  readonly ids: Readonly<Record<string, string>>;
  /** The state of the answer to each prompt, and why it ended. */
  states(): Readonly<Record<string, string>>;
}

/** Two threads; in the first an answer that runs and a prompt that waits, in the second one that was interrupted. */
async function createTurns(runner_id = 'laptop'): Promise<Turns> {
  const cwd = createFolder();
  const chat = createChat();
  const threads = ['one', 'two'].map((name) =>
    chat.createThread({ created_by: 'ada', name, agent_kind: 'acp' }),
  );
  const ids: Record<string, string> = {};
  const ask = (name: string, thread: number): string => {
    const { thread_id = '' } = threads[thread] ?? {};
    ids[`thread ${thread}`] = thread_id;
    const { message_id } = chat.send({
      thread_id,
      sender_id: 'ada',
      content: `my ${name}`,
      expects: 'answer',
    });
    ids[name] = message_id;
    return message_id;
  };
  const open = (prompt_id: string): string => {
    const attempt = chat.openAttempt({ prompt_id, sender_id: 'codex', runner_id });
    attempt.addPart({ kind: 'text', text: 'half of it' });
    return attempt.message_id;
  };
  const interrupted = open(ask('lost', 1));
  chat.interrupt({ message_id: interrupted });
  open(ask('running', 0));
  ask('waiting', 0);
  ids['note'] = chat.send({
    thread_id: ids['thread 0'] ?? '',
    sender_id: 'bob',
    content: 'a note',
  }).message_id;
  await createDocument(join(cwd, FILE), chat);
  return { cwd, ids, states: () => readStates(readChat(join(cwd, FILE)), ids) };
}

function readStates(chat: Chat, ids: Readonly<Record<string, string>>): Record<string, string> {
  const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
  const answerOf = (id: string | undefined): Message | undefined =>
    messages.find(({ prompt_id }) => prompt_id === id);
  return Object.fromEntries(
    ['lost', 'running', 'waiting'].map((name) => {
      const attempt = answerOf(ids[name])?.attempt;
      const isQueued = chat
        .threads()
        .some(({ thread_id }) => chat.queue(thread_id).includes(ids[name] ?? ''));
      const state = attempt === undefined ? (isQueued ? 'queued' : 'cancelled') : attempt.state;
      return [name, attempt?.stop_requested === true ? `${state}, told to stop` : state];
    }),
  );
}

describe('stop', () => {
  it('[CL63] tells what runs to stop, and skips what was interrupted, without a word of what was said', async () => {
    const { cwd, ids, states } = await createTurns();
    expect(states()).toEqual({ lost: 'interrupted', running: 'open', waiting: 'queued' });
    const { code, stdout, stderr } = await runProgram(['stop', FILE], { cwd, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').sort()).toEqual([
      '',
      `talk.ychat: the answer of codex to message ${ids['running']} is told to stop; laptop runs it`,
      `talk.ychat: the interrupted answer to message ${ids['lost']} is skipped`,
    ]);
    expect(states()).toEqual({
      lost: 'settled',
      running: 'open, told to stop',
      waiting: 'queued',
    });
    const before = readFolder(cwd);
    const again = await runProgram(['stop', FILE], { cwd, env });
    expect(again.stdout).toMatch(
      /was told to stop before, and laptop has not answered; if that is gone for good, --gone/,
    );
    expect(readFolder(cwd)).toEqual(before);
  });

  it('[CL63] does that for one thread, or one message, and says where there is nothing to stop', async () => {
    const { cwd, ids, states } = await createTurns();
    const stop = (...argv: string[]) => runProgram(['stop', FILE, ...argv], { cwd, env });
    expect((await stop('--thread', ids['thread 1'] ?? '')).stdout).toMatch(
      /^talk\.ychat: the interrupted answer .*\n$/,
    );
    expect(states()).toMatchObject({ running: 'open', waiting: 'queued' });
    expect((await stop('--thread', ids['thread 1'] ?? '')).stdout).toBe('talk.ychat: nothing runs\n');
    const { stdout } = await stop('--message', ids['lost'] ?? '');
    expect(stdout).toBe(`talk.ychat: the answer to message ${ids['lost']} has ended already\n`);
    expect((await stop('--message', ids['waiting'] ?? '')).stdout).toMatch(/waits for no answer any more\n$/);
    expect(states()).toMatchObject({ running: 'open', waiting: 'cancelled' });
    const answer = readChat(join(cwd, FILE))
      .messages(ids['thread 0'] ?? '')
      .find(({ prompt_id }) => prompt_id === ids['running']);
    expect((await stop('--message', answer?.message_id ?? '')).stdout).toMatch(
      /is told to stop; laptop runs it\n$/,
    );
    const wrong: readonly (readonly [string[], RegExp])[] = [
      [
        ['--message', ids['note'] ?? ''],
        /message \S{26} is neither a prompt nor an answer; name one of these/,
      ],
      [['--message', '0'], /messages begin with 0; give more of the id/],
      [['--thread', 'nope'], /there is no thread nope; it has /],
    ];
    for (const [argv, message] of wrong) {
      const { code, stdout: printed, stderr } = await stop(...argv);
      expect({ code, stdout: printed }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('a note');
    }
  });

  it('[CL63] writes nothing about what has ended', async () => {
    const cwd = createFolder();
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', agent_kind: 'acp' });
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'Hm?', expects: 'answer' });
    const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'codex', runner_id: 'laptop' });
    attempt.finish({ finish_reason: 'stop' });
    await createDocument(join(cwd, FILE), chat);
    const before = readFolder(cwd);
    for (const argv of [['--message', message_id], ['--message', attempt.message_id], []]) {
      const { code, stdout } = await runProgram(['stop', FILE, ...argv], { cwd, env });
      expect(code).toBe(0);
      expect(stdout).toMatch(/has ended already\n$|nothing runs\n$/);
    }
    expect(readFolder(cwd)).toEqual(before);
  });

  it('[CL64] takes what waits out of the queue with --waiting', async () => {
    const { cwd, states } = await createTurns();
    expect((await runProgram(['stop', FILE, '--waiting'], { cwd, env })).stdout.split('\n')).toHaveLength(4);
    expect(states()).toMatchObject({ running: 'open, told to stop', waiting: 'cancelled' });
  });

  it('[CL64] ends what nobody runs any more where that can be known, or a person says so', async () => {
    const { cwd, states } = await createTurns();
    await runProgram(['stop', FILE], { cwd, env });
    expect(states()).toMatchObject({ running: 'open, told to stop' });
    const said = await runProgram(['stop', FILE, '--gone'], { cwd, env });
    expect(said.stdout).toMatch(/is stopped; laptop, which ran it, is gone\n$/);
    expect(states()).toMatchObject({ running: 'settled' });
    const here = await createTurns(`chatdoc@${hostname()}:${2 ** 30}`);
    expect((await runProgram(['stop', FILE], { cwd: here.cwd, env })).stdout).toMatch(
      /which ran it, is gone\n/,
    );
    expect(here.states()).toMatchObject({ running: 'settled' });
    const there = await createTurns(`chatdoc@not-${hostname()}:${2 ** 30}`);
    await runProgram(['stop', FILE], { cwd: there.cwd, env });
    expect(there.states()).toMatchObject({ running: 'open, told to stop' });
  });
});
