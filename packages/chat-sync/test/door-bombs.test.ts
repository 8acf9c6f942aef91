import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { BOMBS, createTarget } from './bombs.js';
import {
  cpuOf,
  createEnvironment,
  docOf,
  fingerprint,
  isPending,
  openDoor,
  outcomeOf,
  stateOf,
} from './door-world.js';

const CPU_MS = 100;
const HEAP = 64 * 1024 * 1024;
const LOST_OF = 8_000;

describe(`S4: ${BOMBS.length} bombs, each in ${CPU_MS} ms of CPU and 64 MB of heap`, () => {
  for (const { name, outcome, framed, build } of BOMBS) {
    it(`[DR5] ${name}: ${outcome}`, () => {
      const doc = createTarget();
      const door = openDoor(doc);
      const before = fingerprint(doc);
      const updates = build();
      let heap = 0;
      const ms = cpuOf(() => {
        const start = process.memoryUsage().heapUsed;
        for (const update of updates) {
          const receipt = framed ? door.receive(update) : door.receiveUpdate(update);
          expect(outcomeOf(receipt)).toBe(outcome);
        }
        heap = process.memoryUsage().heapUsed - start;
      }, CPU_MS);
      expect(fingerprint(doc)).toBe(before);
      expect(heap).toBeLessThanOrEqual(HEAP);
      expect(ms).toBeLessThanOrEqual(CPU_MS);
    });
  }
});

describe(`S5: the first of ${LOST_OF} updates is lost`, () => {
  it('[DR3] [DR5] each later one is a gap at once, and one resync brings all, in a second of CPU', () => {
    const sender = docOf();
    const chat = openChat(sender, { environment: createEnvironment('S5') });
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const prompt = chat.send({ thread_id, sender_id: 'ada', content: '?', expects: 'answer' });
    const base = Y.encodeStateAsUpdate(sender);
    const updates: Uint8Array[] = [];
    sender.on('update', (update: Uint8Array) => updates.push(update));
    const attempt = chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'bot',
      runner_id: 'runner',
    });
    const part = attempt.openPart();
    while (updates.length < LOST_OF) {
      part.append(`token ${updates.length} `);
    }
    const doc = docOf(base);
    const door = openDoor(doc);
    const before = fingerprint(doc);
    let rounds = 0;
    const run = (): void => {
      rounds += 1;
      const target = rounds === 1 ? doc : docOf(base);
      const there = rounds === 1 ? door : openDoor(target);
      for (const update of updates.slice(1)) {
        if (outcomeOf(there.receiveUpdate(update)) !== 'gap') throw new Error('expected a gap');
        if (isPending(target)) throw new Error('something waits');
      }
      if (fingerprint(target) !== before) throw new Error('something came in');
      const missing = Y.encodeStateAsUpdate(sender, Y.encodeStateVector(target));
      expect(there.receiveUpdate(missing)).toEqual({ ok: true, outcome: 'applied' });
    };
    expect(cpuOf(run, 1000)).toBeLessThanOrEqual(1000);
    expect(updates).toHaveLength(LOST_OF);
    expect(isPending(doc)).toBe(false);
    expect(stateOf(doc)).toBe(stateOf(sender));
  });
});
