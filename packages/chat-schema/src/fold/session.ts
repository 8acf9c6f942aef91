import type { Json, JsonObject } from '../entry/json.js';

/** Names under which providers give out an id of a session or of the last link of its chain. */
const SESSION_KEYS: ReadonlySet<string> = new Set([
  ...[
    'session_id',
    'sessionId',
    'acp_session_id',
    'conversation_id',
    'conversationId',
    'thread_id',
    'threadId',
  ],
  ...['response_id', 'responseId', 'last_response_id', 'previous_response_id', 'previousResponseId'],
]);

/** The keys of a session, equal for equal sessions: its ids; where it has none, all that is in it. */
export function listSessions(session: JsonObject | null | undefined): readonly string[] {
  const entries = Object.entries(session ?? {});
  const ids = entries
    .filter(([key, value]) => SESSION_KEYS.has(key) && typeof value === 'string' && value !== '')
    .map(([key, value]) => JSON.stringify([key, value]));
  if (ids.length > 0) return ids;
  return session && entries.length > 0 ? [canonicalText(session)] : [];
}

function canonicalText(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
