import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import { bindStorage, indexedDbStorage, type ReadyResult } from '../../src/storage/index.js';
import { storageConformance } from '../../src/testing/index.js';
import { digestOf, openSampleChat, SAMPLE_NAME, say } from '../../src/testing/sample-chat.js';
import { createIndexedDbHarness, settle, withRows } from './indexeddb-harness.js';

/** What the tests call in a page of a real browser. */
export interface TestPage {
  /** Names of the cases that apply. */
  listCases(): readonly string[];
  /** Rejects with what is wrong. */
  runCase(name: string): Promise<void>;
  clear(): Promise<void>;
  /** Opens a document by our storage, or by y-indexeddb, adds so many messages and closes it. */
  write(by: 'us' | 'them', seed: string, messages: number): Promise<Opened>;
  /** Leaves the document open, with everything stored. */
  writeAndStay(seed: string, messages: number): Promise<Opened>;
  /** Cuts the row at `index` in half. */
  tear(index: number): Promise<void>;
  /** Whether y-indexeddb says that it has loaded, before it fails, and the digest of what it shows. */
  watchPersistence(): Promise<{ readonly synced: boolean; readonly digest: string }>;
}

export interface Opened {
  readonly ready: ReadyResult | null;
  readonly digest: string;
}

/** What the browser's driver gives to the page. */
interface Driver {
  limitRoom(isFull: boolean): Promise<void>;
}

const driver = globalThis as unknown as Driver;

const cases = storageConformance(
  createIndexedDbHarness({
    name: 'browser',
    factory: indexedDB,
    async limitRoom(_, isFull) {
      await driver.limitRoom(isFull);
      if (isFull) await fillRest();
      else await settle(indexedDB.deleteDatabase(BALLAST));
    },
  }),
);

const BALLAST = 'ballast';

/** Chromium remembers for half a minute how much room it has seen: that must be used up, too. */
async function fillRest(): Promise<void> {
  // In pieces that cannot be compressed.
  const bytes = new Uint8Array(1 << 20);
  for (let at = 0; at < bytes.length; at += 1 << 16) {
    crypto.getRandomValues(bytes.subarray(at, at + (1 << 16)));
  }
  for (const size of [1 << 20, 1 << 16, 1 << 12]) {
    let isFull = false;
    while (!isFull) {
      await withRows(indexedDB, BALLAST, async (rows) => {
        rows.add(bytes.slice(0, size));
      }).catch(() => {
        isFull = true;
      });
    }
  }
}

function writeMessages(doc: Y.Doc, seed: string, messages: number): void {
  if (messages === 0) return;
  const sample = openSampleChat(seed, doc);
  for (let at = 0; at < messages; at += 1) say(sample, `message ${at} of ${seed}`);
}

async function openHere(seed: string, messages: number) {
  const doc = new Y.Doc();
  const binding = bindStorage(doc, indexedDbStorage({ name: SAMPLE_NAME }), { patience: 60_000 });
  const ready = await binding.ready;
  writeMessages(doc, seed, messages);
  const flushed = await binding.flush();
  if (!flushed.ok) throw new Error(`expected flush to succeed, got ${flushed.code}`);
  return { binding, opened: { ready, digest: digestOf(doc) } };
}

const page: TestPage = {
  listCases: () => cases.filter(({ applicable }) => applicable).map(({ name }) => name),
  async runCase(name) {
    const found = cases.find((each) => each.name === name);
    if (found === undefined) throw new Error(`expected a case, got ${name}`);
    await found.run();
  },
  async clear() {
    await settle(indexedDB.deleteDatabase(SAMPLE_NAME));
  },
  async write(by, seed, messages) {
    if (by === 'us') {
      const { binding, opened } = await openHere(seed, messages);
      await binding.close();
      return opened;
    }
    const doc = new Y.Doc();
    const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
    await persistence.whenSynced;
    writeMessages(doc, seed, messages);
    await persistence.destroy();
    return { ready: null, digest: digestOf(doc) };
  },
  async writeAndStay(seed, messages) {
    return (await openHere(seed, messages)).opened;
  },
  async tear(index) {
    await withRows(indexedDB, SAMPLE_NAME, async (rows) => {
      const key = (await settle(rows.getAllKeys()))[index] as number;
      const bytes = (await settle(rows.get(key))) as Uint8Array;
      rows.put(bytes.slice(0, bytes.length >> 1), key);
    });
  },
  async watchPersistence() {
    const doc = new Y.Doc();
    const persistence = new IndexeddbPersistence(SAMPLE_NAME, doc);
    const failed = new Promise<false>((resolve) => {
      for (const event of ['error', 'unhandledrejection']) {
        addEventListener(event, () => resolve(false), { once: true });
      }
    });
    const synced = await Promise.race([persistence.whenSynced.then(() => true), failed]);
    await persistence.destroy();
    return { synced, digest: digestOf(doc) };
  },
};

Object.assign(globalThis, { page });
