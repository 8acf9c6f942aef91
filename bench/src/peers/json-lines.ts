import { type FinalRecord, generateChat, toJsonLines } from '../chat/generator.js';
import { type Peer, type ShownThread, showRecord } from './peer.js';

/** No CRDT: a file of the final state, one object a line, the threads first. What reading can't be below. */
export const jsonLinesPeer: Peer<FinalRecord> = {
  name: 'JSON Lines',
  bytes: (fixtures, size) =>
    fixtures.built('JSON Lines', size, 'few', () => {
      const drafts = generateChat(size);
      const threads = new Map<string, ShownThread>();
      for (const { thread, record } of drafts) {
        const { thread_id, date: created_at, sender_id: created_by } = record;
        if (!threads.has(thread_id))
          threads.set(thread_id, { thread_id, name: `Thread ${thread}`, created_at, created_by });
      }
      const lines = [...threads.values()].map((thread) => JSON.stringify(thread));
      return new TextEncoder().encode([...lines, ...toJsonLines(drafts)].join('\n'));
    }),
  open: (bytes) => {
    const threads: ShownThread[] = [];
    const messages = new Map<string, FinalRecord[]>();
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      const row = JSON.parse(line) as ShownThread | FinalRecord;
      if ('name' in row) threads.push(row);
      else if (!messages.get(row.thread_id)?.push(row)) messages.set(row.thread_id, [row]);
    }
    return { threads: () => threads, messages: (threadId) => messages.get(threadId) ?? [] };
  },
  show: showRecord,
};
