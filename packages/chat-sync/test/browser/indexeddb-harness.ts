import { indexedDbStorage } from '../../src/storage/index.js';
import { SAMPLE_NAME, type StorageFaults, type StorageHarness } from '../../src/testing/index.js';

/** `indexedDbStorage` under test, over the database of a browser or a double of it. */

export interface IndexedDbMedium {
  readonly factory: IDBFactory;
  hangs: boolean;
  isHidden: boolean;
}

export interface IndexedDbHost {
  readonly name: string;
  readonly factory: IDBFactory;
  /** Each host has its own way to run out of room. */
  readonly limitRoom?: NonNullable<StorageFaults<IndexedDbMedium>['limitRoom']>;
}

export function createIndexedDbHarness(host: IndexedDbHost): StorageHarness<IndexedDbMedium> {
  const { factory } = host;
  const remove = () => settle(factory.deleteDatabase(SAMPLE_NAME));
  return {
    name: host.name,
    async create() {
      await remove();
      return { factory, hangs: false, isHidden: false };
    },
    open: (medium) => indexedDbStorage({ name: SAMPLE_NAME, indexedDB: createFaultyFactory(medium) }),
    async remove(medium) {
      await host.limitRoom?.(medium, false);
      await remove();
    },
    faults: {
      corruptRow: (_, index, change) =>
        withRows(factory, SAMPLE_NAME, async (rows) => {
          const key = await keyAt(rows, index);
          rows.put(change((await settle(rows.get(key))) as Uint8Array), key);
        }),
      removeRow: (_, index) =>
        withRows(factory, SAMPLE_NAME, async (rows) => {
          rows.delete(await keyAt(rows, index));
        }),
      abortWrite: () => abortNextWrite(factory),
      async hangLoads(medium, hangs) {
        medium.hangs = hangs;
      },
      async hideMedium(medium, isHidden) {
        medium.isHidden = isHidden;
      },
      ...(host.limitRoom !== undefined && { limitRoom: host.limitRoom }),
    },
  };
}

/** As browsers are that deny storage, or whose storage process hangs. */
function createFaultyFactory(medium: IndexedDbMedium): IDBFactory {
  const open = (name: string): IDBOpenDBRequest => {
    if (medium.isHidden) throw new DOMException('denied', 'SecurityError');
    return medium.hangs ? ({} as IDBOpenDBRequest) : medium.factory.open(name);
  };
  return { open } as IDBFactory;
}

/** The transaction of the next row that is added is aborted, after the row was added. */
async function abortNextWrite(factory: IDBFactory): Promise<void> {
  const restore = await patchAdd(factory, (request) => {
    restore();
    request.addEventListener('success', () => request.transaction?.abort());
  });
}

/** Calls `onAdd` with the request of each row that any code adds, until the result is called. */
export async function patchAdd(
  factory: IDBFactory,
  onAdd: (request: IDBRequest<IDBValidKey>) => void,
): Promise<() => void> {
  const patched = await findStorePrototype(factory);
  const { add } = patched;
  const restore = (): void => {
    patched.add = add;
  };
  patched.add = function addAndTell(this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
    const request = key === undefined ? add.call(this, value) : add.call(this, value, key);
    onAdd(request);
    return request;
  };
  return restore;
}

/** Of every object store of this factory. */
export async function findStorePrototype(factory: IDBFactory): Promise<IDBObjectStore> {
  let prototype: IDBObjectStore | undefined;
  await withRows(factory, SAMPLE_NAME, async (rows) => {
    prototype = Object.getPrototypeOf(rows) as IDBObjectStore;
  });
  if (prototype === undefined) throw new Error('expected a store');
  return prototype;
}

/** Opens the database by itself, as y-indexeddb lays it out, and calls `work` within one transaction. */
export async function withRows(
  factory: IDBFactory,
  name: string,
  work: (rows: IDBObjectStore, notes: IDBObjectStore) => Promise<void>,
): Promise<void> {
  const opening = factory.open(name);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('updates', { autoIncrement: true });
    opening.result.createObjectStore('custom');
  };
  const database = await settle(opening);
  const transaction = database.transaction(['updates', 'custom'], 'readwrite');
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  try {
    await Promise.all([work(transaction.objectStore('updates'), transaction.objectStore('custom')), done]);
  } finally {
    // An open connection would keep the database from being deleted.
    database.close();
  }
}

async function keyAt(rows: IDBObjectStore, index: number): Promise<IDBValidKey> {
  const key = (await settle(rows.getAllKeys()))[index];
  if (key === undefined) throw new Error(`expected a row at ${index}`);
  return key;
}

export function settle<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
