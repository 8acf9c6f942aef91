import * as Y from 'yjs';
import type { Draft, FinalRecord } from './generator.js';
import { Random } from './random.js';

/** Gets how many messages are written so far. */
export type OnProgress = (messages: number) => void;

/** Consecutive drafts that one pair of processes wrote. */
export function sessionsOf(drafts: readonly Draft[], length: number): readonly (readonly Draft[])[] {
  const sessions: Draft[][] = [];
  for (let at = 0; at < drafts.length; at += length) sessions.push(drafts.slice(at, at + length));
  return sessions;
}

/** One document that holds them all, encoded. Sessions share no record, so they can be written apart. */
export function joinUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  return Y.encodeStateAsUpdate(doc);
}

/** The raw floor: one run of JSON objects by one client. */
export function buildArray(drafts: readonly Draft[]): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 0x9000_0001;
  doc.getArray('messages').push(drafts.map((draft) => draft.record));
  return Y.encodeStateAsUpdate(doc);
}

/** Writes one message under the client of its side, one transaction an event. */
export type WriteTo = (doc: Y.Doc, draft: Draft, clientID: number) => void;

/** A document written session by session, each with a client for the user and one for the agent. */
export function buildSessions(
  drafts: readonly Draft[],
  sessionLength: number,
  write: WriteTo,
  onProgress: OnProgress,
): Uint8Array {
  const random = new Random(sessionLength);
  let written = 0;
  const updates = sessionsOf(drafts, sessionLength).map((session) => {
    const doc = new Y.Doc();
    const clients = [random.uint32(), random.uint32()] as const;
    for (const draft of session) write(doc, draft, clients[draft.agent ? 1 : 0]);
    written += session.length;
    onProgress(written);
    return Y.encodeStateAsUpdate(doc);
  });
  return joinUpdates(updates);
}

/** A flat `Y.Map` of whole records: the floor of an append. */
export const writeFlat: WriteTo = (doc, draft, clientID) => {
  doc.clientID = clientID;
  doc.getMap('messages').set(draft.record.message_id, draft.record);
};

/** The floor that does not merge at all. */
export function parseLines(lines: readonly string[]): ReadonlyMap<string, FinalRecord> {
  const records = new Map<string, FinalRecord>();
  for (const line of lines) {
    const record = JSON.parse(line) as FinalRecord;
    records.set(record.message_id, record);
  }
  return records;
}

export function loadDoc(update: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc;
}

export function countStructs(doc: Y.Doc): number {
  let structs = 0;
  for (const client of doc.store.clients.values()) structs += client.length;
  return structs;
}
