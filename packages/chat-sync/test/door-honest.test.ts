import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { recordChats, type Step, steps } from './door-chats.js';
import {
  applyPlainly,
  createPicker,
  docOf,
  fingerprint,
  isPending,
  openDoor,
  outcomeOf,
  readAll,
  receiveChecked,
  runs,
  SEED,
  scale,
  stateOf,
} from './door-world.js';

const { test, all } = createParts();
const RUNS = 60;
/** How often each thing happened, of the suite's own promise. */
const seen = new Map<string, number>();

function see(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

/** One update as it may come: alone, again, merged with others that are near or far, or cut to what is new. */
function shape(updates: readonly Uint8Array[], at: number, random: (below: number) => number): Uint8Array {
  const update = updates[at] as Uint8Array;
  const any = (): Uint8Array => updates[random(updates.length)] as Uint8Array;
  switch (random(6)) {
    case 0:
      see('neighbours merged');
      return Y.mergeUpdates(updates.slice(at, at + 2 + random(3)));
    case 1:
      see('strangers merged');
      return Y.mergeUpdates([update, any(), any()]);
    case 2: {
      see('history cut');
      const part = docOf(...updates.slice(0, random(at + 1)));
      const known = Y.encodeStateVector(part);
      return Y.diffUpdate(Y.mergeUpdates(updates.slice(0, at + 1)), known);
    }
    default:
      return update;
  }
}

describe(`honest updates, ${RUNS} chats, seed ${SEED}`, () => {
  test('[DR2] [DR3] exactly what plain Yjs can integrate comes in, in any order and with losses', () => {
    fc.assert(
      fc.property(steps(40), fc.integer(), (list: Step[], seed) => {
        const random = createPicker(seed);
        const { updates, docs, ops } = recordChats(list);
        for (const op of ops) see(op);
        const doc = docOf();
        const door = openDoor(doc);
        for (let at = 0; at < updates.length; at += 1) {
          if (random(6) === 0) continue;
          const near = Math.min(updates.length - 1, Math.max(0, at + random(3) - 1));
          const update = shape(updates, near, random);
          const plain = applyPlainly(Y.encodeStateAsUpdate(doc), update);
          expect(plain.outcome).not.toBe('threw');
          const outcome = receiveChecked(door, doc, update);
          see(outcome);
          const honest = plain.outcome === 'pending' ? ['gap'] : ['applied', 'duplicate'];
          expect(honest).toContain(outcome);
        }
        for (const other of docs) {
          const diff = Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc));
          expect(['applied', 'duplicate']).toContain(receiveChecked(door, doc, diff));
        }
        const expected = docOf(...docs.map((other) => Y.encodeStateAsUpdate(other)));
        expect(stateOf(doc)).toBe(stateOf(expected));
        expect(readAll(doc).digest()).toBe(readAll(expected).digest());
      }),
      runs(RUNS),
    );
  });

  test('[DR3] whole states of every shape are never refused: at once, again, upon a part, and without gc', () => {
    fc.assert(
      fc.property(steps(40), fc.nat(), (list, cut) => {
        const { updates, docs } = recordChats(list);
        const merged = Y.mergeUpdates([...updates]);
        const keeping = new Y.Doc({ gc: false });
        for (const update of updates) Y.applyUpdate(keeping, update);
        const states = [merged, ...[...docs, keeping].map((other) => Y.encodeStateAsUpdate(other))];
        // A document that forgets nothing, and one that knows a part.
        const known = docOf(...updates.slice(0, cut % updates.length));
        const hoarder = new Y.Doc({ gc: false });
        for (const doc of [docOf(), known, hoarder]) {
          const door = openDoor(doc);
          for (const state of [...states, ...states]) {
            const outcome = outcomeOf(door.receiveUpdate(state));
            see(`state ${outcome}`);
            expect(['applied', 'duplicate']).toContain(outcome);
            expect(isPending(doc)).toBe(false);
          }
          const before = fingerprint(doc);
          for (const state of states) expect(outcomeOf(door.receiveUpdate(state))).toBe('duplicate');
          expect(fingerprint(doc)).toBe(before);
        }
        expect(stateOf(known)).toBe(stateOf(docOf(merged)));
      }),
      runs(RUNS),
    );
  });

  it('[DR2] [DR3] the chats above met what they are about', async () => {
    await all();
    const expected = [
      ...['send', 'edit', 'redact', 'append', 'finish', 'notes', 'prose', 'undo', 'foreign', 'replace'],
      ...['neighbours merged', 'strangers merged', 'history cut', 'applied', 'duplicate', 'gap'],
      ...['state applied', 'state duplicate'],
    ];
    expect(expected.filter((what) => (seen.get(what) ?? 0) < scale(10, 1))).toEqual([]);
  });
});
