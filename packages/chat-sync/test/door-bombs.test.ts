import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { countSteps } from '../../../tools/steps.js';
import { BOMBS, createTarget } from './bombs.js';
import {
  createEnvironment,
  docOf,
  fingerprint,
  isPending,
  openDoor,
  outcomeOf,
  stateOf,
} from './door-world.js';

/** Of reading one: so many for each byte, and for each update. */
const STEPS_PER_BYTE = 10;
const STEPS = 1000;
const HEAP = 64 * 1024 * 1024;
const LOST_OF = 8_000;

function costOf(updates: readonly Uint8Array[]): number {
  return updates.reduce((sum, { length }) => sum + STEPS_PER_BYTE * length + STEPS, 0);
}

describe(`S4: ${BOMBS.length} bombs, each at the cost of reading it, in 64 MB of heap`, () => {
  for (const { name, outcome, framed, build } of BOMBS) {
    it(`[DR5] ${name}: ${outcome}`, () => {
      const doc = createTarget();
      const door = openDoor(doc);
      const before = fingerprint(doc);
      const updates = build();
      let heap = 0;
      const steps = countSteps(() => {
        const start = process.memoryUsage().heapUsed;
        for (const update of updates) {
          const receipt = framed ? door.receive(update) : door.receiveUpdate(update);
          expect(outcomeOf(receipt)).toBe(outcome);
        }
        heap = process.memoryUsage().heapUsed - start;
      });
      expect(fingerprint(doc)).toBe(before);
      expect(heap).toBeLessThanOrEqual(HEAP);
      expect(steps).toBeLessThanOrEqual(costOf(updates));
    });
  }
});

describe(`S5: the first of ${LOST_OF} updates is lost`, () => {
  it('[DR3] [DR5] each later one is a gap at the cost of reading it, and one resync brings all', () => {
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
    const late = updates.slice(1);
    const steps = countSteps(() => {
      for (const update of late) {
        if (outcomeOf(door.receiveUpdate(update)) !== 'gap') throw new Error('expected a gap');
      }
    });
    expect(steps).toBeLessThanOrEqual(costOf(late));
    expect(isPending(doc)).toBe(false);
    expect(fingerprint(doc)).toBe(before);
    const missing = Y.encodeStateAsUpdate(sender, Y.encodeStateVector(doc));
    expect(door.receiveUpdate(missing)).toEqual({ ok: true, outcome: 'applied' });
    expect(updates).toHaveLength(LOST_OF);
    expect(isPending(doc)).toBe(false);
    expect(stateOf(doc)).toBe(stateOf(sender));
  });
});
