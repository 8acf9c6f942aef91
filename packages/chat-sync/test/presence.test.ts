import { ChatDocError, openChat } from '@chatdoc/schema';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { openPresence } from '../src/presence/presence.js';
import { createRoom, encodeStates, idOf, namesOf, type Person, type Room, stateOf } from './presence-room.js';

// Before lib0 keeps a reference to its function.
const { wall } = await vi.hoisted(() => import('./wall-clock.js'));

const DAY = 24 * 3_600_000;
const LEASE = 30_000;
const thread = idOf('thread');
const attempt = idOf('attempt');

let room: Room;
let ada: Person;
let bob: Person;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  wall.time = 1_800_000_000_000;
  room = createRoom();
  ada = room.join('ada');
  bob = room.join('bob');
});

afterEach(() => {
  room.close();
  vi.useRealTimers();
  wall.time = undefined;
});

/** Both clocks go on together; the checks of y-protocols run, too. */
function pass(milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= 1_000) {
    const step = Math.min(left, 1_000);
    wall.time = Date.now() + step;
    room.timers.advance(step);
    vi.advanceTimersByTime(step);
  }
}

describe('who is here', () => {
  it('[PR1] each sees the others and not itself, by user and clientID', () => {
    const second = room.join('bob');
    expect(namesOf(ada)).toEqual(['bob', 'bob']);
    expect(namesOf(bob)).toEqual(['ada', 'bob']);
    expect(ada.presence.peers().map(({ client_id }) => client_id)).toEqual([
      bob.awareness.clientID,
      second.presence.clientId,
    ]);
  });

  it('[PR1] a peer shows name, colour, thread and attempts', () => {
    const late = room.visit(7);
    const user = { user_id: 'cleo', name: 'Cléo', color: '#f00' };
    const presence = openPresence(late, { user, timers: room.timers });
    presence.setTyping(thread);
    presence.setAttempts([attempt, idOf('another'), attempt]);
    const expected = { client_id: 7, ...user, typing: thread, attempts: [idOf('another'), attempt].sort() };
    expect(ada.presence.peers().find(({ user_id }) => user_id === 'cleo')).toEqual(expected);
    presence.close();
  });

  it('[PR1] one that opens later sees those that are there', () => {
    ada.presence.setTyping(thread);
    expect(room.join('cleo').presence.peers()[0]).toMatchObject({ user_id: 'ada', typing: thread });
  });

  it('[PR2] a snapshot is frozen, and the same until something in it changes', () => {
    const cleo = room.join('cleo');
    const before = ada.presence.peers();
    const attempts = ada.presence.liveAttempts();
    pass(2 * LEASE);
    bob.awareness.setLocalStateField('cursor', 3);
    expect(ada.presence.peers()).toBe(before);
    expect(ada.presence.liveAttempts()).toBe(attempts);
    bob.presence.setTyping(thread);
    const after = ada.presence.peers();
    expect(after).not.toBe(before);
    expect(after[1]).toBe(before[1]);
    expect(ada.presence.liveAttempts()).toBe(attempts);
    for (const value of [after, after[0], after[0]?.attempts, attempts])
      expect(value).toSatisfy(Object.isFrozen);
    expect(after[1]?.client_id).toBe(cleo.presence.clientId);
  });

  it('[PR2] subscribers are called when something changes, and at no other time', () => {
    const seen: string[] = [];
    const end = ada.presence.subscribe(() => seen.push(JSON.stringify(ada.presence.peers()[0]?.typing)));
    pass(LEASE);
    expect(seen).toEqual([]);
    bob.presence.setTyping(thread);
    bob.presence.setTyping(thread);
    bob.presence.setTyping(null);
    end();
    bob.presence.setTyping(thread);
    expect(seen).toEqual([JSON.stringify(thread), 'null']);
  });

  it('[PR3] live attempts are those of everybody here, ours included, each once and in order', () => {
    const cleo = room.join('cleo');
    ada.presence.addAttempt(attempt);
    bob.presence.setAttempts([attempt, idOf('b')]);
    cleo.presence.addAttempt(idOf('c'));
    cleo.presence.addAttempt(idOf('d'));
    cleo.presence.removeAttempt(idOf('d'));
    const expected = [attempt, idOf('b'), idOf('c')].sort();
    for (const { presence } of [ada, bob, cleo]) expect(presence.liveAttempts()).toEqual(expected);
    bob.presence.setAttempts([]);
    ada.presence.removeAttempt(attempt);
    expect(bob.presence.liveAttempts()).toEqual([idOf('c')]);
  });

  it('[PR4] presence writes nothing into the document', () => {
    const chat = openChat(ada.doc);
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const bytes = Y.encodeStateAsUpdate(ada.doc);
    let transactions = 0;
    ada.doc.on('afterTransaction', () => {
      transactions += 1;
    });
    ada.presence.setTyping(thread_id);
    bob.presence.addAttempt(attempt);
    pass(3_600_000);
    expect(namesOf(ada)).toEqual(['bob']);
    expect(transactions).toBe(0);
    expect(Y.encodeStateAsUpdate(ada.doc)).toEqual(bytes);
    chat.close();
  });

  it('[PR4] nobody speaks more often than three times in a lease while nothing changes', () => {
    const before = room.sent;
    pass(10 * LEASE);
    expect(room.sent - before).toBeLessThanOrEqual(60);
    expect(room.sent - before).toBeGreaterThan(50);
  });

  it('[PR5] wrong arguments throw, name the argument, and show nothing', () => {
    const calls: [() => void, string][] = [
      [() => ada.presence.setTyping('secret'), 'typing'],
      [() => ada.presence.setTyping(undefined as never), 'typing'],
      [() => ada.presence.addAttempt('secret'), 'attempts.0'],
      [() => ada.presence.setAttempts(Array.from({ length: 257 }, (_, i) => idOf(`${i}`))), 'attempts'],
      [() => openPresence(room.visit(8), { user: { user_id: '' } }), 'user.user_id'],
      [() => openPresence(ada.awareness, { user: { user_id: 'ada' } }), 'awareness'],
    ];
    for (const [call, path] of calls) {
      expect(call).toThrow(ChatDocError);
      expect(call).toThrow(`At ${path}: `);
      expect(call).not.toThrow('secret');
      expect(call).toThrow(expect.objectContaining({ code: 'invalid_argument', path }));
    }
    expect(bob.presence.peers()[0]).toMatchObject({ typing: null, attempts: [] });
  });

  it('[PR6] a closed presence is gone at once, leaves the rest of the state, and sets no timer', () => {
    ada.awareness.setLocalStateField('cursor', 3);
    const other = room.timers.pending;
    ada.presence.close();
    ada.presence.close();
    expect(room.timers.pending).toBe(other - 1);
    expect(namesOf(bob)).toEqual([]);
    expect(ada.awareness.getLocalState()).toEqual({ cursor: 3 });
    expect(() => ada.presence.setTyping(thread)).toThrow(expect.objectContaining({ code: 'not_open' }));
    expect(namesOf(ada)).toEqual(['bob']);
    const again = openPresence(ada.awareness, { user: { user_id: 'ada' }, timers: room.timers });
    expect(namesOf(bob)).toEqual(['ada']);
    again.close();
  });

  it('[PR6] a destroyed awareness ends its presence', () => {
    const other = room.timers.pending;
    ada.awareness.destroy();
    expect(room.timers.pending).toBe(other - 1);
    expect(namesOf(bob)).toEqual([]);
    expect(() => ada.presence.addAttempt(attempt)).toThrow(expect.objectContaining({ code: 'not_open' }));
  });

  it('[PR7] the state of the embedder stays, and a state that it replaces shows us again', () => {
    ada.awareness.setLocalState({ cursor: 3 });
    expect(namesOf(bob)).toEqual(['ada']);
    ada.presence.setTyping(thread);
    expect(bob.awareness.states.get(ada.awareness.clientID)).toMatchObject({ cursor: 3 });
    expect(bob.presence.peers()[0]?.typing).toBe(thread);
  });

  it('[PR7] a state that the embedder sets to null stays so, until it sets another', () => {
    ada.awareness.setLocalState(null);
    expect(namesOf(bob)).toEqual([]);
    ada.presence.addAttempt(attempt);
    pass(2 * LEASE);
    expect(namesOf(bob)).toEqual([]);
    expect(bob.presence.liveAttempts()).toEqual([]);
    ada.awareness.setLocalState({});
    expect(bob.presence.liveAttempts()).toEqual([attempt]);
  });

  it('[PR7] a state that a provider takes away comes back with the next renewal', () => {
    removeAwarenessStates(ada.awareness, [ada.awareness.clientID], 'page hide');
    expect(namesOf(bob)).toEqual([]);
    pass(LEASE / 3 + 1_000);
    expect(namesOf(bob)).toEqual(['ada']);
  });
});

