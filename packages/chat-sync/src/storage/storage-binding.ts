import { systemTimers, type Timers } from '@chatdoc/schema';
import * as Y from 'yjs';
import { Door, type DoorOptions } from '../update/door.js';
import { encodeIntegrated, listOtherRoots } from '../update/inspect.js';
import { INITIAL_LIMITS, NO_LIMITS, type UpdateLimits } from '../update/limits.js';
import type {
  ChatStorage,
  DamagedRow,
  StorageFailure,
  StorageFault,
  StoredRow,
  WrittenRows,
} from './chat-storage.js';

export interface BindOptions extends Pick<DoorOptions, 'root'> {
  /**
   * Other roots that are kept with the chat. Defaults to `any`: all of the document. Where a list leaves out a root
   * that holds something, `flush` and `close` are not ok.
   */
  readonly others?: DoorOptions['others'];
  readonly timers?: Pick<Timers, 'setTimer' | 'clearTimer'>;
  /** Milliseconds after which `ready`, `flush` and `close` settle without an answer; 1,800 unless given. */
  readonly patience?: number;
  /** Milliseconds until a failed load or write is tried again by itself; 5,000 unless given. */
  readonly retryAfter?: number;
  /** Rows that are replaced by one snapshot; 500 unless given. */
  readonly compactAfter?: number;
}

export type ReadyResult =
  | { readonly ok: true; readonly outcome: 'loaded'; readonly rows: number }
  /** What could be read is there, and new writes are stored. */
  | {
      readonly ok: true;
      readonly outcome: 'damaged';
      readonly rows: number;
      readonly damage: readonly DamagedRow[];
    }
  /** Nothing could be read, so nothing is written to it. The document goes on in memory, and loading is tried again. */
  | (StorageFailure & { readonly outcome: 'read_only' })
  /** The document goes on in memory. If the storage answers later, all is taken in and stored. */
  | { readonly ok: false; readonly outcome: 'timeout'; readonly code: 'timeout' };

export type StorageFlushResult =
  | { readonly ok: true }
  /** `unsaved` writes are in memory only. They are kept, in order. */
  | (StorageFailure & { readonly unsaved: number });

export interface StorageStatus {
  readonly phase: 'loading' | 'open' | 'read_only' | 'closed';
  /** Writes that the storage has not confirmed. */
  readonly unsaved: number;
  /** Of the last load or write, until one succeeds. */
  readonly fault: StorageFault | null;
  readonly damage: readonly DamagedRow[];
  /** Roots that hold something and that `others` does not name: rows that touch them would not load again. */
  readonly unknown_roots: readonly string[];
}

/**
 * Keeps `doc` in `storage`: loads what stands there, then stores each update, also those of before. One binding a
 * document and storage; the storage is closed with it. Its transactions have the binding as origin.
 */
export function bindStorage(doc: Y.Doc, storage: ChatStorage, options: BindOptions = {}): StorageBinding {
  return new StorageBinding(doc, storage, options);
}

export class StorageBinding {
  /** Settles within two seconds, whatever the storage does. Never rejects. */
  readonly ready: Promise<ReadyResult>;
  readonly #doc: Y.Doc;
  readonly #storage: ChatStorage;
  readonly #timers: Pick<Timers, 'setTimer' | 'clearTimer'>;
  readonly #patience: number;
  readonly #retryAfter: number;
  readonly #compactAfter: number;
  readonly #root: string;
  readonly #others: readonly string[] | 'any';
  readonly #doors: { readonly verified: Door; readonly bare: Door };
  readonly #listeners = new Set<() => void>();
  #settleReady: (result: ReadyResult) => void = () => {};
  #status: StorageStatus;
  #phase: StorageStatus['phase'] = 'loading';
  #fault: StorageFailure | null = null;
  #damage: readonly DamagedRow[] = [];
  #waiting: readonly StoredRow[] = [];
  /** Something came in that the waiting rows may have lacked. */
  #hasNews = false;
  /** Rows whose content the document holds. */
  #rows: number[] = [];
  #compactAt: number;
  /** Not confirmed yet, in order. */
  readonly #unsaved: Uint8Array[] = [];
  /** Counts how often the medium was lost. */
  #losses = 0;
  readonly #unsubscribeLoss: (() => void) | undefined;
  /** The next write is the whole state: what stands in the storage does not hold what `#unsaved` builds on. */
  #needsWhole: boolean;
  #isLoaded = false;
  #running: Promise<void> | undefined;
  #retry: unknown;
  #closing: Promise<StorageFlushResult> | undefined;

