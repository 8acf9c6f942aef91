import { openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { corruptions, isSame, recordCorpus, tear } from './door-corpus.js';
import { forgedUpdate } from './door-forged.js';
import {
  createEnvironment,
  createPicker,
  docOf,
  fingerprint,
  type Outcome,
  openDoor,
  outcomeOf,
  readAll,
  receiveChecked,
  runs,
  SEED,
  scale,
  stateOf,
} from './door-world.js';

const FRAMED = scale(40_000);
const RAW = scale(12_000, 1_200);
const FORGED = scale(8_000, 600);

/** Of each update: few in a quick run, so that it comes to many of them. */
const OFFERS = Math.min(500, scale(500, 50));
const TEARS = Math.min(150, scale(150, 15));

class Tally {
  readonly #counts = new Map<string, number>();
  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

describe(`S1: ${FRAMED} damaged frames, seed ${SEED}`, () => {
  it('[DR1] [FR2] every one is refused, nothing is touched, and the next good frame applies', () => {
    const tally = new Tally();
    const random = createPicker(SEED);
    for (let round = 0; tally.total < FRAMED; round += 1) {
      const { base, updates } = recordCorpus(`S1 ${SEED} ${round}`);
      const doc = docOf(base);
      const door = openDoor(doc);
      const chat = openChat(doc, { environment: createEnvironment('S1'), readOnly: true });
      let transactions = 0;
      doc.on('beforeTransaction', () => {
        transactions += 1;
      });
      const frames = updates.map((update) => door.wrap(update));
      for (const [index, frame] of frames.entries()) {
        const digest = chat.digest();
        const before = fingerprint(doc);
        const refuse = (bytes: Uint8Array): void => {
          if (tally.total === FRAMED || frames.some((good) => isSame(good, bytes))) return;
          const receipt = door.receive(bytes);
          expect(receipt.outcome).toBe('refused');
          tally.add(outcomeOf(receipt));
        };
        for (const bytes of corruptions(frame)) refuse(bytes);
        for (let times = 0; times < 300; times += 1) {
          refuse(tear(frame, frames[random(frames.length)] as Uint8Array, random));
        }
        const later = frames[index + 1];
        // Swapped: the later one first, which is a gap if it builds on this one.
        const early = later === undefined ? 'gap' : outcomeOf(door.receive(later));
        expect(['gap', 'applied']).toContain(early);
        if (early === 'gap') {
          expect(transactions).toBe(0);
          expect(fingerprint(doc)).toBe(before);
          expect(chat.digest()).toBe(digest);
        }
        expect(['applied', 'duplicate']).toContain(outcomeOf(door.receive(frame)));
        expect(outcomeOf(door.receive(frame))).toBe('duplicate');
        transactions = 0;
      }
      expect(stateOf(doc)).toBe(stateOf(docOf(base, ...updates)));
      chat.close();
    }
    const codes: Outcome[] = ['truncated', 'no_frame', 'checksum', 'trailing_bytes'];
    expect(tally.total).toBe(FRAMED);
    expect(codes.filter((code) => tally.of(code) < FRAMED / 400)).toEqual([]);
    expect(codes.reduce((sum, code) => sum + tally.of(code), 0)).toBe(FRAMED);
  });
});

describe(`S2: ${RAW} damaged and ${FORGED} forged updates without a frame, seed ${SEED}`, () => {
  it('[DR2] [DR4] none throws, none comes in by part, none hangs, and the chat reads what came in', () => {
    const tally = new Tally();
    const random = createPicker(SEED + 1);
    let undetected = 0;
    for (let round = 0; tally.total < RAW; round += 1) {
      const { base, updates } = recordCorpus(`S2 ${SEED} ${round}`);
      const known = docOf(base);
      let bytesOfKnown = Y.encodeStateAsUpdate(known);
      for (const update of updates) {
        const good = fingerprint(docOf(bytesOfKnown, update));
        let doc = docOf(bytesOfKnown);
        let door = openDoor(doc);
        const offer = (bytes: Uint8Array): void => {
          if (tally.total === RAW || isSame(bytes, update)) return;
          const outcome = receiveChecked(door, doc, bytes);
          tally.add(outcome);
          if (outcome !== 'applied') return;
          if (fingerprint(doc) !== good) undetected += 1;
          readAll(doc, tally.of('applied') % 8 === 0).close();
          doc = docOf(bytesOfKnown);
          door = openDoor(doc);
        };
        const all = [...corruptions(update)];
        for (let times = 0; times < OFFERS; times += 1) offer(all[random(all.length)] as Uint8Array);
        for (let times = 0; times < TEARS; times += 1) {
          offer(tear(update, updates[random(updates.length)] as Uint8Array, random));
        }
        const next = docOf(bytesOfKnown, update);
        bytesOfKnown = Y.encodeStateAsUpdate(next);
      }
    }
    expect(tally.total).toBe(RAW);
    const least = { malformed: 0.4, gap: 0.05, content: 0.0005, unknown_root: 0.001, applied: 0.25 };
    for (const [code, share] of Object.entries(least)) {
      expect(tally.of(code), code).toBeGreaterThan(RAW * share);
    }
    // Other letters in a text, another key: only a checksum tells.
    expect(undetected / RAW).toBeGreaterThan(0.25);
    expect(undetected / RAW).toBeLessThan(0.4);
  });

  it('[DR2] [DR4] well formed lies about places, owners and what is known', () => {
    const tally = new Tally();
    const { base } = recordCorpus(`forged ${SEED}`);
    for (const gc of [true, false]) {
      const create = (): Y.Doc => {
        const doc = new Y.Doc({ gc });
        doc.getMap('chat');
        doc.getMap('notes');
        Y.applyUpdate(doc, base);
        return doc;
      };
      let doc: Y.Doc | undefined;
      fc.assert(
        fc.property(forgedUpdate(create()), (update) => {
          const target = doc ?? create();
          doc = undefined;
          const outcome = receiveChecked(openDoor(target), target, update);
          tally.add(outcome);
          if (outcome === 'applied') readAll(target, tally.of('applied') % 8 === 0).close();
          else doc = target;
        }),
        { ...runs(1), numRuns: FORGED / 2 },
      );
    }
    const least = {
      malformed: 0.08,
      gap: 0.2,
      content: 0.2,
      unknown_root: 0.02,
      applied: 0.1,
      duplicate: 0.002,
    };
    for (const [code, share] of Object.entries(least)) {
      expect(tally.of(code), code).toBeGreaterThan(FORGED * share);
    }
  });
});