describe('liveness', () => {
  it('[PR8] a peer that was not heard for a lease is gone, and subscribers hear of it in time', () => {
    bob.presence.addAttempt(attempt);
    pass(500);
    room.connected = false;
    let calls = 0;
    ada.presence.subscribe(() => {
      calls += 1;
    });
    pass(LEASE / 2);
    expect(ada.presence.liveAttempts()).toEqual([attempt]);
    pass(LEASE / 2 - 2_000);
    expect(calls).toBe(0);
    pass(3_000);
    expect(calls).toBe(1);
    expect(ada.presence.liveAttempts()).toEqual([]);
    expect(namesOf(ada)).toEqual([]);
    expect(ada.awareness.states.has(bob.awareness.clientID)).toBe(false);
    room.connected = true;
    pass(LEASE / 3);
    expect(ada.presence.liveAttempts()).toEqual([attempt]);
  });

  it('[PR8] a read judges by the clock, also where the timer is late', () => {
    room.timers.time += LEASE + 1;
    expect(ada.presence.peers()).toEqual([]);
    let calls = 0;
    ada.presence.subscribe(() => {
      calls += 1;
    });
    room.timers.advance(0);
    expect(calls).toBeGreaterThan(0);
  });

  it('[PR8] a late timer does not keep us silent while messages come', () => {
    room.timers.time += LEASE / 2;
    const before = room.sent;
    applyAwarenessUpdate(ada.awareness, encodeStates({ client: 77, clock: 1, json: '{}' }), 'network');
    expect(room.sent - before).toBe(2);
    applyAwarenessUpdate(ada.awareness, encodeStates({ client: 77, clock: 2, json: '{}' }), 'network');
    expect(room.sent - before).toBe(2);
  });

  it('[PR9] a peer that says itself that it leaves is gone at once', () => {
    removeAwarenessStates(bob.awareness, [bob.awareness.clientID], 'app closed');
    expect(namesOf(ada)).toEqual([]);
  });

  it('[PR9] a peer of which another says that it left stays for a grace, and for good if it speaks', () => {
    const cleo = room.join('cleo');
    const removal = encodeAwarenessUpdate(cleo.awareness, [bob.awareness.clientID], new Map());
    const seen: number[] = [];
    ada.presence.subscribe(() => seen.push(ada.presence.peers().length));
    // To one alone: bob does not hear of it, and speaks with the next renewal only.
    applyAwarenessUpdate(ada.awareness, removal, 'server');
    expect(namesOf(ada)).toEqual(['bob', 'cleo']);
    pass(LEASE + 1_000);
    expect(seen).toEqual([]);
    room.connected = false;
    pass(1_000);
    const again = encodeAwarenessUpdate(ada.awareness, [bob.awareness.clientID], new Map());
    applyAwarenessUpdate(ada.awareness, again, 'server');
    pass(LEASE / 6 - 1_000);
    expect(seen).toEqual([]);
    pass(2_000);
    expect(namesOf(ada)).toEqual(['cleo']);
    expect(seen).toEqual([1]);
  });

  for (const jump of [DAY, -DAY]) {
    it(`[PR10] a wall clock that jumps by ${jump} ms drops nobody who is here`, () => {
      bob.presence.addAttempt(attempt);
      const peers = ada.presence.peers();
      const seen: unknown[] = [];
      for (const { presence } of [ada, bob]) presence.subscribe(() => seen.push(presence.peers()));
      wall.time = Date.now() + jump;
      pass(2 * LEASE);
      expect(ada.presence.peers()).toBe(peers);
      expect(ada.presence.liveAttempts()).toEqual([attempt]);
      expect(seen).toEqual([]);
    });

    it(`[PR10] a wall clock that jumps by ${jump} ms keeps nobody who has gone`, () => {
      room.connected = false;
      wall.time = Date.now() + jump;
      pass(LEASE + 1_000);
      expect(namesOf(ada)).toEqual([]);
      expect(ada.awareness.states.has(bob.awareness.clientID)).toBe(false);
    });
  }

  it('[PR10] a wall clock that stands still keeps us heard, and keeps nobody who has gone', () => {
    const cleo = room.join('cleo');
    room.timers.advance(3 * LEASE);
    expect(namesOf(ada)).toEqual(['bob', 'cleo']);
    cleo.presence.close();
    bob.awareness.off('update', () => {});
    room.connected = false;
    room.timers.advance(LEASE + 1);
    expect(namesOf(ada)).toEqual([]);
  });
});

