import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { check, countFindings } from '@chatdoc/integrity';
import type { Chat } from '@chatdoc/schema';
import { encodeLine } from '@chatdoc/schema/internal';
import { openChatFile } from '@chatdoc/sync/file';
import { serveFolder } from '@chatdoc/sync/server';
import { describe, expect, it } from 'vitest';
import { createAgentChat, createChat } from './agent-chat.js';
import { COCALC } from './chats.js';
import { listControls, stripColors } from './controls.js';
import {
  createDocument,
  createFolder,
  openProgram,
  readChat,
  readFolder,
  runProgram,
  startProgram,
  until,
} from './program.js';

const FILE = 'talk.ychat';
const ORPHANS = 'chat.integrity.orphan_messages';
const ORPHAN = '01JD7Y0000ABCDEFGHJKMNPQRV';

async function createTalk(cwd: string = createFolder()): Promise<string> {
  await createDocument(join(cwd, FILE), createAgentChat().chat);
  return cwd;
}

/** Writes into a document file, as another process does. */
async function write(path: string, change: (chat: Chat) => void): Promise<void> {
  const opened = await openChatFile(path, { flush: 'manual' });
  if (!opened.ok) throw new Error(opened.code);
  change(opened.file.chat);
  const closed = await opened.file.close();
  if (!closed.ok) throw new Error(closed.code);
}

const say = (chat: Chat): void => {
  chat.send({ thread_id: chat.threads()[0]?.thread_id ?? '', sender_id: 'ada', content: 'my secret' });
};

/** A message without its thread. */
const orphan = (chat: Chat, id = ORPHAN): void => {
  const line = encodeLine({
    type: 'message',
    message_id: id,
    thread_id: '01JD7Y0000ABCDEFGHJKMNPQRT',
    sender_id: 'ada',
    date: '2024-11-21T11:00:00.000Z',
    content: 'my secret',
  });
  const [header = ''] = createChatLines();
  expect(chat.importJSONL(`${header}\n${line}\n`)).toMatchObject({ ok: true, lines: 1 });
};

function createChatLines(): readonly string[] {
  const chat = createChat();
  chat.createThread({ created_by: 'ada' });
  return chat.toJSONL().split('\n');
}

interface Line {
  readonly messages: number;
  readonly generation: number;
  readonly counters: Readonly<Record<string, number>>;
}

