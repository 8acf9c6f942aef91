import * as Y from 'yjs';
import {
  type BindOptions,
  bindStorage,
  type ChatStorage,
  type LoadedRows,
  type ReadyResult,
  type StorageBinding,
} from '../storage/index.js';
import { assertOk } from './assertions.js';
import { digestOf } from './sample-chat.js';
import type { StorageFaults, StorageHarness } from './storage-harness.js';

type Loaded = Extract<LoadedRows, { readonly ok: true }>;

export interface Reloaded {
  readonly doc: Y.Doc;
  readonly ready: ReadyResult;
  readonly digest: string;
}

/** For a medium that is slow: the machine may be busy. One that hangs gets the patience of the library. */
const SLOW_MS = 60_000;

/** One medium, and all that a case opens over it. */
export class Bench<M> {
  /** How many a long history has. */
  readonly manyRows: number;
  readonly #harness: StorageHarness<M>;
  readonly #medium: M;
  readonly #opened: { close(): Promise<unknown> }[] = [];
  #hangs = false;

  constructor(harness: StorageHarness<M>, medium: M, manyRows: number) {
    this.#harness = harness;
    this.#medium = medium;
    this.manyRows = manyRows;
  }

  open(): ChatStorage {
    const storage = this.#harness.open(this.#medium);
    this.#opened.push(storage);
    return storage;
  }

  bind(doc: Y.Doc, options?: BindOptions): StorageBinding {
    const patience = this.#hangs ? {} : { patience: SLOW_MS };
    const binding = bindStorage(doc, this.#harness.open(this.#medium), { ...patience, ...options });
    this.#opened.push(binding);
    return binding;
  }

  /** Stores each update in a row of its own. */
  async store(updates: readonly Uint8Array[]): Promise<void> {
    const storage = this.open();
    for (const update of updates) assertOk(await storage.append([update]), 'append');
    assertOk(await storage.close(), 'close');
  }

  /** What stands in the medium now. */
  async load(): Promise<Loaded> {
    const storage = this.open();
    const loaded = await storage.load();
    assertOk(loaded, 'load');
    assertOk(await storage.close(), 'close');
    return loaded;
  }

  /** Loads into a new document, as the next start of an app would. */
  async reload(): Promise<Reloaded> {
    const doc = new Y.Doc();
    const binding = this.bind(doc);
    const ready = await binding.ready;
    assertOk(await binding.close(), 'close');
    return { doc, ready, digest: digestOf(doc) };
  }

  /** Calls a fault of the harness; cases name those that they need. */
  async inflict<K extends keyof StorageFaults<M>>(
    fault: K,
    ...args: Parameters<NonNullable<StorageFaults<M>[K]>> extends [M, ...infer Rest] ? Rest : never
  ): Promise<void> {
    const call = this.#harness.faults[fault] as
      | ((medium: M, ...rest: unknown[]) => Promise<void>)
      | undefined;
    if (call === undefined) throw new Error(`${this.#harness.name} lacks ${fault}`);
    if (fault === 'hangLoads') this.#hangs = args[0] === true;
    await call.call(this.#harness.faults, this.#medium, ...args);
  }

  async close(): Promise<void> {
    for (const each of this.#opened) await each.close();
    await this.#harness.remove?.(this.#medium);
  }
}
