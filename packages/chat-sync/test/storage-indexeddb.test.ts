import { indexedDB as factory, IDBKeyRange } from 'fake-indexeddb';
import { describe, expect, it, vi } from 'vitest';
import { IndexeddbPersistence, storeState } from 'y-indexeddb';
import * as Y from 'yjs';
import { scale } from '../../../tools/amounts.js';
import { bindStorage, indexedDbStorage } from '../src/storage/index.js';
import { storageConformance } from '../src/testing/index.js';
import {
  digestOf,
  digestOfUpdates,
  type History,
  openSampleChat,
  SAMPLE_NAME,
  say,
  writeHistory,
} from '../src/testing/sample-chat.js';
import {
  createIndexedDbHarness,
  findStorePrototype,
  patchAdd,
  settle,
  withRows,
} from './browser/indexeddb-harness.js';

// y-indexeddb takes both from the page.
Object.assign(globalThis, { indexedDB: factory, IDBKeyRange });

let restore = (): void => {};

const harness = createIndexedDbHarness({
  name: 'fake-indexeddb',
  factory,
  async limitRoom(_, isFull) {
    restore();
    if (!isFull) return;
    restore = await patchAdd(factory, (request) => {
      // As browsers do: the transaction ends in an abort that bears the reason.
      const transaction = request.transaction as IDBTransaction & { _abort(name: string): void };
      request.addEventListener('success', () => transaction._abort('QuotaExceededError'));
    });
  },
});

describe('the conformance suite over fake-indexeddb', () => {
  const cases = storageConformance(harness, { manyRows: scale(10_000) });

  for (const { rule, name, run } of cases) it(`[${rule}] ${name}`, run);

  it('[ST19] applies in full', () => {
    expect(cases.filter(({ applicable }) => !applicable)).toEqual([]);
  });
});

const open = () => indexedDbStorage({ name: SAMPLE_NAME, indexedDB: factory });

async function clear(): Promise<void> {
  await settle(factory.deleteDatabase(SAMPLE_NAME));
}

/** Rows of a new database, written by our storage. */
async function storeHere({ updates }: History): Promise<void> {
  await clear();
  const storage = open();
  expect(await storage.append(updates)).toMatchObject({ ok: true });
  await storage.close();
}

async function storeByPersistence(doc: Y.Doc, write: () => void): Promise<void> {
  const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
  await persistence.whenSynced;
  write();
  await persistence.destroy();
}

async function loadByPersistence(doc: Y.Doc): Promise<void> {
  await storeByPersistence(doc, () => {});
}

async function load() {
  const storage = open();
  const loaded = await storage.load();
  await storage.close();
  if (!loaded.ok) throw new Error(`expected rows, got ${loaded.code}`);
  return loaded;
}

