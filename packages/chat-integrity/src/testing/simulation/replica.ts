import * as Y from 'yjs';
import type { Application } from '../subject/application.js';
import { Disk } from '../subject/disk.js';
import type { Connection } from '../subject/provider.js';
import type { Seat } from '../subject/seat.js';
import type { Storage } from '../subject/storage.js';
import type { Subject } from '../subject/subject.js';
import { guard } from './law.js';
import { mixSeeds, seededEnvironment } from './seeded-environment.js';

/** Origin of what a storage gave. */
const LOADED = { loaded: true };

/** The world around a replica, as far as it needs it. */
export interface Surroundings {
  readonly seed: number;
  now(): number;
  mark(name: string): void;
  /** Connects a process that has started. */
  connect(replica: number, seat: Seat): Connection[];
  disconnect(replica: number): void;
  /** Called when a flush has been confirmed that began with these facts. */
  flushed(replica: number, facts: readonly string[], sync: number): void;
  /** Facts of this replica that a flush now would make safe. */
  unsafe(replica: number): readonly string[];
}

/** The remains of a process that has died. */
export interface Fallen {
  /** Facts that it showed. */
  readonly shown: ReadonlySet<string>;
  /** Its document, where nothing of it may be lost. */
  readonly snapshot: Uint8Array | undefined;
  /** The sync of the older state that was put back. */
  readonly restored: number | undefined;
}

/** One process after another at one seat, and the disk that outlives them. */
export class Replica<S> {
  readonly index: number;
  readonly disk: Disk = new Disk();
  /** Milliseconds by which its clock is wrong. */
  skew: number;
  doc: Y.Doc = createDocument();
  state: S | undefined;
  seat: Seat | undefined;
  generation = 0;
  /** Set by what arrives; carried out once the step is over. */
  wanted = 0;
  /** Updates since the last flush that was confirmed. */
  unflushed = 0;
  incarnation = 0;
  /** Until the next process is up. */
  fallen: Fallen | undefined;
  readonly #subject: Subject<S>;
  readonly #around: Surroundings;
  #storage: Storage | undefined;
  #connections: Connection[] = [];
  #isStarting = false;
  #hasStored = false;
  /** Generations of the document, by the sync from which on. */
  readonly #generations: { readonly sync: number; readonly generation: number }[] = [
    { sync: 0, generation: 0 },
  ];

  constructor(subject: Subject<S>, index: number, skew: number, around: Surroundings) {
    this.#subject = subject;
    this.index = index;
    this.skew = skew;
    this.#around = around;
  }

  get isUp(): boolean {
    return this.state !== undefined;
  }

  get application(): Application<S> {
    return this.#subject.application;
  }

  /** Starts a process. With a storage that takes its time, it is up once that has answered. */
  start(): void {
    if (this.isUp || this.#isStarting) return;
    this.incarnation += 1;
    this.wanted = this.generation;
    const seat = this.#sitDown(createDocument());
    this.#storage = guard('opening the storage', () => this.#subject.storage?.(seat));
    const loaded = guard('loading', () => this.#storage?.load());
    if (loaded instanceof Promise) {
      this.#isStarting = true;
      loaded.then((updates) => {
        this.#isStarting = false;
        this.#open(seat, updates);
      });
    } else this.#open(seat, loaded ?? []);
  }

  #sitDown(doc: Y.Doc): Seat {
    const around = this.#around;
    const seed = mixSeeds(around.seed, this.index, this.incarnation, this.generation);
    doc.clientID = seed;
    return {
      name: `replica ${this.index}`,
      index: this.index,
      doc,
      doc_id: DOC_ID,
      generation: this.generation,
      environment: seededEnvironment(mixSeeds(seed, 1), () => around.now() + this.skew),
      disk: this.disk,
      is_hub: this.#subject.topology === 'star' && this.index === 0,
      mark: around.mark,
      moveTo: (generation) => {
        if (this.application.move !== undefined) this.wanted = Math.max(this.wanted, generation);
      },
    };
  }

  #open(seat: Seat, updates: Iterable<Uint8Array>): void {
    const { doc } = seat;
    guard('loading', () => {
      doc.transact(() => {
        for (const update of updates) Y.applyUpdate(doc, update, LOADED);
      }, LOADED);
    });
    this.#sit(seat);
    this.unflushed = 0;
  }

  /** From here on the document is stored, shown and sent. */
  #sit(seat: Seat): void {
    const { doc } = seat;
    doc.on('update', (update: Uint8Array) => this.#store(update));
    this.seat = seat;
    this.doc = doc;
    this.state = guard('open', () => this.application.open(seat));
    this.#connections = this.#around.connect(this.index, seat);
  }

  #store(update: Uint8Array): void {
    if (this.#storage === undefined) return;
    this.unflushed += 1;
    this.#hasStored = true;
    this.#storage.append(update);
  }

  flush(): boolean {
    if (!this.isUp || this.#storage === undefined) return false;
    const facts = this.#around.unsafe(this.index);
    const { incarnation, unflushed } = this;
    const confirm = (): void => {
      if (incarnation !== this.incarnation) return;
      this.unflushed -= unflushed;
      this.#around.flushed(this.index, facts, this.disk.syncs);
    };
    const done = guard('flush', () => this.#storage?.flush());
    if (done instanceof Promise) done.then(confirm, () => this.#around.mark('a flush failed'));
    else confirm();
    return unflushed > 0;
  }

  /** The process is gone, without a word. */
  kill(): void {
    this.#around.disconnect(this.index);
    this.#leave();
    this.#storage?.close?.();
    this.#storage = undefined;
    this.unflushed = 0;
  }

  #leave(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections = [];
    const { state, doc } = this;
    this.state = undefined;
    this.seat = undefined;
    if (state !== undefined) this.application.close?.(state);
    doc.destroy();
  }

  /** Puts an older state of the disk back, of a replica that is down. Returns the sync of its moment. */
  restore(back: number): number {
    const sync = this.disk.restore(back);
    const then = this.#generations.filter((each) => each.sync <= sync).at(-1);
    this.generation = then?.generation ?? 0;
    return sync;
  }

  /** Goes on in a document of the generation that was asked for. Returns whether it did. */
  move(): boolean {
    const { state } = this;
    const move = this.application.move;
    if (state === undefined || move === undefined || this.wanted <= this.generation) return false;
    // What is stored outside of the disk cannot be replaced for it.
    if (this.#hasStored && !this.disk.isUsed) return false;
    const doc = guard('move', () => move(state, this.wanted));
    this.#around.disconnect(this.index);
    this.#leave();
    this.generation = this.wanted;
    const facts = this.#around.unsafe(this.index);
    const seat = this.#sitDown(doc);
    if (this.#storage !== undefined) {
      this.#storage.close?.();
      this.disk.clear();
      this.#storage = this.#subject.storage?.(seat);
      this.#storage?.append(Y.encodeStateAsUpdate(doc));
      this.#storage?.flush();
      this.#generations.push({ sync: this.disk.syncs, generation: this.generation });
      this.unflushed = 0;
      this.#around.flushed(this.index, facts, this.disk.syncs);
    }
    this.#sit(seat);
    return true;
  }

  end(): void {
    this.#leave();
    this.#storage?.close?.();
  }
}

/** Of the document that all replicas share. */
export const DOC_ID = '01KAJ8Z0000000000000000000';

/** With a name that is given: a random one costs more than the rest of a small document. */
export function createDocument(): Y.Doc {
  return new Y.Doc({ guid: DOC_ID });
}
