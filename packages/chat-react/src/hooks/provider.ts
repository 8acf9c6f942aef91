import type { Chat } from '@chatdoc/schema';
import { createElement, type ReactElement, type ReactNode, useMemo } from 'react';
import type { Initial } from '../store/initial.js';
import { type ConnectionLike, useConnection } from './connection.js';
import { type ChatPresence, ScopeContext } from './scope.js';

interface ProvidedFields {
  /** Who writes, reads and types below. */
  readonly user_id?: string | undefined;
  /** Shown until the document is loaded, and while the page hydrates. */
  readonly initial?: Initial | undefined;
  readonly children?: ReactNode;
}

/** One chat and what belongs to it. */
export interface ChatFields extends ProvidedFields {
  readonly chat: Chat;
  readonly presence?: ChatPresence | undefined;
  /** Whether the document is here. Defaults to true. */
  readonly loaded?: boolean | undefined;
  readonly connection?: undefined;
}

/** The same of a connection, which has chat, presence and whether it is loaded. */
export interface ConnectionFields extends ProvidedFields {
  readonly connection: ConnectionLike;
  readonly chat?: undefined;
}

export type ChatProviderProps = ChatFields | ConnectionFields;

/**
 * Provides the hooks below it with a chat. Opens and closes nothing. Several chats on a page are several providers. With a
 * connection, what is below is mounted again when the connection was rebuilt: its document is another one then.
 */
export function ChatProvider(props: ChatProviderProps): ReactElement {
  return props.connection === undefined
    ? createElement(ScopeProvider, props)
    : createElement(ConnectedProvider, props);
}

function ConnectedProvider({
  connection,
  user_id = connection.user?.user_id,
  ...fields
}: ConnectionFields): ReactElement {
  const { epoch, loaded } = useConnection(connection);
  const { chat, presence } = connection;
  const props = { ...fields, chat, user_id, presence, loaded, connection: undefined };
  return createElement(ScopeProvider, { ...props, key: epoch });
}

function ScopeProvider({ chat, user_id, presence, initial, loaded, children }: ChatFields): ReactElement {
  const scope = useMemo(
    () => ({ chat, user_id, presence, initial, loaded }),
    [chat, user_id, presence, initial, loaded],
  );
  return createElement(ScopeContext.Provider, { value: scope }, children);
}
