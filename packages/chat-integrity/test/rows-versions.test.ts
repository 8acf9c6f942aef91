import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Chat, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { adoptStale, compactChat, Door, encodeFrame } from '@chatdoc/sync';
import { openChatFile } from '@chatdoc/sync/file';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  createScriptEnvironment,
  newerDocuments,
  olderDocuments,
  SCRIPT_START,
  type VersionedDocument,
} from '../../chat-testkit/src/index.js';
import { check, countFindings, repair, watch } from '../src/index.js';
import {
  closePeers,
  expectCounted,
  headerOf,
  laneIdOf,
  openPeers,
  type Peer,
  readEverything,
  readReports,
  runs,
  scale,
  textOf,
  updateOf,
} from './rows-world.js';

const DOC_ID = deriveUlid(SCRIPT_START, 'rows document');
const documents = newerDocuments();

/** What the newer client's own document holds, as one update. */
function updateOfDocument({ jsonl }: VersionedDocument): Uint8Array {
  return updateOf(7, 'newer', jsonl);
}

/** Every call that writes. */
function writesOf(chat: Chat, { thread_id, messages }: VersionedDocument): readonly (() => unknown)[] {
  const message_id = messages[0]?.message_id ?? thread_id;
  const by = { sender_id: 'ada', author_id: 'ada', by: 'ada', updated_by: 'ada', user_id: 'ada' };
  return [
    () => chat.createThread({ created_by: 'ada' }),
    () => chat.configure({ ...by, thread_id, name: 'Renamed' }),
    () => chat.send({ ...by, thread_id, content: 'old client' }),
    () => chat.edit({ ...by, message_id, content: 'old client' }),
    () => chat.delete({ ...by, message_id }),
    () => chat.redact({ ...by, message_id }),
    () => chat.annotate({ ...by, thread_id, key: 'k', value: 1 }),
    () => chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 1 } }),
    () => chat.setState({ thread_id, state: 'idle' }),
    () => chat.openAttempt({ ...by, prompt_id: message_id, runner_id: 'laptop' }),
    () => chat.openMessage({ ...by, thread_id }),
    () => chat.stop({ ...by, message_id }),
    () => chat.retry({ ...by, message_id }),
    () => chat.importJSONL(textOf([headerOf('import'), '{"type":"poll"}'])),
    () => chat.rehost(),
  ];
}

