import { useCallback, useSyncExternalStore } from 'react';
import { Drafts, draftKey } from '../store/drafts.js';
import { type ScopeOptions, useScope } from './scope.js';

let shared: Drafts | undefined;

export interface DraftOptions extends ScopeOptions {
  /** Defaults to one over `localStorage` for the whole page. */
  readonly drafts?: Drafts;
}

/**
 * A text that is not sent yet, kept on the device and in step with other tabs.
 *
 * @param key The thread, or any other name of a field.
 */
export function useDraft(
  key: string,
  { drafts, ...options }: DraftOptions = {},
): [text: string, setText: (text: string) => void] {
  const { chat, user_id } = useScope(options);
  shared ??= new Drafts();
  const store = drafts ?? shared;
  const name = draftKey(chat.docId(), key, user_id ?? '');
  const subscribe = useCallback((listener: () => void) => store.subscribe(name, listener), [store, name]);
  const text = useSyncExternalStore(
    subscribe,
    () => store.read(name),
    () => '',
  );
  const setText = useCallback((next: string) => store.write(name, next), [store, name]);
  return [text, setText];
}
