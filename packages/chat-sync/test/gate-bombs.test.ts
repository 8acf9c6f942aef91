import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { countSteps } from '../../../tools/steps.js';
import { Gate } from '../src/gate/gate.js';
import { BOMBS, createTarget } from './bombs.js';
import {
  createServer,
  DOC_ID,
  forge,
  GENERATION,
  headerLine,
  idAt,
  join,
  laneTexts,
  MINUTE,
  START,
} from './hostile-world.js';

/** Of reading one: so many for each byte, and for each update. */
const STEPS_PER_BYTE = 10;
const STEPS = 1000;
const HEAP = 64 * 1024 * 1024;
/** What only the gate has to refuse: they fit the limits and the form of an update. */
const OWN: Readonly<Record<string, () => Uint8Array>> = {
  "another document's update": () => {
    const other = createServer();
    const eve = join(other, 'eve');
    eve.chat.createThread({ created_by: 'eve' });
    eve.send();
    return Y.encodeStateAsUpdate(other.doc);
  },
  'a line of 16 MB without an end': () =>
    lane(`{"type":"part","attempt":"${idAt(0)}","n":1,"text":"${'x'.repeat(16_000_000)}`),
  'a line of 16 MB, part of it deleted': () => {
    const doc = new Y.Doc();
    const update = lane(`${JSON.stringify({ type: 'message', content: 'x'.repeat(16_000_000) })}\n`);
    Y.applyUpdate(doc, update);
    const { key } = laneTexts(doc)[0] as { key: string };
    (doc.getMap('chat').get(key) as Y.Text).delete(1000, 5);
    return Y.encodeStateAsUpdate(doc);
  },
  'a line nested 100,000 deep': () =>
    lane(`{"type":"legacy_row","id":"${idAt(0)}","row":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`),
  'a message of 4 MB of quotes': () => lane(`{"type":"message","message_id":"${'"'.repeat(4_000_000)}\n`),
  '10,000 deletions in a lane of another': () => {
    const doc = createTarget();
    const text = doc.getMap('chat').get('lane') as Y.Text;
    doc.transact(() => {
      for (let at = text.length - 1; at > 0; at -= 2) text.delete(at, 1);
    });
    return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(createTarget()));
  },
  '2,000 lanes of another user': () => {
    const doc = new Y.Doc();
    doc.transact(() => {
      for (let n = 0; n < 2000; n += 1) {
        const lane_id = idAt(0, `bomb ${n}`);
        doc.getMap('chat').set(lane_id, new Y.Text(`${headerLine({ lane_id, user_id: 'ada' })}\n`));
      }
    });
    return Y.encodeStateAsUpdate(doc);
  },
};

function lane(text: string): Uint8Array {
  const lane_id = idAt(0, 'bomb');
  const header = headerLine({ lane_id, user_id: 'mallory' });
  return forge(new Y.Doc(), (map) => map.set(lane_id, new Y.Text(`${header}\n${text}`)));
}

/** Refuses each, within the limits. The heap is the least of eight runs: collections come when they like. */
function expectCheap(updates: readonly Uint8Array[], code?: string): void {
  const doc = createTarget();
  const environment = { now: () => START + MINUTE, random: (bytes: number) => new Uint8Array(bytes) };
  const gate = new Gate(doc, { doc_id: DOC_ID, generation: GENERATION, environment, others: ['notes'] });
  const mallory = gate.connect('mallory');
  const before = Buffer.from(Y.encodeStateAsUpdate(doc));
  let heap = Number.POSITIVE_INFINITY;
  const receive = (): void => {
    const used = process.memoryUsage().heapUsed;
    for (const update of updates) {
      const verdict = gate.receive(update, mallory, 'mallory', 'initial');
      expect(verdict.ok).toBe(false);
      if (!verdict.ok && code !== undefined) expect(verdict.code).toBe(code);
    }
    heap = Math.min(heap, process.memoryUsage().heapUsed - used);
  };
  const steps = countSteps(receive);
  for (let run = 1; run < 8 && heap > HEAP; run += 1) receive();
  expect(Buffer.from(Y.encodeStateAsUpdate(doc)).equals(before)).toBe(true);
  expect([...doc.share.keys()]).toEqual(['chat']);
  expect(doc.store.pendingStructs).toBeNull();
  expect(heap).toBeLessThanOrEqual(HEAP);
  const bytes = updates.reduce((sum, { length }) => sum + length, 0);
  expect(steps).toBeLessThanOrEqual(STEPS_PER_BYTE * bytes + STEPS * updates.length);
  gate.close();
}

const known = BOMBS.filter(({ framed }) => framed !== true);

describe(`S4 at the gate: ${known.length + Object.keys(OWN).length} bombs, each refused at the cost of reading it, in 64 MB`, () => {
  for (const { name, outcome, build } of known) {
    it(`[GT16] ${name}`, () => expectCheap(build(), outcome));
  }
  for (const [name, build] of Object.entries(OWN)) {
    it(`[GT16] ${name}`, () => expectCheap([build()]));
  }
});
