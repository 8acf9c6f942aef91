import {
  type Chat,
  type JsonObject,
  type Message,
  type Purpose,
  type ThreadConfig,
  type ThreadConfigFields,
  timeOfUlid,
} from '@chatdoc/schema';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ThreadHandle } from './slots.js';

/** Ids by which a provider knows its side of a conversation. */
export interface SessionIds {
  readonly conversation_id?: string;
  readonly last_response_id?: string;
  readonly acp_session_id?: string;
}

/** A provider's side of one thread. It belongs to that thread and its purpose, and to no other. */
export interface Session<P extends Purpose> extends SessionIds {
  readonly purpose: P;
  readonly thread_id: string;
  /** The last message that the provider has seen. */
  readonly last_message_id: string;
  /** SHA-256 over all messages up to there: an edit among them makes the session useless. */
  readonly digest: string;
}

export type SaveResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /**
       * `conflict`: the session is no longer the one that `expected` names. `other_thread`, `other_purpose`: it
       * belongs elsewhere. `not_found`: no such thread.
       */
      readonly code: 'conflict' | 'other_thread' | 'other_purpose' | 'not_found';
    };

/** An agent that gives a longer one gives none: settings are read with every message. */
const MAX_ID = 4_096;
const ID_FIELDS = ['conversation_id', 'last_response_id', 'acp_session_id'] as const;

/** The session of a thread; undefined without one, and for one that belongs to another thread or purpose. */
export function readSession<P extends Purpose>(
  chat: Pick<Chat, 'config'>,
  thread: ThreadHandle<P>,
): Session<P> | undefined {
  const stored = chat.config(thread.thread_id).session;
  if (stored === undefined) return undefined;
  const { purpose, thread_id, last_message_id, digest } = stored;
  if (purpose !== thread.purpose || thread_id !== thread.thread_id) return undefined;
  if (typeof last_message_id !== 'string' || typeof digest !== 'string') return undefined;
  const base = { purpose: thread.purpose, thread_id: thread.thread_id, last_message_id, digest };
  return Object.freeze({ ...base, ...pickIds(stored) });
}

/**
 * Compare-and-set: writes only if the session of the thread still is `expected`. What two processes write offline
 * is a conflict of the config, of which one wins; the digest of the other no longer fits.
 */
export function saveSession<P extends Purpose>(
  chat: Pick<Chat, 'config' | 'configure' | 'thread'>,
  thread: ThreadHandle<P>,
  change: {
    readonly expected: Session<NoInfer<P>> | undefined;
    readonly session: Session<NoInfer<P>> | null;
    readonly updated_by: string;
  },
): SaveResult {
  const { expected, session, updated_by } = change;
  const record = chat.thread(thread.thread_id);
  if (record === undefined) return { ok: false, code: 'not_found' };
  if (record.purpose !== thread.purpose) return { ok: false, code: 'other_purpose' };
  if (session !== null && session.purpose !== record.purpose) return { ok: false, code: 'other_purpose' };
  if (session !== null && session.thread_id !== record.thread_id) return { ok: false, code: 'other_thread' };
  if (writeKey(readSession(chat, thread)) !== writeKey(expected)) return { ok: false, code: 'conflict' };
  const value = session === null ? null : writeSession(session);
  chat.configure({ thread_id: thread.thread_id, updated_by, session: value });
  return { ok: true };
}

/** A caller's object may hold more than its type says. */
function writeSession(session: Session<Purpose>): JsonObject {
  const { purpose, thread_id, last_message_id, digest } = session;
  return { ...pickIds(session), purpose, thread_id, last_message_id, digest };
}

/** A conversation as one turn sees it. */
export interface TurnConversation {
  /** Up to and including the prompt. */
  readonly messages: readonly Message[];
  /** All of the thread, what comes after the prompt included. */
  readonly all: readonly Message[];
  /** Of an attempt that goes on from another: the answer as that one left it. */
  readonly continued?: Message;
}

