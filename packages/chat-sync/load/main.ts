import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { deriveUlid } from '@chatdoc/schema/internal';
import { openChatFile } from '../src/file/index.js';
import { roomName } from '../src/index.js';
import { type Client, connect } from './clients.js';

/**
 * Many clients write through a real `chatdoc serve`, which is killed with signal 9 in the middle of it. Afterwards
 * every message that was confirmed must stand in the files, and be served again.
 *
 *   npx -y pnpm@10 --filter @chatdoc/sync load [--clients 200] [--rooms 20] [--seconds 60] [--think 400]
 */
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    rooms: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
    think: { type: 'string', default: '400' },
  },
});
const [clientCount, roomCount, seconds, think] = [
  values.clients,
  values.rooms,
  values.seconds,
  values.think,
].map(Number) as [number, number, number, number];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const bin = new URL('../../chat-cli/src/bin.ts', import.meta.url).pathname;

async function startServer(
  directory: string,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const flags = ['--conditions=@chatdoc/source', '--import', 'tsx'];
  const child = spawn(process.execPath, [...flags, bin, 'serve', directory, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const url = /ws:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) return { child, url };
  }
  throw new Error('the server did not start');
}

async function waitUntil(what: string, isDone: () => boolean, limitMs: number): Promise<void> {
  for (let waited = 0; !isDone(); waited += 50) {
    if (waited > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(50);
  }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const directory = await mkdtemp(join(tmpdir(), 'chatdoc-load-'));
let server = await startServer(directory);
const rooms = Array.from({ length: roomCount }, (_, i) => ({
  doc_id: deriveUlid(Date.now(), 'load', i),
  thread_id: '',
}));
console.log(`${clientCount} clients in ${roomCount} rooms, ${seconds} s, pause ${think} ms, then kill -9`);
const clients: Client[] = [];
for (let i = 0; i < clientCount; i += 1) {
  const { doc_id } = rooms[i % roomCount] as (typeof rooms)[number];
  clients.push(connect(server.url, roomName(doc_id, 0), `client-${i}`));
}
await waitUntil('connecting', () => clients.every((client) => client.isSynced()), 60_000);
for (const [i, room] of rooms.entries()) {
  const client = clients[i] as Client;
  room.thread_id = client.chat.createThread({ created_by: client.name, name: `room ${i}` }).thread_id;
}
await sleep(1000);

let isOver = false;
const start = performance.now();
const work = clients.map(async (client, i) => {
  const { thread_id } = rooms[i % roomCount] as (typeof rooms)[number];
  for (let n = 0; !isOver; n += 1) {
    await sleep(Math.random() * 2 * think);
    if (isOver) return;
    if (
      !(await client.say(thread_id, `message ${n} of ${client.name}, with some words as people write them`))
    )
      return;
  }
});
for (let second = 10; second <= seconds; second += 10) {
  await sleep(10_000);
  const sent = clients.reduce((sum, { confirmed }) => sum + confirmed.length, 0);
  console.log(`${String(second).padStart(4)} s  ${sent} messages confirmed`);
}
// In the middle of everybody's writing.
server.child.kill('SIGKILL');
isOver = true;
await Promise.race([Promise.all(work), sleep(3000)]);
const elapsed = (performance.now() - start) / 1000;
const confirmed = new Map(rooms.map(({ doc_id }) => [doc_id, new Set<string>()]));
for (const [i, client] of clients.entries()) {
  const { doc_id } = rooms[i % roomCount] as (typeof rooms)[number];
  for (const id of client.confirmed) confirmed.get(doc_id)?.add(id);
}
for (const client of clients) client.close();

let lost = 0;
let total = 0;
let torn = 0;
for (const name of await readdir(directory)) {
  if (!name.endsWith('.ychat')) continue;
  const opened = await openChatFile(join(directory, name), { readOnly: true });
  if (!opened.ok) throw new Error(`${name}: ${opened.code}`);
  const { chat, doc_id } = opened.file;
  if (opened.file.opened.torn_bytes > 0) torn += 1;
  for (const id of confirmed.get(doc_id) ?? []) {
    total += 1;
    if (chat.message(id) === undefined) lost += 1;
  }
  await opened.file.close();
}
server = await startServer(directory);
const readers = rooms.map(({ doc_id }, i) => connect(server.url, roomName(doc_id, 0), `reader-${i}`));
await waitUntil('reading again', () => readers.every((reader) => reader.isSynced()), 30_000);
let unserved = 0;
for (const [i, { doc_id }] of rooms.entries()) {
  for (const id of confirmed.get(doc_id) ?? []) {
    if (readers[i]?.chat.message(id) === undefined) unserved += 1;
  }
}
for (const reader of readers) reader.close();
server.child.kill('SIGINT');
await new Promise((resolve) => server.child.once('exit', resolve));
await rm(directory, { recursive: true });

const delays = clients.flatMap((client) => client.delays).sort((a, b) => a - b);
const expected = [...confirmed.values()].reduce((sum, ids) => sum + ids.size, 0);
console.log(`confirmed            ${expected} messages, ${(expected / elapsed).toFixed(0)} a second`);
console.log(
  `from send to saved   p50 ${quantile(delays, 0.5).toFixed(1)} ms, p99 ${quantile(delays, 0.99).toFixed(1)} ms`,
);
console.log(
  `after kill -9        ${lost} of ${total} lost in the files (${torn} with an unfinished write), ${unserved} not served again`,
);
if (lost > 0 || unserved > 0 || total !== expected) {
  console.log('FAILED');
  process.exitCode = 1;
}
// The providers of clients whose server was killed go on looking for it.
process.exit();