describe('the database', () => {
  it('[ST1] is named `<doc_id>.<generation>`; any other name is refused', () => {
    expect(open()).toMatchObject({ doc_id: SAMPLE_NAME.slice(0, 26), generation: 0 });
    const id = SAMPLE_NAME.slice(0, 26);
    expect(indexedDbStorage({ name: `${id}.4294967295`, indexedDB: factory }).generation).toBe(4294967295);
    const others = [
      '',
      id,
      `${id}.`,
      `${id}.01`,
      `${id}.-1`,
      `${id}.4294967296`,
      `${id.toLowerCase()}.0`,
      'chat.0',
    ];
    for (const name of [...others, `8${id.slice(1)}.0`, ` ${SAMPLE_NAME}`, `${SAMPLE_NAME}\n`]) {
      expect(() => indexedDbStorage({ name, indexedDB: factory })).toThrow(
        'At name: expected <doc_id>.<generation>',
      );
    }
  });

  it('[ST1] a host without IndexedDB throws `invalid_argument`', () => {
    const { indexedDB: present } = globalThis;
    Object.assign(globalThis, { indexedDB: undefined });
    try {
      expect(() => indexedDbStorage({ name: SAMPLE_NAME })).toThrow('At indexedDB: this host has none');
    } finally {
      Object.assign(globalThis, { indexedDB: present });
    }
    expect(indexedDbStorage({ name: SAMPLE_NAME }).doc_id).toBe(SAMPLE_NAME.slice(0, 26));
  });

  it('[ST17] has bare updates in `updates`, and a checksum of each in `custom`', async () => {
    const history = writeHistory(3);
    await storeHere(history);
    await withRows(factory, SAMPLE_NAME, async (rows, notes) => {
      expect([rows.autoIncrement, rows.keyPath, notes.keyPath]).toEqual([true, null, null]);
      expect(await settle(rows.getAllKeys())).toEqual([1, 2, 3]);
      expect(await settle(rows.getAll())).toEqual(history.updates);
      expect(await settle(notes.getAllKeys())).toEqual([1, 2, 3].map((row) => ['chatdoc', 'checksum', row]));
    });
    const storage = open();
    expect(await storage.replace([1, 2, 3], Y.encodeStateAsUpdate(history.doc))).toEqual({
      ok: true,
      rows: [4],
    });
    await storage.close();
    await withRows(factory, SAMPLE_NAME, async (rows, notes) => {
      expect(await settle(rows.getAllKeys())).toEqual([4]);
      expect(await settle(notes.getAllKeys())).toEqual([['chatdoc', 'checksum', 4]]);
    });
  });

  it('[ST17] of y-indexeddb opens, its rows have no checksum, and what the app keeps in `custom` stays', async () => {
    await clear();
    const { doc, ...sample } = openSampleChat('theirs');
    await storeByPersistence(doc, () => {
      for (let at = 0; at < 10; at += 1) say({ doc, ...sample }, `message ${at}`);
    });
    await withRows(factory, SAMPLE_NAME, async (_, notes) => {
      notes.put('of the app', 'setting');
      notes.put('of the app', ['chatdoc']);
      notes.put('of the app', ['chatdoc', 'checksum', 'x']);
    });
    const { rows, damage } = await load();
    expect([rows.length, rows.some(({ verified }) => verified), damage]).toEqual([11, false, []]);
    const loaded = new Y.Doc();
    const binding = bindStorage(loaded, open(), { compactAfter: 5 });
    expect(await binding.ready).toEqual({ ok: true, outcome: 'loaded', rows: 11 });
    expect(digestOf(loaded)).toBe(digestOf(doc));
    say(openSampleChat('ours', loaded), 'written by us');
    expect(await binding.close()).toEqual({ ok: true });
    await withRows(factory, SAMPLE_NAME, async (_, notes) => {
      expect(await settle(notes.get('setting'))).toBe('of the app');
    });
    const theirs = new Y.Doc();
    await loadByPersistence(theirs);
    expect(digestOf(theirs)).toBe(digestOf(loaded));
  });

  it('[ST17] can be read by y-indexeddb, which may put its own snapshot in the place of our rows', async () => {
    const history = writeHistory(20);
    await storeHere(history);
    const theirs = new Y.Doc();
    const persistence = new IndexeddbPersistence(SAMPLE_NAME, theirs);
    await persistence.whenSynced;
    expect(digestOf(theirs)).toBe(digestOf(history.doc));
    say(openSampleChat('theirs', theirs), 'written by them');
    // What it does by itself a second after a write, once there are 500 rows.
    await storeState(persistence);
    await persistence.destroy();
    const { rows, damage } = await load();
    expect(rows.length).toBeLessThan(5);
    expect(damage).toEqual([]);
    const doc = new Y.Doc();
    const binding = bindStorage(doc, open());
    expect(await binding.ready).toMatchObject({ outcome: 'loaded' });
    expect(digestOf(doc)).toBe(digestOf(theirs));
    say(openSampleChat('ours', doc), 'written by us');
    await binding.close();
    const verified = (await load()).rows.filter((row) => row.verified).map(({ row }) => row);
    expect(verified).toHaveLength(1);
    await withRows(factory, SAMPLE_NAME, async (store, notes) => {
      expect(await settle(notes.getAllKeys())).toEqual(verified.map((row) => ['chatdoc', 'checksum', row]));
      expect(await settle(store.count())).toBe(rows.length + 1);
    });
  });

  it('[ST5] a row without checksum that is no update is set aside, so that y-indexeddb can load the rest', async () => {
    const history = writeHistory(5);
    await storeHere(history);
    const torn = (history.updates[4] as Uint8Array).slice(0, 10);
    await withRows(factory, SAMPLE_NAME, async (rows) => {
      rows.add(torn);
      rows.add('no bytes');
      rows.add(new Uint8Array([1, 2, 3]));
    });
    const binding = bindStorage(new Y.Doc(), open());
    expect(await binding.ready).toEqual({
      ok: true,
      outcome: 'damaged',
      rows: 5,
      damage: [
        { row: 6, code: 'refused_row', reason: 'malformed' },
        { row: 7, code: 'corrupt_row' },
        { row: 8, code: 'refused_row', reason: 'malformed' },
      ],
    });
    await binding.close();
    const storage = open();
    expect(await storage.listAside()).toEqual({
      ok: true,
      rows: [
        { row: 6, code: 'refused_row', reason: 'malformed', bytes: torn },
        { row: 7, code: 'corrupt_row', bytes: null },
        { row: 8, code: 'refused_row', reason: 'malformed', bytes: new Uint8Array([1, 2, 3]) },
      ],
    });
    await storage.close();
    const theirs = new Y.Doc();
    await loadByPersistence(theirs);
    expect(digestOf(theirs)).toBe(digestOf(history.doc));
  });

  it('[ST6] a missing last row, on which nothing builds, is reported once', async () => {
    const history = writeHistory(5);
    await storeHere(history);
    await withRows(factory, SAMPLE_NAME, async (rows) => {
      rows.delete(5);
    });
    const doc = new Y.Doc();
    const binding = bindStorage(doc, open());
    expect(await binding.ready).toMatchObject({ rows: 4, damage: [{ row: 5, code: 'missing_row' }] });
    await binding.close();
    expect(digestOf(doc)).toBe(digestOfUpdates(history.updates.slice(0, 4)));
    expect((await load()).damage).toEqual([]);
  });

  it('[ST5] a row that cannot be read does not keep the others from loading, and stays', async () => {
    const history = writeHistory(8);
    await storeHere(history);
    const mend = await breakRow(4);
    try {
      const { rows, damage } = await load();
      expect(rows.map(({ row }) => row)).toEqual([1, 2, 3, 5, 6, 7, 8]);
      expect(damage).toEqual([{ row: 4, code: 'corrupt_row' }]);
      const doc = new Y.Doc();
      const binding = bindStorage(doc, open());
      expect(await binding.ready).toMatchObject({ outcome: 'damaged', rows: 3 });
      expect(await binding.close()).toEqual({ ok: true });
    } finally {
      mend();
    }
    const { rows, damage } = await load();
    expect([rows.length, damage]).toEqual([8, []]);
  });

  it('[ST8] something else under its name is `unknown_layout`, and is not touched', async () => {
    await clear();
    const opening = factory.open(SAMPLE_NAME, 3);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('updates', { keyPath: 'id' });
      opening.result.createObjectStore('custom');
    };
    const database = await settle(opening);
    database.close();
    const storage = open();
    expect(await storage.load()).toEqual({ ok: false, code: 'unknown_layout' });
    expect(await storage.append([new Uint8Array([0, 0])])).toEqual({ ok: false, code: 'unknown_layout' });
    expect(await storage.close()).toEqual({ ok: true });
    await clear();
    const another = factory.open(SAMPLE_NAME);
    another.onupgradeneeded = () => {
      another.result.createObjectStore('rows');
    };
    (await settle(another)).close();
    expect(await open().load()).toEqual({ ok: false, code: 'unknown_layout' });
    await clear();
  });

  it('[ST8] one that cannot be opened is `unavailable`', async () => {
    await clear();
    const opening = factory.open(SAMPLE_NAME);
    opening.onupgradeneeded = () => opening.transaction?.abort();
    await settle(opening).catch(() => {});
    const request = {} as { -readonly [K in keyof IDBOpenDBRequest]: IDBOpenDBRequest[K] };
    const failing = { open: () => request } as unknown as IDBFactory;
    const loading = indexedDbStorage({ name: SAMPLE_NAME, indexedDB: failing }).load();
    request.error = new DOMException('of the disk', 'UnknownError');
    request.onerror?.call(request, new Event('error'));
    expect(await loading).toEqual({ ok: false, code: 'unavailable', detail: 'UnknownError' });
  });

  it('[ST18] one that is deleted while it is open is said to be lost, and then gets the whole document', async () => {
    await clear();
    const doc = new Y.Doc();
    const sample = openSampleChat('one', doc);
    const binding = bindStorage(doc, open());
    say(sample, 'before');
    expect(await binding.flush()).toEqual({ ok: true });
    await clear();
    const other = open();
    expect(await other.append([Y.encodeStateAsUpdate(writeHistory(3, 'other').doc)])).toMatchObject({
      ok: true,
    });
    await other.close();
    say(sample, 'behind');
    expect(await binding.flush()).toEqual({ ok: true });
    expect(await binding.close()).toEqual({ ok: true });
    const again = new Y.Doc();
    const rebound = bindStorage(again, open());
    expect(await rebound.ready).toEqual({ ok: true, outcome: 'loaded', rows: 2 });
    await rebound.close();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(writeHistory(3, 'other').doc));
    expect(digestOf(again)).toBe(digestOf(doc));
  });

  it('[ST18] one that is gone under an idle tab is told by its events, and written again', async () => {
    for (const end of ['flush', 'close'] as const) {
      await clear();
      const doc = new Y.Doc();
      openSampleChat('one', doc);
      const binding = bindStorage(doc, open());
      expect(await binding.flush()).toEqual({ ok: true });
      const isTold = new Promise<void>((resolve) => {
        binding.subscribe(() => {
          if (binding.status.fault === 'unavailable') resolve();
        });
      });
      await clear();
      await isTold;
      expect(binding.status).toMatchObject({ fault: 'unavailable', unsaved: 1 });
      expect(await binding[end]()).toEqual({ ok: true });
      const again = new Y.Doc();
      const rebound = bindStorage(again, open());
      expect(await rebound.ready).toEqual({ ok: true, outcome: 'loaded', rows: 1 });
      await rebound.close();
      await binding.close();
      expect(digestOf(again)).toBe(digestOf(doc));
    }
  });

  it('[ST18] the loss is told once, whatever is asked next', async () => {
    await clear();
    const storage = open();
    expect(await storage.append(writeHistory(2).updates)).toEqual({ ok: true, rows: [1, 2] });
    await clear();
    expect(await storage.append(writeHistory(1).updates)).toEqual({
      ok: false,
      code: 'unavailable',
      detail: 'connection lost',
    });
    expect(await storage.append(writeHistory(1).updates)).toEqual({ ok: true, rows: [1] });
    await storage.close();
  });
});

