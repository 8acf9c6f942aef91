import { useMemo, useSyncExternalStore } from 'react';
import { type ScopeOptions, useScope } from '../hooks/scope.js';
import { Derived, isSameList } from '../store/derived.js';
import { ChatSearch, type SearchHit, type SearchOptions } from './chat-search.js';

export interface SearchResult {
  readonly hits: readonly SearchHit[];
  /** Whether every message has been read. */
  readonly isReady: boolean;
}

/** The messages that have all words of the query, while they do. An empty query finds nothing, and builds nothing. */
export function useSearch(
  query: string,
  { thread_id, limit, ...options }: SearchOptions & ScopeOptions = {},
): SearchResult {
  const { chat } = useScope(options);
  const derived = useMemo(
    () => (query.trim() === '' ? NOTHING : resultOf(ChatSearch.of(chat), query, thread_id, limit)),
    [chat, query, thread_id, limit],
  );
  return useSyncExternalStore(derived.subscribe, derived.snapshot, readNothing);
}

function resultOf(
  search: ChatSearch,
  query: string,
  thread_id: string | undefined,
  limit: number | undefined,
): Derived<SearchResult> {
  return new Derived<SearchResult>({
    read: () => ({
      hits: search.search(query, { thread_id, ...(limit !== undefined && { limit }) }),
      isReady: search.isReady,
    }),
    isSame: (last, next) =>
      last.isReady === next.isReady && isSameList(last.hits.map(keyOf), next.hits.map(keyOf)),
    subscribe: search.subscribe,
  });
}

function keyOf(hit: SearchHit): string {
  return JSON.stringify(hit);
}

const EMPTY: SearchResult = Object.freeze({ hits: Object.freeze([]), isReady: true });
const readNothing = (): SearchResult => EMPTY;
const NOTHING = new Derived<SearchResult>({
  read: readNothing,
  isSame: Object.is,
  subscribe: () => () => {},
});
