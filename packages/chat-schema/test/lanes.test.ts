import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type AttemptWriter, ChatOrigin, type Environment, openChat } from '../src/index.js';
import {
  addText,
  answer,
  ask,
  asPeer,
  bytesOf,
  catchError,
  createEnvironment,
  createPair,
  createReplica,
  docOf,
  entriesOf,
  expectSame,
  findText,
  header,
  idAt,
  laneTexts,
  linesOf,
  messageLine,
  NETWORK,
  present,
  type Replica,
  reload,
  START,
  say,
  send,
  syncAll,
  textAt,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');

/** A replica with a thread, and the text of its one lane. */
function createWriter(): Replica & { thread_id: string; key: string } {
  const replica = createReplica();
  const { thread_id } = replica.chat.createThread({ created_by: 'ada' });
  return { ...replica, thread_id, key: present(laneTexts(replica.doc)[0]).key };
}

/** The clientID that wrote the line with this content. */
const clientOf = (doc: Y.Doc, content: string): number => findText(doc, content).client;

describe('lanes', () => {
  it('[LA1] the first line of a lane is its header; the first write opens it', () => {
    const { doc, chat } = createReplica(1, { user_id: 'ada', generation: 3 });
    const empty = bytesOf(doc);
    expect([chat.threads(), chat.docId(), chat.digest(), chat.toJSONL(), chat.report().lanes]).toBeDefined();
    chat.messages(idAt(0));
    chat.at(idAt(0)).threads();
    expect(bytesOf(doc)).toBe(empty);
    chat.createThread({ created_by: 'ada' });
    const [text] = laneTexts(doc);
    const first = present(text).text.split('\n')[0] ?? '';
    const entry = JSON.parse(first) as Record<string, unknown>;
    expect(Object.keys(entry)).toEqual([
      'type',
      'lane_id',
      'schema_version',
      'min_reader',
      'generation',
      'writer_id',
      'user_id',
    ]);
    expect(entry).toMatchObject({ schema_version: 2, min_reader: 2, generation: 3, user_id: 'ada' });
    const other = createReplica(2);
    other.chat.createThread({ created_by: 'bob' });
    expect(entriesOf(other.chat, 'lane')[0]).not.toHaveProperty('user_id');
  });

  it('[LA1] opening and reading a chat with content writes nothing', () => {
    const { doc } = createWriter();
    const { doc: copy, chat } = reload(doc);
    let updates = 0;
    copy.on('update', () => {
      updates += 1;
    });
    for (const { thread_id } of chat.threads()) {
      chat.messages(thread_id);
      chat.state(thread_id);
      chat.config(thread_id);
    }
    openChat(copy).close();
    expect(updates).toBe(0);
    expect(bytesOf(copy)).toBe(bytesOf(doc));
  });

  it('[LA2] foreign text in a lane is never read, is reported, and stops nobody', () => {
    const { doc, chat, thread_id, key } = createWriter();
    const forged = messageLine(idAt(1), thread_id, { content: 'forged' });
    for (const at of [0, 30, textAt(doc, key).length]) {
      asPeer(doc, (map) => (map.get(key) as Y.Text).insert(at, `${forged}\n`));
    }
    expect(chat.messages(thread_id)).toEqual([]);
    expect(chat.quarantine()).toEqual([]);
    expect(chat.report().foreign).toEqual([{ key, characters: 3 * (forged.length + 1) }]);
    say(chat, thread_id, 'goes on');
    expect(findText(doc, 'goes on').key).toBe(key);
    expect(chat.messages(thread_id).map(({ content }) => content)).toEqual(['goes on']);
    expect(linesOf(chat).join('\n')).not.toContain('forged');
    expectSame([{ doc, chat }], { copies: false });
  });

  it('[LA2] a text is read in clock order, wherever its characters stand', () => {
    const doc = docOf();
    const client = 77;
    asPeer(doc, (map) => map.set('k', new Y.Text(textOf([header(), threadLine(T)]))), client);
    const late = textOf([messageLine(idAt(1), T, { content: 'written last' })]);
    asPeer(doc, (map) => (map.get('k') as Y.Text).insert(0, late), client);
    const { chat } = createReplica('reader', {}, doc);
    expect(chat.messages(T).map(({ content }) => content)).toEqual(['written last']);
    expect(chat.quarantine()).toEqual([]);
    expectSame([{ doc, chat }]);
  });

  it("[LA2] a text that another client put under the key is that client's", () => {
    const doc = new Y.Doc();
    asPeer(doc, (map) => map.set('k', new Y.Text('')), 70);
    asPeer(doc, (map) => (map.get('k') as Y.Text).insert(0, textOf([header(), threadLine(T)])), 71);
    expect(createReplica('reader', {}, doc).chat.threads()).toEqual([]);
  });

  it('[LA3] an entry belongs to the nearest header above it in its text', () => {
    const [one, two, three] = [1, 2, 3].map((i) => messageLine(idAt(i), T, { content: `${i}` })) as [
      string,
      string,
      string,
    ];
    const broken = header({ lane: 'broken' }).replace('"generation":0', '"generation":"x"');
    const doc = docOf(
      textOf([
        one,
        header({ lane: 'a' }),
        threadLine(T),
        two,
        broken,
        three,
        header({ lane: 'b' }),
        messageLine(idAt(4), T),
      ]),
    );
    const { chat } = createReplica('reader', {}, doc);
    expect(chat.messageIds(T)).toEqual([idAt(2), idAt(4)]);
    const reasons = new Map(chat.quarantine().map(({ line, reason }) => [line, reason]));
    expect([one, two, three].map((each) => reasons.get(each))).toEqual(['no_header', undefined, 'no_header']);
    expect(chat.toJSONL().split('\n')[0]).toBe(one);
    expectSame([{ doc, chat }], { copies: false });
  });

  it('[LA4] sequential writes share one lane and one clientID', () => {
    const { doc, chat, thread_id } = createWriter();
    const { message_id } = ask(chat, thread_id);
    chat.edit({ message_id, author_id: 'ada', content: 'x' });
    chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 1 } });
    for (let i = 0; i < 3; i += 1) answer(chat, message_id).finish({ finish_reason: 'stop' });
    say(chat, thread_id, 'end');
    expect(laneTexts(doc)).toHaveLength(1);
    expect(doc.store.clients.size).toBe(1);
  });

  it('[LA4] an open line owns its lane; other entries take the next free one', () => {
    const { doc, chat, thread_id } = createWriter();
    const [one, two] = ['1', '2'].map((content) =>
      answer(chat, ask(chat, thread_id, content).message_id),
    ) as [AttemptWriter, AttemptWriter];
    const parts = [one.openPart(), two.openPart()] as const;
    parts[0].append('first');
    parts[1].append('second');
    say(chat, thread_id, 'aside');
    parts[0].append(' goes on');
    for (const needle of ['first goes on', 'second', 'aside']) expect(findText(doc, needle)).toBeDefined();
    expect(new Set(['first', 'second', 'aside'].map((each) => clientOf(doc, each))).size).toBe(3);
    one.finish({ finish_reason: 'stop' });
    two.finish({ finish_reason: 'stop' });
    for (let i = 0; i < 5; i += 1) say(chat, thread_id, `later ${i}`);
    expect(laneTexts(doc)).toHaveLength(3);
    expectSame([{ doc, chat }]);
  });

  it('[LA5] a lane is rolled after 256 entries, under the same clientID', () => {
    const { doc, chat, thread_id } = createWriter();
    for (let i = 1; i < 256; i += 1) say(chat, thread_id, `m${i}`);
    expect(laneTexts(doc)).toHaveLength(1);
    chat.createThread({ created_by: 'ada', name: 'two entries' });
    const texts = laneTexts(doc);
    expect(texts.map(({ text }) => text.split('\n').length - 2).sort()).toEqual([2, 256]);
    expect(new Set(texts.map(({ client }) => client)).size).toBe(1);
    expect(entriesOf(chat, 'lane')).toHaveLength(2);
    expect(new Set(entriesOf(chat, 'lane').map((entry) => entry['writer_id'])).size).toBe(1);
  });

  it('[LA5] a lane is rolled after 65,536 code units', () => {
    const { doc, chat, thread_id } = createWriter();
    say(chat, thread_id, 'x'.repeat(60_000));
    say(chat, thread_id, 'still here');
    expect(laneTexts(doc)).toHaveLength(1);
    say(chat, thread_id, 'y'.repeat(6_000));
    say(chat, thread_id, 'next lane');
    expect(findText(doc, 'next lane').key).not.toBe(findText(doc, 'still here').key);
    expect(clientOf(doc, 'next lane')).toBe(clientOf(doc, 'still here'));
  });

  it('[LA6] clientIDs are random uint32 that the document does not know', () => {
    const { doc, chat, thread_id } = createWriter();
    const taken = clientOf(doc, '"type":"thread"');
    // The first four random bytes of the next process are the clientID that is there.
    const seeded = createEnvironment('next', { time: START });
    let drawn = 0;
    const environment: Environment = {
      now: seeded.now,
      random: (bytes) => {
        if (bytes !== 4) return seeded.random(bytes);
        drawn += 1;
        const view = new DataView(new ArrayBuffer(4));
        view.setUint32(0, drawn <= 2 ? taken : 0xfffffff0 + drawn);
        return new Uint8Array(view.buffer);
      },
    };
    const next = openChat(doc, { environment });
    say(next, thread_id, 'from the next process');
    expect(drawn).toBeGreaterThan(0);
    expect(clientOf(doc, 'from the next process')).not.toBe(taken);
    expect(clientOf(doc, 'from the next process')).toBeLessThan(2 ** 32);
    expect(chat.toJSONL()).not.toContain(String(taken));
  });

  it('[LA6] doc.clientID is never changed, and no observer sees another', () => {
    const { doc, chat, thread_id } = createWriter();
    const own = doc.clientID;
    const seen = new Set<number>();
    const look = (): Set<number> => seen.add(doc.clientID);
    for (const event of ['beforeTransaction', 'afterTransaction', 'beforeObserverCalls', 'update'] as const) {
      doc.on(event, look);
    }
    doc.getMap('chat').observeDeep(look);
    const attempt = answer(chat, ask(chat, thread_id).message_id);
    attempt.openPart().append('x');
    attempt.finish({ finish_reason: 'stop' });
    doc.transact(() => {
      say(chat, thread_id, 'inside');
      doc.getMap('other').set('a', 1);
      look();
    });
    expect([...seen]).toEqual([own]);
    expect(doc.getMap('other')._map.get('a')?.id.client).toBe(own);
    expect(clientOf(doc, 'inside')).not.toBe(own);
  });

  it('[LA8] the text of a crashed writer stays readable and is never written again', () => {
    const { doc, chat, thread_id } = createWriter();
    const attempt = answer(chat, ask(chat, thread_id).message_id);
    attempt.openPart().append('half a sen');
    const before = findText(doc, 'half a sen');
    chat.close();
    const { doc: copy, chat: next } = reload(doc, 'after the crash');
    expect(next.message(attempt.message_id)?.content).toBe('half a sen');
    for (let i = 0; i < 4; i += 1) say(next, thread_id, `next ${i}`);
    expect(textAt(copy, before.key).toString()).toBe(before.text);
    expect(clientOf(copy, 'next 0')).not.toBe(before.client);
    const given = answer(next, ask(next, thread_id, 'again').message_id);
    given.openPart().append('given up');
    const { key, text } = findText(copy, 'given up');
    given.abandon();
    for (let i = 0; i < 4; i += 1) say(next, thread_id, `later ${i}`);
    expect(textAt(copy, key).toString()).toBe(text);
  });

  it('[LA9] the entries of a call stand in one lane and one transaction, whose origin is a ChatOrigin', () => {
    const { doc, chat, thread_id } = createWriter();
    for (let i = 1; i < 256; i += 1) say(chat, thread_id, `m${i}`);
    const origins: unknown[] = [];
    doc.on('afterTransaction', (transaction) => origins.push(transaction.origin));
    chat.createThread({ created_by: 'ada', name: 'together' });
    expect(origins).toHaveLength(1);
    const { text } = findText(doc, 'together');
    expect(text.split('\n').map((line) => line.slice(0, 16))).toEqual([
      '{"type":"lane","',
      '{"type":"thread"',
      '{"type":"thread_',
      '',
    ]);
    const { message_id } = ask(chat, thread_id);
    const attempt = answer(chat, message_id);
    const part = attempt.openPart();
    part.append('x');
    attempt.finish({ finish_reason: 'stop' });
    chat.redact({ message_id, by: 'ada' });
    chat.importJSONL(reload(doc).chat.toJSONL() + textOf([header({ lane: 'new' })]));
    expect(origins).toHaveLength(7);
    for (const origin of origins) expect(origin).toBeInstanceOf(ChatOrigin);
    expect(origins.map((origin) => (origin as ChatOrigin).call)).toEqual([
      'createThread',
      'send',
      'openAttempt',
      'append',
      'finish',
      'redact',
      'importJSONL',
    ]);
  });

  it('[LA9] calls within a transaction of the embedder see each other at once', () => {
    const { doc, chat } = createReplica();
    let updates = 0;
    doc.on('update', () => {
      updates += 1;
    });
    doc.transact(() => {
      const { thread_id } = chat.createThread({ created_by: 'ada', name: 'A' });
      const one = say(chat, thread_id, 'one');
      expect(chat.message(one.message_id)).toBe(one);
      say(chat, thread_id, 'two');
      chat.configure({ thread_id, updated_by: 'ada', name: 'B' });
      expect(chat.config(thread_id).name).toBe('B');
      expect(chat.conflicts(thread_id)).toEqual([]);
      const attempt = answer(chat, ask(chat, thread_id).message_id);
      attempt.openPart().append('now');
      expect(chat.message(attempt.message_id)?.content).toBe('now');
      expect(chat.messages(thread_id)).toHaveLength(4);
    });
    expect(updates).toBe(1);
    expectSame([{ doc, chat }]);
  });

  it('[LA10] a lane of a later reader is hidden, listed, copied and in the digest; the rest goes on', () => {
    const { doc, chat, thread_id } = createWriter();
    const before = chat.digest();
    const hidden = header({ lane: 'hidden', min_reader: 3 });
    const secret = messageLine(idAt(1), thread_id, { content: 'of a later schema' });
    addText(doc, textOf([hidden, secret, 'not even JSON']));
    const laneId = (JSON.parse(hidden) as { lane_id: string }).lane_id;
    expect(chat.messages(thread_id)).toEqual([]);
    expect(chat.report().hidden_lanes).toEqual([laneId]);
    expect(chat.quarantine()).toEqual([]);
    expect(linesOf(chat)).toContain(secret);
    expect(chat.digest()).not.toBe(before);
    expect(chat.threads().map((thread) => thread.thread_id)).toEqual([thread_id]);
    expect(say(chat, thread_id, 'still writable').content).toBe('still writable');
    expect(chat.messages(thread_id).map(({ content }) => content)).toEqual(['still writable']);
    expect(chat.state(thread_id).state).toBe('idle');
    expectSame([{ doc, chat }]);
  });

  it('[LA12] a lane of what was rolled back is hidden, listed, copied and in the digest', () => {
    const { doc, chat, thread_id } = createWriter();
    const before = chat.digest();
    const original = header({ lane: 'taken back' });
    const hidden = header({ lane: 'hidden', rolled_back: original });
    const line = messageLine(idAt(1), thread_id, { content: 'taken back' });
    addText(doc, textOf([hidden, line]));
    expect(chat.messages(thread_id)).toEqual([]);
    expect(chat.report()).toMatchObject({
      hidden_lanes: [],
      rolled_back_lanes: [(JSON.parse(hidden) as { lane_id: string }).lane_id],
    });
    expect(linesOf(chat)).toContain(hidden);
    expect(linesOf(chat)).toContain(line);
    expect(chat.digest()).not.toBe(before);
    expect(say(chat, thread_id, 'goes on').content).toBe('goes on');
    expectSame([{ doc, chat }]);
  });

  it('[LA10] readOnly writes zero bytes, also not where it meets unblanked text', () => {
    const { a, b, thread_id } = createPair();
    const { message_id } = say(a.chat, thread_id, 'private');
    syncAll([a, b]);
    const viewer = reload(a.doc, 'viewer', { readOnly: true });
    const before = bytesOf(viewer.doc);
    expect(viewer.chat.readOnly).toBe(true);
    const write = { message_id, author_id: 'ada', content: 'x' };
    for (const call of [
      () => viewer.chat.edit(write),
      () => viewer.chat.createThread({ created_by: 'ada' }),
      () => viewer.chat.openMessage({ thread_id, sender_id: 'ada' }),
      () => viewer.chat.importJSONL(textOf([header()])),
    ]) {
      expect(catchError(call).code).toBe('read_only');
    }
    expect(bytesOf(viewer.doc)).toBe(before);
    const late = addText(
      b.doc,
      textOf([header(), messageLine(message_id, thread_id, { content: 'late secret' })]),
    );
    b.chat.close();
    a.chat.redact({ message_id, by: 'ada' });
    let written = 0;
    viewer.doc.on('update', (_: unknown, origin: unknown) => {
      written += origin === NETWORK ? 0 : 1;
    });
    send(a.doc, viewer.doc);
    send(b.doc, viewer.doc);
    expect(viewer.chat.message(message_id)?.content).toBe('');
    expect(textAt(viewer.doc, late).toString()).toContain('late secret');
    expect(written).toBe(0);
  });

  it('[LA11] a streamed answer of 8,000 tokens is at most 3 structs, alone and with four at once', () => {
    for (const streams of [1, 4]) {
      const { doc, chat, thread_id } = createWriter();
      const attempts = Array.from({ length: streams }, () => answer(chat, ask(chat, thread_id).message_id));
      const parts = attempts.map((attempt) => attempt.openPart());
      for (let token = 0; token < 8_000; token += 1) for (const part of parts) part.append('tok ');
      for (const attempt of attempts) attempt.finish({ finish_reason: 'stop' });
      for (const { key, client, text } of laneTexts(doc)) {
        if (!text.includes('tok tok')) continue;
        expect(doc.store.clients.get(client)?.length, key).toBeLessThanOrEqual(3);
      }
      const contents = attempts.map(({ message_id }) => chat.message(message_id)?.content.length);
      expect(contents).toEqual(attempts.map(() => 32_000));
    }
  });
});