const linesOf = (stdout: string): readonly Line[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const FAST = ['--interval', '0.1'];

describe('watch', () => {
  it('[CL65] has the counters of the file at all times, as others append to it and replace it', async () => {
    const cwd = await createTalk();
    const path = join(cwd, FILE);
    const watch = openProgram(['watch', FILE, '--json', ...FAST], { cwd });
    const last = (): Line | undefined => linesOf(watch.texts.stdout).at(-1);
    const agrees = async (): Promise<void> => {
      const chat = readChat(path);
      const messages = chat
        .threads()
        .reduce((sum, { thread_id }) => sum + chat.messageIds(thread_id).length, 0);
      const wanted = { messages, generation: chat.generation, counters: countFindings(check(chat)) };
      const shown = (): Partial<Line> => {
        const { messages: count, generation, counters } = last() ?? {};
        return { messages: count, generation, counters } as Partial<Line>;
      };
      await until(() => JSON.stringify(shown()) === JSON.stringify(wanted));
    };
    await agrees();
    const { mtimeMs } = statSync(path);
    expect(Object.keys(readFolder(cwd))).toEqual([FILE]);
    await write(path, say);
    await agrees();
    await write(path, (chat) => orphan(chat));
    await agrees();
    expect(last()?.counters[ORPHANS]).toBe(1);
    // A write that did not finish, and what comes after it.
    appendFileSync(path, readFileSync(path).subarray(0, 30));
    await write(path, say);
    await agrees();
    expect((await runProgram(['compact', FILE], { cwd })).code).toBe(0);
    await agrees();
    expect(last()?.generation).toBe(1);
    await write(path, say);
    await agrees();
    watch.stop();
    const { code, stderr } = await watch.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(watch.texts.stdout).not.toContain('secret');
    expect(statSync(path).mtimeMs).toBeGreaterThan(mtimeMs);
  });

  it('[CL65] says that the file is gone, or damaged, and goes on', async () => {
    const cwd = await createTalk();
    const path = join(cwd, FILE);
    const before = readFileSync(path);
    const watch = openProgram(['watch', FILE, ...FAST], { cwd });
    await watch.shows(/messages in 1 thread/);
    rmSync(path);
    await watch.shows(/^chatdoc: talk\.ychat: there is no such file.*; what is shown is what it was\n$/);
    writeFileSync(path, before);
    await watch.shows(/talk\.ychat: all is well again\n$/);
    appendFileSync(path, Buffer.concat([Buffer.alloc(50, 7), before]));
    await watch.shows(/: 50 bytes are damaged; chatdoc recover brings back what can be read\n$/);
    writeFileSync(path, 'Dear diary,\n');
    await watch.shows(/neither JSON nor lines of JSON.*; what is shown is what it was\n$/);
    const hurt = Buffer.from(before);
    hurt[8] = (hurt[8] ?? 0) ^ 1;
    writeFileSync(path, hurt);
    await watch.shows(/\d+ bytes are damaged; chatdoc recover brings back what can be read\n$/);
    const once = await runProgram(['watch', FILE, '--once'], { cwd });
    expect(once).toMatchObject({ code: 0, stdout: expect.stringMatching(/talk\.ychat: \d+ messages/) });
    expect(once.stderr).toMatch(/bytes are damaged/);
    writeFileSync(path, before);
    await watch.shows(/damaged.*\n.*all is well again\n$/);
    watch.stop();
    expect((await watch.result).code).toBe(0);
  });

  it('[CL66] prints a line where something has changed, and no content', async () => {
    const cwd = await createTalk();
    const watch = openProgram(['watch', FILE, ...FAST], { cwd });
    await watch.shows(/nothing wrong|chat\.acp/);
    await write(join(cwd, FILE), (chat) => orphan(chat));
    await watch.shows(new RegExp(`${ORPHANS} 1 \\(${ORPHAN}\\)`));
    // A sample that says the same as the one before.
    const samples = openProgram(['watch', FILE, '--json', ...FAST], { cwd });
    await until(() => linesOf(samples.texts.stdout).length === 1);
    const rename = (chat: Chat): void => {
      chat.configure({ thread_id: chat.threads()[0]?.thread_id ?? '', name: 'Plan', updated_by: 'ada' });
    };
    await write(join(cwd, FILE), rename);
    await until(() => linesOf(samples.texts.stdout).length === 2);
    await write(join(cwd, FILE), say);
    await until(() => linesOf(samples.texts.stdout).length === 3);
    const { messages } = linesOf(samples.texts.stdout)[2] as Line;
    await watch.shows(new RegExp(`: ${messages} messages`));
    samples.stop();
    await samples.result;
    watch.stop();
    const { stdout } = await watch.result;
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z talk\.ychat: \d+ messages in 1 thread; /);
    expect(stdout).not.toContain('secret');
  });

  it('[CL66] draws in one place on a terminal, within its rows, with the ids where most is wrong', async () => {
    const cwd = await createTalk();
    const path = join(cwd, FILE);
    await write(path, (chat) => orphan(chat));
    const options = { cwd, terminal: true, columns: 50, rows: 7, env: {} };
    const watch = openProgram(['watch', FILE, ...FAST], options);
    await watch.shows(new RegExp(ORPHANS));
    const once = await runProgram(['watch', FILE, '--once'], { cwd, terminal: true, columns: 50 });
    expect(once.code).toBe(0);
    const text = stripColors(once.stdout);
    expect(text).toMatch(/^talk\.ychat: \d+ messages in 1 thread, generation 0\n/);
    expect(text).toMatch(
      new RegExp(`^ {2}${ORPHANS} 1\n {4}IN1 thread_absent 1\n {6}message ${ORPHAN}\n {6}thread `, 'm'),
    );
    expect(text).toMatch(/^ {2}\d+ counters are 0\n$/m);
    expect(listControls(text)).toEqual([]);
    expect(text.split('\n').filter((line) => line.length > 50)).toEqual([]);
    const first = watch.texts.stdout;
    expect(first.split('\n').length).toBeLessThanOrEqual(7);
    expect(stripColors(first)).toMatch(/talk\.ychat: [\s\S]* {2}… and \d+ lines more\n {2}Ctrl-C/);
    expect(first).toContain('Ctrl-C ends this');
    await write(path, say);
    await until(() => watch.texts.stdout.length > first.length);
    // The cursor goes up: what stands there is written over.
    expect(watch.texts.stdout.slice(first.length)).toContain('\u001b[1A');
    watch.stop();
    expect((await watch.result).code).toBe(0);
    const dumb = await runProgram(['watch', FILE, '--once'], { cwd, terminal: true, env: { TERM: 'dumb' } });
    expect(dumb.stdout).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('[CL67] follows a room that is served, says when the connection is lost, and goes on', async () => {
    const cwd = await createTalk();
    const { doc_id, url, serve } = await prepareServer(cwd);
    let server = await serve();
    const room = `${url}/${doc_id}.0`;
    const watch = openProgram(['watch', `${room}?token=s3cret`, '--json', ...FAST], { cwd });
    const counters = countFindings(check(readChat(join(cwd, FILE))));
    await until(() => linesOf(watch.texts.stdout).length > 0);
    expect(linesOf(watch.texts.stdout)[0]).toMatchObject({ counters, source: room, generation: 0 });
    await server.close();
    await watch.shows(/: the connection is lost; trying again\n$/);
    await write(join(cwd, FILE), say);
    server = await serve();
    await watch.shows(/all is well again\n$/);
    const before = linesOf(watch.texts.stdout)[0]?.messages ?? 0;
    await until(() => linesOf(watch.texts.stdout).at(-1)?.messages === before + 1);
    await server.close();
    // A compaction moves all clients to another room.
    expect((await runProgram(['compact', FILE], { cwd })).code).toBe(0);
    server = await serve();
    await until(() => linesOf(watch.texts.stdout).at(-1)?.generation === 1);
    watch.stop();
    const { code, stderr } = await watch.result;
    expect(code).toBe(0);
    expect(`${stderr}${watch.texts.stdout}`).not.toMatch(/s3cret|my secret/);
    const fromEnv = await runProgram(['watch', `${url}/${doc_id}.1`, '--once'], {
      cwd,
      env: { CHATDOC_TOKEN: 's3cret' },
    });
    expect(fromEnv).toMatchObject({ code: 0, stderr: '' });
    const wrong: readonly (readonly [string, RegExp])[] = [
      [`/${doc_id}.1`, /the server asks for a token; give it as \?token=… or in CHATDOC_TOKEN/],
      [`/${doc_id}.1?token=nope`, /the server does not know this token; check it/],
      ['/lobby?token=s3cret', /the server refuses it \(room\); name a room as ID\.GENERATION/],
      ['?token=s3cret', /it names no room; give it as ws:\/\/HOST:PORT\/ID\.GENERATION/],
    ];
    for (const [rest, message] of wrong) {
      const refused = await runProgram(['watch', `${url}${rest}`], { cwd });
      expect({ code: refused.code, stdout: refused.stdout }, rest).toEqual({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(message);
      expect(refused.stderr).not.toMatch(/s3cret|nope/);
    }
    await server.close();
    const gone = await runProgram(['watch', `${url}/${doc_id}.1`, '--once'], { cwd });
    expect(gone).toMatchObject({ code: 2, stdout: '' });
    expect(gone.stderr).toMatch(/the server cannot be reached; trying again/);
  });

  it('[CL68] ends on Ctrl-C and SIGTERM with 0, at once', async () => {
    const cwd = await createTalk();
    const { doc_id, url, serve } = await prepareServer(cwd);
    const server = await serve();
    for (const [source, signal] of [
      [FILE, 'SIGINT'],
      [`${url}/${doc_id}.0?token=s3cret`, 'SIGTERM'],
    ] as const) {
      const watch = startProgram(['watch', source], { cwd });
      await watch.shows(/messages in 1 thread/);
      const { code, stderr } = await watch.end(signal);
      expect({ code, stderr }, source).toEqual({ code: 0, stderr: '' });
    }
    await server.close();
  });

  it('[CL68] refuses what cannot be watched with a reason and what to do', async () => {
    const cwd = createFolder({
      'team.chat': COCALC,
      'talk.chatdoc.jsonl': createAgentChat().chat.toJSONL(),
      'text.ychat': 'Dear diary,\n',
    });
    mkdirSync(join(cwd, 'folder'));
    const wrong: readonly (readonly [string[], RegExp])[] = [
      [['nope.ychat'], /there is no such file/],
      [['folder'], /this is a folder/],
      [['team.chat'], /this is an old chat \(CoCalc chat\); run chatdoc migrate first/],
      [['talk.chatdoc.jsonl'], /this is the text form of a document/],
      [['text.ychat'], /neither JSON nor lines of JSON/],
      [['text.ychat', '--interval', '0'], /--interval: it takes seconds, from 0\.1 to 86400/],
    ];
    for (const [argv, message] of wrong) {
      const { code, stdout, stderr } = await runProgram(['watch', ...argv], { cwd });
      expect({ code, stdout }, argv[0]).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.split('\n')).toHaveLength(2);
    }
  });
});

/** A server of the folder, on a port that stays the same. */
async function prepareServer(directory: string) {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await new Promise((resolve) => probe.close(resolve));
  const opened = await openChatFile(join(directory, FILE), { readOnly: true });
  if (!opened.ok) throw new Error(opened.code);
  const { doc_id } = opened.file;
  await opened.file.close();
  return {
    doc_id,
    url: `ws://127.0.0.1:${port}`,
    serve: async () => {
      const served = await serveFolder({ directory, port, token: 's3cret' });
      if (!served.ok) throw new Error(served.code);
      return served.server;
    },
  };
}
