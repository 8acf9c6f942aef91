import { systemTimers } from '@chatdoc/schema';
import * as Y from 'yjs';
import { assertEqual, assertFault, assertOk, assertTrue } from './assertions.js';
import { digestOf, digestOfUpdates, type History, openSampleChat, say, writeHistory } from './sample-chat.js';
import type { Bench } from './storage-bench.js';
import type { StorageCaseOutline } from './storage-case.js';

/** What a document must hold that a binding keeps in the storage. */
export const BINDING_CASES: readonly StorageCaseOutline[] = [
  {
    rule: 'ST9',
    name: 'what is written to a bound document is there after the next start',
    async run(bench) {
      const doc = new Y.Doc();
      const binding = bench.bind(doc);
      assertEqual(await binding.ready, { ok: true, outcome: 'loaded', rows: 0 }, 'ready');
      const sample = openSampleChat('one', doc);
      for (let at = 0; at < 20; at += 1) say(sample, `message ${at}`);
      assertOk(await binding.flush(), 'flush');
      assertEqual(binding.status.unsaved, 0, 'unsaved writes');
      assertEqual((await bench.reload()).digest, digestOf(doc), 'the digest while it is open');
      say(sample, 'the last');
      assertOk(await binding.close(), 'close');
      assertOk(await binding.close(), 'close again');
      const again = await bench.reload();
      assertEqual(again.digest, digestOf(doc), 'the digest after the close');
      const next = openSampleChat('two', again.doc);
      const rebound = bench.bind(again.doc);
      say(next, 'by the next');
      assertOk(await rebound.close(), 'close of the next');
      assertEqual((await bench.reload()).digest, digestOf(again.doc), 'the digest after the next');
    },
  },
  {
    rule: 'ST11',
    name: 'what the app wrote before the load is kept, and stored after it',
    async run(bench) {
      const { updates } = writeHistory(5, 'stored');
      await bench.store(updates);
      const early = writeHistory(4, 'early');
      const binding = bench.bind(early.doc);
      say(early, 'while it loads');
      assertOk(await binding.ready, 'ready');
      assertOk(await binding.close(), 'close');
      const { digest } = await bench.reload();
      assertEqual(digest, digestOf(early.doc), 'the digest');
      assertEqual(digest, digestOfUpdates([...updates, ...early.updates]), 'the digest of both');
    },
  },
  {
    rule: 'ST10',
    name: 'a load that never answers: `ready` settles within two seconds, and nothing is lost if it answers later',
    needs: ['hangLoads'],
    async run(bench) {
      const { updates } = writeHistory(5, 'stored');
      await bench.store(updates);
      await bench.inflict('hangLoads', true);
      const doc = new Y.Doc();
      const sample = openSampleChat('meanwhile', doc);
      // Time that is over as soon as it is asked for.
      const asked: number[] = [];
      const setTimer = (callback: () => void, ms: number): unknown => {
        asked.push(ms);
        return systemTimers.setTimer(callback, 0);
      };
      const hanging = bench.bind(doc, { timers: { ...systemTimers, setTimer } });
      assertFault(await hanging.ready, 'timeout', 'the code');
      assertTrue(asked.length === 1 && (asked[0] as number) <= 2000, '`ready` to settle within 2 s');
      assertFault(await hanging.flush(), 'timeout', 'the code of flush');
      assertTrue(hanging.status.unsaved > 0, 'the writes to be kept');
      assertFault(await hanging.close(), 'timeout', 'the code of close');
      await bench.inflict('hangLoads', false);
      const binding = bench.bind(doc);
      say(sample, 'after');
      assertOk(await binding.close(), 'close');
      assertEqual((await bench.reload()).digest, digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST10',
    name: 'a medium that cannot be read is not written, and loads at the next flush once it can',
    needs: ['hideMedium'],
    async run(bench) {
      const { updates } = writeHistory(5, 'stored');
      await bench.store(updates);
      await bench.inflict('hideMedium', true);
      const doc = new Y.Doc();
      const sample = openSampleChat('meanwhile', doc);
      const binding = bench.bind(doc);
      const ready = await binding.ready;
      assertEqual([ready.ok, ready.outcome], [false, 'read_only'], 'ready');
      say(sample, 'hidden');
      assertTrue(!(await binding.flush()).ok, 'flush to say that nothing was stored');
      assertEqual(binding.status.phase, 'read_only', 'the phase');
      await bench.inflict('hideMedium', false);
      assertEqual((await bench.load()).rows.length, updates.length, 'the number of rows');
      assertOk(await binding.flush(), 'flush once it can be read');
      assertEqual(binding.status.phase, 'open', 'the phase');
      const { digest } = await bench.reload();
      assertEqual(digest, digestOf(doc), 'the digest');
      assertTrue(digestOfUpdates(updates) !== digest, 'both to be there');
    },
  },
  {
    rule: 'ST9',
    name: 'an aborted write is told, kept in order, and stored by the next flush',
    needs: ['abortWrite'],
    async run(bench) {
      const doc = new Y.Doc();
      const sample = openSampleChat('one', doc);
      const binding = bench.bind(doc);
      assertOk(await binding.flush(), 'flush');
      await bench.inflict('abortWrite');
      const faults: (string | null)[] = [];
      binding.subscribe(() => faults.push(binding.status.fault));
      say(sample, 'aborted');
      await until(() => binding.status.fault !== null);
      say(sample, 'behind it');
      assertEqual(
        [binding.status.fault, binding.status.unsaved],
        ['aborted', 2],
        'the fault and what is unsaved',
      );
      assertTrue(faults.includes('aborted'), 'the writer to be told');
      assertTrue(
        (await bench.reload()).digest !== digestOf(doc),
        'nothing behind the failed write to be stored',
      );
      assertOk(await binding.flush(), 'flush');
      assertEqual([binding.status.fault, binding.status.unsaved], [null, 0], 'the fault and what is unsaved');
      const { ready, digest } = await bench.reload();
      assertEqual(ready.outcome, 'loaded', 'the outcome');
      assertEqual(digest, digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST9',
    name: 'without room nothing is lost: all is stored once there is room again',
    needs: ['limitRoom'],
    async run(bench) {
      const doc = new Y.Doc();
      const sample = openSampleChat('one', doc);
      const binding = bench.bind(doc);
      assertOk(await binding.flush(), 'flush');
      await bench.inflict('limitRoom', true);
      for (let at = 0; at < 20; at += 1) say(sample, `${at} ${'long '.repeat(20_000)}`);
      const flushed = await binding.flush();
      assertFault(flushed, 'quota', 'the code');
      assertTrue(!flushed.ok && flushed.unsaved > 0, 'the writes to be counted');
      await bench.inflict('limitRoom', false);
      assertOk(await binding.flush(), 'flush with room');
      assertEqual((await bench.reload()).digest, digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST13',
    name: 'two bound documents over one medium, as two tabs: the next start has what both wrote',
    async run(bench) {
      const [one, two] = [openSampleChat('one'), openSampleChat('two')];
      const bindings = [one, two].map(({ doc }) => bench.bind(doc, { compactAfter: 3 }));
      for (let round = 0; round < 6; round += 1) {
        say(one, `one ${round}`);
        say(two, `two ${round}`);
        // As a channel between the tabs would; it can be faster than the storage.
        Y.applyUpdate(two.doc, Y.encodeStateAsUpdate(one.doc, Y.encodeStateVector(two.doc)));
        Y.applyUpdate(one.doc, Y.encodeStateAsUpdate(two.doc, Y.encodeStateVector(one.doc)));
        assertOk(await (bindings[round % 2] ?? raise()).flush(), 'flush');
      }
      for (const binding of bindings) assertOk(await binding.close(), 'close');
      const { ready, digest } = await bench.reload();
      assertEqual(ready.outcome, 'loaded', 'the outcome');
      assertEqual(digest, digestOf(one.doc), 'the digest');
    },
  },
  {
    rule: 'ST14',
    name: 'many rows become one, and what it holds is the same',
    async run(bench) {
      const doc = new Y.Doc();
      const binding = bench.bind(doc, { compactAfter: 10 });
      const sample = openSampleChat('one', doc);
      for (let at = 0; at < 35; at += 1) {
        say(sample, `message ${at}`);
        assertOk(await binding.flush(), 'flush');
      }
      assertOk(await binding.close(), 'close');
      assertTrue((await bench.load()).rows.length <= 10, 'at most 10 rows');
      const { ready, digest } = await bench.reload();
      assertEqual(ready.outcome, 'loaded', 'the outcome');
      assertEqual(digest, digestOf(doc), 'the digest');
    },
  },
  ...(['flipped', 'truncated', 'garbage', 'empty'] as const).map(
    (kind): StorageCaseOutline => ({
      rule: 'ST5',
      name: `a ${kind} row: the rest loads, it is reported once, and what a peer has closes the gap`,
      needs: ['corruptRow'],
      async run(bench) {
        const history = writeHistory(12);
        await bench.store(history.updates);
        await bench.inflict('corruptRow', 5, (bytes) => spoil(bytes, kind));
        await expectHealing(bench, history, 'corrupt_row');
        const storage = bench.open();
        const aside = await storage.listAside();
        assertOk(aside, 'listAside');
        assertEqual(
          aside.rows.map(({ code }) => code),
          ['corrupt_row'],
          'what is aside',
        );
      },
    }),
  ),
  {
    rule: 'ST5',
    name: 'of a damaged last row only its own update is gone',
    needs: ['corruptRow'],
    async run(bench) {
      const { updates } = writeHistory(12);
      await bench.store(updates);
      await bench.inflict('corruptRow', 11, (bytes) => spoil(bytes, 'truncated'));
      const { ready, digest } = await bench.reload();
      assertOk(ready, 'ready');
      assertEqual(ready.rows, 11, 'the number of rows');
      assertEqual(digest, digestOfUpdates(updates.slice(0, -1)), 'the digest');
      assertEqual((await bench.reload()).ready.outcome, 'loaded', 'the outcome of the next start');
    },
  },
  {
    rule: 'ST6',
    name: 'a missing row: what stands before it loads, what builds on it is kept and comes in with what it lacks',
    needs: ['removeRow'],
    async run(bench) {
      const history = writeHistory(12);
      await bench.store(history.updates);
      await bench.inflict('removeRow', 5);
      await expectHealing(bench, history);
    },
  },
];

/** The row at index 5 of a history is gone, and every later one builds on it. */
async function expectHealing<M>(
  bench: Bench<M>,
  { updates, doc: whole }: History,
  code?: string,
): Promise<void> {
  const doc = new Y.Doc();
  const binding = bench.bind(doc, { compactAfter: 4 });
  const ready = await binding.ready;
  assertOk(ready, 'ready');
  assertTrue(ready.outcome === 'damaged', 'damage to be reported');
  assertEqual(ready.rows, 5, 'the number of rows that came in');
  const codes = ready.damage.map((each) => each.code);
  assertEqual(codes.filter((each) => each === 'gap').length, 6, 'the number of rows that wait');
  if (code !== undefined) assertTrue(codes.includes(code as 'corrupt_row'), `${code} to be reported`);
  assertEqual(digestOf(doc), digestOfUpdates(updates.slice(0, 5)), 'the digest of what is before it');
  assertTrue(doc.store.pendingStructs === null, 'nothing to wait in the document');
  const sample = openSampleChat('later', doc);
  for (let at = 0; at < 6; at += 1) {
    say(sample, `new work ${at}`);
    assertOk(await binding.flush(), 'flush of new work');
  }
  assertOk(await binding.close(), 'close');
  const next = await bench.reload();
  assertEqual(next.digest, digestOf(doc), 'the digest at the next start: new work is not hidden');
  assertOk(next.ready, 'ready');
  const left = next.ready.outcome === 'damaged' ? next.ready.damage : [];
  assertEqual(
    left.map((each) => each.code),
    ['gap', 'gap', 'gap', 'gap', 'gap', 'gap'],
    'what is reported at the next start',
  );
  // A peer has what was lost, and nothing of what waits.
  const rejoined = bench.bind(next.doc);
  assertOk(await rejoined.ready, 'ready');
  Y.applyUpdate(next.doc, updates[5] as Uint8Array, 'network');
  assertOk(await rejoined.flush(), 'flush');
  assertEqual(rejoined.status.damage, [], 'damage once the gap is closed');
  Y.applyUpdate(whole, Y.encodeStateAsUpdate(next.doc));
  assertEqual(digestOf(next.doc), digestOf(whole), 'the digest once the gap is closed');
  assertOk(await rejoined.close(), 'close');
  const healed = await bench.reload();
  assertEqual(healed.ready.outcome, 'loaded', 'the outcome once all is there');
  assertEqual(healed.digest, digestOf(whole), 'the digest at the start after it');
}

function spoil(bytes: Uint8Array, kind: 'flipped' | 'truncated' | 'garbage' | 'empty'): Uint8Array {
  switch (kind) {
    case 'flipped':
      return bytes.map((byte, at) => (at === bytes.length - 8 ? byte ^ 1 : byte));
    case 'truncated':
      return bytes.slice(0, bytes.length >> 1);
    case 'garbage':
      return bytes.map((_, at) => (at * 151 + 89) & 0xff);
    case 'empty':
      return new Uint8Array(0);
  }
}

/** Turns of the event loop until `condition` holds; ten seconds are a fault. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    assertTrue(turn < 1000, 'the storage to answer');
    await new Promise<void>((resolve) => {
      systemTimers.setTimer(resolve, 10);
    });
  }
}

function raise(): never {
  throw new Error('expected a binding');
}
