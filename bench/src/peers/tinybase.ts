import { createIndexes, createMergeableStore, type MergeableContent, type MergeableStore } from 'tinybase';
import { type Draft, type FinalRecord, generateChat } from '../chat/generator.js';
import type { OnProgress } from '../chat/layouts.js';
import { type Peer, type ShownThread, showRecord } from './peer.js';

/** A mergeable store with a row a message, as its persisters keep it: JSON of its content with its stamps. */
export const tinybasePeer: Peer<FinalRecord> = {
  name: 'TinyBase',
  bytes: (fixtures, size) =>
    fixtures.built('TinyBase', size, 'few', (onProgress) => build(generateChat(size), onProgress)),
  open: (bytes) => {
    const store = createMergeableStore('reader');
    store.setMergeableContent(JSON.parse(new TextDecoder().decode(bytes)) as MergeableContent);
    const indexes = createIndexes(store).setIndexDefinition('thread', 'messages', 'thread_id', 'date');
    return {
      threads: () =>
        Object.entries(store.getTable('threads'))
          .map(([thread_id, row]) => ({ thread_id, ...(row as unknown as Omit<ShownThread, 'thread_id'>) }))
          .sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0)),
      messages: (threadId) =>
        indexes
          .getSliceRowIds('thread', threadId)
          .map((id) => store.getRow('messages', id) as unknown as FinalRecord),
      close: () => indexes.destroy(),
    };
  },
  show: showRecord,
};

function build(drafts: readonly Draft[], onProgress: OnProgress): Uint8Array {
  let time = 0;
  const store = createMergeableStore('writer', () => time);
  for (const draft of drafts) {
    time = draft.time;
    write(store, draft);
    onProgress(draft.index + 1);
  }
  return new TextEncoder().encode(JSON.stringify(store.getMergeableContent()));
}

/** One transaction an event, as in every other layout. Cells may be objects and arrays. */
function write(store: MergeableStore, { record, pieces, thread, edited }: Draft): void {
  const { message_id, thread_id, history, reactions, ...rest } = record;
  const set = (cells: object): void => {
    store.setPartialRow('messages', message_id, cells as Record<string, string>);
  };
  store.transaction(() => {
    if (!store.hasRow('threads', thread_id)) {
      const { date: created_at, sender_id: created_by } = record;
      store.setRow('threads', thread_id, { name: `Thread ${thread}`, created_at, created_by });
    }
    set({ ...rest, thread_id, content: pieces[0] ?? '' });
  });
  for (let n = 2; n <= pieces.length; n += 1) set({ content: pieces.slice(0, n).join('') });
  if (edited !== undefined) set({ content: edited, history });
  if (reactions !== undefined) set({ reactions });
}
