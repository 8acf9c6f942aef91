export { ChatSearch, type SearchHit, type SearchOptions } from './chat-search.js';
export { type SearchResult, useSearch } from './use-search.js';
