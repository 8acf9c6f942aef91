import * as Y from 'yjs';
import type { FinalRecord } from '../chat/generator.js';
import { loadDoc, type WriteTo } from '../chat/layouts.js';
import { type Peer, showRecord } from './peer.js';

/** What most chats on Yjs do: a nested map a message, its body a `Y.Text`, history and reactions nested too. */
export const writeNested: WriteTo = (doc, draft, clientID) => {
  doc.clientID = clientID;
  const { record } = draft;
  const message = new Y.Map<unknown>();
  const content = new Y.Text();
  const history = new Y.Array<unknown>();
  const reactions = new Y.Map<unknown>();
  const [first, ...later] = draft.pieces;
  doc.transact(() => {
    const threads = doc.getMap('threads');
    if (!threads.has(record.thread_id)) {
      const thread = {
        name: `Thread ${draft.thread}`,
        created_at: record.date,
        created_by: record.sender_id,
      };
      threads.set(record.thread_id, new Y.Map(Object.entries(thread)));
    }
    doc.getMap('messages').set(record.message_id, message);
    for (const [key, value] of Object.entries(record)) {
      if (key !== 'content' && key !== 'history' && key !== 'reactions') message.set(key, value);
    }
    message.set('content', content);
    message.set('history', history);
    message.set('reactions', reactions);
    content.insert(0, first ?? '');
  });
  for (const piece of later) content.insert(content.length, piece);
  if (draft.edited !== undefined) {
    const { edited } = draft;
    doc.transact(() => {
      history.push([...(record.history ?? [])]);
      content.delete(0, content.length);
      content.insert(0, edited);
    });
  }
  for (const [reaction, users] of Object.entries(record.reactions ?? {})) reactions.set(reaction, [...users]);
};

interface DatedId {
  readonly id: string;
  readonly date: string;
}

/** Message ids by thread, by date: what a reader of the nested layout needs before it can show a thread. */
export class NestedIndex {
  readonly threads = new Map<string, DatedId[]>();

  constructor(doc: Y.Doc) {
    const messages = doc.getMap<Y.Map<unknown>>('messages');
    for (const [id, message] of messages) this.#add(id, message);
    for (const ids of this.threads.values()) ids.sort(byDate);
    messages.observe((event) => {
      const changed = new Set<DatedId[]>();
      for (const id of event.keysChanged) {
        const message = messages.get(id);
        if (message !== undefined) changed.add(this.#add(id, message));
      }
      for (const ids of changed) ids.sort(byDate);
    });
  }

  #add(id: string, message: Y.Map<unknown>): DatedId[] {
    const thread = message.get('thread_id') as string;
    let ids = this.threads.get(thread);
    if (ids === undefined) {
      ids = [];
      this.threads.set(thread, ids);
    }
    ids.push({ id, date: message.get('date') as string });
    return ids;
  }
}

export const nestedPeer: Peer<FinalRecord> = {
  name: 'nested Y.Maps',
  bytes: (fixtures, size) => fixtures.nested(size),
  open: (bytes) => {
    const doc = loadDoc(bytes);
    const index = new NestedIndex(doc);
    const threads = doc.getMap<Y.Map<string>>('threads');
    const messages = doc.getMap<Y.Map<unknown>>('messages');
    return {
      threads: () =>
        [...threads]
          .map(([thread_id, thread]) => {
            const { name = '', created_at = '', created_by = '' } = thread.toJSON() as Record<string, string>;
            return { thread_id, name, created_at, created_by };
          })
          .sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0)),
      messages: (threadId) =>
        (index.threads.get(threadId) ?? []).map(
          ({ id }) => messages.get(id)?.toJSON() as unknown as FinalRecord,
        ),
    };
  },
  show: showRecord,
};

function byDate(a: DatedId, b: DatedId): number {
  return a.date < b.date ? -1 : a.date > b.date ? 1 : 0;
}
