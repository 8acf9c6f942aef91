import type * as Y from 'yjs';
import { type Chat, openChat } from './chat.js';
import type { ChatOptions } from './options.js';

type Target = Y.Doc | Y.Map<unknown>;

/** By the registry of symbols: a module that is loaded twice, as by hot reload, finds the chats of the other. */
const KEY = Symbol.for('@chatdoc/schema/chats');

interface Holder {
  [KEY]?: WeakMap<object, Map<string, Chat>>;
}

/**
 * The one chat of a document, or of a nested map, in this process, for each root, user and generation: opened at the first
 * call, and again after it was closed. Idempotent, so that a component may call it while it renders; no component closes
 * it. Other options count at the first call alone. Throws as `openChat` does.
 */
export function chatOf(target: Target, options: ChatOptions = {}): Chat {
  const { root = 'chat', user_id, generation = 0, readOnly = false } = options;
  const holder = globalThis as Holder;
  holder[KEY] ??= new WeakMap();
  const name = JSON.stringify([root, user_id, generation, readOnly]);
  const known = holder[KEY].get(target)?.get(name);
  if (known !== undefined && !known.isClosed) return known;
  const chat = openChat(target, options);
  const chats = holder[KEY].get(target) ?? new Map<string, Chat>();
  holder[KEY].set(target, chats.set(name, chat));
  return chat;
}
