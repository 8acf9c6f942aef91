import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { type ConnectionFacts, deriveState } from '../src/client/connection-state.js';
import { type Connection, type ConnectOptions, connect } from '../src/client/index.js';
import { compactChat } from '../src/generation/generation.js';
import { roomName } from '../src/generation/room.js';
import { MemoryMedium, memoryStorage } from '../src/storage/memory-storage.js';
import { closeAll, type Hub, openHub, ROOM, until } from './hostile-server.js';
import { createEnvironment, DOC_ID, GENERATION, MINUTE, runs, START } from './hostile-world.js';

const connections: Connection[] = [];

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  await closeAll();
});

let seeds = 0;

function join(hub: Pick<Hub, 'url'>, user_id: string, options: Partial<ConnectOptions> = {}): Connection {
  seeds += 1;
  const connection = connect({
    url: hub.url,
    doc_id: DOC_ID,
    generation: GENERATION,
    user: { user_id },
    token: () => user_id,
    environment: createEnvironment(`${user_id} ${seeds}`),
    tabs: false,
    WebSocket,
    ...options,
  });
  connections.push(connection);
  return connection;
}

const isSaved = ({ status }: Connection): boolean => status.state === 'saved';
const saved = (...all: Connection[]): Promise<void> => until(() => all.every(isSaved));
const textsOf = (chat: Chat): string[] =>
  chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content ?? ''))
    .sort();

/** A document of bob's that is on the server, and in it ada. */
async function createWorld(options: Partial<ConnectOptions> = {}, hubOptions = {}) {
  const hub = await openHub(hubOptions);
  const bob = join(hub, 'bob');
  await saved(bob);
  const { thread_id } = bob.chat.createThread({ created_by: 'bob' });
  bob.chat.send({ thread_id, sender_id: 'bob', content: 'of bob' });
  await saved(bob);
  const ada = join(hub, 'ada', options);
  await saved(ada);
  const say = (content: string, sender_id = 'ada') => ada.chat.send({ thread_id, sender_id, content });
  return { hub, bob, ada, thread_id, say };
}

const statesOf = (connection: Connection): string[] => {
  const states: string[] = [connection.status.state];
  connection.subscribe(() => {
    const { state } = connection.status;
    if (states.at(-1) !== state) states.push(state);
  });
  return states;
};