describe('an older client on a newer document', () => {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatdoc-rows-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('[HO6] [HO2] that reads, checks and watches writes nothing; open for reading, no call of it writes', () => {
    fc.assert(
      fc.property(documents, fc.boolean(), (document, readOnly) => {
        count += 1;
        const doc = new Y.Doc();
        Y.applyUpdate(doc, updateOfDocument(document));
        const before = Y.encodeStateAsUpdate(doc);
        let updates = 0;
        doc.on('update', () => {
          updates += 1;
        });
        const chat = openChat(doc, { environment: createScriptEnvironment('older', 1), readOnly });
        const watcher = watch(chat);
        readEverything(chat);
        expect(chat.quarantine()).toEqual([]);
        expect(chat.report().hidden_lanes).toEqual([...document.hidden].sort());
        const unknown = Object.values(chat.report().unknown_types).reduce((sum, each) => sum + each, 0);
        expect(unknown).toBe(new Set(document.unknown).size);
        for (const { message_id, content } of document.messages) {
          expect(chat.message(message_id)?.content).toBe(content);
        }
        expect(watcher.counters()).toEqual(countFindings(check(chat)));
        if (!readOnly) repair(chat, { dryRun: true });
        else {
          for (const write of writesOf(chat, document)) expect(write).toThrow(/for reading only/);
          expect(repair(chat)).toMatchObject({ ok: false, code: 'read_only' });
        }
        watcher.close();
        chat.close();
        expect(updates).toBe(0);
        expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
      }),
      runs(1000),
    );
    expect(count).toBeGreaterThanOrEqual(scale(1000));
  });

  it('[HO6] that writes leaves every line as it was, on its way through it, in copies and in a new generation', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const peers = openPeers(3) as [Peer, Peer, Peer];
        const [newer, older, third] = peers;
        Y.applyUpdate(newer.doc, updateOfDocument(document));
        const lines = document.jsonl.split('\n').slice(0, -1);
        const expectKept = (chat: Chat, what: string): void => {
          const kept = new Set(chat.toJSONL().split('\n'));
          expect(
            lines.filter((line) => !kept.has(line)),
            what,
          ).toEqual([]);
        };
        const sent = older.chat.createThread({ created_by: 'ada' });
        older.chat.send({ thread_id: sent.thread_id, sender_id: 'ada', content: 'from an older client' });
        const [first] = document.messages;
        if (first !== undefined) {
          older.chat.edit({ message_id: first.message_id, author_id: 'ada', content: 'edited' });
          expect(third.chat.message(first.message_id)?.content).toBe('edited');
        }
        expect(repair(older.chat)).toMatchObject({ ok: true });
        for (const peer of peers) {
          expectKept(peer.chat, '[HO6] on each replica');
          expectCounted(peer);
          expect(readReports(peer.chat)).toEqual(readReports(newer.chat));
        }
        const copy = openChat(new Y.Doc(), { environment: createScriptEnvironment('copy', 1) });
        const text = older.chat.toJSONL();
        expect(copy.importJSONL(text)).toMatchObject({ ok: true });
        expect(copy.toJSONL(), '[HO6] in a copy').toBe(text);
        expectKept(copy, '[HO6] in a copy');
        const next = compactChat(older.chat, { generation: 1 });
        expectKept(next.chat, '[HO6] in a new generation');
        const late = openChat(new Y.Doc(), { generation: 1 });
        adoptStale(late, third.chat, 0);
        expectKept(late, '[HO6] adopted from a stale replica');
        closePeers(peers);
      }),
      runs(100),
    );
  });

  it('[HO6] a file whose frame asks for a later reader opens, reads, and keeps its bytes', async () => {
    const path = join(folder, 'newer.ychat');
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 3, max: 255 }), async (document, min_reader) => {
        const payload = updateOfDocument(document);
        const frame = encodeFrame({ kind: 'snapshot', doc_id: DOC_ID, generation: 0, min_reader, payload });
        await writeFile(path, frame);
        const opened = await openChatFile(path);
        if (!opened.ok) throw new Error(opened.code);
        const { chat } = opened.file;
        readEverything(chat);
        for (const write of writesOf(chat, document)) expect(write).toThrow(/for reading only/);
        expect(repair(chat)).toMatchObject({ ok: false, code: 'read_only' });
        await opened.file.close();
        expect(new Uint8Array(await readFile(path))).toEqual(frame);
        expect(await readdir(folder)).toEqual(['newer.ychat']);
      }),
      runs(40),
    );
  });

  it('[HO7] a frame of another generation or document is refused by its head: what is in it is not decoded', () => {
    const [whole] = fc.sample(documents, { numRuns: 1, seed: 1 }).map(updateOfDocument) as [Uint8Array];
    const heads = fc.record({ generation: fc.integer({ min: 0, max: 5 }), isOther: fc.boolean() });
    fc.assert(
      fc.property(heads, fc.uint8Array(), ({ generation, isOther }, garbage) => {
        const doc = new Y.Doc();
        const door = new Door(doc, { doc_id: DOC_ID, generation: 2 });
        const doc_id = isOther ? laneIdOf('other document') : DOC_ID;
        const receive = (payload: Uint8Array): object =>
          door.receive(encodeFrame({ kind: 'update', doc_id, generation, payload }));
        const bomb = new Uint8Array([255, ...garbage]);
        const answers = [receive(bomb), receive(whole)];
        if (isOther || generation !== 2) {
          const code = isOther ? 'other_document' : 'other_generation';
          expect(answers).toEqual(Array(2).fill({ ok: false, outcome: 'refused', code }));
          expect(Y.encodeStateAsUpdate(doc)).toEqual(Y.encodeStateAsUpdate(new Y.Doc()));
          expect([...doc.share.keys()]).toEqual([]);
        } else {
          // The same bytes under the right head are decoded.
          expect(answers[0]).toMatchObject({ ok: false });
          expect(answers[0]).not.toMatchObject({ code: 'other_generation' });
          expect(answers[1]).toEqual({ ok: true, outcome: 'applied' });
        }
      }),
      runs(1000),
    );
  });
});

describe('a newer client on an older document', () => {
  it('[HO8] reads all of it, and writes on', () => {
    fc.assert(
      fc.property(olderDocuments(), (document) => {
        const peers = openPeers(2) as [Peer, Peer];
        const [first, second] = peers;
        Y.applyUpdate(first.doc, updateOfDocument(document));
        const { thread_id, messages } = document;
        expect(
          second.chat
            .messages(thread_id)
            .map(({ message_id, content }) => ({ message_id, content }))
            .sort(byId),
        ).toEqual([...messages].sort(byId));
        expect(second.chat.quarantine()).toEqual([]);
        expect(second.chat.messages(thread_id).filter(({ problem }) => problem !== undefined)).toEqual([]);
        const reply_to_message_id = messages.at(-1)?.message_id ?? '';
        const { message_id } = second.chat.send({
          thread_id,
          sender_id: 'bob',
          content: 'now',
          reply_to_message_id,
        });
        expect(first.chat.parent(message_id)).toBe(reply_to_message_id);
        expect(first.chat.messageIds(thread_id).at(-1)).toBe(message_id);
        for (const peer of peers) expectCounted(peer);
        closePeers(peers);
      }),
      runs(100),
    );
  });
});

function byId(a: { readonly message_id: string }, b: { readonly message_id: string }): number {
  return a.message_id < b.message_id ? -1 : 1;
}
