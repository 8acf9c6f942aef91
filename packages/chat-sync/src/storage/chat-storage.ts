import type { DoorRefusalCode } from '../update/refusal.js';

/** Why a storage did not do what it was asked. Nothing of it is thrown. */
export type StorageFault =
  /** No space left, or none granted. */
  | 'quota'
  /** The medium took the write back. */
  | 'aborted'
  /** The storage was closed before. */
  | 'closed'
  /** The medium cannot be opened, or was lost. What stands in it now may be another state. */
  | 'unavailable'
  /** Something else stands under this name. */
  | 'unknown_layout'
  /** The document holds roots that `others` does not name: what touches them is stored, and would not load again. */
  | 'unknown_root'
  /** No answer in time. It may still come. */
  | 'timeout';

export interface StorageFailure {
  readonly ok: false;
  readonly code: StorageFault;
  /** The medium's own word for it, such as the name of an error. Never content. */
  readonly detail?: string;
}

export type RowFault =
  /** Not the bytes that were written, or no bytes at all. */
  | 'corrupt_row'
  /** It was written, and is not there. */
  | 'missing_row'
  /** It builds on what is not there. It stays where it is, and is tried again. */
  | 'gap'
  /** The door refused it: see `reason`. */
  | 'refused_row';

export interface DamagedRow {
  readonly row: number;
  readonly code: RowFault;
  /** Of `refused_row`. Rows with `unknown_root` stay where they are: they load once the root is named. */
  readonly reason?: DoorRefusalCode;
}

export interface StoredRow {
  /** Names the row within its medium; never used again for another. */
  readonly row: number;
  /** A Yjs update (V1). */
  readonly update: Uint8Array;
  /** Whether a checksum says that these bytes were written. */
  readonly verified: boolean;
}

/** A row that is out of the way. */
export interface AsideRow extends DamagedRow {
  /** Null where there were none. */
  readonly bytes: Uint8Array | null;
}

export type LoadedRows =
  | {
      readonly ok: true;
      /** In the order of writing. */
      readonly rows: readonly StoredRow[];
      readonly damage: readonly DamagedRow[];
    }
  | StorageFailure;

export type WrittenRows = { readonly ok: true; readonly rows: readonly number[] } | StorageFailure;

export type StorageResult = { readonly ok: true } | StorageFailure;

/**
 * How one generation of a document is kept, whatever the medium: rows of updates that are added to, and replaced
 * by a snapshot now and then. Several storages may be open over one medium, in any processes. No call throws or
 * rejects; `storageConformance` says in full what must hold.
 */
export interface ChatStorage {
  readonly doc_id: string;
  readonly generation: number;
  /** Every row that can be read. What cannot is named in `damage` and left in place. Writes nothing. */
  load(): Promise<LoadedRows>;
  /**
   * Adds rows, in order. `ok` only once the medium has confirmed them. After a failure none of them is stored, or
   * the first of them; all may be given again.
   */
  append(updates: readonly Uint8Array[]): Promise<WrittenRows>;
  /**
   * Puts `snapshot` in the place of `rows`, which it must hold. No crash leaves neither. Rows that are not named,
   * of other openers for example, stay.
   */
  replace(rows: readonly number[], snapshot: Uint8Array): Promise<WrittenRows>;
  /** Moves damaged rows out of the way, with their bytes. They are no longer loaded or reported. */
  setAside(rows: readonly DamagedRow[]): Promise<StorageResult>;
  /**
   * Calls `listener` when the medium is lost while nothing is asked of it: deleted, evicted, or closed by the host.
   * Returns an unsubscribe function. A storage without it reports a loss by the next call that fails.
   */
  subscribeLoss?(listener: () => void): () => void;
  listAside(): Promise<{ readonly ok: true; readonly rows: readonly AsideRow[] } | StorageFailure>;
  /** Settles after every call before it; calls after it fail with `closed`. */
  close(): Promise<StorageResult>;
}
