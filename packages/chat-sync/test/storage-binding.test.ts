import type { Timers } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs, scale } from '../../../tools/amounts.js';
import {
  type BindOptions,
  bindStorage,
  type ChatStorage,
  MemoryMedium,
  memoryStorage,
} from '../src/storage/index.js';
import { FaultPlan, memoryHarness, storageConformance, withFaults } from '../src/testing/index.js';
import { MANY_ROWS } from '../src/testing/row-cases.js';
import { digestOf, openSampleChat, SAMPLE_NAME, say, writeHistory } from '../src/testing/sample-chat.js';

/** Time passes when the test says so. */
class TestTimers implements Pick<Timers, 'setTimer' | 'clearTimer'> {
  readonly #due = new Map<object, { readonly at: number; readonly callback: () => void }>();
  #now = 0;

  setTimer(callback: () => void, ms: number): unknown {
    const timer = {};
    this.#due.set(timer, { at: this.#now + ms, callback });
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#due.delete(timer as object);
  }

  get pending(): number {
    return this.#due.size;
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const [timer, { at, callback }] of this.#due) {
      if (at > this.#now) continue;
      this.#due.delete(timer);
      callback();
    }
    await settled();
  }
}

/** Once everything that waits for no timer has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function editRoot(doc: Y.Doc, root: string, word: string): void {
  if (root === 'text') doc.getText(root).insert(0, word);
  else if (root === 'list') doc.getArray(root).push([word]);
  else if (root === 'map') doc.getMap(root).set(word, new Y.Text(word));
  else doc.getXmlFragment(root).push([new Y.XmlElement(word)]);
}

function readRoots(doc: Y.Doc): readonly unknown[] {
  const [text, list, map] = [doc.getText('text'), doc.getArray('list'), doc.getMap('map')];
  return [digestOf(doc), text.toJSON(), list.toJSON(), map.toJSON(), doc.getXmlFragment('xml').toString()];
}

function createBench() {
  const medium = new MemoryMedium();
  const plan = new FaultPlan();
  const timers = new TestTimers();
  const open = (): ChatStorage => withFaults(memoryStorage({ name: SAMPLE_NAME, medium }), plan);
  const bind = (doc: Y.Doc, options: BindOptions = {}) => bindStorage(doc, open(), { timers, ...options });
  const store = async (updates: readonly Uint8Array[]) => {
    await memoryStorage({ name: SAMPLE_NAME, medium }).append(updates);
  };
  const reload = async () => {
    const doc = new Y.Doc();
    const binding = bindStorage(doc, memoryStorage({ name: SAMPLE_NAME, medium }));
    const ready = await binding.ready;
    await binding.close();
    return { doc, ready, digest: digestOf(doc) };
  };
  return { medium, plan, timers, open, bind, store, reload };
}

describe('ready', () => {
  it('[ST10] settles after 1,800 ms if the load does not answer, and what is loaded later is taken in', async () => {
    const { bind, store, timers, plan, reload } = createBench();
    const { updates, doc: whole } = writeHistory(4);
    await store(updates);
    const answer = plan.hold('load');
    const doc = new Y.Doc();
    const binding = bind(doc);
    const sample = openSampleChat('meanwhile', doc);
    await timers.pass(1799);
    expect(binding.status).toMatchObject({ phase: 'loading', fault: null });
    await timers.pass(1);
    expect(await binding.ready).toEqual({ ok: false, outcome: 'timeout', code: 'timeout' });
    expect(binding.status).toMatchObject({ phase: 'loading', fault: 'timeout', unsaved: 1 });
    say(sample, 'in memory');
    answer();
    await settled();
    expect(binding.status).toMatchObject({ phase: 'open', fault: null, unsaved: 0 });
    Y.applyUpdate(whole, Y.encodeStateAsUpdate(doc));
    expect(digestOf(doc)).toBe(digestOf(whole));
    expect((await reload()).digest).toBe(digestOf(whole));
  });

  it('[ST10] a load that fails is tried again after 5 s; until then nothing is written', async () => {
    const { bind, store, timers, plan, medium, reload } = createBench();
    await store(writeHistory(4).updates);
    plan.failNext('load', 'unavailable');
    const doc = new Y.Doc();
    const binding = bind(doc);
    expect(await binding.ready).toEqual({ ok: false, outcome: 'read_only', code: 'unavailable' });
    openSampleChat('meanwhile', doc);
    await timers.pass(4999);
    expect(binding.status).toMatchObject({ phase: 'read_only', fault: 'unavailable', unsaved: 1 });
    expect(medium.rows.size).toBe(4);
    await timers.pass(1);
    expect(binding.status).toMatchObject({ phase: 'open', fault: null, unsaved: 0 });
    expect((await reload()).digest).toBe(digestOf(doc));
  });

  it('[ST10] an adapter that throws or rejects has failed, and nothing is left unhandled', async () => {
    const { open, timers } = createBench();
    const reject = () => Promise.reject(new TypeError('of the adapter'));
    const storage: ChatStorage = { ...open(), load: reject, append: reject, close: reject };
    const binding = bindStorage(new Y.Doc(), storage, { timers });
    const failure = { ok: false, code: 'unavailable', detail: 'TypeError' };
    expect(await binding.ready).toEqual({ ...failure, outcome: 'read_only' });
    expect(await binding.flush()).toEqual({ ...failure, unsaved: 0 });
    const throwing: ChatStorage = {
      ...open(),
      load: () => {
        throw 'of the adapter';
      },
    };
    const thrown = bindStorage(new Y.Doc(), throwing, { timers });
    expect(await thrown.ready).toMatchObject({ code: 'unavailable', detail: 'string' });
    expect(await binding.close()).toEqual({ ...failure, unsaved: 0 });
  });

  it('[ST11] nothing is written before the load, and an empty document writes nothing', async () => {
    const { bind, plan, medium } = createBench();
    const answer = plan.hold('load');
    const doc = new Y.Doc();
    const binding = bind(doc);
    openSampleChat('early', doc);
    await settled();
    expect(medium.rows.size).toBe(0);
    answer();
    await binding.ready;
    expect(await binding.close()).toEqual({ ok: true });
    expect(medium.rows.size).toBe(1);
    const empty = createBench();
    await empty.bind(new Y.Doc()).close();
    expect(empty.medium.rows.size).toBe(0);
  });

  it('[ST11] a document that was filled elsewhere replaces the rows that it holds by one', async () => {
    const { bind, store, medium, reload } = createBench();
    const history = writeHistory(8);
    await store(history.updates);
    say(history, 'one more');
    expect(await bind(history.doc).close()).toEqual({ ok: true });
    expect(medium.rows.size).toBe(1);
    expect((await reload()).digest).toBe(digestOf(history.doc));
  });
});

describe('rows', () => {
  it('[ST3] in any order, as several openers may have stored them, load in full', async () => {
    const history = writeHistory(40);
    const property = fc.asyncProperty(
      fc.shuffledSubarray([...history.updates], { minLength: 40 }),
      async (updates) => {
        const { store, reload } = createBench();
        await store(updates);
        const { ready, digest } = await reload();
        expect(ready).toEqual({ ok: true, outcome: 'loaded', rows: 40 });
        expect(digest).toBe(digestOf(history.doc));
      },
    );
    await fc.assert(property, runs(30));
  });

  it('[ST3] load in one transaction with the binding as origin, and are not stored again', async () => {
    const { bind, store, medium } = createBench();
    await store(writeHistory(10).updates);
    const doc = new Y.Doc();
    const origins: unknown[] = [];
    doc.on('update', (_: Uint8Array, origin: unknown) => origins.push(origin));
    const binding = bind(doc);
    await binding.close();
    expect(origins).toEqual([binding]);
    expect(medium.rows.size).toBe(10);
  });

  it('[ST7] that the door refuses are set aside with its reason', async () => {
    const { bind, store, medium } = createBench();
    const { updates } = writeHistory(3);
    const rogue = new Y.Doc();
    rogue.getMap('chat').set('key', 'no text');
    const refused = Y.encodeStateAsUpdate(rogue);
    await store([...updates, refused, new Uint8Array([9, 9, 9])]);
    const binding = bind(new Y.Doc());
    const damage = [
      { row: 4, code: 'refused_row', reason: 'content' },
      { row: 5, code: 'refused_row', reason: 'malformed' },
    ];
    expect(await binding.ready).toEqual({ ok: true, outcome: 'damaged', rows: 3, damage });
    await binding.close();
    expect(binding.status.damage).toEqual(damage);
    expect(medium.aside.map(({ bytes }) => bytes)).toEqual([refused, new Uint8Array([9, 9, 9])]);
    expect([...medium.rows.keys()]).toEqual([1, 2, 3]);
  });

  it('[ST7] that touch an unnamed root stay, are reported at each load, and load once it is named', async () => {
    const { bind, medium } = createBench();
    const doc = new Y.Doc();
    const others: string[] = [];
    const binding = bind(doc, { compactAfter: 2, others });
    openSampleChat('one', doc);
    doc.getMap('empty');
    expect(await binding.flush()).toEqual({ ok: true });
    doc.getMap('notes').set('a', 1);
    expect(binding.status.unknown_roots).toEqual(['notes']);
    const notWhole = { ok: false, code: 'unknown_root', detail: 'notes', unsaved: 0 };
    expect(await binding.flush()).toEqual(notWhole);
    doc.getMap('notes').set('a', 2);
    expect(await binding.close()).toEqual(notWhole);
    expect(medium.rows.size).toBe(3);
    for (let round = 0; round < 2; round += 1) {
      const blind = bind(new Y.Doc(), { others });
      expect(await blind.ready).toMatchObject({
        rows: 1,
        damage: [
          { row: 2, code: 'refused_row', reason: 'unknown_root' },
          { row: 3, code: 'gap' },
        ],
      });
      await blind.close();
    }
    const named = new Y.Doc();
    const again = bind(named, { others: ['notes'] });
    expect(await again.ready).toEqual({ ok: true, outcome: 'loaded', rows: 3 });
    expect(again.status.unknown_roots).toEqual([]);
    await again.close();
    expect(named.getMap('notes').toJSON()).toEqual({ a: 2 });
  });

  it('[ST21] of all roots load again by default; with a list, flush is ok only where they would', async () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const edit = fc.record({
      root: fc.constantFrom('text', 'list', 'map', 'xml'),
      word,
      withMessage: fc.boolean(),
      flush: fc.boolean(),
    });
    const listed = fc.option(fc.subarray(['text', 'list', 'map', 'xml']), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 12 }), listed, async (edits, others) => {
        const { bind } = createBench();
        const doc = new Y.Doc();
        const options = { compactAfter: 3, ...(others !== undefined && { others }) };
        const binding = bind(doc, options);
        const sample = openSampleChat('one', doc);
        for (const { root, word: content, withMessage, flush } of edits) {
          doc.transact(() => {
            editRoot(doc, root, content);
            if (withMessage) say(sample, content);
          });
          if (flush) await binding.flush();
        }
        const closed = await binding.close();
        const again = new Y.Doc();
        const rebound = bind(again, options);
        const ready = await rebound.ready;
        await rebound.close();
        const isWhole = Y.equalSnapshots(Y.snapshot(again), Y.snapshot(doc));
        expect({ closed: closed.ok, ready: ready.ok && ready.outcome === 'loaded' }).toEqual({
          closed: isWhole,
          ready: isWhole,
        });
        if (others === undefined) expect(isWhole).toBe(true);
        if (isWhole) expect(readRoots(again)).toEqual(readRoots(doc));
      }),
      runs(60),
    );
  });

  it('[ST21] of an editor that nests deep and deletes much load without a checksum, too', async () => {
    const { bind, store } = createBench();
    const doc = new Y.Doc();
    let inner = doc.getMap('map');
    for (let depth = 0; depth < 100; depth += 1) inner = inner.set('in', new Y.Map());
    await store([Y.encodeStateAsUpdate(doc)]);
    const again = new Y.Doc();
    expect(await bind(again).ready).toEqual({ ok: true, outcome: 'loaded', rows: 1 });
    expect(again.getMap('map').toJSON()).toEqual(doc.getMap('map').toJSON());
  });

  it('[ST7] of a document filled under an unnamed root are kept beside it', async () => {
    const { bind, store, medium } = createBench();
    const { updates } = writeHistory(3);
    await store(updates);
    const doc = new Y.Doc();
    doc.getMap('notes').set('a', 1);
    expect(await bind(doc, { others: [] }).close()).toMatchObject({ ok: false, code: 'unknown_root' });
    expect([...medium.rows.keys()]).toEqual([1, 2, 3, 4]);
  });

  it('[ST20] never hold what waits in the document for something that did not come', async () => {
    const { bind, medium, reload } = createBench();
    const doc = new Y.Doc();
    const { updates, doc: other } = writeHistory(5, 'other');
    const binding = bind(doc, { compactAfter: 2 });
    const sample = openSampleChat('one', doc);
    // A provider without a door.
    Y.applyUpdate(doc, updates[3] as Uint8Array, 'network');
    expect(doc.store.pendingStructs).not.toBeNull();
    for (let at = 0; at < 5; at += 1) {
      say(sample, `message ${at}`);
      expect(await binding.flush()).toEqual({ ok: true });
    }
    expect(medium.rows.size).toBeLessThanOrEqual(2);
    const { ready, digest } = await reload();
    expect(ready).toMatchObject({ outcome: 'loaded' });
    expect(digest).toBe(digestOf(doc));
    expect(doc.store.pendingStructs).not.toBeNull();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), 'network');
    expect(await binding.close()).toEqual({ ok: true });
    expect((await reload()).digest).toBe(digestOf(doc));
  });

  it('[ST20] also of a document in which something waited before it was bound', async () => {
    const { bind, reload } = createBench();
    const history = writeHistory(3);
    Y.applyUpdate(history.doc, writeHistory(5, 'other').updates[3] as Uint8Array, 'network');
    expect(await bind(history.doc).close()).toEqual({ ok: true });
    const { ready, digest } = await reload();
    expect(ready).toMatchObject({ outcome: 'loaded' });
    expect(digest).toBe(digestOf(history.doc));
  });

  it('[ST6] that wait are tried again when something came from elsewhere', async () => {
    const { bind, store } = createBench();
    const { updates, doc: whole } = writeHistory(6);
    await store([...updates.slice(0, 2), ...updates.slice(3)]);
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    const codes = () => binding.status.damage.map(({ code }) => code);
    expect(codes()).toEqual(['gap', 'gap', 'gap']);
    Y.applyUpdate(doc, updates[2] as Uint8Array, 'network');
    await settled();
    expect(codes()).toEqual([]);
    expect(digestOf(doc)).toBe(digestOf(whole));
    await binding.close();
  });

  it('[ST14] a compaction that fails loses nothing, and is tried again', async () => {
    const { bind, plan, medium, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc, { compactAfter: 5 });
    const sample = openSampleChat('one', doc);
    plan.failAll('replace', 'quota');
    for (let at = 0; at < 12; at += 1) {
      say(sample, `message ${at}`);
      expect(await binding.flush()).toEqual({ ok: true });
    }
    expect([medium.rows.size, binding.status.fault]).toEqual([13, null]);
    expect((await reload()).digest).toBe(digestOf(doc));
    plan.failAll('replace', null);
    for (let at = 0; at < 5; at += 1) {
      say(sample, `later ${at}`);
      await binding.flush();
    }
    expect(medium.rows.size).toBeLessThanOrEqual(5);
    await binding.close();
    expect((await reload()).digest).toBe(digestOf(doc));
  });
});

describe('writing', () => {
  it('[ST9] a failed write is told, kept, and tried again after 5 s with all that came behind it', async () => {
    const { bind, plan, timers, medium, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    plan.failNext('append', 'quota');
    const sample = openSampleChat('one', doc);
    await settled();
    expect(binding.status).toMatchObject({ phase: 'open', fault: 'quota', unsaved: 1 });
    say(sample, 'behind it');
    await timers.pass(4999);
    expect(binding.status.unsaved).toBe(2);
    expect(medium.rows.size).toBe(0);
    await timers.pass(1);
    expect(binding.status).toMatchObject({ fault: null, unsaved: 0 });
    expect((await reload()).digest).toBe(digestOf(doc));
    expect(timers.pending).toBe(0);
  });

  it('[ST9] flush says what could not be stored, how much of it, and why', async () => {
    const { bind, plan } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    plan.failAll('append', 'aborted');
    const sample = openSampleChat('one', doc);
    say(sample, 'again');
    expect(await binding.flush()).toEqual({ ok: false, code: 'aborted', unsaved: 2 });
    expect(await binding.flush()).toEqual({ ok: false, code: 'aborted', unsaved: 2 });
    plan.failAll('append', null);
    expect(await binding.flush()).toEqual({ ok: true });
    expect(await binding.flush()).toEqual({ ok: true });
    await binding.close();
  });

  it('[ST9] a write that does not answer is `timeout`, and counts once it answers', async () => {
    const { bind, plan, timers, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    const answer = plan.hold('append');
    const sample = openSampleChat('one', doc);
    const flushing = binding.flush();
    await timers.pass(1800);
    expect(await flushing).toEqual({ ok: false, code: 'timeout', unsaved: 1 });
    say(sample, 'behind it');
    answer();
    await settled();
    expect(binding.status.unsaved).toBe(0);
    expect((await reload()).digest).toBe(digestOf(doc));
    await binding.close();
  });

  it('[ST9] a write at any moment is stored without a flush, also as the one before it ends', async () => {
    for (let ticks = 0; ticks < 40; ticks += 1) {
      const { bind } = createBench();
      const doc = new Y.Doc();
      const binding = bind(doc);
      await binding.ready;
      const sample = openSampleChat('one', doc);
      for (let tick = 0; tick < ticks; tick += 1) await undefined;
      say(sample, 'at that moment');
      await settled();
      expect(binding.status.unsaved, `after ${ticks} ticks`).toBe(0);
      await binding.close();
    }
  });

  it('[ST18] after the medium was lost, the next write is the whole document', async () => {
    const { bind, plan, medium, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    const sample = openSampleChat('one', doc);
    await binding.flush();
    plan.failNext('append', 'unavailable');
    say(sample, 'not stored');
    await settled();
    medium.rows.clear();
    expect(binding.status.fault).toBe('unavailable');
    expect(await binding.flush()).toEqual({ ok: true });
    expect((await reload()).digest).toBe(digestOf(doc));
    say(sample, 'builds on it');
    await binding.close();
    expect((await reload()).digest).toBe(digestOf(doc));
  });

  it('[ST18] a medium that is lost while nobody writes is told, and written again whole, after 5 s or at once', async () => {
    for (const how of ['flush', 'close', 'wait'] as const) {
      const { bind, plan, medium, timers, reload } = createBench();
      const doc = new Y.Doc();
      const binding = bind(doc);
      openSampleChat('one', doc);
      expect(await binding.flush()).toEqual({ ok: true });
      medium.rows.clear();
      plan.lose();
      expect(binding.status).toMatchObject({ fault: 'unavailable', unsaved: 1 });
      if (how === 'wait') await timers.pass(5000);
      else expect(await binding[how]()).toEqual({ ok: true });
      expect(binding.status).toMatchObject({ fault: null, unsaved: 0 });
      expect((await reload()).digest).toBe(digestOf(doc));
    }
  });

  it('[ST18] what a medium confirmed that is lost before its answer is heard is not confirmed', async () => {
    for (const call of ['append', 'replace'] as const) {
      const { open, plan, medium, timers, reload } = createBench();
      const storage = open();
      let answer: Promise<unknown> = Promise.resolve();
      const late: ChatStorage = {
        ...storage,
        [call]: async (...args: [never, never]) => {
          const result = await storage[call](...args);
          await answer;
          return result;
        },
      };
      const doc = new Y.Doc();
      const binding = bindStorage(doc, late, { timers, compactAfter: 2 });
      const sample = openSampleChat('one', doc);
      await binding.flush();
      let release = (): void => {};
      answer = new Promise<void>((resolve) => (release = resolve));
      say(sample, 'one more');
      await settled();
      // In the next database the numbers of our rows are another's.
      medium.rows.clear();
      medium.next = 1;
      await memoryStorage({ name: SAMPLE_NAME, medium }).append(writeHistory(3, 'other').updates);
      plan.lose();
      release();
      await settled();
      expect(await binding.flush()).toEqual({ ok: true });
      await binding.close();
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(writeHistory(3, 'other').doc));
      expect((await reload()).digest).toBe(digestOf(doc));
    }
  });

  it('[ST18] also if it was a compaction that told of the loss', async () => {
    const { bind, plan, medium, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc, { compactAfter: 3 });
    const sample = openSampleChat('one', doc);
    plan.failNext('replace', 'unavailable');
    for (let at = 0; at < 4; at += 1) {
      say(sample, `message ${at}`);
      await binding.flush();
      if (at === 0) medium.rows.clear();
    }
    await binding.close();
    expect((await reload()).digest).toBe(digestOf(doc));
  });

  it('[ST9] whatever fails in whatever order, what flush confirmed is there, and in the end all', async () => {
    const outcomes = { failed: 0, confirmed: 0, damaged: 0 };
    const step = fc.constantFrom(
      'say',
      'say',
      'flush',
      'abort',
      'quota',
      'lose',
      'reopen',
      'remote',
      'compact fails',
    );
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { bind, plan, timers, reload } = createBench();
      let doc = new Y.Doc();
      const mirror = new Y.Doc();
      let binding = bind(doc, { compactAfter: 4 });
      let round = 0;
      let sample = openSampleChat(`session ${round}`, doc);
      for (const what of steps) {
        round += 1;
        if (what === 'say') say(sample, `message ${round}`);
        else if (what === 'abort') plan.failNext('append', 'aborted');
        else if (what === 'quota') plan.failNext('append', 'quota');
        else if (what === 'lose') plan.failNext('append', 'unavailable');
        else if (what === 'compact fails') plan.failNext('replace', 'aborted');
        else if (what === 'remote') {
          Y.applyUpdate(doc, Y.encodeStateAsUpdate(writeHistory(2, `remote ${round}`).doc), 'network');
        } else if (what === 'flush') {
          const flushed = await binding.flush();
          outcomes[flushed.ok ? 'confirmed' : 'failed'] += 1;
          const stored = await reload();
          if (stored.ready.outcome !== 'loaded') outcomes.damaged += 1;
          if (flushed.ok) expect(stored.digest).toBe(digestOf(doc));
        } else {
          let closed = await binding.close();
          while (!closed.ok) {
            binding = bind(doc, { compactAfter: 4 });
            closed = await binding.close();
          }
          const before = digestOf(doc);
          doc = new Y.Doc();
          binding = bind(doc, { compactAfter: 4 });
          await binding.ready;
          expect(digestOf(doc)).toBe(before);
          sample = openSampleChat(`session ${round}`, doc);
        }
        Y.applyUpdate(mirror, Y.encodeStateAsUpdate(doc));
      }
      for (let time = 0; time < 10 && !(await binding.flush()).ok; time += 1) await timers.pass(5000);
      await binding.close();
      expect((await reload()).digest).toBe(digestOf(mirror));
    });
    await fc.assert(property, runs(60));
    expect(outcomes.damaged).toBe(0);
    expect(Math.min(outcomes.failed, outcomes.confirmed)).toBeGreaterThanOrEqual(scale(5, 1));
  });
});

describe('status', () => {
  it('[ST16] is one frozen object until something changes, and each change is told', async () => {
    const { bind } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    const seen: unknown[] = [];
    const stop = binding.subscribe(() => seen.push(binding.status));
    await binding.ready;
    await settled();
    expect(binding.status).toEqual({ phase: 'open', unsaved: 0, fault: null, damage: [], unknown_roots: [] });
    expect(Object.isFrozen(binding.status)).toBe(true);
    const before = binding.status;
    await binding.flush();
    expect(binding.status).toBe(before);
    const sample = openSampleChat('one', doc);
    expect(binding.status.unsaved).toBe(1);
    await binding.flush();
    expect(new Set(seen).size).toBe(seen.length);
    const told = seen.length;
    stop();
    say(sample, 'unheard');
    expect(binding.status.unsaved).toBe(1);
    await binding.close();
    expect(seen).toHaveLength(told);
    expect(binding.status).toMatchObject({ phase: 'closed', unsaved: 0 });
  });

  it('[ST16] what listeners and observers of the app throw does not stop loading or storing', async () => {
    const { bind, store, reload } = createBench();
    await store(writeHistory(3).updates);
    const doc = new Y.Doc();
    const caught: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => caught.push(reason));
    try {
      const binding = bind(doc);
      const failing = () => {
        throw new Error('of an observer');
      };
      doc.on('afterTransaction', failing);
      const stop = binding.subscribe(() => {
        throw new Error('of a listener');
      });
      expect(await binding.ready).toEqual({ ok: true, outcome: 'loaded', rows: 3 });
      doc.off('afterTransaction', failing);
      say(openSampleChat('one', doc), 'stored');
      expect(await binding.flush()).toEqual({ ok: true });
      stop();
      await binding.close();
      await settled();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(caught.map(String)).toEqual(
      expect.arrayContaining(['Error: of an observer', 'Error: of a listener']),
    );
    expect((await reload()).digest).toBe(digestOf(doc));
  });
});

describe('close', () => {
  it('[ST12] flushes; later updates are not stored, and flush says `closed`', async () => {
    const { bind, timers, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    const sample = openSampleChat('one', doc);
    expect(await binding.close()).toEqual({ ok: true });
    expect(await binding.close()).toEqual({ ok: true });
    const stored = digestOf(doc);
    say(sample, 'too late');
    expect(await binding.flush()).toEqual({ ok: false, code: 'closed', unsaved: 0 });
    expect((await reload()).digest).toBe(stored);
    expect(timers.pending).toBe(0);
  });

  it('[ST12] a document that is destroyed closes its binding', async () => {
    const { bind, reload } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    openSampleChat('one', doc);
    doc.destroy();
    await settled();
    expect(binding.status.phase).toBe('closed');
    expect((await reload()).digest).toBe(digestOf(doc));
  });

  it('[ST12] says what it could not store, and what did not answer', async () => {
    const { bind, plan, timers } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    plan.failAll('append', 'quota');
    openSampleChat('one', doc);
    expect(await binding.close()).toEqual({ ok: false, code: 'quota', unsaved: 1 });
    expect(timers.pending).toBe(0);
    plan.hang('close', true);
    const other = bind(new Y.Doc());
    await other.ready;
    const closing = other.close();
    await settled();
    await timers.pass(1800);
    expect(await closing).toEqual({ ok: false, code: 'timeout', unsaved: 0 });
  });

  it('[ST12] sets no timer for a write that fails after it gave up', async () => {
    const { bind, plan, timers } = createBench();
    const doc = new Y.Doc();
    const binding = bind(doc);
    await binding.ready;
    plan.failAll('append', 'aborted');
    const answer = plan.hold('append');
    openSampleChat('one', doc);
    const closing = binding.close();
    await timers.pass(1800);
    expect(await closing).toEqual({ ok: false, code: 'timeout', unsaved: 1 });
    answer();
    await settled();
    expect(timers.pending).toBe(0);
  });

  it('[ST12] before the load has answered gives up after 1,800 ms, and takes nothing in later', async () => {
    const { bind, store, plan, timers, medium } = createBench();
    await store(writeHistory(3).updates);
    const answer = plan.hold('load');
    const doc = new Y.Doc();
    const binding = bind(doc);
    openSampleChat('one', doc);
    const mine = digestOf(doc);
    const closing = binding.close();
    await timers.pass(1800);
    expect(await closing).toEqual({ ok: false, code: 'timeout', unsaved: 1 });
    expect(await binding.ready).toMatchObject({ outcome: 'timeout' });
    answer();
    await settled();
    expect(digestOf(doc)).toBe(mine);
    expect(medium.rows.size).toBe(3);
    expect(timers.pending).toBe(0);
  });
});

describe('the conformance suite itself', () => {
  it('[ST19] a case whose fault a harness lacks does not apply, and cannot pass', async () => {
    const cases = storageConformance({ ...memoryHarness, faults: {} });
    const left = cases.filter(({ applicable }) => !applicable);
    expect(left.length).toBeGreaterThan(10);
    expect(left.every(({ missing }) => missing.length > 0)).toBe(true);
    for (const { run } of left) await expect(run()).rejects.toThrow('not applicable: memory lacks');
  });

  it('[ST19] names rules that hold of every storage', () => {
    const rules = new Set(storageConformance(memoryHarness).map(({ rule }) => rule));
    const expected = [
      'ST2',
      'ST3',
      'ST4',
      'ST5',
      'ST6',
      'ST8',
      'ST9',
      'ST10',
      'ST11',
      'ST12',
      'ST13',
      'ST14',
    ];
    expect([...rules].sort()).toEqual(expected.sort());
  });

  it('[ST19] finds storages that lose, reorder, invent, or say so too early', async () => {
    for (const [name, spoil] of Object.entries(SPOILED)) {
      const harness = { ...memoryHarness, open: (medium: never) => spoil(memoryHarness.open(medium)) };
      let failed: string | undefined;
      for (const { name: each, run } of storageConformance(harness)) {
        if (failed !== undefined) break;
        // Takes seconds, and tells these no more.
        if (each === MANY_ROWS) continue;
        await run().catch(() => {
          failed = each;
        });
      }
      expect(failed, name).toBeDefined();
    }
  });
});

/** Each breaks the contract in one way. */
const SPOILED: Readonly<Record<string, (storage: ChatStorage) => ChatStorage>> = {
  'loses the last of several': (storage) => ({
    ...storage,
    append: (updates) => storage.append(updates.slice(0, Math.max(1, updates.length - 1))),
  }),
  'gives rows in reverse': (storage) => ({
    ...storage,
    load: async () => {
      const loaded = await storage.load();
      return loaded.ok ? { ...loaded, rows: [...loaded.rows].reverse() } : loaded;
    },
  }),
  'confirms what failed': (storage) => ({
    ...storage,
    append: async (updates) => {
      const written = await storage.append(updates);
      return written.ok ? written : { ok: true, rows: [] };
    },
  }),
  'drops damaged rows': (storage) => ({
    ...storage,
    load: async () => {
      const loaded = await storage.load();
      return loaded.ok ? { ...loaded, damage: [] } : loaded;
    },
  }),
  'does not keep what is set aside': (storage) => ({ ...storage, setAside: async () => ({ ok: true }) }),
  'goes on after the close': (storage) => ({ ...storage, close: async () => ({ ok: true }) }),
  'replaces nothing': (storage) => ({ ...storage, replace: (_, snapshot) => storage.append([snapshot]) }),
  'replaces without the snapshot': (storage) => ({
    ...storage,
    replace: (rows) => storage.replace(rows, new Uint8Array([0, 0])),
  }),
  'throws when it is closed twice': (storage) => {
    let isClosed = false;
    return {
      ...storage,
      close: async () => {
        if (isClosed) return { ok: false, code: 'closed' };
        isClosed = true;
        return storage.close();
      },
    };
  },
};