describe('why not y-indexeddb itself', () => {
  it('[ST17] with one torn row it never says that it has loaded, and hides that row and all behind it', async () => {
    const history = writeHistory(10);
    await storeHere(history);
    await withRows(factory, SAMPLE_NAME, async (rows) => {
      rows.put((history.updates[5] as Uint8Array).slice(0, 20), 6);
    });
    await catchRejections(async (rejections) => {
      const doc = new Y.Doc();
      const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
      // It has given up: nothing comes any more.
      await vi.waitFor(() => expect(rejections).toHaveLength(1), { timeout: 600_000 });
      const waited = new Promise((resolve) => setTimeout(() => resolve('never')));
      expect(await Promise.race([persistence.whenSynced, waited])).toBe('never');
      expect(digestOf(doc)).toBe(digestOfUpdates(history.updates.slice(0, 5)));
      // New work is stored, and hidden behind the torn row for ever.
      say(openSampleChat('new', doc), 'new work');
      await persistence.destroy();
      const next = new Y.Doc();
      const again = new IndexeddbPersistence(SAMPLE_NAME, next);
      const loaded = digestOfUpdates(history.updates.slice(0, 5));
      await vi.waitFor(() => expect(digestOf(next)).toBe(loaded), { timeout: 600_000 });
      await again.destroy();
    });
    const doc = new Y.Doc();
    const ours = bindStorage(doc, open());
    expect(await ours.ready).toMatchObject({ ok: true, outcome: 'damaged' });
    const chat = openSampleChat('reader', doc);
    expect(chat.chat.messages(chat.thread_id).at(-1)?.content).toBe('new work');
    await ours.close();
  });

  it('[ST17] it does not tell of an aborted write, and what builds on it cannot load', async () => {
    await clear();
    const doc = new Y.Doc();
    const sample = openSampleChat('one', doc);
    const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
    await persistence.whenSynced;
    let settleAborted = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      settleAborted = resolve;
    });
    const mend = await patchAdd(factory, (request) => {
      mend();
      request.transaction?.addEventListener('abort', () => settleAborted());
      request.addEventListener('success', () => request.transaction?.abort());
    });
    say(sample, 'aborted');
    await aborted;
    say(sample, 'behind it');
    await persistence.destroy();
    const next = new Y.Doc();
    await loadByPersistence(next);
    const read = openSampleChat('reader', next);
    expect(read.chat.messages(read.thread_id)).toEqual([]);
    expect(next.store.pendingStructs).not.toBeNull();
  });

  it('[ST17] it reads a flipped bit as if it had been written; a checksum finds it', async () => {
    const history = writeHistory(3);
    const bytes = (history.updates[2] as Uint8Array).slice();
    bytes[Buffer.from(bytes).lastIndexOf('message')] = 'M'.charCodeAt(0);
    const storeFlipped = async (): Promise<void> => {
      await storeHere(history);
      await withRows(factory, SAMPLE_NAME, async (rows) => {
        rows.put(bytes, 3);
      });
    };
    const read = (doc: Y.Doc): string[] => {
      const { chat, thread_id } = openSampleChat('reader', doc);
      return chat.messages(thread_id).map(({ content }) => content);
    };
    await storeFlipped();
    const doc = new Y.Doc();
    const binding = bindStorage(doc, open());
    expect(await binding.ready).toMatchObject({ damage: [{ row: 3, code: 'corrupt_row' }] });
    await binding.close();
    expect(read(doc)).toEqual(['message 1']);
    await storeFlipped();
    const theirs = new Y.Doc();
    await loadByPersistence(theirs);
    expect(read(theirs)).toEqual(['message 1', 'Message 2']);
  });

  it('[ST17] once its database is deleted, each write of the document throws', async () => {
    await clear();
    const doc = new Y.Doc();
    const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
    await persistence.whenSynced;
    await clear();
    expect(() => openSampleChat('one', doc)).toThrow('not allowed');
    await persistence.destroy();
  });
});

