import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from '@chatdoc/integrity';
import type { Chat, Message } from '@chatdoc/schema';
import { openChatFile } from '@chatdoc/sync/file';
import { describe, expect, it } from 'vitest';
import { createChat } from './agent-chat.js';
import { COCALC } from './chats.js';
import { listControls } from './controls.js';
import {
  createDocument,
  createFolder,
  openProgram,
  readChat,
  readFolder,
  runProgram,
  spawnProgram,
  startProgram,
  until,
} from './program.js';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), 'agents/scripted-agent.mjs');
const AGENT = ['--agent', `"${process.execPath}" "${PROGRAM}"`, '--name', 'codex'];
const env = { PATH: process.env['PATH'] ?? '', USER: 'ada' };
const FILE = 'talk.ychat';

/** A document with a thread of an agent, and whatever else `write` puts there. */
async function createTalk(write: (chat: Chat, thread_id: string) => void = () => {}): Promise<string> {
  const cwd = createFolder();
  const chat = createChat();
  const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Work', agent_kind: 'acp' });
  write(chat, thread_id);
  await createDocument(join(cwd, FILE), chat);
  return cwd;
}

/** All messages of all threads. */
function messagesIn(cwd: string): readonly Message[] {
  const chat = readChat(join(cwd, FILE));
  return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
}

const answersIn = (cwd: string): readonly Message[] =>
  messagesIn(cwd).filter(({ attempt }) => attempt !== undefined);
const lastIn = (cwd: string): Message => answersIn(cwd).at(-1) as Message;
const shows = (cwd: string, text: string): Promise<void> =>
  until(() => answersIn(cwd).at(-1)?.content.includes(text) === true);