  /** @internal */
  constructor(doc: Y.Doc, storage: ChatStorage, options: BindOptions) {
    const { root = 'chat', others = 'any', timers = systemTimers } = options;
    const { patience = 1800, retryAfter = 5000, compactAfter = 500 } = options;
    this.#doc = doc;
    this.#storage = storage;
    this.#timers = timers;
    this.#patience = patience;
    this.#retryAfter = retryAfter;
    this.#compactAfter = compactAfter;
    this.#compactAt = compactAfter;
    this.#root = root;
    this.#others = others;
    const { doc_id, generation } = storage;
    const door = { doc_id, generation, root, others, origin: this };
    this.#doors = {
      verified: new Door(doc, { ...door, limits: NO_LIMITS }),
      bare: new Door(doc, { ...door, limits: BARE_LIMITS }),
    };
    this.#needsWhole = Y.decodeStateVector(Y.encodeStateVector(doc)).size > 0;
    this.#status = this.#describe();
    this.ready = new Promise((resolve) => {
      const timer = timers.setTimer(() => {
        resolve({ ...TIMEOUT, outcome: 'timeout' });
        this.#fault = TIMEOUT;
        this.#publish();
      }, patience);
      this.#settleReady = (result) => {
        timers.clearTimer(timer);
        resolve(result);
      };
    });
    doc.on('update', this.#onUpdate);
    doc.on('destroy', this.#onDestroy);
    this.#unsubscribeLoss = storage.subscribeLoss?.(this.#onLoss);
    this.#start();
  }

  /** The same object until something changes. */
  get status(): StorageStatus {
    return this.#status;
  }

  /** Calls `listener` whenever `status` is another. The result ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Stores all that was written before the call, what had failed too. */
  async flush(): Promise<StorageFlushResult> {
    if (this.#phase === 'closed') return { ok: false, code: 'closed', unsaved: this.#status.unsaved };
    const inTime = await this.#isInTime(this.#tryAgain());
    const { unsaved, unknown_roots } = this.#describe();
    if (this.#isLoaded && unsaved === 0) {
      if (unknown_roots.length === 0) return { ok: true };
      return { ok: false, code: 'unknown_root', detail: unknown_roots.join(), unsaved };
    }
    return { ...(inTime && this.#fault !== null ? this.#fault : TIMEOUT), unsaved };
  }

  /** Flushes, then closes the storage. Updates that come after the call are not stored. */
  close(): Promise<StorageFlushResult> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<StorageFlushResult> {
    this.#doc.off('update', this.#onUpdate);
    this.#doc.off('destroy', this.#onDestroy);
    const flushed = await this.flush();
    this.#phase = 'closed';
    this.#unsubscribeLoss?.();
    this.#timers.clearTimer(this.#retry);
    this.#publish();
    const closing = this.#ask(() => this.#storage.close());
    const inTime = await this.#isInTime(closing);
    if (!flushed.ok) return flushed;
    const closed = inTime ? await closing : TIMEOUT;
    return closed.ok ? flushed : { ...closed, unsaved: 0 };
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown, _: Y.Doc, transaction: Y.Transaction): void => {
    if (origin === this) return;
    if (!transaction.local) this.#hasNews = true;
    this.#unsaved.push(update);
    this.#publish();
    // After a failure the storage is left alone until it is time, or somebody asks.
    if (this.#fault === null) this.#start();
  };

  // No row that we know is there any more. After `retryAfter`, or with the next flush, all is written again.
  readonly #onLoss = (): void => {
    this.#losses += 1;
    if (!this.#isLoaded || this.#phase === 'closed') return;
    this.#rows = [];
    this.#needsWhole = true;
    this.#fail({ ok: false, code: 'unavailable', detail: 'lost' });
  };

  readonly #onDestroy = (): void => {
    void this.close();
  };

  #start(): void {
    if (this.#phase === 'closed') return;
    this.#running ??= this.#run().then(() => {
      this.#running = undefined;
      this.#publish();
      // What came in the moment in which it ended.
      if (this.#phase === 'open' && this.#unsaved.length > 0 && this.#fault === null) this.#start();
    });
  }

  async #tryAgain(): Promise<void> {
    await this.#running;
    const { unsaved } = this.#describe();
    if (this.#isLoaded && unsaved === 0 && !this.#hasNews) return;
    this.#start();
    await this.#running;
  }

  /** One at a time: loads if that has not happened, then writes until nothing is left or something fails. */
  async #run(): Promise<void> {
    this.#timers.clearTimer(this.#retry);
    if (!this.#isLoaded && !(await this.#load())) return;
    while (this.#phase !== 'closed') {
      this.#applyWaiting();
      if (this.#needsWhole) {
        if (!(await this.#writeWhole())) return;
      } else if (this.#unsaved.length > 0) {
        if (!(await this.#writeUnsaved())) return;
      } else if (this.#rows.length >= this.#compactAt) {
        await this.#compact();
      } else {
        return;
      }
    }
  }

  async #load(): Promise<boolean> {
    const loaded = await this.#ask(() => this.#storage.load());
    if (this.#phase === 'closed') return false;
    if (!loaded.ok) {
      this.#phase = 'read_only';
      this.#fail(loaded);
      this.#settleReady({ ...loaded, outcome: 'read_only' });
      return false;
    }
    const damage = [...loaded.damage];
    this.#applyRows(loaded.rows, damage);
    for (const { row } of this.#waiting) damage.push({ row, code: 'gap' });
    damage.sort((a, b) => a.row - b.row);
    this.#damage = Object.freeze(damage);
    this.#isLoaded = true;
    this.#phase = 'open';
    this.#succeed();
    const rows = this.#rows.length;
    this.#settleReady(
      damage.length === 0
        ? { ok: true, outcome: 'loaded', rows }
        : { ok: true, outcome: 'damaged', rows, damage: this.#damage },
    );
    const spoiled = damage.filter(({ code, reason }) => code !== 'gap' && reason !== 'unknown_root');
    // If that fails they stay where they are, and the next load finds them again.
    if (spoiled.length > 0) await this.#ask(() => this.#storage.setAside(spoiled));
    return true;
  }

  /**
   * In one transaction. Rows of several openers may stand before what they build on, so those that lack something
   * are tried again for as long as any goes in.
   */
  #applyRows(rows: readonly StoredRow[], damage: DamagedRow[]): void {
    const apply = (): void => {
      let left = rows;
      let before: number;
      do {
        before = left.length;
        left = left.filter((row) => this.#applyRow(row, damage));
      } while (left.length > 0 && left.length < before);
      this.#waiting = left;
    };
    try {
      Y.transact(this.#doc, apply, this, false);
    } catch (error) {
      // Of an observer of the app, once all is applied.
      surface(error);
    }
  }

  /** Whether it must wait. */
  #applyRow({ row, update, verified }: StoredRow, damage: DamagedRow[]): boolean {
    const inspected = this.#doors[verified ? 'verified' : 'bare'].inspect(update);
    if (!inspected.ok) {
      if (inspected.outcome === 'gap') return true;
      damage.push({ row, code: 'refused_row', reason: inspected.code });
      return false;
    }
    // What the door would do, which takes nothing within a transaction.
    if (inspected.structs.length > 0 || inspected.deletions.length > 0) {
      Y.applyUpdate(this.#doc, update, this);
    }
    this.#rows.push(row);
    return false;
  }

  #applyWaiting(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    if (this.#waiting.length === 0) return;
    const refused: DamagedRow[] = [];
    this.#applyRows(this.#waiting, refused);
    const waiting = new Set(this.#waiting.map(({ row }) => row));
    const damage = this.#damage.filter(({ row, code }) => code !== 'gap' || waiting.has(row));
    this.#damage = Object.freeze([...damage, ...refused]);
    this.#publish();
  }

  async #writeUnsaved(): Promise<boolean> {
    const batch = this.#unsaved.slice();
    const written = await this.#ask(() => this.#storage.append(batch));
    return this.#finishWrite(written, batch.length, this.#rows);
  }

  async #writeWhole(): Promise<boolean> {
    const count = this.#unsaved.length;
    const snapshot = encodeIntegrated(this.#doc);
    // What would not load again is kept beside the rows, never in their place.
    const rows = this.#canLoad(snapshot) ? this.#rows : [];
    const kept = rows === this.#rows ? [] : this.#rows;
    const written = await this.#ask(() => this.#storage.replace(rows, snapshot));
    if (!this.#finishWrite(written, count, kept)) return false;
    this.#needsWhole = false;
    return true;
  }

  /** Only saves room: a failure loses nothing, and is tried again after as many rows. */
  async #compact(): Promise<void> {
    const count = this.#unsaved.length;
    const snapshot = encodeIntegrated(this.#doc);
    this.#compactAt = this.#rows.length + this.#compactAfter;
    if (!this.#canLoad(snapshot)) return;
    const rows = this.#rows;
    const written = await this.#ask(() => this.#storage.replace(rows, snapshot));
    if (!written.ok) return;
    this.#compactAt = this.#compactAfter;
    this.#finishWrite(written, count, []);
  }

  #finishWrite(written: WrittenRows, count: number, kept: readonly number[]): boolean {
    if (!written.ok) {
      this.#fail(written);
      return false;
    }
    this.#rows = [...kept, ...written.rows];
    this.#unsaved.splice(0, count);
    this.#succeed();
    return true;
  }

  /** Whether a new document would take it from the storage. */
  #canLoad(snapshot: Uint8Array): boolean {
    const { doc_id, generation } = this.#storage;
    const options = { root: this.#root, others: this.#others, limits: NO_LIMITS };
    const door = new Door(new Y.Doc(), { doc_id, generation, ...options });
    return door.inspect(snapshot).ok;
  }

  #fail(failure: StorageFailure): void {
    this.#fault = failure;
    this.#timers.clearTimer(this.#retry);
    if (this.#phase === 'closed') return;
    this.#retry = this.#timers.setTimer(() => this.#start(), this.#retryAfter);
    this.#publish();
  }

  #succeed(): void {
    this.#fault = null;
    this.#publish();
  }

  async #ask<T extends { readonly ok: true }>(
    call: () => Promise<T | StorageFailure>,
  ): Promise<T | StorageFailure> {
    let result: T | StorageFailure;
    const losses = this.#losses;
    try {
      result = await call();
      // Confirmed by what is gone since.
      if (losses !== this.#losses) result = { ok: false, code: 'unavailable', detail: 'lost' };
    } catch (error) {
      // An adapter should not reject; one that does has failed.
      result = { ok: false, code: 'unavailable', detail: error instanceof Error ? error.name : typeof error };
    }
    if (!result.ok && result.code === 'unavailable' && this.#isLoaded) {
      this.#rows = [];
      this.#needsWhole = true;
    }
    return result;
  }

  async #isInTime(work: Promise<unknown>): Promise<boolean> {
    let timer: unknown;
    const late = new Promise<false>((resolve) => {
      timer = this.#timers.setTimer(() => resolve(false), this.#patience);
    });
    const inTime = await Promise.race([work.then(() => true), late]);
    this.#timers.clearTimer(timer);
    return inTime;
  }

  #describe(): StorageStatus {
    const unknown = this.#listUnknownRoots();
    return Object.freeze({
      phase: this.#phase,
      unsaved: this.#unsaved.length + (this.#needsWhole ? 1 : 0),
      fault: this.#fault?.code ?? null,
      damage: this.#damage,
      unknown_roots: Object.freeze(unknown),
    });
  }

  #listUnknownRoots(): string[] {
    const others = this.#others;
    if (others === 'any') return [];
    return listOtherRoots(this.#doc, this.#root)
      .filter((name) => !others.includes(name))
      .sort();
  }

  #publish(): void {
    const status = this.#describe();
    if (isSameStatus(status, this.#status)) return;
    this.#status = status;
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        surface(error);
      }
    }
  }
}

/** An editor may nest as deep, and delete as much, as it likes. */
const BARE_LIMITS: UpdateLimits = {
  ...INITIAL_LIMITS,
  depth: NO_LIMITS.depth,
  deletions: NO_LIMITS.deletions,
};

const TIMEOUT = { ok: false, code: 'timeout' } as const;

/** A mistake of the app in code that we call: the host hears of it, and the writing goes on. */
function surface(error: unknown): void {
  void Promise.reject(error);
}

function isSameStatus(a: StorageStatus, b: StorageStatus): boolean {
  return (
    a.phase === b.phase &&
    a.unsaved === b.unsaved &&
    a.fault === b.fault &&
    a.damage === b.damage &&
    a.unknown_roots.join('\n') === b.unknown_roots.join('\n')
  );
}
