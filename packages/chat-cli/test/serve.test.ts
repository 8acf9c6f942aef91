import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Chat, openChat } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';
import { readDocument } from '@chatdoc/sync';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { createAgentChat } from './agent-chat.js';
import { createDocument, createFolder, PROGRAM, runProgram } from './program.js';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

interface Server {
  readonly url: string;
  readonly child: ChildProcess;
  /** What was printed so far. */
  stdout(): string;
  /** Sends a signal; resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

async function serve(argv: readonly string[], env: Record<string, string> = {}): Promise<Server> {
  const child = spawn(process.execPath, [...PROGRAM, 'serve', ...argv, '--port', '0'], {
    env: { ...process.env, CHATDOC_TOKEN: '', ...env },
  });
  closers.push(() => child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  const gone = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stderr.on('data', (chunk) => {
    texts.stderr += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      texts.stdout += chunk;
      const found = /^(ws:\S+) serves/.exec(texts.stdout);
      if (found?.[1] !== undefined && texts.stdout.endsWith('Ctrl-C\n')) resolve(found[1]);
    });
    child.on('close', () => reject(new Error(texts.stderr)));
  });
  return {
    url,
    child,
    stdout: () => texts.stdout,
    end: async (signal) => {
      child.kill(signal);
      return { code: await gone, stderr: texts.stderr };
    },
  };
}

interface Client {
  readonly chat: Chat;
  readonly provider: HocuspocusProvider;
  /** Everything sent was confirmed. */
  saved(): Promise<void>;
}

function connect(url: string, room: string, token = '', user_id?: string): Client {
  const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket });
  const document = new Y.Doc();
  const provider = new HocuspocusProvider({ websocketProvider, name: room, token, document });
  provider.attach();
  closers.push(() => {
    provider.destroy();
    websocketProvider.destroy();
  });
  return {
    chat: openChat(document, user_id === undefined ? {} : { user_id }),
    provider,
    saved: () => until(() => provider.synced && !provider.hasUnsyncedChanges),
  };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 1500) throw new Error('it does not come to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const DOC_ID = formatUlid(Date.UTC(2026, 10, 21), new Uint8Array(10).fill(7));
const ROOM = `${DOC_ID}.0`;

/** Messages in the document files of a folder. */
function textsIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const read = readDocument(readFileSync(join(folder, name)));
    if (!read.ok) throw new Error(read.code);
    expect(read.report).toMatchObject({ torn_bytes: 0, damaged_bytes: 0, gaps: 0 });
    const { chat } = read;
    return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
  });
}

/** Two people write ten messages each, in turn, in one new room. */
async function writeTogether(url: string): Promise<string[]> {
  const [ada, bob] = [connect(url, ROOM), connect(url, ROOM)];
  await Promise.all([ada.saved(), bob.saved()]);
  const { thread_id } = ada.chat.createThread({ created_by: 'ada', name: 'Release' });
  await until(() => bob.chat.threads().length === 1);
  const texts: string[] = [];
  for (let n = 0; n < 10; n += 1) {
    for (const [sender_id, { chat }] of [['ada', ada] as const, ['bob', bob] as const]) {
      texts.push(`${sender_id} ${n}`);
      chat.send({ thread_id, sender_id, content: `${sender_id} ${n}` });
    }
  }
  await Promise.all([ada.saved(), bob.saved()]);
  await until(() => ada.chat.digest() === bob.chat.digest());
  return texts.sort();
}

