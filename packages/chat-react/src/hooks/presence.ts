import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { Typing } from '../store/typing.js';
import { type ChatPeer, type ScopeOptions, useScope } from './scope.js';

/** Who else has the document open. None without a presence. */
export function usePresence(options?: ScopeOptions): readonly ChatPeer[] {
  const { presence } = useScope(options);
  const subscribe = useCallback(
    (listener: () => void) => presence?.subscribe(listener) ?? (() => {}),
    [presence],
  );
  return useSyncExternalStore(
    subscribe,
    () => presence?.peers() ?? NONE,
    () => NONE,
  );
}

/** Names of the others who write in a thread · to be called for each key of the user · and when the text was sent. */
export type TypingHandle = readonly [names: readonly string[], key: () => void, stop: () => void];

/** The user counts as writing for 5 s after each key, until the text was sent, or the field goes. */
export function useTyping(threadId: string, options?: ScopeOptions): TypingHandle {
  const scope = useScope(options);
  const { presence, user_id: userId } = scope;
  const peers = usePresence(scope);
  const typing = useMemo(
    () => (presence === undefined ? undefined : new Typing(presence, threadId)),
    [presence, threadId],
  );
  useEffect(() => () => typing?.stop(), [typing]);
  const names = useMemo(() => {
    const others = peers.filter((peer) => peer.typing === threadId && peer.user_id !== userId);
    // One with two tabs is one.
    return [...new Map(others.map(({ user_id, name }) => [user_id, name ?? user_id])).values()].sort();
  }, [peers, threadId, userId]);
  return [names, typing?.key ?? NOTHING, typing?.stop ?? NOTHING];
}

const NONE: readonly never[] = Object.freeze([]);
const NOTHING = (): void => {};
