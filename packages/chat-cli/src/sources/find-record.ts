import type { Chat } from '@chatdoc/schema';
import { listSome } from '../say/nouns.js';
import { flatten } from '../say/plain-text.js';
import { type Failure, fail } from './read-source.js';

export type FoundRecord = { readonly ok: true; readonly id: string } | Failure;

/** A thread by its id or the beginning of it, if that is enough. */
export function findThread(chat: Chat, wanted: string): FoundRecord {
  const all = chat.threads().map(({ thread_id }) => thread_id);
  return findId(all, wanted, 'thread');
}

/** The same for a message, of any thread. */
export function findMessage(chat: Chat, wanted: string): FoundRecord {
  const all = chat.threads().flatMap(({ thread_id }) => chat.messageIds(thread_id));
  return findId(all, wanted, 'message');
}

function findId(all: readonly string[], wanted: string, noun: 'thread' | 'message'): FoundRecord {
  const found = all.filter((id) => wanted !== '' && id.startsWith(wanted.toUpperCase()));
  const [first] = found;
  if (found.length === 1 && first !== undefined) return { ok: true, id: first };
  const message =
    found.length > 1
      ? `${found.length} ${noun}s begin with ${flatten(wanted)}; give more of the id: ${listSome(found)}`
      : `there is no ${noun} ${flatten(wanted)}; ${all.length === 0 ? 'the chat has none' : `it has ${listSome(all)}`}`;
  return fail(`no_${noun}`, message);
}
