import type { ChatStorage } from '../storage/index.js';

/**
 * What a storage must bring to be tested by `storageConformance`. `M` is a medium: what outlives a storage, such as
 * a database or a file.
 */
export interface StorageHarness<M> {
  readonly name: string;
  /** A new, empty medium for one document. */
  create(): Promise<M>;
  /** Another storage over `medium`, as another process or tab would open it. */
  open(medium: M): ChatStorage;
  remove?(medium: M): Promise<void>;
  readonly faults: StorageFaults<M>;
}

/** Each is optional: the cases that need one that is not there do not apply. */
export interface StorageFaults<M> {
  /** Changes the bytes of the row at `index`, counted from 0 in the order of writing, behind the storage's back. */
  corruptRow?(medium: M, index: number, change: (bytes: Uint8Array) => Uint8Array): Promise<void>;
  removeRow?(medium: M, index: number): Promise<void>;
  /** The medium takes back the next write. */
  abortWrite?(medium: M): Promise<void>;
  /** From now on there is no room for a write, until there is again. */
  limitRoom?(medium: M, isFull: boolean): Promise<void>;
  /** From now on loads never answer, until they do again. */
  hangLoads?(medium: M, hangs: boolean): Promise<void>;
  /** From now on the medium cannot be opened or read, until it can again. */
  hideMedium?(medium: M, isHidden: boolean): Promise<void>;
}
