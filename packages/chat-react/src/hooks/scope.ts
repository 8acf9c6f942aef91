import { type Chat, ChatDocError } from '@chatdoc/schema';
import { type Context, createContext, useContext } from 'react';
import type { Initial } from '../store/initial.js';

/** Somebody who has the document open: a peer of the `Presence` of @chatdoc/sync. */
export interface ChatPeer {
  readonly client_id: number;
  readonly user_id: string;
  readonly name?: string;
  readonly color?: string;
  /** Thread in which the peer writes. */
  readonly typing: string | null;
  readonly attempts: readonly string[];
}

/** The part of the `Presence` of @chatdoc/sync that the hooks need. */
export interface ChatPresence {
  peers(): readonly ChatPeer[];
  subscribe(listener: () => void): () => void;
  setTyping(threadId: string | null): void;
}

/** The chat that hooks read from, and its user. Absent fields are those of the nearest `ChatProvider`. */
export interface ChatScope {
  readonly chat: Chat;
  /** Who writes, reads and types here. */
  readonly user_id?: string | undefined;
  readonly presence?: ChatPresence | undefined;
  /** Shown until `loaded`. */
  readonly initial?: Initial | undefined;
  /** Whether the document is here, so that empty means empty. Defaults to true. */
  readonly loaded?: boolean | undefined;
}

export type ScopeOptions = Partial<ChatScope>;

export const ScopeContext: Context<ChatScope | undefined> = createContext<ChatScope | undefined>(undefined);

/** The scope of the nearest provider, and what `options` replace of it. */
export function useScope(options?: ScopeOptions): ChatScope {
  const provided = useContext(ScopeContext);
  const chat = options?.chat ?? provided?.chat;
  if (chat === undefined) {
    throw new ChatDocError('invalid_argument', 'chat', 'expected a ChatProvider above, or { chat }');
  }
  // What a provider holds of another chat is not of this one.
  const base = chat === provided?.chat ? provided : { user_id: provided?.user_id };
  return { ...base, ...options, chat };
}

/** The user of a call that writes. Throws `invalid_argument` if there is none. */
export function userOf({ user_id }: ChatScope): string {
  if (user_id !== undefined) return user_id;
  throw new ChatDocError('invalid_argument', 'user_id', 'expected a ChatProvider with a user_id');
}
