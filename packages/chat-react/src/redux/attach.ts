import { type Chat, type ChatChange, ChatDocError, type ChatReader } from '@chatdoc/schema';
import type { Template } from '@chatdoc/turns';
import { ChatStore } from '../store/chat-store.js';
import { presentStamp } from '../store/present-stamp.js';
import {
  attached,
  type ChangedPayload,
  type ChatDocRoot,
  type ChatDocState,
  changed,
  detached,
} from './state.js';

export interface AttachOptions {
  readonly user_id: string;
  /** The template of a prompt. Called once per prompt while the chat is attached. */
  readonly fetchPrompt: (promptId: string) => Promise<Template>;
  /** When changes are dispatched. Defaults to once in the next microtask. */
  readonly schedule?: (dispatch: () => void) => void;
}

/** The part of a Redux store that this needs. */
export interface AttachableStore {
  getState(): ChatDocRoot;
  dispatch(action: ReturnType<typeof attached | typeof detached | typeof changed>): unknown;
}

/** The chat of a store, and what was fetched for it. */
export interface Attachment {
  readonly chat: Chat;
  readonly options: AttachOptions;
  readonly prompts: Map<string, Promise<Template>>;
  readonly fetched: Map<string, Promise<void>>;
  /** The moment that the document itself is at: any other that a state names is in the past. */
  latest: string;
}

/** By the name that is in the state of their store. */
const attachments = new Map<string, Attachment>();
let count = 0;

/**
 * Makes a chat the one of a store: each change of the document becomes an action. Returns a function that takes it away
 * again. Throws `invalid_argument` if the store has one.
 */
export function attachChat(store: AttachableStore, chat: Chat, options: AttachOptions): () => void {
  if (store.getState().chatdoc.source !== null) {
    throw new ChatDocError('invalid_argument', 'store', 'another chat is attached to it');
  }
  count += 1;
  const source = `chat-${count}`;
  const latest = presentStamp();
  const attachment: Attachment = { chat, options, prompts: new Map(), fetched: new Map(), latest };
  attachments.set(source, attachment);
  store.dispatch(attached({ source, stamp: latest }));
  const stop = dispatchChanges(store, attachment);
  return () => {
    stop();
    attachments.delete(source);
    store.dispatch(detached());
  };
}

function dispatchChanges(store: AttachableStore, attachment: Attachment): () => void {
  const { schedule = inMicrotask } = attachment.options;
  let pending: { readonly messages: Set<string>; readonly threads: Set<string> } | undefined;
  let isAttached = true;
  const flush = (): void => {
    if (pending === undefined || !isAttached) return;
    const payload: ChangedPayload = {
      stamp: nextStamp(attachment.latest),
      messages: [...pending.messages],
      threads: [...pending.threads],
    };
    pending = undefined;
    attachment.latest = payload.stamp;
    store.dispatch(changed(payload));
  };
  const stop = ChatStore.of(attachment.chat).onChange(({ messages, threads }: ChatChange) => {
    if (pending === undefined) schedule(flush);
    pending ??= { messages: new Set(), threads: new Set() };
    for (const id of messages) pending.messages.add(id);
    for (const id of threads) pending.threads.add(id);
  });
  return () => {
    isAttached = false;
    stop();
  };
}

/** Never below the one before, also where the clock goes back. */
function nextStamp(latest: string): string {
  const now = presentStamp();
  return now > latest ? now : latest;
}

function inMicrotask(dispatch: () => void): void {
  void Promise.resolve().then(dispatch);
}

/** Throws `invalid_argument` for a state that no chat is attached to. */
export function attachmentOf({ source }: ChatDocState): Attachment {
  const attachment = source === null ? undefined : attachments.get(source);
  if (attachment !== undefined) return attachment;
  throw new ChatDocError('invalid_argument', 'store', 'expected attachChat before');
}

/** Pasts that are kept: reading one for the first time is O(document). */
const MAX_PASTS = 4;
const pasts = new WeakMap<Chat, Map<string, ChatReader>>();

/** The chat at the moment of a state: the present one, or the past that DevTools have put back. */
export function readerOf(state: ChatDocState): ChatReader {
  const { chat, latest } = attachmentOf(state);
  const { stamp } = state;
  if (stamp === null || stamp >= latest) return chat;
  const known = pasts.get(chat) ?? new Map<string, ChatReader>();
  pasts.set(chat, known);
  const reader = known.get(stamp) ?? chat.at(stamp);
  known.delete(stamp);
  known.set(stamp, reader);
  for (const oldest of known.keys()) {
    if (known.size <= MAX_PASTS) break;
    known.delete(oldest);
  }
  return reader;
}
