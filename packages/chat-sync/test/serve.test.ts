import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type FileEnvironment, nodeFileEnvironment } from '../src/file/fs.js';
import { openChatFile } from '../src/file/index.js';
import { roomName } from '../src/generation/room.js';
import { type ChatServer, type ServeOptions, serveFolder } from '../src/server/index.js';
import { type Client, closeAll, connect, RawClient, until } from './hostile-server.js';
import { DOC_ID } from './hostile-world.js';

const ROOM = roomName(DOC_ID, 0);

describe('a served folder', () => {
  let folder: string;
  let server: ChatServer | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-sync-serve-'));
  });

  afterEach(async () => {
    await closeAll();
    await server?.close();
    server = undefined;
    await rm(folder, { recursive: true });
  });

  const serve = async (options: Partial<ServeOptions> = {}): Promise<string> => {
    const served = await serveFolder({ directory: folder, port: 0, ...options });
    if (!served.ok) throw new Error(served.code);
    server = served.server;
    return `ws://${served.server.host}:${served.server.port}`;
  };

  const enter = async (url: string, user = '', seed = user || 'a'): Promise<Client> => {
    const client = connect({ url }, user, { room: ROOM, generation: 0, seed });
    await client.settled();
    return client;
  };

  const path = (): string => join(folder, `${DOC_ID}.ychat`);
  const read = async (): Promise<string[]> => {
    const opened = await openChatFile(path(), { readOnly: true });
    if (!opened.ok) throw new Error(opened.code);
    const { chat } = opened.file;
    await opened.file.close();
    return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
  };

  it('[SV17] ✗ an editor writes in the roots that are named, in no other, and its text is in the file', async () => {
    for (const [others, root, isTaken] of [
      [undefined, 'text', false],
      [['text'], 'text', true],
      [['text'], 'elsewhere', false],
      ['any', 'elsewhere', true],
    ] as const) {
      const url = await serve(others === undefined ? {} : { others });
      const ada = await enter(url);
      ada.chat.createThread({ created_by: 'ada' });
      ada.doc.getText(root).insert(0, 'of an editor');
      if (isTaken) {
        await ada.settled();
        const opened = await openChatFile(path(), { readOnly: true });
        if (!opened.ok) throw new Error(opened.code);
        expect(opened.file.doc.getText(root).toString()).toBe('of an editor');
        await opened.file.close();
        const bob = await enter(url, '', 'b');
        expect(bob.doc.getText(root).toString()).toBe('of an editor');
        expect(bob.chat.threads()).toHaveLength(1);
      } else {
        await until(() => ada.refusals.length > 0);
        expect(ada.refusals[0]).toMatchObject({ code: 'unknown_root' });
      }
      await closeAll();
      await server?.close();
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
  });

  it('[SV1] a new room gets a file with its first update, and is served again after a restart', async () => {
    const url = await serve();
    const ada = await enter(url);
    expect(await readdir(folder)).toEqual([]);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'first' });
    await ada.settled();
    expect(await read()).toEqual(['first']);
    const bob = await enter(url, '', 'b');
    bob.chat.send({ thread_id, sender_id: 'bob', content: 'second' });
    await bob.settled();
    expect(server?.count()).toMatchObject({ documents: 1, connections: 2 });
    await server?.close();
    await closeAll();
    const again = await enter(await serve(), '', 'c');
    expect(again.chat.messages(thread_id).map(({ content }) => content)).toEqual(['first', 'second']);
    expect(await readdir(folder)).toEqual([`${DOC_ID}.ychat`]);
  });

  it('[SV2] while the disk fails nothing is said to be saved; afterwards all of it is', async () => {
    let isFull = false;
    const { fileSystem } = nodeFileEnvironment;
    const environment: FileEnvironment = {
      ...nodeFileEnvironment,
      fileSystem: {
        ...fileSystem,
        open: async (name, flags) => {
          const handle = await fileSystem.open(name, flags);
          const write = handle.write.bind(handle);
          handle.write = (...bytes) =>
            isFull ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : write(...bytes);
          return handle;
        },
      },
    };
    const url = await serve({ environment });
    const ada = await enter(url);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    await ada.settled();
    isFull = true;
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'on a full disk' });
    const bob = connect({ url }, '', { room: ROOM, generation: 0, seed: 'b' });
    await until(() => bob.chat.messages(thread_id).length === 1);
    expect(ada.provider.unsyncedChanges).toBeGreaterThan(0);
    expect(await read()).toEqual([]);
    isFull = false;
    await ada.settled();
    expect(await read()).toEqual(['on a full disk']);
  });

  it('[SV9] what a client writes reaches the others when it is on the disk', async () => {
    const { fileSystem } = nodeFileEnvironment;
    const environment: FileEnvironment = {
      ...nodeFileEnvironment,
      fileSystem: {
        ...fileSystem,
        open: async (name, flags) => {
          const handle = await fileSystem.open(name, flags);
          const write = handle.write.bind(handle);
          handle.write = (...bytes) => sleep(50).then(() => write(...bytes));
          return handle;
        },
      },
    };
    const url = await serve({ environment });
    const ada = await enter(url);
    const bob = await enter(url, '', 'b');
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    await ada.settled();
    await until(() => bob.chat.thread(thread_id) !== undefined);
    const isOnDisk: boolean[] = [];
    bob.chat.subscribe(() => isOnDisk.push(readFileSync(path()).includes('of a slow disk')));
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'of a slow disk' });
    await until(() => bob.chat.messages(thread_id).length === 1);
    expect(isOnDisk).toEqual([true]);
  });

  it('[SV4] nobody is let in without a token, and users write in their own name', async () => {
    const url = await serve({ token: 'common', users: { ada: 'of ada' } });
    const stranger = connect({ url }, 'wrong', { room: ROOM, generation: 0 });
    const reasons: string[] = [];
    stranger.provider.on('authenticationFailed', ({ reason }: { reason: string }) => reasons.push(reason));
    await until(() => reasons.length > 0);
    expect(reasons[0]).toBe('wrong token');
    const ada = connect({ url }, 'of ada', { room: ROOM, generation: 0 });
    await ada.settled();
    ada.chat.createThread({ created_by: 'ada' });
    await until(() => ada.refusals.length > 0);
    // Her lanes are headed by the token here: no name but `ada` may stand there.
    expect(ada.refusals[0]).toMatchObject({ reset: 'reset' });
    const anybody = await enter(url, 'common');
    expect(anybody.refusals).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('[SV16] without a token a page of another origin is not let in, unless it is listed', async () => {
    const tryFrom = (url: string, origin: string | undefined): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, origin === undefined ? {} : { origin });
        socket.on('open', () => {
          socket.terminate();
          resolve(true);
        });
        socket.on('error', () => resolve(false));
      });
    const listed = 'https://edit.example.org';
    const local = ['http://localhost:5173', 'http://127.0.0.1', 'https://[::1]:8443', undefined];
    const foreign = [
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
    ];
    const open = await serve({ origins: [listed] });
    for (const origin of [...local, listed]) expect(await tryFrom(open, origin)).toBe(true);
    for (const origin of foreign) expect(await tryFrom(open, origin)).toBe(false);
    await server?.close();
    const closed = await serve({ token: 'secret' });
    for (const origin of foreign) expect(await tryFrom(closed, origin)).toBe(true);
  });

  it('[SV4] a socket that talks before it has said who it is is closed', async () => {
    const url = await serve({ token: 'common' });
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const name = Buffer.from(ROOM);
    for (let n = 0; n < 3; n += 1) {
      socket.send(Buffer.concat([Buffer.from([name.length]), name, Buffer.alloc(40_000)]));
    }
    expect(await closed).toBe(1009);
  });

  it('[SV5] a compaction by another process moves the clients, and loses nothing', async () => {
    const url = await serve();
    const ada = await enter(url);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'before' });
    await ada.settled();
    const opened = await openChatFile(path());
    if (!opened.ok) throw new Error(opened.code);
    const compacted = await opened.file.compact();
    if (!compacted.ok) throw new Error(compacted.code);
    await compacted.file.close();
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'to the old room' });
    await until(() => ada.refusals.length > 0);
    const room = roomName(DOC_ID, 1);
    expect(ada.refusals[0]).toEqual({ code: 'moved', reset: 'move', room });
    await until(() => ada.closes.length > 0);
    expect(await read()).toEqual(['before', 'to the old room']);
    const moved = connect({ url }, '', { room, generation: 1, seed: 'moved' });
    await moved.settled();
    expect(moved.chat.messages(thread_id)).toHaveLength(2);
    // Who comes late to the old room is told, too.
    const late = connect({ url }, '', { room: ROOM, generation: 0, seed: 'late' });
    await until(() => late.refusals.length > 0);
    expect(late.refusals[0]).toEqual({ code: 'moved', reset: 'move', room });
  });

  it('[SV6] it listens on loopback, and says why it cannot', async () => {
    await serve();
    expect(server?.host).toBe('127.0.0.1');
    const { port } = server as ChatServer;
    expect(await serveFolder({ directory: folder, port })).toEqual({ ok: false, code: 'port_taken' });
    expect(await serveFolder({ directory: join(folder, 'none'), port: 0 })).toMatchObject({
      code: 'not_found',
    });
    const host = 'no.such.host.invalid';
    expect(await serveFolder({ directory: folder, port: 0, host })).toEqual({
      ok: false,
      code: 'no_such_host',
    });
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426);
  });

  it('[SV8] no client brings back a document that was rolled back', async () => {
    const url = await serve();
    const ada = await enter(url);
    ada.chat.createThread({ created_by: 'ada' });
    await ada.settled();
    await server?.close();
    await closeAll();
    const kept = `${path()}.rolled-back-0`;
    await rename(path(), kept);
    const again = connect({ url: await serve() }, '', {
      room: ROOM,
      generation: 0,
      doc: ada.doc,
      seed: 'again',
    });
    await until(() => again.refusals.length > 0);
    expect(again.refusals[0]).toEqual({ code: 'moved', reset: 'move', room: roomName(DOC_ID, 1) });
    expect(await readdir(folder)).toEqual([`${DOC_ID}.ychat.rolled-back-0`]);
  });

  it('[SV7] a damaged document is served for reading', async () => {
    let url = await serve();
    const ada = await enter(url);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    await ada.settled();
    for (const content of ['one', 'two']) {
      ada.chat.send({ thread_id, sender_id: 'ada', content });
      await ada.settled();
    }
    await server?.close();
    await closeAll();
    const file = await nodeFileEnvironment.fileSystem.open(path(), 'r+');
    const { size } = await file.stat();
    // A byte of the payload of the second to last frame.
    await file.write(new Uint8Array([0]), 0, 1, size - 400);
    await file.close();
    url = await serve();
    const reader = await enter(url, '', 'reader');
    expect(reader.chat.threads()).toHaveLength(1);
    reader.chat.send({ thread_id, sender_id: 'bob', content: 'not taken' });
    const raw = await RawClient.open({ url }, '', ROOM);
    await raw.flush();
    expect(reader.provider.unsyncedChanges).toBeGreaterThan(0);
    const other = await enter(url, '', 'other');
    expect(other.chat.messages(thread_id).some(({ content }) => content === 'not taken')).toBe(false);
  });
});
