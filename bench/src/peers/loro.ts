import { LoroDoc, LoroList, LoroMap, LoroText } from 'loro-crdt';
import { type Draft, type FinalRecord, generateChat, SESSION_LENGTH } from '../chat/generator.js';
import type { OnProgress } from '../chat/layouts.js';
import { type Peer, type ShownThread, showRecord } from './peer.js';

type Message = LoroMap<Record<string, unknown>>;
type Thread = LoroMap<Record<string, unknown>>;

/**
 * Loro twice. As the nested Y.Maps are: a map a message, all in one map by id, and an index of ids by thread and
 * date. And as somebody would lay it out who has only Loro in mind: a list of messages in each thread, whose order
 * is the list's. Both read whole containers by `toJSON`, and both are opened from a snapshot.
 */
export const loroPeer: Peer<FinalRecord> = {
  name: 'Loro',
  bytes: (fixtures, size) =>
    fixtures.built('Loro', size, 'many', (onProgress) => build(generateChat(size), writeInMap, onProgress)),
  open: (bytes) => {
    const doc = loadLoro(bytes);
    const index = new LoroIndex(doc);
    const messages = messagesOf(doc);
    return {
      threads: () => listThreads(doc),
      messages: (threadId) =>
        (index.threads.get(threadId) ?? []).map(
          ({ id }) => (messages.get(id) as Message).toJSON() as FinalRecord,
        ),
      close: () => doc.free(),
    };
  },
  show: showRecord,
};

export const loroListsPeer: Peer<FinalRecord> = {
  name: 'Loro, a list a thread',
  bytes: (fixtures, size) =>
    fixtures.built('Loro, a list a thread', size, 'many', (onProgress) =>
      build(generateChat(size), writeInLists, onProgress),
    ),
  open: (bytes) => {
    const doc = loadLoro(bytes);
    return {
      threads: () => listThreads(doc),
      messages: (threadId) => (listOf(doc, threadId)?.toJSON() ?? []) as FinalRecord[],
      close: () => doc.free(),
    };
  },
  show: showRecord,
};

export function loadLoro(bytes: Uint8Array): LoroDoc {
  const doc = new LoroDoc();
  doc.import(bytes);
  return doc;
}

function messagesOf(doc: LoroDoc): LoroMap<Record<string, unknown>> {
  return doc.getMap('messages');
}

function threadOf(doc: LoroDoc, threadId: string): Thread | undefined {
  return doc.getMap('threads').get(threadId) as Thread | undefined;
}

function listOf(doc: LoroDoc, threadId: string): LoroList | undefined {
  return threadOf(doc, threadId)?.get('messages') as LoroList | undefined;
}

function listThreads(doc: LoroDoc): readonly ShownThread[] {
  const threads = doc.getMap('threads').entries() as [string, Thread][];
  return threads
    .map(([thread_id, thread]) => {
      const [name, created_at, created_by] = ['name', 'created_at', 'created_by'].map((key) =>
        thread.get(key),
      );
      return { thread_id, name, created_at, created_by } as ShownThread;
    })
    .sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
}

interface DatedId {
  readonly id: string;
  readonly date: string;
}

/** Message ids by thread, by date, kept up with what is imported. */
export class LoroIndex {
  readonly threads = new Map<string, DatedId[]>();

  constructor(doc: LoroDoc) {
    const messages = messagesOf(doc);
    for (const [id, message] of messages.entries() as [string, Message][]) this.#add(id, message);
    for (const ids of this.threads.values()) ids.sort(byDate);
    doc.subscribe(({ events }) => {
      const changed = new Set<DatedId[]>();
      for (const { path, diff } of events) {
        if (path.length !== 1 || path[0] !== 'messages' || diff.type !== 'map') continue;
        for (const id of Object.keys(diff.updated)) changed.add(this.#add(id, messages.get(id) as Message));
      }
      for (const ids of changed) ids.sort(byDate);
    });
  }

  #add(id: string, message: Message): DatedId[] {
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

/** Ids of a thread in the order of its list. */
export function listIds(doc: LoroDoc, threadId: string): readonly string[] {
  return ((listOf(doc, threadId)?.toArray() ?? []) as Message[]).map(
    (message) => message.get('message_id') as string,
  );
}

/** Writes one message, a commit an event. */
export type WriteToLoro = (doc: LoroDoc, draft: Draft) => void;

export const writeInMap: WriteToLoro = (doc, draft) => {
  write(doc, draft, (id) => messagesOf(doc).setContainer(id, new LoroMap()));
};

export const writeInLists: WriteToLoro = (doc, draft) => {
  const { thread_id } = draft.record;
  write(doc, draft, () => {
    const list = listOf(doc, thread_id) ?? threadOf(doc, thread_id)?.setContainer('messages', new LoroList());
    return list?.pushContainer(new LoroMap()) as Message;
  });
};

function write(doc: LoroDoc, draft: Draft, place: (id: string) => Message): void {
  const { record, pieces } = draft;
  if (threadOf(doc, record.thread_id) === undefined) addThread(doc, draft);
  const message = place(record.message_id);
  for (const [key, value] of Object.entries(record)) {
    if (key !== 'content' && key !== 'history' && key !== 'reactions') message.set(key, value);
  }
  const content = message.setContainer('content', new LoroText());
  const history = message.setContainer('history', new LoroList());
  const reactions = message.setContainer('reactions', new LoroMap());
  content.insert(0, pieces[0] ?? '');
  doc.commit();
  for (const piece of pieces.slice(1)) {
    content.insert(content.length, piece);
    doc.commit();
  }
  if (draft.edited !== undefined) {
    for (const version of record.history ?? []) history.push(version);
    content.delete(0, content.length);
    content.insert(0, draft.edited);
    doc.commit();
  }
  for (const [reaction, users] of Object.entries(record.reactions ?? {})) {
    reactions.set(reaction, [...users]);
    doc.commit();
  }
}

function addThread(doc: LoroDoc, { thread, record }: Draft): void {
  const added = doc.getMap('threads').setContainer(record.thread_id, new LoroMap());
  added.set('name', `Thread ${thread}`);
  added.set('created_at', record.date);
  added.set('created_by', record.sender_id);
}

/** One document, whose peers change with the session and the side that writes. */
function build(drafts: readonly Draft[], writeTo: WriteToLoro, onProgress: OnProgress): Uint8Array {
  const doc = new LoroDoc();
  for (const draft of drafts) {
    setWriter(doc, 1 + 2 * Math.floor(draft.index / SESSION_LENGTH), draft);
    writeTo(doc, draft);
    onProgress(draft.index + 1);
  }
  const bytes = doc.export({ mode: 'snapshot' });
  doc.free();
  return bytes;
}

/** Of a session's two peers the one that writes this message. */
export function setWriter(doc: LoroDoc, first: number, { agent }: Draft): void {
  doc.setPeerId(BigInt(first + (agent ? 1 : 0)));
}

function byDate(a: DatedId, b: DatedId): number {
  return a.date < b.date ? -1 : a.date > b.date ? 1 : 0;
}