/** Reading the row `key` fails from now on, as in a browser that has lost the file of it. The result ends it. */
async function breakRow(key: number): Promise<() => void> {
  const prototype = await findStorePrototype(factory);
  const { get, getAll } = prototype;
  prototype.get = function getOrFail(this: IDBObjectStore, query: IDBValidKey | IDBKeyRange) {
    return this.name === 'updates' && query === key ? failRequest(this) : get.call(this, query);
  };
  prototype.getAll = function getAllOrFail(this: IDBObjectStore) {
    return this.name === 'updates' ? failRequest(this) : getAll.call(this);
  };
  return () => {
    Object.assign(prototype, { get, getAll });
  };
}

function failRequest(source: IDBObjectStore): IDBRequest {
  const transaction = source.transaction as IDBTransaction & {
    _execRequestAsync(request: { readonly source: IDBObjectStore; operation(): void }): IDBRequest;
  };
  const operation = (): void => {
    throw new DOMException('of the disk', 'DataError');
  };
  return transaction._execRequestAsync({ source, operation });
}

/** Gives `work` what it leaves unhandled; else the test runner would take it for a failure of ours. */
async function catchRejections(work: (caught: readonly unknown[]) => Promise<void>): Promise<void> {
  const listeners = process.listeners('unhandledRejection');
  const caught: unknown[] = [];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => caught.push(reason));
  try {
    await work(caught);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
}