describe('serve', () => {
  it('[CL46] [CL47] ends on Ctrl-C with 0, and what two people wrote is in the file', async () => {
    const folder = createFolder();
    const server = await serve([folder]);
    expect(server.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(server.stdout()).toContain('anyone who reaches it may read and write; --token lets in only');
    const texts = await writeTogether(server.url);
    const { code, stderr } = await server.end('SIGINT');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(server.stdout()).toContain(
      'stopped; 1 chat and 2 connections were open, and everything is saved\n',
    );
    expect(readdirSync(folder)).toEqual([`${DOC_ID}.ychat`]);
    expect(textsIn(folder).sort()).toEqual(texts);
    const shown = await runProgram(['show', `${DOC_ID}.ychat`], { cwd: folder });
    expect(shown.stdout).toContain('# Release');
  });

  it('[CL47] has what it confirmed in the file after kill -9, too, and goes on with it', async () => {
    const folder = createFolder();
    const server = await serve([folder]);
    const texts = await writeTogether(server.url);
    await server.end('SIGKILL');
    expect(textsIn(folder).sort()).toEqual(texts);
    const again = await serve([folder]);
    const { chat, saved } = connect(again.url, ROOM);
    await saved();
    await until(() => chat.threads().length === 1);
    expect(chat.messages(chat.threads()[0]?.thread_id ?? '')).toHaveLength(texts.length);
    expect(await again.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('[CL46] serves documents that are there, in the room of their id and generation', async () => {
    const folder = createFolder();
    await createDocument(join(folder, 'team.ychat'), createAgentChat().chat);
    const read = readDocument(readFileSync(join(folder, 'team.ychat')));
    if (!read.ok) throw new Error(read.code);
    const server = await serve([folder]);
    const client = connect(server.url, `${read.doc_id}.0`);
    await until(() => client.chat.threads().length === 1);
    expect(client.chat.digest()).toBe(read.chat.digest());
    await server.end('SIGINT');
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual(['team.ychat']);
  });

  it('[CL74] lets an editor write beside the chat in the roots that --others names', async () => {
    const folder = createFolder({});
    const server = await serve([folder, '--others', 'text, notes']);
    const ada = connect(server.url, ROOM);
    await ada.saved();
    ada.chat.createThread({ created_by: 'ada' });
    ada.provider.document.getText('text').insert(0, 'of an editor');
    await ada.saved();
    await server.end('SIGINT');
    const read = readDocument(readFileSync(join(folder, readdirSync(folder)[0] ?? '')));
    expect(read.ok && read.doc.getText('text').toString()).toBe('of an editor');
  });

  it('[CL48] lets in only who gives the token', async () => {
    for (const [argv, env] of [
      [['--token', 's3cret'], {}],
      [[], { CHATDOC_TOKEN: 's3cret' }],
    ] as const) {
      const folder = createFolder();
      const server = await serve([folder, ...argv], env);
      expect(server.stdout()).toContain('  by token\n');
      expect(server.stdout()).not.toContain('s3cret');
      const refused: string[] = [];
      for (const token of ['', 'secret', 's3cret2']) {
        const client = connect(server.url, ROOM, token);
        client.provider.on('authenticationFailed', ({ reason }: { reason: string }) => refused.push(reason));
        client.chat.createThread({ created_by: 'eve' });
      }
      await until(() => refused.length === 3);
      expect(refused).toEqual(['wrong token', 'wrong token', 'wrong token']);
      const { chat, saved } = connect(server.url, ROOM, 's3cret');
      await saved();
      expect(chat.threads()).toHaveLength(0);
      expect(await server.end('SIGINT')).toMatchObject({ code: 0, stderr: '' });
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it('[CL48] lets in users by their own tokens, and each can write in no other name', async () => {
    const folder = createFolder();
    const server = await serve([folder, '--user', 'ada=s3=cret', '--user', 'bob=pa55']);
    const [ada, bob] = [
      connect(server.url, ROOM, 's3=cret', 'ada'),
      connect(server.url, ROOM, 'pa55', 'bob'),
    ];
    await Promise.all([ada.saved(), bob.saved()]);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    await ada.saved();
    await until(() => bob.chat.threads().length === 1);
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'I am Ada.' });
    await ada.saved();
    bob.chat.send({ thread_id, sender_id: 'ada', content: 'I am Ada, too.' });
    const refused = connect(server.url, ROOM, 'wrong');
    let isRefused = false;
    refused.provider.on('authenticationFailed', () => {
      isRefused = true;
    });
    await until(() => isRefused);
    await until(() => ada.chat.messages(thread_id).length === 1);
    await server.end('SIGINT');
    expect(textsIn(folder)).toEqual(['I am Ada.']);
  });

  it('[CL49] says why it cannot start, with what to do, and ends with 2', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    closers.push(() => taken.close());
    const address = taken.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    const cwd = createFolder({ 'x.chat': 'x' });
    mkdirSync(join(cwd, 'chats'));
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['chats', '--port', port], new RegExp(`port ${port} is taken; name another with --port, or 0`)],
      [['nope'], /there is no such folder; make it first/],
      [['x.chat'], /there is no such folder; make it first/],
      [['chats', '--port', 'http'], /--port takes a number from 0 to 65535, and got http/],
      [['chats', '--port', '65536'], /--port takes a number/],
      [['chats', '--host', '203.0.113.7'], /this machine has no address 203\.0\.113\.7; name another/],
      [['chats', '--user', 'ada'], /--user takes NAME=TOKEN/],
      [['chats', '--user', '=x'], /--user takes NAME=TOKEN/],
    ];
    for (const [argv, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['serve', ...argv], { cwd });
      expect({ code, stdout }, argv.join(' ')).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.split('\n')).toHaveLength(2);
    }
  });
});