/** The session that an agent can use, and the messages that it does not know. All, where it does not fit. */
export function planResend<P extends Purpose>(
  session: Session<P> | undefined,
  { messages, all, continued }: TurnConversation,
): { readonly session: Session<P> | undefined; readonly fresh: readonly Message[] } {
  if (session === undefined) return { session, fresh: messages };
  const at = findEnd(session, messages);
  if (at >= 0) return { session, fresh: messages.slice(at + 1) };
  // A session that goes beyond the prompt knows all of it. Only what is continued is still in place there.
  const known = continued && all.map((each) => (each.message_id === continued.message_id ? continued : each));
  if (known !== undefined && findEnd(session, known) >= 0) return { session, fresh: [] };
  return { session: undefined, fresh: messages };
}

/** The index of the last message that a session includes; -1 if what it includes reads otherwise now. */
function findEnd(session: Session<Purpose>, messages: readonly Message[]): number {
  const at = messages.findIndex(({ message_id }) => message_id === session.last_message_id);
  return at >= 0 && digestMessages(messages.slice(0, at + 1)) === session.digest ? at : -1;
}

/** Names that other programs give the ids of a session. */
const BROUGHT_FIELDS = {
  conversation_id: 'conversation_id',
  response_id: 'last_response_id',
  session_id: 'acp_session_id',
} as const;

/**
 * The session that a migration brought, in our form. It includes the messages that are not later than `entry`, the
 * one that brought it: nobody recorded what the provider was sent. Undefined once a turn has saved one.
 */
export function readBroughtSession(
  chat: Pick<Chat, 'config'> & {
    configEntry(threadId: string, field: 'session' | 'acp_config'): string | null;
  },
  { thread_id, purpose }: ThreadHandle<Purpose>,
  messages: readonly Message[],
): Session<Purpose> | undefined {
  const { session, acp_config } = chat.config(thread_id);
  const ids: Record<string, string> = {};
  const isOurs = session !== undefined && ('digest' in session || 'purpose' in session);
  if (isOurs) return undefined;
  for (const [from, to] of Object.entries(BROUGHT_FIELDS)) {
    const id = session?.[from];
    if (typeof id === 'string') ids[to] = id;
  }
  const sessionEntry = chat.configEntry(thread_id, 'session');
  const acpId = acp_config?.['sessionId'];
  // Cleared by somebody, it is not to be used again.
  if (sessionEntry === null && typeof acpId === 'string') ids['acp_session_id'] = acpId;
  const picked = pickIds(ids);
  const entry = sessionEntry ?? chat.configEntry(thread_id, 'acp_config');
  if (Object.keys(picked).length === 0 || entry === null) return undefined;
  const time = timeOfUlid(entry);
  const known = messages.filter(({ message_id }) => timeOfUlid(message_id) <= time);
  const last = known.at(-1);
  if (last === undefined) return undefined;
  const included = messages.slice(0, messages.indexOf(last) + 1);
  return Object.freeze({
    ...picked,
    purpose,
    thread_id,
    last_message_id: last.message_id,
    digest: digestMessages(included),
  });
}

/** Settings of a thread as another may have them: what a provider remembers belongs to one thread alone. */
export function copySettings(config: ThreadConfig): ThreadConfigFields {
  const { thread_id: _, session: __, updated_at: ___, updated_by: ____, acp_config, ...settings } = config;
  if (acp_config === undefined) return settings;
  const { sessionId: _____, ...shared } = acp_config;
  return { ...settings, acp_config: shared };
}

/** Equal for two conversations that read the same. */
export function digestMessages(messages: readonly Message[]): string {
  const read = messages.map(({ message_id, content }) => [message_id, content]);
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(read))));
}

export function pickIds(ids: Readonly<Record<string, unknown>> | SessionIds): SessionIds {
  const picked: Record<string, string> = {};
  for (const field of ID_FIELDS) {
    const id = (ids as Readonly<Record<string, unknown>>)[field];
    if (typeof id === 'string' && id.length <= MAX_ID) picked[field] = id;
  }
  return picked;
}

function writeKey(session: Session<Purpose> | undefined): string {
  if (session === undefined) return '';
  const { purpose, thread_id, last_message_id, digest } = session;
  const ids = ID_FIELDS.map((field) => session[field] ?? null);
  return JSON.stringify([purpose, thread_id, last_message_id, digest, ids]);
}