describe('a connection', () => {
  it('[CN1] its state derives from facts alone', () => {
    const facts: fc.Arbitrary<ConnectionFacts> = fc.record({
      isClosed: fc.boolean(),
      isRebuilding: fc.boolean(),
      isRefused: fc.boolean(),
      storage: fc.option(
        fc.record({ phase: fc.constantFrom('loading', 'open', 'read_only', 'closed'), unsaved: fc.nat(2) }),
      ),
      network: fc.constantFrom('none', 'connecting', 'offline', 'open', 'synced', 'denied'),
      unsent: fc.nat(2),
    });
    const met = new Set<string>();
    fc.assert(
      fc.property(facts, (each) => {
        const { storage, network, unsent } = each;
        const open = unsent + (storage?.unsaved ?? 0);
        // Each state by all that it takes, apart from the code.
        const rows: readonly (readonly [string, boolean])[] = [
          ['closed', each.isClosed],
          ['denied', each.isRebuilding && network === 'denied'],
          ['rebuilding', each.isRebuilding],
          ['refused', each.isRefused],
          ['loading', storage?.phase === 'loading'],
          ['denied', network === 'denied'],
          ['connecting', network === 'connecting'],
          ['offline', network === 'offline'],
          ['syncing', network === 'open'],
          ['saved', network === 'synced' ? open === 0 : (storage?.unsaved ?? 0) === 0],
          ['synced', true],
        ];
        const state = deriveState(each);
        met.add(state);
        expect(state).toBe(rows.find(([, isSo]) => isSo)?.[0]);
      }),
      runs(3_000),
    );
    expect(met.size).toBe(10);
  });

  it('[CN2] goes from connecting to saved, and a write is unconfirmed in the same tick', async () => {
    const { bob, ada, say } = await createWorld();
    const states = statesOf(ada);
    say('of ada');
    expect(ada.status).toMatchObject({ state: 'synced', loaded: true, refusal: null });
    expect(ada.status.unsent).toBeGreaterThan(0);
    await saved(ada);
    expect(states).toEqual(['saved', 'synced', 'saved']);
    await until(() => textsOf(bob.chat).length === 2);
    expect(ada.status).toBe(ada.status);
    expect(ada.presence?.peers().map(({ user_id }) => user_id)).toContain('bob');
    expect(await ada.close()).toEqual({ ok: true, unsaved: 0, unsent: 0 });
    expect(ada.status.state).toBe('closed');
  });

  it('[CN3] works offline, after a reload too, and brings it all when the server is there again', async () => {
    const medium = new MemoryMedium();
    const storage = (name: string) => memoryStorage({ name, medium });
    const { hub, bob, ada, thread_id, say } = await createWorld({ storage });
    say('online');
    await saved(ada, bob);
    await hub.close();
    await until(() => ada.status.state === 'offline');
    say('offline');
    expect((await ada.flush()).ok).toBe(true);
    await ada.close();
    const again = join(hub, 'ada', { storage });
    expect(again.status).toMatchObject({ state: 'loading', loaded: false });
    await again.ready;
    expect(again.status.loaded).toBe(true);
    expect(textsOf(again.chat)).toEqual(['of bob', 'offline', 'online']);
    again.chat.send({ thread_id, sender_id: 'ada', content: 'after a reload' });
    await again.close();
    const next = await openHub({}, [], hub.stored);
    const [back, other] = [join(next, 'ada', { storage }), join(next, 'bob')];
    await saved(back);
    await until(() => textsOf(other.chat).length === 4);
    expect(textsOf(other.chat)).toEqual(['after a reload', 'of bob', 'offline', 'online']);
  });

  it('[CN4] a token that is not taken is denied, and retry asks for another', async () => {
    const hub = await openHub({}, [
      {
        onAuthenticate: async ({ token }: { token: string }) => {
          if (token === 'wrong') throw Object.assign(new Error('no'), { reason: 'wrong token' });
        },
      },
    ]);
    let token = 'wrong';
    const ada = join(hub, 'ada', { token: async () => token });
    await until(() => ada.status.state === 'denied');
    ada.chat.createThread({ created_by: 'ada' });
    token = 'ada';
    ada.retry();
    await saved(ada);
    expect(hub.chat().threads()).toHaveLength(1);
    expect(ada.status.epoch).toBe(0);
  });

  it('[CN5] ✗ after a refusal it moves to a fresh copy by itself, with all that was not sent', async () => {
    const medium = new MemoryMedium();
    const { hub, bob, ada, thread_id, say } = await createWorld({
      storage: (name) => memoryStorage({ name, medium }),
    });
    say('confirmed');
    await saved(ada);
    const { doc } = ada;
    const states = statesOf(ada);
    // Something that no gate takes, and behind it what she writes.
    (doc.getMap('chat') as Y.Map<unknown>).set('no lane', 7);
    say('behind it');
    await until(() => ada.status.epoch === 1 && isSaved(ada));
    expect(states).toContain('rebuilding');
    expect(ada.doc).not.toBe(doc);
    await until(() => textsOf(bob.chat).includes('behind it'));
    expect(textsOf(ada.chat)).toEqual(['behind it', 'confirmed', 'of bob']);
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'goes on' });
    await saved(ada);
    await ada.flush();
    await ada.close();
    // What was refused is not in the storage any more.
    const again = join(hub, 'ada', { storage: (name) => memoryStorage({ name, medium }) });
    await saved(again);
    expect(again.doc.getMap('chat').get('no lane')).toBeUndefined();
    expect(textsOf(again.chat)).toEqual(['behind it', 'confirmed', 'goes on', 'of bob']);
    expect(again.status.epoch).toBe(0);
  });

  it('[CN6] ✗ what would be refused again waits for a person, who keeps it or leaves it out', async () => {
    const { hub, ada, say } = await createWorld();
    say('in the name of bob', 'bob');
    say('own');
    await until(() => ada.status.state === 'refused');
    expect(ada.status).toMatchObject({ epoch: 0, refusal: { code: 'author', reset: 'reset' } });
    say('while it waits');
    const kept = await ada.rebuild();
    expect(kept.refused?.code).toBe('author');
    expect(ada.status).toMatchObject({ state: 'refused', epoch: 0 });
    expect(textsOf(ada.chat)).toContain('while it waits');
    const { left, lines, stale } = await ada.rebuild({ keep: false });
    expect({ left, lines }).toEqual({ left: 3, lines: 0 });
    await saved(ada);
    expect(ada.status).toMatchObject({ epoch: 1, refusal: null });
    expect(textsOf(ada.chat)).toEqual(['of bob']);
    // All of it is still there to be said again.
    expect(textsOf(stale)).toEqual(['in the name of bob', 'of bob', 'own', 'while it waits']);
    expect(textsOf(hub.chat())).toEqual(['of bob']);
  });

  it('[CN7] ✗ lines of a clock that was ahead come in under new stamps, once the clock is right', async () => {
    const clock = { ahead: 60 * MINUTE };
    const right = createEnvironment('clock');
    const environment: Environment = { ...right, now: () => right.now() + clock.ahead };
    const { hub, ada, thread_id, say } = await createWorld({ environment });
    const first = say('an hour ahead');
    ada.chat.send({
      thread_id,
      sender_id: 'ada',
      content: 'and a reply',
      reply_to_message_id: first.message_id,
    });
    await until(() => ada.status.state === 'refused');
    // Which line, and by how much: here the header of the lane that she writes.
    expect(ada.status.refusal).toMatchObject({
      code: 'future_stamp',
      entry: { type: 'lane' },
    });
    expect(ada.status.refusal?.ahead_ms).toBeGreaterThan(50 * MINUTE);
    clock.ahead = 0;
    expect((await ada.rebuild()).refused?.code).toBe('future_stamp');
    const rebuilt = await ada.rebuild({ restamp: true });
    expect(rebuilt).toMatchObject({ lines: 2, left: 0 });
    await saved(ada);
    const [of, ahead, reply] = hub.chat().messages(thread_id);
    expect([of?.content, ahead?.content, reply?.content]).toEqual(['of bob', 'an hour ahead', 'and a reply']);
    expect(reply?.reply_to_message_id).toBe(ahead?.message_id);
    expect(Date.parse(reply?.date ?? '')).toBeLessThanOrEqual(START + 10 * MINUTE);
    expect((await ada.rebuild({ restamp: true })).lines).toBe(0);
    expect(hub.chat().messageCount(thread_id)).toBe(3);
  });

  it('[CN8] ✗ a room that has moved on is followed, with what was written in the old one', async () => {
    const medium = new Map<string, MemoryMedium>();
    const storage = (name: string) => {
      const of = medium.get(name) ?? new MemoryMedium();
      medium.set(name, of);
      return memoryStorage({ name, medium: of });
    };
    const { hub, ada, bob, say } = await createWorld({ storage });
    say('before');
    await saved(ada, bob);
    const compacted = compactChat(hub.chat(), { generation: GENERATION + 1 });
    const bytes = Y.encodeStateAsUpdate(compacted.doc);
    await hub.close();
    await until(() => ada.status.state === 'offline');
    say('while it moved');
    await ada.close();
    const next = roomName(DOC_ID, GENERATION + 1);
    const moved = await openHub({ currentGeneration: () => GENERATION + 1 }, [], new Map([[next, bytes]]));
    const back = join(moved, 'ada', { storage });
    await until(() => back.status.room === next && isSaved(back));
    expect(textsOf(back.chat)).toEqual(['before', 'of bob', 'while it moved']);
    expect(textsOf(moved.chat(next))).toEqual(['before', 'of bob', 'while it moved']);
    expect(back.chat.generation).toBe(GENERATION + 1);
  });

  it('[CN9] with roots of an editor it asks, unless the app says how to carry them over', async () => {
    const spoil = ({ doc }: Connection): void => {
      doc.getText('notes').insert(0, 'unsent text');
      doc.getMap('chat').set('no lane', 7);
    };
    const { ada } = await createWorld({ others: ['notes'] }, { others: ['notes'] });
    spoil(ada);
    await until(() => ada.status.state === 'refused');
    const carry = (from: Y.Doc, to: Y.Doc): void => {
      const [mine, theirs] = [from.getText('notes').toString(), to.getText('notes')];
      if (theirs.toString() !== mine) theirs.insert(theirs.length, mine);
    };
    const { ada: other, hub } = await createWorld({ others: ['notes'], carry }, { others: ['notes'] });
    spoil(other);
    await until(() => other.status.epoch === 1 && isSaved(other));
    expect(hub.document(ROOM).getText('notes').toString()).toBe('unsent text');
  });

  it('[CN10] tabs keep each other in step, also without a server, through the door', async () => {
    const offline = { url: 'ws://127.0.0.1:1' };
    const [one, two] = [join(offline, 'ada', { tabs: true }), join(offline, 'ada', { tabs: true })];
    const { thread_id } = one.chat.createThread({ created_by: 'ada' });
    one.chat.send({ thread_id, sender_id: 'ada', content: 'in one' });
    await until(() => textsOf(two.chat).length === 1);
    two.chat.send({ thread_id, sender_id: 'ada', content: 'in the other' });
    await until(() => textsOf(one.chat).length === 2);
    const late = join(offline, 'ada', { tabs: true });
    await until(() => textsOf(late.chat).length === 2);
    const channel = new BroadcastChannel(`chatdoc ${ROOM}`);
    for (const data of [{ frame: new Uint8Array([1, 2, 3]) }, { frame: new Uint8Array(0) }]) {
      channel.postMessage(data);
    }
    channel.close();
    one.chat.send({ thread_id, sender_id: 'ada', content: 'after noise' });
    await until(() => textsOf(late.chat).length === 3);
    expect(one.chat.digest()).toBe(late.chat.digest());
  });

  it('[CN11] without a server the document is on the device, and saved when the storage has it', async () => {
    const medium = new MemoryMedium();
    const local: ConnectOptions = {
      doc_id: DOC_ID,
      user: { user_id: 'ada' },
      storage: (name) => memoryStorage({ name, medium }),
      environment: createEnvironment('local'),
    };
    const ada = connect(local);
    connections.push(ada);
    await ada.ready;
    ada.chat.createThread({ created_by: 'ada' });
    expect(ada.status.state).toBe('synced');
    await until(() => isSaved(ada));
    expect(ada.presence).toBeUndefined();
    await ada.close();
    const again = connect(local);
    connections.push(again);
    await again.ready;
    expect(again.chat.threads()).toHaveLength(1);
  });

  it('[CN12] ✗ what is written while a refusal waits is unsent, also for who closes', async () => {
    const { ada, say } = await createWorld();
    say('in the name of bob', 'bob');
    await until(() => ada.status.state === 'refused');
    const { unsent } = ada.status;
    say('while it waits');
    expect(ada.status.unsent).toBeGreaterThan(unsent);
    const closed = await ada.close();
    expect(closed.ok).toBe(false);
    expect(closed.unsent).toBeGreaterThan(unsent);
  });

  it('[CN13] ✗ a token that is not taken during a rebuild is denied, and retry goes on with it', async () => {
    const hub = await openHub({}, [
      {
        onAuthenticate: async ({ token }: { token: string }) => {
          if (token === 'wrong') throw Object.assign(new Error('no'), { reason: 'wrong token' });
        },
      },
    ]);
    let token = 'ada';
    const ada = join(hub, 'ada', { token: async () => token });
    await saved(ada);
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    ada.chat.send({ thread_id, sender_id: 'bob', content: 'in the name of bob' });
    await until(() => ada.status.state === 'refused');
    token = 'wrong';
    const rebuilt = ada.rebuild({ keep: false });
    await until(() => ada.status.state === 'denied');
    token = 'ada';
    ada.retry();
    expect((await rebuilt).refused).toBeUndefined();
    await saved(ada);
    expect(ada.status).toMatchObject({ epoch: 1, refusal: null });
  });

  it('[CN14] a rebuild without a server, or after the end, is refused at once', async () => {
    const ada = connect({
      doc_id: DOC_ID,
      user: { user_id: 'ada' },
      environment: createEnvironment('alone'),
    });
    await expect(ada.rebuild()).rejects.toMatchObject({ code: 'invalid_argument' });
    ada.chat.createThread({ created_by: 'ada' });
    await ada.close();
    await expect(ada.rebuild()).rejects.toMatchObject({ code: 'closed' });
  });

  it('[CN15] ✗ another tab brings nothing back that was refused and left out', async () => {
    const { hub, ada, thread_id, say } = await createWorld({ tabs: true });
    const tab = join(hub, 'ada', { tabs: true });
    await saved(tab);
    say('in the name of bob', 'bob');
    await until(() => ada.status.state === 'refused' && tab.status.state === 'refused');
    for (const each of [ada, tab]) {
      expect((await each.rebuild({ keep: false })).refused).toBeUndefined();
      await saved(each);
      expect(textsOf(each.chat)).toEqual(['of bob']);
    }
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'goes on' });
    await until(() => textsOf(tab.chat).length === 2);
    await saved(ada, tab);
    expect([ada.status.epoch, tab.status.epoch]).toEqual([1, 1]);
  });

  it('[CN16] ✗ a rebuild leaves in the storage what another tab has put there', async () => {
    const medium = new MemoryMedium();
    const storage = (name: string) => memoryStorage({ name, medium });
    const { hub, ada, thread_id, say } = await createWorld({ storage });
    const tab = new Y.Doc();
    Y.applyUpdate(tab, Y.encodeStateAsUpdate(ada.doc));
    say('in the name of bob', 'bob');
    await until(() => ada.status.state === 'refused');
    await ada.flush();
    const updates: Uint8Array[] = [];
    tab.on('update', (update: Uint8Array) => updates.push(update));
    openChat(tab, { user_id: 'ada', generation: GENERATION, environment: createEnvironment('tab') }).send({
      thread_id,
      sender_id: 'ada',
      content: 'of another tab',
    });
    expect((await storage(ROOM).append(updates)).ok).toBe(true);
    await ada.rebuild({ keep: false });
    await saved(ada);
    await ada.close();
    const again = join(hub, 'ada', { storage });
    await saved(again);
    expect(textsOf(again.chat)).toEqual(['of another tab', 'of bob']);
  });

  it('[CN17] ✗ tabs that hold a gap do not ask each other for ever', async () => {
    const doc = new Y.Doc();
    const source = openChat(doc, { generation: GENERATION, environment: createEnvironment('gap') });
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    const { thread_id } = source.createThread({ created_by: 'ada' });
    source.send({ thread_id, sender_id: 'ada', content: 'one' });
    source.send({ thread_id, sender_id: 'ada', content: 'two' });
    const offline = { url: 'ws://127.0.0.1:1' };
    const [one, two] = [join(offline, 'ada', { tabs: true }), join(offline, 'ada', { tabs: true })];
    // As a server's answer that lacks something would come in.
    for (const each of [one, two]) Y.applyUpdate(each.doc, updates.at(-1) as Uint8Array);
    one.chat.createThread({ created_by: 'ada' });
    await until(() => two.chat.threads().length === 1);
    const channel = new BroadcastChannel(`chatdoc ${ROOM}`);
    let asked = 0;
    let answered = 0;
    channel.onmessage = ({ data }: MessageEvent<object>) => {
      if ('vector' in data) asked += 1;
      else answered += 1;
    };
    join(offline, 'ada', { tabs: true });
    await until(() => answered >= 2);
    for (const due of [5, 8, 11]) {
      channel.postMessage({ vector: Y.encodeStateVector(doc) });
      await until(() => answered >= due);
    }
    expect({ asked, answered }).toEqual({ asked: 1, answered: 11 });
    channel.close();
  });
});
