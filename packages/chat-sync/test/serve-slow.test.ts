import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEncoder, toUint8Array, writeVarString, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { createChatFile } from '../src/file/index.js';
import { roomName } from '../src/generation/room.js';
import { type ChatServer, type ServeOptions, serveFolder } from '../src/server/index.js';
import { type Client, closeAll, connect } from './hostile-server.js';
import { DOC_ID } from './hostile-world.js';

const ROOM = roomName(DOC_ID, 0);
const KB = 1024;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

let folder: string;
let server: ChatServer;
let thread_id: string;
let size: number;
/** The most that waited for clients at any moment. */
let most: number;
let watching: NodeJS.Timeout;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-sync-slow-'));
  const created = await createChatFile(join(folder, 'team.ychat'), { doc_id: DOC_ID, flush: 'manual' });
  if (!created.ok) throw new Error(created.code);
  const { chat, doc } = created.file;
  ({ thread_id } = chat.createThread({ created_by: 'ada' }));
  for (let n = 0; n < 12; n += 1) chat.send({ thread_id, sender_id: 'ada', content: 'x'.repeat(20 * KB) });
  size = Y.encodeStateAsUpdate(doc).length;
  await created.file.close();
});

afterEach(async () => {
  clearInterval(watching);
  for (const socket of sockets.splice(0)) socket.terminate();
  await closeAll();
  await server.close();
  await rm(folder, { recursive: true });
});

async function serve(options: Partial<ServeOptions> = {}): Promise<string> {
  const served = await serveFolder({ directory: folder, port: 0, ...options });
  if (!served.ok) throw new Error(served.code);
  server = served.server;
  most = 0;
  watching = setInterval(() => {
    most = Math.max(most, server.count().pending);
  }, 1);
  return `ws://127.0.0.1:${server.port}`;
}

function enter(url: string, seed: string): Client {
  return connect({ url }, '', { room: ROOM, generation: 0, seed });
}

/** A socket that has given its token; `answers`: states that it got. */
async function openRaw(url: string, room = ROOM): Promise<{ socket: WebSocket; answers: () => number }> {
  const socket = new WebSocket(url);
  sockets.push(socket);
  socket.on('error', () => undefined);
  let answers = 0;
  let isIn = false;
  socket.on('message', (data: Buffer) => {
    isIn = true;
    if (data.length > size / 2) answers += 1;
  });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(
    message(room, 2, (encoder) => {
      writeVarUint(encoder, 0);
      writeVarString(encoder, '');
    }),
  );
  await until(() => isIn);
  return { socket, answers: () => answers };
}

function message(
  room: string,
  type: number,
  write: (encoder: ReturnType<typeof createEncoder>) => void,
): Uint8Array {
  const encoder = createEncoder();
  writeVarString(encoder, room);
  writeVarUint(encoder, type);
  write(encoder);
  return toUint8Array(encoder);
}

const ASK = message(ROOM, 0, (encoder) => {
  writeVarUint(encoder, 0);
  writeVarUint8Array(encoder, Y.encodeStateVector(new Y.Doc()));
});

/** What the library of websockets keeps of a socket that is not read. */
const pause = (socket: WebSocket): void => socket.pause();

describe('a client that does not read', () => {
  it('[SV15] and asks for all 400 times gets a few answers, and costs the server one or two', async () => {
    const url = await serve();
    const { socket, answers } = await openRaw(url);
    pause(socket);
    for (let n = 0; n < 400; n += 1) socket.send(ASK);
    const ada = enter(url, 'a');
    await until(() => ada.chat.messages(thread_id).length === 12);
    socket.resume();
    await until(() => answers() > 0 && server.count().pending === 0);
    socket.send(ASK);
    await until(() => server.count().pending === 0);
    expect(answers()).toBeLessThanOrEqual(20);
    expect(most).toBeLessThanOrEqual(3 * size + 1024 * KB);
  });

  it('[SV15] on many connections costs no more in all, and honest clients are served', async () => {
    const url = await serve({ maxPending: 2 * size });
    for (let n = 0; n < 12; n += 1) {
      const { socket } = await openRaw(url);
      pause(socket);
      for (let ask = 0; ask < 20; ask += 1) socket.send(ASK);
    }
    await until(() => server.count().pending > 0);
    for (const socket of sockets.splice(0)) socket.terminate();
    const ada = enter(url, 'a');
    await until(() => ada.chat.messages(thread_id).length === 12);
    expect(most).toBeLessThanOrEqual(3 * size + 1024 * KB);
  });

  it('[SV15] while others write much costs a bounded amount, and gets all of it once it reads', async () => {
    const url = await serve();
    const ada = enter(url, 'a');
    await until(() => ada.provider.isSynced);
    const bob = enter(url, 'b');
    await until(() => bob.chat.messages(thread_id).length === 12);
    const { webSocket } = bob.provider.configuration.websocketProvider as unknown as { webSocket: WebSocket };
    pause(webSocket);
    for (let n = 0; n < 150; n += 1) {
      ada.chat.send({ thread_id, sender_id: 'eve', content: `${n} ${'y'.repeat(40 * KB)}` });
      if (n % 20 === 0) await until(() => ada.provider.unsyncedChanges === 0);
    }
    await until(() => ada.provider.unsyncedChanges === 0);
    expect(most).toBeLessThanOrEqual(2 * 1024 * KB);
    webSocket.resume();
    await until(() => bob.chat.messages(thread_id).length === 162);
    expect(bob.chat.digest()).toBe(ada.chat.digest());
  });

  it('[SV15] costs no more by the presence of others', async () => {
    const url = await serve();
    const { socket } = await openRaw(url);
    pause(socket);
    const ada = enter(url, 'a');
    await until(() => ada.provider.isSynced);
    for (let n = 0; n < 600; n += 1) {
      ada.provider.awareness?.setLocalStateField('note', `${n} ${'z'.repeat(12 * KB)}`);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    ada.chat.send({ thread_id, sender_id: 'eve', content: 'after' });
    await until(() => ada.provider.unsyncedChanges === 0);
    expect(most).toBeLessThanOrEqual(2 * 1024 * KB);
  });

  it('[SV15] may have a thousand rooms on one socket, and no more', async () => {
    const url = await serve();
    const { socket } = await openRaw(url);
    let code = 0;
    socket.on('close', (closed: number) => {
      code = closed;
    });
    for (let n = 0; n < 1100; n += 1) {
      socket.send(
        message(`${DOC_ID}.${n + 1}`, 2, (encoder) => {
          writeVarUint(encoder, 0);
          writeVarString(encoder, '');
        }),
      );
    }
    await until(() => code !== 0);
    expect(code).toBe(1008);
    const ada = enter(url, 'a');
    await until(() => ada.chat.messages(thread_id).length === 12);
  });
});

describe('many that come back at once', () => {
  it('[SV15] are all answered, one after the other where there is no room for all', async () => {
    const url = await serve({ maxPending: size });
    const clients = Array.from({ length: 6 }, (_, n) => enter(url, `c${n}`));
    for (const client of clients) await until(() => client.chat.messages(thread_id).length === 12);
    expect(clients.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(most).toBeLessThanOrEqual(3 * size);
  });
});
