import { ChatDocError } from '@chatdoc/schema';
import crc from 'crc-32';
import type {
  AsideRow,
  ChatStorage,
  DamagedRow,
  LoadedRows,
  StorageFailure,
  StorageResult,
  StoredRow,
  WrittenRows,
} from './chat-storage.js';
import { assertStorageName } from './storage-name.js';

/**
 * Rows in IndexedDB, in the layout of y-indexeddb: bare updates under counted keys in `updates`. In `custom` stand,
 * under `['chatdoc', 'checksum', row]`, the CRC-32 of each row that we wrote, and under `['chatdoc', 'aside', row]`
 * what was moved out of the way. Databases of y-indexeddb open here, and it opens ours; after that it may replace
 * rows by a snapshot of its own, whose checksum nobody knows.
 */

const ROWS = 'updates';
const NOTES = 'custom';

type NoteKind = 'checksum' | 'aside';
const noteKey = (kind: NoteKind, row: number): IDBValidKey => ['chatdoc', kind, row];

export interface IndexedDbOptions {
  /** `<doc_id>.<generation>`, which is the name of the database. */
  readonly name: string;
  /** Those of the page unless given. */
  readonly indexedDB?: IDBFactory;
  readonly IDBKeyRange?: typeof IDBKeyRange;
}

export function indexedDbStorage(options: IndexedDbOptions): ChatStorage {
  return new IndexedDbStorage(options);
}

interface Stores {
  readonly rows: IDBObjectStore;
  readonly notes: IDBObjectStore;
}

interface ReadRows {
  readonly keys: readonly IDBValidKey[];
  /** Beside the keys; undefined where one cannot be read. */
  readonly values: readonly unknown[];
  readonly checksums: Map<number, unknown>;
}

type Outcome<T> = { readonly ok: true; readonly value: T } | StorageFailure;

const CLOSED: StorageFailure = { ok: false, code: 'closed' };

class IndexedDbStorage implements ChatStorage {
  readonly doc_id: string;
  readonly generation: number;
  readonly #name: string;
  readonly #factory: IDBFactory;
  readonly #ranges: typeof IDBKeyRange;
  readonly #running = new Set<Promise<unknown>>();
  readonly #lossListeners = new Set<() => void>();
  #opening: Promise<Outcome<IDBDatabase>> | undefined;
  /** Checksums of rows that another program has replaced. */
  #outdated: readonly number[] = [];
  #isLost = false;
  #isClosed = false;

  constructor({ name, indexedDB, IDBKeyRange: ranges }: IndexedDbOptions) {
    const { doc_id, generation } = assertStorageName(name);
    const factory = indexedDB ?? globalThis.indexedDB;
    if (factory === undefined) {
      throw new ChatDocError('invalid_argument', 'indexedDB', 'this host has none: give one');
    }
    this.doc_id = doc_id;
    this.generation = generation;
    this.#name = name;
    this.#factory = factory;
    this.#ranges = ranges ?? globalThis.IDBKeyRange;
  }

  async load(): Promise<LoadedRows> {
    let read = await this.#readAll();
    // One row whose file the browser has lost fails all of them.
    if (!read.ok && read.code === 'aborted') read = await this.#readEach();
    if (!read.ok) return read;
    const { keys, values, checksums } = read.value;
    const rows: StoredRow[] = [];
    const damage: DamagedRow[] = [];
    let lastForeign = 0;
    keys.forEach((row, at) => {
      if (typeof row !== 'number') return;
      const update = values[at];
      const verified = checksums.has(row);
      if (!verified) lastForeign = row;
      if (!(update instanceof Uint8Array) || (verified && crc.buf(update) !== checksums.get(row))) {
        damage.push({ row, code: 'corrupt_row' });
      } else {
        rows.push({ row, update, verified });
      }
      checksums.delete(row);
    });
    // y-indexeddb deletes rows below its snapshot and knows no checksums; nobody else leaves one without a row.
    this.#outdated = [...checksums.keys()].filter((row) => row < lastForeign);
    for (const row of checksums.keys()) if (row > lastForeign) damage.push({ row, code: 'missing_row' });
    return { ok: true, rows, damage };
  }