describe('run', () => {
  it('[CL54] prints the text of an answer, and nothing else, on standard output', async () => {
    const cwd = await createTalk();
    const script = 'think:Let_me_see. call:ls say:One say:_two.\\u001b[2J done:ls say:\\r say:\\nThree. ';
    const result = await spawnProgram(['run', FILE, ...AGENT, '--prompt', script], { cwd, env });
    expect(result).toEqual({
      code: 0,
      stdout: 'One two.␛[2J\n\nThree.\n',
      stderr: 'thinking: Let me see.\n▸ tool [in progress]: ls\n▸ tool [completed]: ls\n',
    });
    expect(messagesIn(cwd)).toMatchObject([
      { sender_id: 'ada', expects: 'answer', content: script.trim() },
      {
        sender_id: 'codex',
        attempt: { finish_reason: 'stop', runner_id: expect.stringContaining(hostname()) },
      },
    ]);
    expect(check(readChat(join(cwd, FILE)))).toEqual([]);
  });

  it('[CL54] ends lines on a terminal where something else comes between', async () => {
    const cwd = await createTalk();
    const options = { cwd, env: { ...env, NO_COLOR: '1' }, terminal: true };
    const { result, texts } = openProgram(
      ['run', FILE, ...AGENT, '--prompt', 'say:One call:ls say:two think:hm say:three'],
      options,
    );
    expect((await result).code).toBe(0);
    expect(texts.stdout).toBe('One\ntwo\nthree\n');
    expect(texts.stderr).toBe('▸ tool [in progress]: ls\nthinking: hm\n▸ tool [cancelled]: ls\n');
    expect(listControls(texts.stdout)).toEqual([]);
  });

  it('[CL54] takes a prompt from standard input, and without one the next that waits', async () => {
    const cwd = await createTalk((chat, thread_id) => {
      chat.send({ thread_id, sender_id: 'bob', content: 'say:waited', expects: 'answer' });
    });
    const waiting = await runProgram(['run', FILE, ...AGENT], { cwd, env });
    expect(waiting).toMatchObject({ code: 0, stdout: 'waited\n' });
    const given = await runProgram(['run', FILE, ...AGENT, '--prompt', '-'], {
      cwd,
      env,
      input: 'Now\nsay:given\n',
    });
    expect(given).toMatchObject({ code: 0, stdout: 'given\n', stderr: '' });
    expect(messagesIn(cwd)[2]?.content).toBe('Now\nsay:given');
    const none = await runProgram(['run', FILE, ...AGENT], { cwd, env });
    expect(none).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/no prompt waits .*; ask one with --prompt/),
    });
  });

  it('[CL55] asks in the thread that is named, and in the only one where none is', async () => {
    const cwd = await createTalk((chat) => chat.createThread({ created_by: 'ada', name: 'Other' }));
    const before = readFolder(cwd);
    const ask = (...argv: string[]) =>
      runProgram(['run', FILE, ...AGENT, '--prompt', 'say:x', ...argv], { cwd, env });
    const [first = '', second = ''] = readChat(join(cwd, FILE))
      .threads()
      .map(({ thread_id }) => thread_id);
    expect((await ask()).stderr).toMatch(
      new RegExp(`this chat has 2 threads; name one with --thread: ${first}, ${second}\n`),
    );
    expect((await ask('--thread', 'ZZ')).stderr).toMatch(/there is no thread ZZ; it has /);
    expect(readFolder(cwd)).toEqual(before);
    expect((await ask('--thread', second.toLowerCase())).code).toBe(0);
    const chat = readChat(join(cwd, FILE));
    expect(chat.messages(second)).toHaveLength(2);
    expect(chat.messages(first)).toHaveLength(0);
    // It had no settings for an agent.
    expect(chat.config(second)).toMatchObject({ name: 'Other', agent_kind: 'acp' });
  });

  it('[CL55] begins threads, and documents that are not there', async () => {
    const cwd = createFolder();
    const ask = (...argv: string[]) => runProgram(['run', FILE, ...AGENT, ...argv], { cwd, env });
    expect(await ask('--prompt', 'say:x')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there is no such file/),
    });
    expect(await ask('--new-thread')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/a new thread begins with one/),
    });
    expect(await ask('--new-thread', '--prompt', ' \n')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/it is empty/),
    });
    expect(readFolder(cwd)).toEqual({});
    const first = await ask('--new-thread', 'Review', '--prompt', 'say:first', '--user', 'bob');
    expect(first).toMatchObject({
      code: 0,
      stdout: 'first\n',
      stderr: expect.stringMatching(/^thread \S{26} is new\n$/),
    });
    expect((await ask('--new-thread', '--prompt', 'say:second')).code).toBe(0);
    const chat = readChat(join(cwd, FILE));
    expect(chat.threads().map(({ thread_id }) => chat.config(thread_id).name)).toEqual(['Review', undefined]);
    expect(messagesIn(cwd).map(({ sender_id }) => sender_id)).toEqual(['bob', 'codex', 'ada', 'codex']);
    expect(check(chat)).toEqual([]);
  });

  it('[CL56] keeps what was said where Ctrl-C stops it, and ends with 130; --continue goes on', async () => {
    const cwd = await createTalk();
    const program = startProgram(
      ['run', FILE, ...AGENT, '--prompt', 'call:ls say:begun wait say:,_flushed'],
      { cwd, env },
    );
    await program.shows(/begun/);
    const { code, stdout, stderr } = await program.end('SIGINT');
    expect({ code, stdout }).toEqual({ code: 130, stdout: 'begun, flushed\n' });
    expect(stderr).toMatch(
      /chatdoc: talk\.ychat: stopped; what was said is kept, and --continue goes on with it\n$/,
    );
    expect(lastIn(cwd)).toMatchObject({
      content: 'begun, flushed',
      attempt: { finish_reason: 'stopped', state: 'settled' },
      parts: [{ kind: 'tool_call', state: 'cancelled' }, { kind: 'text' }],
    });
    const more = await runProgram(['run', FILE, ...AGENT, '--continue'], { cwd, env });
    expect(more).toMatchObject({ code: 0, stdout: 'begun, flushed\nand the rest.\n' });
    expect(lastIn(cwd).content).toBe('begun, flushedand the rest.');
    const whole = await runProgram(['run', FILE, ...AGENT, '--continue'], { cwd, env });
    expect(whole).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the last answer is whole; ask on with --prompt/),
    });
  });

  it('[CL56] ends with 1 where another process stops it, at once', async () => {
    const cwd = await createTalk();
    const { result, shows: prints } = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:begun wait'], {
      cwd,
      env,
    });
    await prints(/begun/);
    await shows(cwd, 'begun');
    const stopped = await spawnProgram(['stop', FILE], { cwd, env });
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    expect(stopped.stdout).toMatch(
      /^talk\.ychat: the answer of codex to message \S{26} is told to stop; chatdoc@\S+:\d+ runs it\n$/,
    );
    expect(await result).toMatchObject({
      code: 1,
      stdout: 'begun\n',
      stderr: expect.stringMatching(/: stopped; what was said/),
    });
    expect(lastIn(cwd)).toMatchObject({ content: 'begun', attempt: { finish_reason: 'stopped' } });
  });

  it('[CL57] ✗ finds a turn that kill -9 has left, and lets a person decide', async () => {
    const cwd = await createTalk();
    const program = startProgram(['run', FILE, ...AGENT, '--prompt', 'call:ls say:begun wait'], { cwd, env });
    await shows(cwd, 'begun');
    await program.end('SIGKILL');
    expect(lastIn(cwd).attempt?.state).toBe('open');
    const ask = (...argv: string[]) => runProgram(['run', FILE, ...AGENT, ...argv], { cwd, env });
    const refused = await ask('--prompt', 'say:next');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /the last answer \(message \S{26}\) was interrupted; --continue goes on with it, --retry/,
    );
    expect(messagesIn(cwd)).toHaveLength(2);
    expect(lastIn(cwd).attempt?.state).toBe('interrupted');
    const again = await ask('--continue');
    expect(again).toMatchObject({ code: 0, stdout: 'begun\nand the rest.\n' });
    expect(again.stderr).toBe('▸ tool [cancelled]: ls\n');
    expect(lastIn(cwd)).toMatchObject({ content: 'begunand the rest.', alternates: [{ content: 'begun' }] });
    expect(check(readChat(join(cwd, FILE)))).toEqual([]);
  });

  it('[CL57] says that the runner is gone where it goes on at once, and begins again with --retry', async () => {
    const cwd = await createTalk();
    const program = startProgram(['run', FILE, ...AGENT, '--prompt', 'say:begun wait'], { cwd, env });
    await shows(cwd, 'begun');
    await program.end('SIGKILL');
    const { result, shows: prints } = openProgram(['run', FILE, ...AGENT, '--retry'], { cwd, env });
    await prints(/^chatdoc@\S+ is gone: the turn that it ran is interrupted\n/);
    await shows(cwd, 'begun');
    await until(() => lastIn(cwd).alternates.length === 1);
    await runProgram(['stop', FILE], { cwd, env });
    expect((await result).code).toBe(1);
  });

  it('[CL58] waits for what runs in the thread, and with --now stops it', async () => {
    const cwd = await createTalk();
    const first = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:first wait'], { cwd, env });
    await first.shows(/first/);
    await shows(cwd, 'first');
    const busy = await runProgram(['run', FILE, ...AGENT, '--continue'], { cwd, env });
    expect(busy).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is answering in this thread; chatdoc stop ends that/),
    });
    const second = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:second'], { cwd, env });
    await second.shows(
      /^chatdoc@\S+ is answering message \S{26}; this waits for it\. chatdoc stop ends that\n$/,
    );
    const third = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:third', '--now'], { cwd, env });
    expect(await first.result).toMatchObject({ code: 1, stdout: 'first\n' });
    expect(await third.result).toMatchObject({ code: 0, stdout: 'third\n' });
    expect(await second.result).toMatchObject({ code: 0, stdout: 'second\n' });
  });

  it('[CL58] takes its prompt out of the queue where Ctrl-C comes while it waits', async () => {
    const cwd = await createTalk((chat, thread_id) => {
      const { message_id } = chat.send({ thread_id, sender_id: 'bob', content: 'Hm?', expects: 'answer' });
      chat.openAttempt({ prompt_id: message_id, sender_id: 'codex', runner_id: 'elsewhere' });
    });
    const {
      result,
      shows: prints,
      stop,
    } = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:no'], { cwd, env });
    await prints(/^elsewhere is answering/);
    stop();
    const { code, stdout, stderr } = await result;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(
      /stopped before it was answered; the prompt is kept, and --retry asks it again\n$/,
    );
    expect(answersIn(cwd)).toMatchObject([{ attempt: { state: 'open' } }]);
  });

  it('[CL58] prints nothing of what was said before where it is stopped before it goes on', async () => {
    const cwd = await createTalk((chat, thread_id) => {
      chat.send({ thread_id, sender_id: 'bob', content: 'say:x wait', expects: 'answer' });
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'say:y', expects: 'answer' });
      const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'codex', runner_id: 'elsewhere' });
      attempt.addPart({ kind: 'text', text: 'before' });
      attempt.finish({ finish_reason: 'stopped' });
    });
    const { result, shows: prints, stop } = openProgram(['run', FILE, ...AGENT, '--continue'], { cwd, env });
    await prints(/answers message \S{26} first, which waited before/);
    await until(() => answersIn(cwd).some(({ content }) => content === 'x'));
    stop();
    expect(await result).toMatchObject({ code: 130, stdout: '' });
    expect((await result).stderr).toMatch(/stopped before it was answered/);
    expect(
      answersIn(cwd)
        .map(({ content }) => content)
        .sort(),
    ).toEqual(['before', 'x']);
  });

  it('[CL59] says what is wrong with an agent, what to do, and keeps what it said', async () => {
    const cwd = await createTalk();
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        'say:last_words die',
        'last words\n',
        /the agent ended before its answer did; run its command by itself/,
      ],
      [
        'say:oh fail',
        'oh\n',
        /the agent answered with an error; it may have to be set up or logged in .*no credit\S+ left\)/,
      ],
      ['say:long cut', 'long\n', /the answer is cut off where the agent allows no more; --continue goes on/],
    ];
    for (const [script, said, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['run', FILE, ...AGENT, '--prompt', script], {
        cwd,
        env,
      });
      expect({ code, stdout }, script).toEqual({ code: 1, stdout: said });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('say:');
      expect(stderr).not.toContain('\u001b[31m');
      expect(lastIn(cwd).content).toBe(said.trim());
    }
    const mute = ['--agent', 'sh -c "echo hello"', '--prompt', 'say:x'];
    const spoken = await runProgram(['run', FILE, ...mute], { cwd, env });
    expect(spoken).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/the agent ended before/),
    });
  });

  it('[CL59] writes nothing where there is no such agent', async () => {
    const cwd = await createTalk();
    const before = readFolder(cwd);
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        'nope --quiet',
        /^chatdoc: --agent: there is no program nope; check its name and that it is installed, and on the PATH/,
      ],
      ['./nope', /^chatdoc: --agent: there is no program \.\/nope; check its name and the folder/],
      [' ', /^chatdoc: --agent: it names no program/],
    ];
    for (const [command, message] of cases) {
      const { code, stderr } = await runProgram(['run', FILE, '--agent', command, '--prompt', 'x'], {
        cwd,
        env,
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
    expect(readFolder(cwd)).toEqual(before);
  });

  it('[CL59] does not wait for an agent that hears nothing', async () => {
    const cwd = await createTalk();
    const {
      result,
      shows: prints,
      stop,
    } = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:deaf hang'], { cwd, env });
    await prints(/deaf/);
    stop();
    expect(await result).toMatchObject({ code: 130, stdout: 'deaf\n' });
    expect(lastIn(cwd)).toMatchObject({ content: 'deaf', attempt: { finish_reason: 'stopped' } });
  });

  it('[CL60] refuses what the agent asks for, and with --allow allows it once', async () => {
    const cwd = await createTalk();
    const refused = await runProgram(['run', FILE, ...AGENT, '--prompt', 'ask:rm\\u001b'], { cwd, env });
    expect(refused).toMatchObject({ code: 0, stdout: 'no\n' });
    const allowed = await runProgram(['run', FILE, ...AGENT, '--prompt', 'ask:rm', '--allow'], { cwd, env });
    expect(allowed.stdout).toBe('yes\n');
    // An agent that tells nothing more of what it asked for leaves it cancelled in the answer.
    const told = '▸ tool: rm\n▸ tool [cancelled]: rm\n';
    expect(allowed.stderr).toBe(`▸ the agent asks for rm: allowed\n${told}`);
    // What it asks for stands between its texts, which begin a line each.
    const within = await runProgram(['run', FILE, ...AGENT, '--prompt', 'say:May_I?_ ask:rm'], { cwd, env });
    expect(within.stdout).toBe('May I? \nno\n');
    expect(refused.stderr).toMatch(/^▸ the agent asks for rm.*: refused; --allow allows it\n▸ tool: rm/);
  });

  it('[CL61] ✗ loses nothing where another program compacts the document meanwhile', async () => {
    const cwd = await createTalk();
    const { result, shows: prints } = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:begun wait'], {
      cwd,
      env,
    });
    await prints(/begun/);
    await shows(cwd, 'begun');
    expect((await runProgram(['compact', FILE], { cwd })).code).toBe(0);
    const { code, stdout, stderr } = await result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'begun\n' });
    expect(stderr).toMatch(/another program has compacted this document meanwhile; what was said is kept/);
    expect(lastIn(cwd)).toMatchObject({ content: 'begun', attempt: { state: 'interrupted' } });
    const more = await runProgram(['run', FILE, ...AGENT, '--continue'], { cwd, env });
    expect(more).toMatchObject({ code: 0, stdout: 'begun\nand the rest.\n' });
  });

  it('[CL62] answers what waits before it first, and what comes behind it not', async () => {
    const cwd = await createTalk((chat, thread_id) => {
      chat.send({ thread_id, sender_id: 'bob', content: 'say:earlier', expects: 'answer' });
    });
    const { result, shows: prints } = openProgram(['run', FILE, ...AGENT, '--prompt', 'say:own pause:2000'], {
      cwd,
      env,
    });
    await prints(
      /^1 prompt waits before this one; they come first\nanswers message \S{26} first, which waited before\n/,
    );
    await prints(/own/);
    const opened = await openChatFile(join(cwd, FILE), { flush: 'manual' });
    if (!opened.ok) throw new Error(opened.code);
    const { thread_id = '' } = opened.file.chat.threads()[0] ?? {};
    opened.file.chat.send({ thread_id, sender_id: 'bob', content: 'say:later', expects: 'answer' });
    await opened.file.close();
    expect(await result).toMatchObject({ code: 0, stdout: 'own\n' });
    expect(answersIn(cwd).map(({ content }) => content)).toEqual(['earlier', 'own']);
    expect(readChat(join(cwd, FILE)).queue(thread_id)).toHaveLength(1);
  });

  it('[CL53] refuses what is no document with what to do', async () => {
    const cwd = createFolder({ 'team.chat': COCALC });
    writeFileSync(join(cwd, 'notes.txt'), 'Dear diary,\n');
    for (const argv of [['run', ...AGENT, '--prompt', 'x'], ['stop']]) {
      const [command = '', ...rest] = argv;
      const old = await runProgram([command, 'team.chat', ...rest], { cwd, env });
      expect(old).toMatchObject({ code: 2, stderr: expect.stringMatching(/run chatdoc migrate first/) });
      const other = await runProgram([command, 'notes.txt', ...rest], { cwd, env });
      expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/neither JSON nor lines/) });
    }
    const long = ['run', FILE, ...AGENT, '--new-thread', '--prompt', '-'];
    const unfit = await runProgram(long, { cwd, env, input: 'x'.repeat(20_000_000) });
    expect(unfit).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/this cannot be written \(content\); make it shorter/),
    });
  });
});
