import type { Chat } from '@chatdoc/schema';
import { writeVarString, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { parseRoom, roomName } from '../src/generation/room.js';
import { decodeRefusal } from '../src/server/refusal.js';
import { closeAll, connect, type Hub, openHub, RawClient, ROOM, until } from './hostile-server.js';
import {
  createServer,
  DOC_ID,
  findLane,
  forge,
  forgeLane,
  GENERATION,
  headerLine,
  idAt,
  Member,
} from './hostile-world.js';

beforeEach(() => {
  // Hocuspocus prints every connection that it closes.
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(async () => {
  await closeAll();
  vi.restoreAllMocks();
});

function say(client: { readonly chat: Chat }, content: string): void {
  const sender_id = client.chat.threads()[0]?.created_by ?? 'ada';
  const { thread_id } = client.chat.threads()[0] ?? client.chat.createThread({ created_by: sender_id });
  client.chat.send({ thread_id, sender_id, content });
}

/** Ada with a thread and a message, all of it saved. */
async function withAda(hub: Hub): Promise<ReturnType<typeof connect>> {
  const ada = connect(hub, 'ada');
  await ada.settled();
  say(ada, 'of ada');
  await ada.settled();
  return ada;
}

describe('rooms', () => {
  it('[HP1] are named <doc_id>.<generation>, in one way only', () => {
    expect(parseRoom(roomName(DOC_ID, 7))).toEqual({ doc_id: DOC_ID, generation: 7 });
    for (const name of [
      '',
      DOC_ID,
      `${DOC_ID}.`,
      `${DOC_ID}.07`,
      `${DOC_ID}.-1`,
      `${DOC_ID}.1.1`,
      `${DOC_ID}.4294967296`,
    ])
      expect(parseRoom(name), name).toBeUndefined();
    expect(parseRoom(`${DOC_ID.toLowerCase()}.1`)).toBeUndefined();
    for (const generation of [-1, 0.5, 2 ** 32])
      expect(() => roomName(DOC_ID, generation)).toThrow('generation');
    expect(() => roomName('x', 1)).toThrow('doc_id');
  });

  it('[HP2] of an older generation stay closed, and the client is told where to go', async () => {
    const hub = await openHub({ currentGeneration: async () => GENERATION + 1 });
    const client = connect(hub, 'ada');
    await until(() => client.refusals.length > 0);
    expect(client.refusals).toEqual([
      { code: 'moved', reset: 'move', room: roomName(DOC_ID, GENERATION + 1) },
    ]);
    expect(hub.hocuspocus.documents.size).toBe(0);
    const there = connect(hub, 'ada', { room: roomName(DOC_ID, GENERATION + 1), seed: 'there' });
    await there.settled();
    expect(there.refusals).toEqual([]);
  });

  it('[HP2] with another name stay closed', async () => {
    const hub = await openHub();
    const client = connect(hub, 'ada', { room: 'lobby' });
    await until(() => client.refusals.length > 0);
    expect(client.refusals).toEqual([{ code: 'room', reset: 'reset' }]);
    expect(hub.hocuspocus.documents.size).toBe(0);
  });

  it('[HP2] that move while clients are there send them on', async () => {
    const hub = await openHub();
    const ada = await withAda(hub);
    hub.extension.moveClients(hub.document(), roomName(DOC_ID, GENERATION + 1));
    await until(() => ada.closes.length > 0);
    expect(ada.refusals).toEqual([{ code: 'moved', reset: 'move', room: roomName(DOC_ID, GENERATION + 1) }]);
    expect(ada.closes).toEqual(['refused: moved']);
  });
});

describe('refusals', () => {
  it('[HP3] the client is told before its document is closed; others go on; a fresh copy may come back', async () => {
    const hub = await openHub();
    const ada = await withAda(hub);
    const mallory = connect(hub, 'mallory');
    await mallory.settled();
    const before = hub.chat().digest();
    const { key } = findLane(mallory.doc, 'of ada');
    (mallory.doc.getMap('chat').get(key) as Y.Text).delete(0, 20);
    await until(() => mallory.closes.length > 0);
    expect(mallory.refusals).toEqual([{ code: 'deletion', reset: 'reset' }]);
    expect(mallory.closes).toEqual(['refused: deletion']);
    expect(hub.chat().digest()).toBe(before);
    mallory.disconnect();
    say(ada, 'goes on');
    await ada.settled();
    const fresh = connect(hub, 'mallory', { seed: 'fresh' });
    await fresh.settled();
    expect(fresh.chat.digest()).toBe(ada.chat.digest());
    expect(fresh.refusals).toEqual([]);
    // What was refused comes again as the answer to a sync, and is refused again.
    const back = connect(hub, 'mallory', { seed: 'back', doc: mallory.doc });
    await until(() => back.refusals.length > 0);
    expect(back.refusals).toMatchObject([{ code: 'deletion' }]);
    expect(hub.chat().digest()).toBe(ada.chat.digest());
  });

  it('[HP3] reads a refusal from its message alone', () => {
    const text = JSON.stringify({ type: 'chatdoc/refused', code: 'gap', reset: 'resync', more: 1 });
    expect(decodeRefusal(text)).toEqual({ code: 'gap', reset: 'resync' });
    for (const other of [
      undefined,
      1,
      'hello',
      '{"type":"chatdoc/refused"',
      '{"type":"chatdoc/refused","code":1}',
    ]) {
      expect(decodeRefusal(other)).toBeUndefined();
    }
    expect(decodeRefusal('{"type":"chatdoc/refused","code":"x","reset":"y"}')).toBeUndefined();
  });
});

describe('order', () => {
  it('[HP4] messages of one connection that come together are judged as if each waited for the one before', async () => {
    const hub = await openHub();
    const raw = await RawClient.open(hub, 'ada');
    const ada = new Member(createServer(), 'writer', 'ada');
    const updates = ada.outbox;
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    const part = ada.chat.openMessage({ thread_id, sender_id: 'ada' }).openPart();
    for (let n = 0; n < 200; n += 1) part.append(`${n} `);
    for (const update of updates) raw.sendUpdate(update);
    await until(() => raw.acks() === updates.length);
    expect(raw.heard.some(({ type }) => type === 7)).toBe(false);
    expect(hub.chat().digest()).toBe(ada.chat.digest());
  });

  it('[HP4] two connections that set one key at once: one has it, the other is refused', async () => {
    const hub = await openHub();
    const raws = [await RawClient.open(hub, 'ada'), await RawClient.open(hub, 'bob')];
    const lane_id = idAt(0, 'raced');
    const users = ['ada', 'bob'];
    raws.forEach((raw, at) => {
      const user = users[at] as string;
      const header = headerLine({ lane_id, user_id: user, writer: user });
      raw.sendUpdate(forge(new Y.Doc(), (map) => map.set(lane_id, new Y.Text(`${header}\n`))));
    });
    for (const raw of raws) await until(() => raw.acks() > 0 || raw.heard.some(({ type }) => type === 7));
    const codes = raws.flatMap(({ heard }) => heard.filter(({ type }) => type === 7).map(({ text }) => text));
    expect(codes).toEqual(['refused: key_taken']);
    expect(hub.chat().report().foreign).toEqual([]);
    expect(hub.document().getMap('chat').size).toBe(1);
  });

  it('[HP4] nothing that comes behind a refused message is taken, also if it came at once', async () => {
    const hub = await openHub();
    await RawClient.open(hub, 'bob'); // who keeps the document open
    const raw = await RawClient.open(hub, 'mallory');
    raw.sendUpdate(forgeLane(new Y.Doc(), 'ada', []));
    raw.sendUpdate(forgeLane(new Y.Doc(), 'mallory', []));
    expect((await raw.refusal()).reason).toBe('refused: user');
    expect(hub.document().getMap('chat').size).toBe(0);
    expect(raw.acks()).toBe(0);
  });

  it('[HP4] what an extension before it refuses is not applied', async () => {
    const refusing = { beforeHandleMessage: async () => Promise.reject({ code: 1, reason: 'no' }) };
    const hub = await openHub({}, [refusing]);
    await RawClient.open(hub, 'bob'); // who keeps the document open
    const raw = await RawClient.open(hub, 'ada');
    raw.sendUpdate(forgeLane(new Y.Doc(), 'ada', []));
    await until(() => raw.heard.some(({ type }) => type === 7));
    expect(hub.document().getMap('chat').size).toBe(0);
  });
});

describe('saved', () => {
  it('[HP5] is said of what is in the document, once for each update, and of nothing else', async () => {
    const hub = await openHub();
    const raw = await RawClient.open(hub, 'ada');
    const update = forgeLane(new Y.Doc(), 'ada', []);
    raw.sendUpdate(update);
    await raw.flush();
    expect(raw.acks()).toBe(1);
    raw.sendUpdate(update, 1);
    await raw.flush();
    expect(raw.acks()).toBe(2);
    for (const bad of [
      update.slice(0, -3),
      new Uint8Array([1, 2, 3]),
      v2(update),
      new Uint8Array([...update, ...update]),
    ]) {
      const liar = await RawClient.open(hub, 'ada');
      liar.sendUpdate(bad);
      expect((await liar.refusal()).refusal).toMatchObject({ type: 'chatdoc/refused', reset: 'reset' });
      expect(liar.acks()).toBe(0);
    }
  });

  it('[HP9] what lacks its start is asked for, and said to be saved when it is', async () => {
    const hub = await openHub();
    const ada = new Member(createServer(), 'writer', 'ada');
    const { doc, outbox: updates } = ada;
    say(ada, '1');
    for (const text of ['2', '3', '4']) say(ada, text);
    const raw = await RawClient.open(hub, 'ada');
    for (const update of updates.slice(1)) raw.sendUpdate(update);
    await until(() => raw.heard.length > 1);
    const asked = raw.heard.filter(({ type, number }) => type === 0 && number === 0);
    await raw.flush();
    expect(asked).toHaveLength(1);
    expect(raw.heard.filter(({ type, number }) => type === 0 && number === 0)).toHaveLength(2);
    expect(raw.acks()).toBe(0);
    expect(hub.document().store.pendingStructs).toBeNull();
    raw.sendUpdate(Y.encodeStateAsUpdate(doc, asked[0]?.bytes), 1);
    await raw.flush();
    expect(raw.acks()).toBe(updates.length);
    expect(hub.chat().digest()).toBe(ada.chat.digest());
  });

  it('[HP9] a client whose answers always lack something is sent away', async () => {
    const hub = await openHub();
    const raw = await RawClient.open(hub, 'ada');
    const doc = new Y.Doc();
    doc.getMap('chat').set('a', 1);
    const state = Y.encodeStateVector(doc);
    doc.getMap('chat').set('a', 2);
    for (let n = 0; n < 4; n += 1) raw.sendUpdate(Y.encodeStateAsUpdate(doc, state), 1);
    expect(await raw.refusal()).toMatchObject({ refusal: { code: 'gap', reset: 'resync' } });
    expect(raw.acks()).toBe(0);
  });

  it('[HP9] a client that lacks what another is about to bring stays while others write', async () => {
    const hub = await openHub();
    const phone = new Member(createServer(), 'writer', 'ada');
    const laptop = connect(hub, 'ada');
    await laptop.settled();
    const { outbox } = phone;
    for (const text of ['1', '2']) say(phone, text);
    const raw = await RawClient.open(hub, 'ada');
    // Each answer lacks the start, as when several come back at once and the disk is slow.
    for (let round = 0; round < 12; round += 1) {
      say(laptop, `${round}`);
      await laptop.settled();
      raw.sendUpdate(outbox.at(-1) as Uint8Array, 1);
      await raw.flush();
    }
    raw.sendUpdate(Y.encodeStateAsUpdate(phone.doc), 1);
    await raw.flush();
    expect(raw.acks()).toBe(1);
    await until(() => hub.chat().digest() === laptop.chat.digest());
    const texts = hub
      .chat()
      .threads()
      .flatMap(({ thread_id }) => hub.chat().messages(thread_id));
    expect(texts.map(({ content }) => content)).toEqual(expect.arrayContaining(['1', '2', '0', '11']));
  });
});

function v2(update: Uint8Array): Uint8Array {
  return Y.convertUpdateFormatV1ToV2(update);
}

describe('messages', () => {
  const bad: Readonly<Record<string, (raw: RawClient) => void>> = {
    'a broadcast': (raw) => raw.send(6, (encoder) => writeVarString(encoder, 'to all')),
    'an unknown type': (raw) => raw.send(99, () => {}),
    'a status': (raw) => raw.send(8, (encoder) => writeVarUint(encoder, 1)),
    'an unknown step': (raw) => raw.sendUpdate(new Uint8Array([0, 0]), 3 as never),
    'a message that ends too early': (raw) => raw.send(0, (encoder) => writeVarUint(encoder, 2)),
    'bytes behind a message': (raw) =>
      raw.send(0, (encoder) => {
        writeVarUint(encoder, 2);
        writeVarUint8Array(encoder, new Uint8Array([0, 0]));
        writeVarUint(encoder, 0);
      }),
    'a state vector of a million clients': (raw) =>
      raw.send(0, (encoder) => {
        writeVarUint(encoder, 0);
        writeVarUint8Array(encoder, new Uint8Array([0xc0, 0x84, 0x3d]));
      }),
    'an update under another type that ends too early': (raw) =>
      raw.send(4, (encoder) => writeVarUint(encoder, 1)),
  };
  for (const [what, send] of Object.entries(bad)) {
    it(`[HP6] ${what} from a client is refused`, async () => {
      const hub = await openHub();
      const other = await RawClient.open(hub, 'bob');
      const raw = await RawClient.open(hub, 'mallory');
      send(raw);
      expect(await raw.refusal()).toMatchObject({
        refusal: { code: 'message', reset: 'reset' },
        reason: 'refused: message',
      });
      await other.flush();
      expect(other.heard.filter(({ type }) => type === 5)).toEqual([]);
    });
  }

  it('[HP6] stateless messages and questions pass', async () => {
    const heard: string[] = [];
    const hub = await openHub({}, [{ onStateless: async ({ payload }) => void heard.push(payload) }]);
    const raw = await RawClient.open(hub, 'ada');
    raw.send(5, (encoder) => writeVarString(encoder, 'hello'));
    raw.send(3, () => {});
    await raw.flush();
    expect(heard).toEqual(['hello']);
    raw.send(7, () => {});
    await until(() => raw.heard.some(({ type, text }) => type === 7 && text === 'provider_initiated'));
  });

  it('[HP7] of a connection that may only read: nothing is applied, nor said to be saved', async () => {
    const hub = await openHub();
    const ada = await withAda(hub);
    const raw = await RawClient.open(hub, 'reader!');
    const before = hub.chat().digest();
    raw.sendUpdate(forgeLane(new Y.Doc(), 'reader', []));
    raw.sendUpdate(forgeLane(new Y.Doc(), 'reader', []), 1);
    await raw.flush();
    expect(raw.heard.filter(({ type }) => type === 8).map(({ number }) => number)).toEqual([0, 0]);
    expect(hub.chat().digest()).toBe(before);
    raw.sendUpdate(new Uint8Array([1, 0, 0, 0]), 1);
    expect((await raw.refusal()).reason).toBe('refused: malformed');
    expect(ada.refusals).toEqual([]);
  });
});

describe('awareness', () => {
  const states = (hub: Hub): unknown => Object.fromEntries(hub.document().awareness.getStates());

  it('[HP8] each connection shows one state, its own; those of others are left out and refused to nobody', async () => {
    const hub = await openHub();
    const ada = await RawClient.open(hub, 'ada');
    const bob = await RawClient.open(hub, 'bob');
    ada.sendAwareness([[11, 1, { name: 'ada' }]]);
    await ada.flush();
    bob.sendAwareness([
      [11, 9, { name: 'forged' }],
      [22, 1, { name: 'bob' }],
      [33, 1, { name: 'second' }],
    ]);
    bob.sendAwareness([[11, 9, null]]);
    await bob.flush();
    expect(states(hub)).toEqual({ 11: { name: 'ada' }, 22: { name: 'bob' } });
    ada.sendAwareness([[11, 2, { name: 'ada again' }]]);
    await ada.flush();
    expect(states(hub)).toMatchObject({ 11: { name: 'ada again' } });
    ada.sendAwareness([[11, 3, null]]);
    await ada.flush();
    expect(states(hub)).toEqual({ 22: { name: 'bob' } });
    expect([...ada.heard, ...bob.heard].some(({ type }) => type === 7)).toBe(false);
  });

  it('[HP8] states that are no objects, or too large, are left out', async () => {
    const hub = await openHub();
    const raw = await RawClient.open(hub, 'ada');
    for (const state of ['1', '"text"', '[1]', '{', `{"a":"${'x'.repeat(17_000)}"}`, '{"__proto__":{}}']) {
      raw.sendAwareness([[11, 1, state]]);
    }
    raw.send(1, (encoder) => writeVarUint8Array(encoder, new Uint8Array([200])));
    await raw.flush();
    expect(states(hub)).toEqual({});
    expect(raw.heard.some(({ type }) => type === 7)).toBe(false);
    raw.sendAwareness([[11, 1, { fine: true }]]);
    await raw.flush();
    expect(states(hub)).toEqual({ 11: { fine: true } });
  });

  it('[HP8] a document shows a bounded number of states', async () => {
    const hub = await openHub({ awareness: { states: 2 } });
    const raws = [];
    for (const user of ['a', 'b', 'c']) {
      const raw = await RawClient.open(hub, user);
      raw.sendAwareness([[10 + raws.length, 1, { user }]]);
      await raw.flush();
      raws.push(raw);
    }
    expect(Object.keys(states(hub) as object)).toEqual(['10', '11']);
  });

  it('[HP8] who has left leaves no trace, and an echo of it does not take its place', async () => {
    const hub = await openHub();
    const stay = await RawClient.open(hub, 'bob');
    const raw = await RawClient.open(hub, 'ada');
    raw.sendAwareness([[11, 5, { name: 'ada' }]]);
    await raw.flush();
    raw.send(7, () => {});
    await until(() => !hub.document().awareness.states.has(11));
    expect(hub.document().awareness.meta.has(11)).toBe(false);
    stay.sendAwareness([[11, 5, { name: 'ada' }]]);
    await stay.flush();
    expect(states(hub)).toEqual({});
    const again = await RawClient.open(hub, 'ada');
    again.sendAwareness([[11, 5, { name: 'ada' }]]);
    await again.flush();
    expect(states(hub)).toEqual({ 11: { name: 'ada' } });
  });

  it('[HP8] nobody shows a state under the clientID of a lane', async () => {
    const hub = await openHub();
    await withAda(hub);
    const { client } = findLane(hub.document(), 'of ada');
    const raw = await RawClient.open(hub, 'mallory');
    raw.sendAwareness([[client, 1, { name: 'x' }]]);
    await raw.flush();
    expect(states(hub)).not.toHaveProperty(String(client));
  });

  it('[HP8] providers, which echo what they hear, see each other', async () => {
    const hub = await openHub();
    const clients = ['ada', 'bob', 'cy'].map((user) => connect(hub, user));
    for (const client of clients) await client.settled();
    for (const [at, { provider }] of clients.entries()) provider.setAwarenessField('name', at);
    for (const { provider } of clients) {
      const { awareness } = provider as { awareness: Awareness };
      await until(
        () =>
          [...awareness.getStates().values()]
            .map(({ name }) => name)
            .sort()
            .join() === '0,1,2',
      );
    }
    clients[0]?.disconnect();
    for (const { provider } of clients.slice(1))
      await until(() => provider.awareness?.getStates().size === 2);
    for (const { refusals } of clients) expect(refusals).toEqual([]);
  });
});

describe('sessions', () => {
  it('[HP10] clients write, go offline, come back, and go on in their lanes after the server has restarted', async () => {
    const first = await openHub();
    const ada = await withAda(first);
    const bob = connect(first, 'bob');
    await bob.settled();
    const thread_id = bob.chat.threads()[0]?.thread_id ?? '';
    const attempt = bob.chat.openMessage({ thread_id, sender_id: 'bob' });
    const part = attempt.openPart();
    part.append('half ');
    await bob.settled();
    for (const client of [ada, bob]) client.disconnect();
    await first.close();
    say(ada, 'written offline');
    part.append('an answer');
    const second = await openHub({}, [], first.stored);
    const back = [
      connect(second, 'ada', { seed: 'x', doc: ada.doc }),
      connect(second, 'bob', { seed: 'y', doc: bob.doc }),
    ];
    for (const client of back) await client.settled();
    attempt.finish({ finish_reason: 'stop' });
    say(ada, 'and online');
    for (const client of back) await client.settled();
    await until(() => ada.chat.digest() === bob.chat.digest());
    expect(second.chat().digest()).toBe(ada.chat.digest());
    expect(second.chat().message(attempt.message_id)?.content).toBe('half an answer');
    for (const { refusals } of back) expect(refusals).toEqual([]);
    expect(forge(second.document(), (map) => map.size).length).toBeGreaterThan(0);
  });

  it('[HP10] who is not authenticated goes on in its lanes, and nobody else while it is there', async () => {
    const hub = await openHub();
    const doc = new Y.Doc();
    const one = connect(hub, '', { seed: 'one', doc });
    await one.settled();
    say(one, 'of nobody');
    await one.settled();
    const raw = await RawClient.open(hub, '');
    const { key, client, text } = findLane(hub.document(), 'of nobody');
    raw.sendUpdate(
      forge(hub.document(), (map) => (map.get(key) as Y.Text).insert(text.length, '{"type":"x"}\n'), client),
    );
    expect((await raw.refusal()).reason).toBe('refused: foreign_client');
    one.disconnect();
    await until(() => hub.document()?.getConnectionsCount() !== 1);
    const again = connect(hub, '', { seed: 'again', doc });
    await again.settled();
    say(one, 'more');
    await again.settled();
    expect(again.refusals).toEqual([]);
    expect(ROOM).toBe(again.provider.configuration.name);
  });
});