  async #readAll(): Promise<Outcome<ReadRows>> {
    const read = await this.#transact('readonly', ({ rows, notes }) => ({
      keys: rows.getAllKeys(),
      values: rows.getAll(),
      noteKeys: notes.getAllKeys(),
      noteValues: notes.getAll(),
    }));
    if (!read.ok) return read;
    const { keys, values, noteKeys, noteValues } = read.value;
    const checksums = readChecksums(noteKeys.result, noteValues.result);
    return { ok: true, value: { keys: keys.result, values: values.result, checksums } };
  }

  async #readEach(): Promise<Outcome<ReadRows>> {
    const read = await this.#transact('readonly', ({ rows, notes }) => {
      const values: unknown[] = [];
      const keys = rows.getAllKeys();
      keys.onsuccess = () => {
        keys.result.forEach((key, at) => {
          const request: IDBRequest<unknown> = rows.get(key);
          request.onerror = keepTransaction;
          request.onsuccess = () => {
            values[at] = request.result;
          };
        });
      };
      return { keys, values, noteKeys: notes.getAllKeys(), noteValues: notes.getAll() };
    });
    if (!read.ok) return read;
    const { keys, values, noteKeys, noteValues } = read.value;
    const checksums = readChecksums(noteKeys.result, noteValues.result);
    return { ok: true, value: { keys: keys.result, values, checksums } };
  }

  append(updates: readonly Uint8Array[]): Promise<WrittenRows> {
    return this.#write(updates, []);
  }

  replace(rows: readonly number[], snapshot: Uint8Array): Promise<WrittenRows> {
    return this.#write([snapshot], rows);
  }

  async setAside(damaged: readonly DamagedRow[]): Promise<StorageResult> {
    const moved = await this.#transact('readwrite', ({ rows, notes }) => {
      for (const { row, code, reason } of damaged) {
        const request: IDBRequest<unknown> = rows.get(row);
        // What cannot be read now stays: it may be readable another time.
        request.onerror = keepTransaction;
        request.onsuccess = () => {
          // Whatever stood there: it may be no bytes at all.
          notes.put(
            { code, ...(reason !== undefined && { reason }), value: request.result ?? null },
            noteKey('aside', row),
          );
          rows.delete(row);
          notes.delete(noteKey('checksum', row));
        };
      }
    });
    return moved.ok ? { ok: true } : moved;
  }

  async listAside(): Promise<{ readonly ok: true; readonly rows: readonly AsideRow[] } | StorageFailure> {
    const read = await this.#transact('readonly', ({ notes }) => ({
      keys: notes.getAllKeys(),
      values: notes.getAll(),
    }));
    if (!read.ok) return read;
    const { keys, values } = read.value;
    const rows = keys.result.flatMap((key, at): AsideRow[] => {
      const row = rowOfNote(key, 'aside');
      if (row === undefined) return [];
      const { value, ...damage } = values.result[at] as Omit<DamagedRow, 'row'> & { value: unknown };
      return [{ ...damage, row, bytes: value instanceof Uint8Array ? value : null }];
    });
    return { ok: true, rows };
  }

  subscribeLoss(listener: () => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  async close(): Promise<StorageResult> {
    this.#isClosed = true;
    this.#lossListeners.clear();
    await Promise.all(this.#running);
    const opened = await this.#opening;
    if (opened?.ok) opened.value.close();
    return { ok: true };
  }

  async #write(updates: readonly Uint8Array[], replaced: readonly number[]): Promise<WrittenRows> {
    const outdated = this.#outdated;
    const written = await this.#transact('readwrite', ({ rows, notes }) => {
      const added: number[] = [];
      for (const update of updates) {
        // Cloning a view would store all of the buffer behind it.
        const bytes = update.byteLength === update.buffer.byteLength ? update : update.slice();
        const request = rows.add(bytes);
        request.onsuccess = () => {
          const row = request.result as number;
          added.push(row);
          notes.put(crc.buf(bytes), noteKey('checksum', row));
        };
      }
      for (const { first, last } of findRuns(replaced)) {
        rows.delete(this.#ranges.bound(first, last));
        notes.delete(this.#ranges.bound(noteKey('checksum', first), noteKey('checksum', last)));
      }
      for (const row of outdated) notes.delete(noteKey('checksum', row));
      return added;
    });
    if (!written.ok) return written;
    this.#outdated = [];
    return { ok: true, rows: written.value };
  }

  /** Gives what `work` gave once the transaction is complete: its requests then have results. */
  #transact<T>(mode: IDBTransactionMode, work: (stores: Stores) => T): Promise<Outcome<T>> {
    if (this.#isClosed) return Promise.resolve(CLOSED);
    const running = this.#open().then((opened) =>
      opened.ok ? this.#runTransaction(opened.value, mode, work) : opened,
    );
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    return running;
  }

  #runTransaction<T>(
    database: IDBDatabase,
    mode: IDBTransactionMode,
    work: (stores: Stores) => T,
  ): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      let transaction: IDBTransaction;
      try {
        transaction = database.transaction([ROWS, NOTES], mode);
      } catch (error) {
        resolve(this.#admitLoss(nameOf(error)));
        return;
      }
      let value: T;
      let thrown: unknown;
      transaction.oncomplete = () => resolve({ ok: true, value });
      transaction.onabort = () => resolve(describeAbort(transaction.error ?? thrown));
      try {
        value = work({ rows: transaction.objectStore(ROWS), notes: transaction.objectStore(NOTES) });
      } catch (error) {
        thrown = error;
        abort(transaction);
      }
    });
  }

  #open(): Promise<Outcome<IDBDatabase>> {
    if (this.#isLost) return Promise.resolve(this.#admitLoss('connection lost'));
    this.#opening ??= this.#openDatabase().then((opened) => {
      if (!opened.ok) this.#opening = undefined;
      return opened;
    });
    return this.#opening;
  }

  /** Said once: who hears it must not count on the rows that it knew. The next call opens the database again. */
  #admitLoss(detail: string): StorageFailure {
    this.#isLost = false;
    this.#opening = undefined;
    return { ok: false, code: 'unavailable', detail };
  }

  #openDatabase(): Promise<Outcome<IDBDatabase>> {
    return new Promise((resolve) => {
      const fail = (error: unknown): void => {
        resolve({ ok: false, code: 'unavailable', detail: nameOf(error) });
      };
      let request: IDBOpenDBRequest;
      try {
        request = this.#factory.open(this.#name);
      } catch (error) {
        fail(error);
        return;
      }
      request.onerror = () => fail(request.error);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(ROWS, { autoIncrement: true });
        request.result.createObjectStore(NOTES);
      };
      request.onsuccess = () => {
        const database = request.result;
        if (!hasLayout(database)) {
          database.close();
          resolve({ ok: false, code: 'unknown_layout' });
          return;
        }
        const lose = (): void => {
          database.close();
          this.#opening = undefined;
          // Whoever has no listener is told by the next call.
          this.#isLost = this.#lossListeners.size === 0;
          for (const listener of [...this.#lossListeners]) listener();
        };
        // Somebody deletes the database, or the browser has closed it under us.
        database.onversionchange = lose;
        database.onclose = lose;
        resolve({ ok: true, value: database });
      };
    });
  }
}

