import type * as Y from 'yjs';
import { KIND } from '../entry/table.js';
import { deriveAnswerId } from '../entry/ulid.js';
import type { ChatChange } from '../fold/records.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';

/** What subscribers are told of a transaction; undefined where nothing that can be read has changed. */
export function listChanges(
  index: EntryIndex,
  touched: Touched,
  transaction: Y.Transaction,
): ChatChange | undefined {
  const messages = new Set(touched.messages);
  const threads = new Set(touched.threads);
  for (const slot of touched.annotated) messages.add(slot);
  for (const delta of touched.deltas) messages.add(delta.message);
  for (const slot of touched.lists.keys()) threads.add(slot);
  // The state of a thread follows its turns; text alone changes none.
  for (const slot of touched.messages) {
    const prompt = isTurnAlone(index, slot) ? findPrompt(index, slot) : slot;
    for (const thread of index.threadsOfMessage(prompt ?? slot)) threads.add(thread);
  }
  if (messages.size === 0 && threads.size === 0 && !touched.document) return undefined;
  const deltas = touched.deltas.map(({ message, attempt, n, text }) =>
    Object.freeze({ message_id: index.slots.idOf(message), attempt: index.slots.idOf(attempt), n, text }),
  );
  return Object.freeze({
    messages: listIds(index, messages),
    threads: listIds(index, threads),
    document: touched.document,
    deltas: Object.freeze(deltas),
    origin: transaction.origin,
    local: transaction.local,
  });
}

/** Whether all that is there of a message is that somebody stops or retries it: of an answer not begun yet. */
function isTurnAlone(index: EntryIndex, slot: number): boolean {
  const kinds = new Set(index.messageRows(slot).map((row) => index.kindOf(row)));
  return !kinds.has(KIND.message) && (kinds.has(KIND.stop) || kinds.has(KIND.retry));
}

/** The prompt whose answer this is. Nothing names it, but it says the same time. */
function findPrompt(index: EntryIndex, slot: number): number | undefined {
  const answer = index.slots.idOf(slot);
  for (const other of index.slots.sameTime(slot)) {
    if (deriveAnswerId(index.slots.idOf(other)) === answer) return other;
  }
  return undefined;
}

function listIds(index: EntryIndex, slots: ReadonlySet<number>): readonly string[] {
  const ids: string[] = [];
  for (const slot of slots) ids.push(index.slots.idOf(slot));
  return Object.freeze(ids.sort());
}
