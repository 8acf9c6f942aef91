import type { Chat } from '@chatdoc/schema';
import { useCallback, useSyncExternalStore } from 'react';
import type { ChatPresence } from './scope.js';

/** The part of a `Connection` of @chatdoc/sync/client that the hooks need. */
export interface ConnectionLike<S extends ConnectionStatusLike = ConnectionStatusLike> {
  readonly chat: Chat;
  readonly presence?: ChatPresence | undefined;
  readonly user?: { readonly user_id: string } | undefined;
  /** The same object until something in it changes. */
  readonly status: S;
  subscribe(listener: () => void): () => void;
}

export interface ConnectionStatusLike {
  /** Rises when the connection was rebuilt over another document. */
  readonly epoch: number;
  readonly loaded: boolean;
}

/** How the connection is: saved, offline, refused and why. Errors are values here. */
export function useConnection<S extends ConnectionStatusLike>(connection: ConnectionLike<S>): S {
  const subscribe = useCallback((listener: () => void) => connection.subscribe(listener), [connection]);
  const read = (): S => connection.status;
  return useSyncExternalStore(subscribe, read, read);
}