function hasLayout(database: IDBDatabase): boolean {
  const names = database.objectStoreNames;
  if (!names.contains(ROWS) || !names.contains(NOTES)) return false;
  const transaction = database.transaction([ROWS, NOTES]);
  const [rows, notes] = [transaction.objectStore(ROWS), transaction.objectStore(NOTES)];
  return rows.autoIncrement && rows.keyPath === null && notes.keyPath === null;
}

/** Rows that follow each other without another between them. */
function findRuns(rows: readonly number[]): { readonly first: number; readonly last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const row of [...rows].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && row === run.last + 1) run.last = row;
    else runs.push({ first: row, last: row });
  }
  return runs;
}

function readChecksums(keys: readonly IDBValidKey[], values: readonly unknown[]): Map<number, unknown> {
  const checksums = new Map<number, unknown>();
  keys.forEach((key, at) => {
    const row = rowOfNote(key, 'checksum');
    if (row !== undefined) checksums.set(row, values[at]);
  });
  return checksums;
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has been aborted already, and says so by its event.
  }
}

/** An error of one request aborts its transaction unless somebody takes it. */
function keepTransaction(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

function rowOfNote(key: IDBValidKey, kind: NoteKind): number | undefined {
  if (!Array.isArray(key) || key[0] !== 'chatdoc' || key[1] !== kind) return undefined;
  return typeof key[2] === 'number' ? key[2] : undefined;
}

function describeAbort(error: unknown): StorageFailure {
  const detail = nameOf(error);
  return { ok: false, code: detail === 'QuotaExceededError' ? 'quota' : 'aborted', detail };
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : 'AbortError';
}
