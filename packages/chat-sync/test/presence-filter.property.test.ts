import { isUlid } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { openPresence } from '../src/presence/presence.js';
import { filterAwarenessUpdate } from '../src/presence/presence-filter.js';
import { encodeStates, idOf, runs, scale, stateOf, TestTimers } from './presence-room.js';

const { test, all } = createParts();
const OWN = 1;
const VICTIM = 2;
const MEMBERS = Object.getOwnPropertyNames(Object.prototype);

const json = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ depthSize: 'small' }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.constantFrom('null', '5', '"x"', '[]', '{', '', 'tru', '{"a":NaN}') },
  { weight: 3, arbitrary: fc.constantFrom('ada', 'mallory').map((name) => stateOf(name)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...MEMBERS, 'prototype', 'chatdoc'), fc.jsonValue())
      .map(([key, value]) => `{"${key}":${JSON.stringify(value)},"chatdoc":{"${key}":1}}`),
  },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 3_000 }).map((n) => '['.repeat(n) + ']'.repeat(n)) },
  { weight: 1, arbitrary: fc.integer({ min: 16_000, max: 17_000 }).map((n) => `{"a":"${'x'.repeat(n)}"}`) },
  { weight: 1, arbitrary: fc.constant(stateOf('cleo', { attempts: [idOf('a')], typing: idOf('t') })) },
);
const state = fc.record({
  client: fc.oneof(
    fc.constantFrom(OWN, VICTIM, 3),
    fc.nat(),
    fc.constantFrom(2 ** 32, Number.MAX_SAFE_INTEGER),
  ),
  clock: fc.oneof(fc.nat(9), fc.nat(), fc.constantFrom(0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER)),
  json,
});
/** Whole ones, cut ones, ones with other bytes in them or behind them, and plain bytes. */
const hostile: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 5, arbitrary: fc.array(state, { maxLength: 6 }).map((states) => encodeStates(...states)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.array(state, { minLength: 1, maxLength: 4 }), fc.nat(), fc.integer({ min: -1, max: 255 }))
      .map(([states, at, byte]) => {
        const bytes = encodeStates(...states);
        if (byte < 0) return bytes.subarray(0, at % bytes.length);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(state, fc.uint8Array({ minLength: 1, maxLength: 9 })).map(([one, rest]) => {
      return new Uint8Array([...encodeStates(one), ...rest]);
    }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

function createAwareness(clientID: number): Awareness {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  return new Awareness(doc);
}

describe('hostile awareness updates', () => {
  const seen = { updates: 0, applied: 0, threw: 0, refused: 0, dropped: 0, passed: 0, moved: 0 };

  test('[PR13] [PR14] 10,000 of them, taken raw: nothing of ours throws, our state stays ours, what shows fits', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 20, maxLength: 20 }), (updates) => {
        const timers = new TestTimers();
        const awareness = createAwareness(OWN);
        const friend = createAwareness(VICTIM);
        let count = 0;
        const random = (): Uint8Array => {
          count += 1;
          return Uint8Array.of(9, 9, 9, count);
        };
        const options = { user: { user_id: 'ada' }, timers, environment: { random } };
        const presence = openPresence(awareness, options);
        const other = openPresence(friend, { ...options, user: { user_id: 'bob' } });
        awareness.setLocalStateField('cursor', 3);
        const own = awareness.getLocalState();
        for (const update of updates) {
          seen.updates += 1;
          try {
            applyAwarenessUpdate(awareness, update, 'network');
            seen.applied += 1;
          } catch {
            // Of y-protocols, in the middle of the update: what came before is in, and no event tells.
            seen.threw += 1;
            timers.advance(10_000);
          }
          expect(awareness.getLocalState()).toBe(own);
          const peers = presence.peers();
          expect(presence.peers()).toBe(peers);
          for (const peer of peers) {
            expect(peer.user_id).toBeTypeOf('string');
            expect(Object.getPrototypeOf(peer)).toBe(Object.prototype);
          }
          expect(presence.liveAttempts().every(isUlid)).toBe(true);
        }
        if (awareness.clientID !== OWN) seen.moved += 1;
        timers.advance(0);
        expect(awareness.meta.size).toBeLessThanOrEqual(1_024);
        // A friend that hears us now sees what we show, and nobody in our place.
        applyAwarenessUpdate(friend, encodeAwarenessUpdate(awareness, [awareness.clientID]), 'network');
        const shown = other.peers().filter(({ client_id }) => client_id === awareness.clientID);
        expect(shown).toMatchObject([{ user_id: 'ada', typing: null, attempts: [] }]);
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(MEMBERS);
        for (const each of [presence, other]) each.close();
        for (const each of [awareness, friend]) each.destroy();
      }),
      { ...runs(500), endOnFailure: true },
    );
  });

  test('[PR16] [PR17] [PR18] 10,000 of them, filtered: nothing throws, and nobody changes another’s state', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 20, maxLength: 20 }), (updates) => {
        const server = createAwareness(OWN);
        server.setLocalState({ server: true });
        const before = server.getLocalState();
        server.meta.set(VICTIM, { clock: 4, lastUpdated: 0 });
        server.states.set(VICTIM, { victim: true });
        const victim = server.states.get(VICTIM);
        const mine = new Set([3, 0xffff_ffff]);
        for (const update of updates) {
          const copy = Buffer.from(update);
          const filtered = filterAwarenessUpdate(update, (client) => mine.has(client));
          expect(copy.equals(update)).toBe(true);
          if (!filtered.ok) {
            seen.refused += 1;
            continue;
          }
          seen.dropped += filtered.dropped.length;
          seen.passed += filtered.passed.length;
          expect(filtered.passed.every((client) => mine.has(client))).toBe(true);
          if (filtered.update === null) expect(filtered.passed).toEqual([]);
          else applyAwarenessUpdate(server, filtered.update, 'network');
        }
        expect(server.getLocalState()).toBe(before);
        expect(server.states.get(VICTIM)).toBe(victim);
        expect([...server.states.keys()].every((client) => client <= VICTIM || mine.has(client))).toBe(true);
        for (const state of server.states.values()) {
          expect(state).toBeTypeOf('object');
          expect(Object.hasOwn(state, '__proto__')).toBe(false);
        }
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(MEMBERS);
        server.destroy();
      }),
      { ...runs(500), endOnFailure: true },
    );
  });

  it('[PR18] the updates above met what they are about', async () => {
    await all();
    for (const [what, count] of Object.entries(seen)) {
      expect([what, count >= scale(100, 1)]).toEqual([what, true]);
    }
    expect(seen.updates).toBe(20 * scale(500));
  });
});
