import {
  type Chat,
  type LineReport,
  openChat,
  type QuarantinedLine,
  SCHEMA_VERSION,
  type Waiting,
} from '@chatdoc/schema';
import { deriveUlid, encodeLine } from '@chatdoc/schema/internal';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { createScriptEnvironment, SCRIPT_START } from '../../chat-testkit/src/index.js';
import { type Counters, check, countFindings, type Finding, type Watcher, watch } from '../src/index.js';

/** Replicas that hear each other at once, and a client that keeps no rule. */

export { runs, scale } from '../../../tools/amounts.js';

export const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A number as ULIDs write it, in any length: also times that `formatUlid` would not write. */
export function writeDigits(number: number, length: number): string {
  let text = '';
  for (let rest = number; text.length < length; rest = Math.floor(rest / 32)) {
    text = DIGITS.charAt(rest % 32) + text;
  }
  return text;
}

export interface Peer {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly watcher: Watcher;
}

/** In a row: what one writes reaches its neighbours as an update, and goes on from there, hop by hop. */
export function openPeers(count: number): readonly Peer[] {
  const peers = Array.from({ length: count }, (_, at): Peer => {
    const doc = new Y.Doc();
    doc.clientID = at + 1;
    const chat = openChat(doc, { environment: createScriptEnvironment(`peer ${at}`, 1) });
    return { doc, chat, watcher: watch(chat) };
  });
  for (const [at, { doc }] of peers.entries()) {
    const neighbours = [peers[at - 1], peers[at + 1]].filter((peer) => peer !== undefined);
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      for (const neighbour of neighbours)
        if (neighbour.doc !== origin) Y.applyUpdate(neighbour.doc, update, doc);
    });
  }
  return peers;
}

export function closePeers(peers: readonly Peer[]): void {
  for (const { doc, chat, watcher } of peers) {
    watcher.close();
    chat.close();
    doc.destroy();
  }
}

export function headerOf(tag: string | number, fields: object = {}): string {
  return encodeLine({
    type: 'lane',
    lane_id: deriveUlid(SCRIPT_START, 'rows lane', tag),
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation: 0,
    writer_id: deriveUlid(SCRIPT_START, 'rows writer', tag),
    ...fields,
  });
}

/** The id of the lane under `headerOf`. */
export function laneIdOf(tag: string | number): string {
  return deriveUlid(SCRIPT_START, 'rows lane', tag);
}

export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A text of a client of its own, as an update. */
export function updateOf(client: number, key: string, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = client;
  doc.getMap('chat').set(key, new Y.Text(text));
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return update;
}

/** [HO2]: the counters that were kept are those of a recount. */
export function expectCounted({ chat, watcher }: Peer): {
  readonly counters: Counters;
  readonly findings: readonly Finding[];
} {
  const findings = check(chat);
  const counters = watcher.counters();
  expect(counters, '[HO2] counters equal a recount').toEqual(countFindings(findings));
  return { counters, findings };
}

interface Reports {
  readonly digest: string;
  readonly fold: string;
  readonly quarantine: readonly QuarantinedLine[];
  readonly duplicates: readonly LineReport[];
  readonly waiting: Waiting;
  readonly report: object;
}

/** Everything that is read of a document as a whole: equal on all replicas. */
export function readReports(chat: Chat): Reports {
  const { damaged: _, ...report } = chat.report();
  return {
    digest: chat.digest(),
    fold: chat.foldDigest(),
    quarantine: chat.quarantine(),
    duplicates: chat.duplicates(),
    waiting: chat.waiting(),
    report,
  };
}

/** Calls every reader, also with ids that name nothing; gives what it read. */
export function readEverything(chat: Chat, strangers: readonly string[] = []): readonly unknown[] {
  const threads = chat.threads();
  const ids = [...threads.map(({ thread_id }) => thread_id), ...strangers];
  const messages = ids.flatMap((id) => chat.messageIds(id));
  return [
    chat.docId(),
    chat.rollbacks(),
    threads,
    chat.legacyRows(),
    ids.map((id) => [
      ...[chat.thread(id), chat.config(id), chat.conflicts(id), chat.messages(id), chat.transcript(id)],
      ...[chat.state(id), chat.queue(id), chat.annotations({ thread_id: id }), chat.readMark(id, 'ada')],
      ...[chat.message(id), chat.parent(id), chat.annotations({ message_id: id })],
      (['user', 'org', 'project'] as const).map((scope) => chat.variables(scope, id)),
    ]),
    messages.map((id) => [chat.parent(id), chat.annotations({ message_id: id })]),
    threads.map(({ slot, purpose }) => slot && chat.activeThread({ ...slot, purpose })),
  ];
}

/** People write on, on every replica, and all see it. */
export function expectUsable(peers: readonly Peer[]): void {
  for (const [at, { chat }] of peers.entries()) {
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: `still here ${at}` });
    chat.send({ thread_id, sender_id: 'ada', content: 'a reply', reply_to_message_id: message_id });
    chat.edit({ message_id, author_id: 'ada', content: `edited ${at}` });
    for (const other of peers) {
      expect(other.chat.messages(thread_id).map(({ content }) => content)).toEqual([
        `edited ${at}`,
        'a reply',
      ]);
    }
  }
}
