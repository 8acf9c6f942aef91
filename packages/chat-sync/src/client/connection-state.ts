import type { StorageStatus } from '../storage/storage-binding.js';

/** How a connection is. A fault of the storage is none of these: it is beside them, in `status.storage`. */
export type ConnectionState =
  /** The storage is being read. */
  | 'loading'
  /** No server has answered yet. */
  | 'connecting'
  /** The server was there, and is not. Tried again by itself. */
  | 'offline'
  /** Connected, and not in step yet. */
  | 'syncing'
  /** In step, with changes on their way to the server or the storage. */
  | 'synced'
  /** In step, and all changes confirmed by the server and the storage. */
  | 'saved'
  /** The server does not take the token: `retry()` asks for another. */
  | 'denied'
  /** The server refused a change of ours, and a person has to choose: `rebuild()`. Everything is kept. */
  | 'refused'
  /** Moves to a fresh copy of the document, and takes unsent lines along. */
  | 'rebuilding'
  | 'closed';

/** What the state derives from. */
export interface ConnectionFacts {
  readonly isClosed: boolean;
  readonly isRebuilding: boolean;
  readonly isRefused: boolean;
  /** Null without a storage. */
  readonly storage: Pick<StorageStatus, 'phase' | 'unsaved'> | null;
  /** While it rebuilds, that of the fresh copy. */
  readonly network: 'none' | 'connecting' | 'offline' | 'open' | 'synced' | 'denied';
  /** Changes that the server has not confirmed. */
  readonly unsent: number;
}

/** The state, from facts alone: nothing is remembered that could be out of date. */
export function deriveState(facts: ConnectionFacts): ConnectionState {
  const { isClosed, isRebuilding, isRefused, storage, network, unsent } = facts;
  if (isClosed) return 'closed';
  if (isRebuilding) return network === 'denied' ? 'denied' : 'rebuilding';
  if (isRefused) return 'refused';
  if (storage?.phase === 'loading') return 'loading';
  const unsaved = storage?.unsaved ?? 0;
  switch (network) {
    case 'none':
      return unsaved === 0 ? 'saved' : 'synced';
    case 'open':
      return 'syncing';
    case 'synced':
      return unsent + unsaved === 0 ? 'saved' : 'synced';
    default:
      return network;
  }
}
