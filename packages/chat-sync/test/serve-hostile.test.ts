import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type Bundle, bundle } from '../../../tools/bundle.js';
import { readDocument } from '../src/file/read-document.js';
import { roomName } from '../src/generation/room.js';
import { BOMBS } from './bombs.js';
import { type Client, closeAll, connect, RawClient, until } from './hostile-server.js';
import { DOC_ID, forgeLane, laneTexts } from './hostile-world.js';

/** Of the server: so many for each byte, for each message, and for what else comes. */
const STEPS_PER_BYTE = 10;
const STEPS_PER_MESSAGE = 5_000;
const STEPS = 50_000;
const MEMORY = 64 * 1024 * 1024;
const ROOM = roomName(DOC_ID, 0);

interface Cost {
  /** Since it was last asked. */
  readonly steps: number;
  /** Heap and buffers after a garbage collection, in bytes. */
  readonly held: number;
}

describe('a served folder among hostile clients', () => {
  let folder: string;
  let program: Bundle;
  let child: ChildProcess;
  let url: string;
  let ada: Client;
  let thread_id: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-sync-serve-'));
    program = await bundle(new URL('./serve-child.ts', import.meta.url));
    child = fork(program.file, [folder], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    [{ url }] = (await once(child, 'message')) as [{ url: string }];
    ada = connect({ url }, 'ada', { room: ROOM, generation: 0 });
    await ada.settled();
    ({ thread_id } = ada.chat.createThread({ created_by: 'ada' }));
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'before' });
    await ada.settled();
  });

  afterAll(async () => {
    await closeAll();
    child.disconnect();
    await once(child, 'exit');
    program.remove();
    await rm(folder, { recursive: true });
  });

  const measure = async (): Promise<Cost> => {
    child.send('measure');
    return ((await once(child, 'message')) as [Cost])[0];
  };

  /** Peak of the child's memory since the last call, above what it takes now. */
  const resetPeak = (): Promise<void> => writeFile(`/proc/${child.pid}/clear_refs`, '5');
  const readMemory = async (name: 'VmHWM' | 'VmRSS'): Promise<number> => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  };

  /** What `send` costs the server, and that ada goes on beside it. */
  async function attack(send: (eve: RawClient) => void): Promise<{ steps: number; peak: number }> {
    const eve = await RawClient.open({ url }, 'eve', ROOM);
    const digest = ada.chat.digest();
    const before = await measure();
    await resetPeak();
    const rss = await readMemory('VmRSS');
    send(eve);
    await eve.flush();
    const peak = (await readMemory('VmHWM')) - rss;
    const after = await measure();
    expect(after.held - before.held, 'memory that stays').toBeLessThan(MEMORY / 4);
    expect(ada.chat.digest()).toBe(digest);
    const { message_id } = ada.chat.send({ thread_id, sender_id: 'ada', content: 'goes on' });
    await ada.settled();
    expect(ada.refusals).toEqual([]);
    expect(ada.chat.message(message_id)?.content).toBe('goes on');
    return { steps: after.steps, peak };
  }

  /** The least memory of eight: collections come when they like. */
  async function expectCheap(send: (eve: RawClient) => void, limit: number): Promise<void> {
    let peak = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 8 && peak > MEMORY; n += 1) {
      const cost = await attack(send);
      expect(cost.steps).toBeLessThanOrEqual(limit);
      peak = Math.min(peak, cost.peak);
    }
    expect(peak).toBeLessThanOrEqual(MEMORY);
  }

  for (const { name, build, framed } of BOMBS.filter((bomb) => bomb.framed !== true)) {
    it(`[SV3] ${name}: changes nothing, costs little, and honest clients go on`, async () => {
      expect(framed).toBeUndefined();
      const updates = build();
      const bytes = updates.reduce((sum, { length }) => sum + length, 0);
      await expectCheap(
        (eve) => {
          for (const update of updates) eve.sendUpdate(update);
        },
        STEPS_PER_BYTE * bytes + STEPS_PER_MESSAGE * updates.length + STEPS,
      );
    });
  }

  const honest = (): Y.Doc => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(ada.doc));
    return doc;
  };
  const changed = (change: (doc: Y.Doc, texts: ReturnType<typeof laneTexts>) => void): Uint8Array => {
    const doc = honest();
    const before = Y.encodeStateVector(doc);
    change(doc, laneTexts(doc));
    return Y.encodeStateAsUpdate(doc, before);
  };
  const FORGERIES: Readonly<Record<string, () => Uint8Array>> = {
    'text in the lane of another': () =>
      changed((doc, [lane]) => (doc.getMap('chat').get(lane?.key ?? '') as Y.Text).insert(5, 'mine')),
    'text of another, in her clientID': () =>
      changed((doc, [lane]) => {
        doc.clientID = lane?.client ?? 0;
        (doc.getMap('chat').get(lane?.key ?? '') as Y.Text).insert(lane?.text.length ?? 0, '{"type":"x"}\n');
      }),
    'the lane of another, deleted': () =>
      changed((doc, [lane]) => doc.getMap('chat').delete(lane?.key ?? '')),
    'the lane of another, replaced': () =>
      changed((doc, [lane]) => doc.getMap('chat').set(lane?.key ?? '', new Y.Text('gone\n'))),
    'characters of another, deleted': () =>
      changed((doc, [lane]) => (doc.getMap('chat').get(lane?.key ?? '') as Y.Text).delete(10, 20)),
    'a lane in the name of another': () => forgeLane(honest(), 'ada', [], { generation: 0 }),
    'another root': () => changed((doc) => doc.getMap('elsewhere').set('a', 1)),
  };
  for (const [name, build] of Object.entries(FORGERIES)) {
    for (const step of [1, 2] as const) {
      it(`[SV3] ${name}, as ${step === 1 ? 'an answer to a sync' : 'an update'}: refused`, async () => {
        const update = build();
        const digest = ada.chat.digest();
        const eve = await RawClient.open({ url }, 'eve', ROOM);
        eve.sendUpdate(update, step);
        const { refusal } = await eve.refusal();
        expect(refusal).toMatchObject({ type: 'chatdoc/refused', reset: 'reset' });
        expect(eve.acks()).toBe(0);
        expect(ada.chat.digest()).toBe(digest);
      });
    }
  }

  it('[SV1] what the attacks left is in the file, and nothing of theirs', async () => {
    await ada.settled();
    const read = readDocument(new Uint8Array(await readFile(join(folder, `${DOC_ID}.ychat`))));
    if (!read.ok) throw new Error(read.code);
    await until(() => read.chat.digest() === ada.chat.digest());
    expect([...read.doc.share.keys()]).toEqual(['chat']);
    expect(read.chat.messages(thread_id).every(({ sender_id }) => sender_id === 'ada')).toBe(true);
  });
});