describe('hostile peers', () => {
  const forge = (to: Person, client: number, clock: number, json: string): void =>
    applyAwarenessUpdate(to.awareness, encodeStates({ client, clock, json }), 'network');

  it('[PR11] what a peer writes over our state is put back at once, and seen so by all', () => {
    ada.awareness.setLocalStateField('cursor', 3);
    ada.presence.addAttempt(attempt);
    const { clientID } = ada.awareness;
    const own = ada.awareness.getLocalState();
    forge(ada, clientID, 50, stateOf('mallory'));
    expect(ada.awareness.getLocalState()).toBe(own);
    expect(ada.awareness.clientID).toBe(clientID);
    ada.presence.setTyping(thread);
    expect(bob.presence.peers()).toMatchObject([{ user_id: 'ada', typing: thread, attempts: [attempt] }]);
    expect(bob.awareness.states.get(clientID)).toMatchObject({ cursor: 3 });
  });

  it('[PR11] a forged removal does not take us away', () => {
    forge(ada, ada.awareness.clientID, 50, 'null');
    expect(ada.awareness.getLocalState()).not.toBeNull();
    expect(namesOf(bob)).toEqual(['ada']);
  });

  for (const clock of [0xffff_ffff, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    for (const json of [stateOf('mallory'), 'null']) {
      const what = json === 'null' ? 'removal' : 'state';
      it(`[PR12] a forged ${what} with clock ${clock} moves us to another clientID, on which we are heard`, () => {
        ada.presence.addAttempt(attempt);
        const { clientID } = ada.awareness;
        const update = encodeStates({ client: clientID, clock, json });
        applyAwarenessUpdate(bob.awareness, update, 'network');
        applyAwarenessUpdate(ada.awareness, update, 'network');
        expect(ada.awareness.clientID).not.toBe(clientID);
        expect(ada.doc.clientID).toBe(clientID);
        pass(LEASE + 1_000);
        expect(bob.presence.peers()).toMatchObject([{ user_id: 'ada', attempts: [attempt] }]);
        ada.presence.setTyping(thread);
        expect(bob.presence.peers()).toMatchObject([{ user_id: 'ada', typing: thread }]);
        expect(namesOf(ada)).toEqual(['bob']);
        expect(bob.awareness.states.has(clientID)).toBe(false);
      });
    }
  }

  it('[PR12] two processes with one clientID end with two', () => {
    const twin = room.visit(ada.awareness.clientID);
    const presence = openPresence(twin, { user: { user_id: 'twin' }, timers: room.timers });
    pass(LEASE + 1_000);
    expect(twin.clientID).not.toBe(ada.awareness.clientID);
    expect(namesOf(bob)).toEqual(['ada', 'twin']);
    expect(namesOf(ada)).toEqual(['bob', 'twin']);
    presence.close();
  });

  it('[PR12] we come back under the new clientID after a provider has taken all states but the document’s', () => {
    forge(ada, ada.awareness.clientID, Number.MAX_SAFE_INTEGER, stateOf('mallory'));
    const others = [...ada.awareness.states.keys()].filter((client) => client !== ada.doc.clientID);
    removeAwarenessStates(ada.awareness, others, 'provider');
    pass(LEASE + 1_000);
    expect(namesOf(bob)).toEqual(['ada']);
    expect(namesOf(ada)).toEqual(['bob']);
  });

  it('[PR12] a peer whose clock another pins is heard again', () => {
    room.connected = false;
    forge(ada, bob.awareness.clientID, Number.MAX_SAFE_INTEGER, stateOf('mallory'));
    expect(namesOf(ada)).toEqual(['bob']);
    room.timers.advance(0);
    room.connected = true;
    bob.presence.setTyping(thread);
    expect(ada.presence.peers()).toMatchObject([{ user_id: 'bob', typing: thread }]);
  });

  const invalid: Readonly<Record<string, string>> = {
    'that is a number': '5',
    'that is a string': '"x"',
    'that is a list': '[]',
    'that is true': 'true',
    'without our field': '{"cursor":1}',
    'whose field is null': '{"chatdoc":null}',
    'without a user': '{"chatdoc":{"typing":null,"attempts":[]}}',
    'whose user is a number': '{"chatdoc":{"user":{"user_id":5},"typing":null,"attempts":[]}}',
    'that types in no ULID': stateOf('mallory', { typing: 'x' }),
    'with 257 attempts': stateOf('mallory', {
      attempts: Array.from({ length: 257 }, (_, i) => idOf(`${i}`)),
    }),
    'with `__proto__` as user':
      '{"chatdoc":{"__proto__":{"user":{"user_id":"mallory"}},"typing":null,"attempts":[]}}',
    'with all of it in `__proto__`': `{"__proto__":${stateOf('mallory')}}`,
  };
  for (const [what, json] of Object.entries(invalid)) {
    it(`[PR13] a state ${what} shows nobody`, () => {
      forge(ada, 77, 1, json);
      expect(namesOf(ada)).toEqual(['bob']);
      forge(ada, 77, 2, stateOf('cleo', { later: 1 }));
      expect(namesOf(ada)).toEqual(['bob', 'cleo']);
      forge(ada, 77, 3, json);
      expect(namesOf(ada)).toEqual(['bob']);
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('user');
    });
  }

  it('[PR14] a good state before a bad one in one update shows with the next renewal', () => {
    const update = encodeStates(
      { client: 77, clock: 1, json: stateOf('cleo') },
      { client: ada.awareness.clientID, clock: 9, json: stateOf('mallory') },
      { client: 78, clock: 1, json: '{' },
    );
    expect(() => applyAwarenessUpdate(ada.awareness, update, 'network')).toThrow();
    pass(LEASE / 3 + 1_000);
    expect(namesOf(ada)).toEqual(['bob', 'cleo']);
    expect(namesOf(bob)).toContain('ada');
    expect(namesOf(bob)).not.toContain('mallory');
  });

  it('[PR14] what we set after such an update is built on what we had set', () => {
    const update = encodeStates(
      { client: ada.awareness.clientID, clock: 9, json: '{"cursor":666}' },
      { client: 78, clock: 1, json: '{' },
    );
    expect(() => applyAwarenessUpdate(ada.awareness, update, 'network')).toThrow();
    ada.presence.setTyping(thread);
    expect(ada.awareness.getLocalState()).not.toHaveProperty('cursor');
    expect(bob.presence.peers()).toMatchObject([{ user_id: 'ada', typing: thread }]);
  });

  it('[PR15] 100,000 clientIDs that come and go leave at most 1,024 clocks, those of the people here too', () => {
    for (let from = 0; from < 100_000; from += 1_000) {
      const states = Array.from({ length: 1_000 }, (_, i) => ({ client: 10_000 + from + i, clock: 1 }));
      applyAwarenessUpdate(
        ada.awareness,
        encodeStates(...states.map((state) => ({ ...state, json: '{}' }))),
        'network',
      );
      applyAwarenessUpdate(
        ada.awareness,
        encodeStates(...states.map((state) => ({ ...state, json: 'null' }))),
        'network',
      );
      room.timers.advance(0);
      expect(ada.awareness.meta.size).toBeLessThanOrEqual(1_024);
    }
    expect(ada.awareness.meta.has(ada.awareness.clientID)).toBe(true);
    pass(LEASE);
    expect(ada.awareness.states.size).toBe(2);
    expect(namesOf(ada)).toEqual(['bob']);
  });

  it('[PR15] of 10,000 clientIDs that stay, the first 256 are here, and those that were before', () => {
    const states = Array.from({ length: 10_000 }, (_, i) => ({ client: 10_000 + i, clock: 1 }));
    const json = stateOf('mallory');
    applyAwarenessUpdate(
      ada.awareness,
      encodeStates(...states.map((state) => ({ ...state, json }))),
      'network',
    );
    expect(ada.presence.peers()).toHaveLength(256);
    expect(namesOf(ada)).toContain('bob');
    room.timers.advance(0);
    expect(ada.awareness.states.size).toBe(257);
    expect(ada.awareness.meta.size).toBeLessThanOrEqual(1_024);
    pass(LEASE + 1_000);
    expect(namesOf(ada)).toEqual(['bob']);
  });

  it('[PR15] more people than fit are quiet, and get their place when one leaves', () => {
    const small = room.join('small', { peers: 2, meta: 8 });
    const cleo = room.join('cleo');
    pass(2 * LEASE);
    expect(namesOf(small)).toEqual(['ada', 'bob']);
    expect(namesOf(ada)).toEqual(['bob', 'cleo', 'small']);
    bob.presence.close();
    bob.awareness.setLocalState(null);
    pass(LEASE / 3 + 1_000);
    expect(namesOf(small)).toEqual(['ada', 'cleo']);
    expect(cleo.presence.peers()).toHaveLength(2);
  });
});
