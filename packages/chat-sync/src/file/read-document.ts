import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { loadUpdates, type OpenReport } from './load-updates.js';
import { type HeadlessCode, nameHeadless, readLog } from './read-log.js';

export type ReadDocument =
  | {
      readonly ok: true;
      readonly doc_id: string;
      readonly generation: number;
      readonly doc: Y.Doc;
      /** For reading only. */
      readonly chat: Chat;
      readonly report: OpenReport;
    }
  | { readonly ok: false; readonly code: HeadlessCode };

/** Reads the bytes of a document file, such as an upload, without a file. What is damaged is read past and reported. */
export function readDocument(bytes: Uint8Array): ReadDocument {
  const read = readLog(bytes);
  const { head } = read;
  if (head === undefined) return { ok: false, code: nameHeadless(bytes, read) };
  const doc = new Y.Doc();
  const report = loadUpdates(doc, head, read);
  const { doc_id, generation } = head;
  return { ok: true, doc_id, generation, doc, chat: openChat(doc, { readOnly: true, generation }), report };
}
