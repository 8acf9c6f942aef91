import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { embedChat, openChat } from '../src/index.js';
import {
  answer,
  ask,
  bytesOf,
  catchError,
  createEnvironment,
  createReplica,
  laneTexts,
  NETWORK,
  present,
  START,
  say,
  send,
} from './world.js';

const environment = (seed: string) => createEnvironment(seed, { time: START });

function embed(seed: string, doc = new Y.Doc()) {
  const map = embedChat(doc.getMap('cells'), 'chat of cell 1');
  return { doc, map, chat: openChat(map, { environment: environment(seed) }) };
}

describe('embedding', () => {
  it('[EM1] a chat is in the root map `chat` of a document, in a root of another name, or in a nested map', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    expect(doc.getMap('chat').size).toBe(1);
    const named = openChat(doc, { root: 'notes', environment: environment('notes') });
    expect(named.threads()).toEqual([]);
    const note = named.createThread({ created_by: 'bob' });
    expect(doc.getMap('notes').size).toBe(1);
    const map = embedChat(doc.getMap('cells'), 'c');
    const nested = openChat(map, { environment: environment('nested') });
    const cell = nested.createThread({ created_by: 'eve' });
    expect(map.size).toBe(1);
    expect([chat, named, nested].map((each) => each.threads().map((thread) => thread.thread_id))).toEqual([
      [thread_id],
      [note.thread_id],
      [cell.thread_id],
    ]);
    expect(openChat(doc.getMap('chat')).threads()).toEqual(chat.threads());
    expect(laneTexts(doc)).toHaveLength(1);
  });

  it('[EM2] two sides that make a nested map apart keep the entries of both', () => {
    const [one, two] = [embed('one'), embed('two')];
    const a = one.chat.createThread({ created_by: 'ada' }).thread_id;
    const b = two.chat.createThread({ created_by: 'bob' }).thread_id;
    say(one.chat, a, 'of a');
    say(two.chat, b, 'of b');
    send(one.doc, two.doc);
    send(two.doc, one.doc);
    for (const { chat, map, doc } of [one, two]) {
      expect(
        chat
          .threads()
          .map(({ thread_id }) => thread_id)
          .sort(),
      ).toEqual([a, b].sort());
      expect(chat.messages(a)).toHaveLength(1);
      expect(chat.messages(b)).toHaveLength(1);
      expect(doc.getMap('cells').get('chat of cell 1')).toBe(map);
      expect(embedChat(doc.getMap('cells'), 'chat of cell 1')).toBe(map);
    }
    expect(one.chat.digest()).toBe(two.chat.digest());
    expect(bytesOf(one.doc)).toBe(bytesOf(two.doc));
    say(one.chat, b, 'goes on');
    send(one.doc, two.doc);
    expect(two.chat.messages(b).at(-1)?.content).toBe('goes on');
  });

  it('[EM2] other keys and parents give other maps', () => {
    const doc = new Y.Doc();
    const inner = new Y.Map<unknown>();
    doc.getMap('a').set('inner', inner);
    const maps = [
      embedChat(doc.getMap('a'), 'x'),
      embedChat(doc.getMap('a'), 'y'),
      embedChat(doc.getMap('b'), 'x'),
      embedChat(inner, 'x'),
    ];
    expect(new Set(maps.map((map) => present(map._item).id.client)).size).toBe(4);
    openChat(present(maps[0]), { environment: environment('x') }).createThread({ created_by: 'ada' });
    expect(maps.map((map) => map.size)).toEqual([1, 0, 0, 0]);
  });

  it('[EM3] a deleted embedded map throws `detached`, and nothing is written', () => {
    const { doc, chat, map } = embed('one');
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const writer = answer(chat, ask(chat, thread_id).message_id);
    const part = writer.openPart();
    part.append('x');
    doc.getMap('cells').delete('chat of cell 1');
    const before = bytesOf(doc);
    for (const write of [
      () => chat.createThread({ created_by: 'ada' }),
      () => chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 1 } }),
      () => chat.importJSONL('{}\n'),
      () => part.append('y'),
      () => writer.finish({ finish_reason: 'stop' }),
      () => embedChat(doc.getMap('cells'), 'chat of cell 1'),
    ]) {
      expect(catchError(write).code).toBe('detached');
    }
    expect(() => chat.threads()).not.toThrow();
    expect(bytesOf(doc)).toBe(before);
    expect(catchError(() => openChat(new Y.Map())).code).toBe('detached');
    expect(catchError(() => embedChat(new Y.Map(), 'x')).code).toBe('detached');
    expect(map.doc).toBe(doc);
  });

  it('[EM3] a map deleted by a remote update is detached', () => {
    const { doc, chat } = embed('one');
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const other = new Y.Doc();
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
    other.getMap('cells').delete('chat of cell 1');
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), NETWORK);
    expect(catchError(() => say(chat, thread_id, 'x')).code).toBe('detached');
    expect(() => chat.messages(thread_id)).not.toThrow();
  });

  it('[EM4] other content of the document is never touched', () => {
    const doc = new Y.Doc();
    doc.getText('code').insert(0, 'let x = 1');
    doc.getMap('meta').set('title', 'Doc');
    doc.getArray('cells').push([1, 2]);
    const before = JSON.stringify([doc.getText('code'), doc.getMap('meta'), doc.getArray('cells')]);
    const { chat } = createReplica('r', {}, doc);
    const own = new Set(['code', 'meta', 'cells', 'chat']);
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const { message_id } = ask(chat, thread_id);
    answer(chat, message_id).finish({ finish_reason: 'stop' });
    chat.redact({ message_id, by: 'ada' });
    expect(JSON.stringify([doc.getText('code'), doc.getMap('meta'), doc.getArray('cells')])).toBe(before);
    expect([...doc.share.keys()].filter((name) => !own.has(name))).toEqual([]);
  });

  it('[EM4] an undo manager with the undo filter never undoes a lane, also in a tracked transaction', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const code = doc.getText('code');
    const scopes = [code, doc.getMap('chat')] as unknown as Y.AbstractType<unknown>[];
    const undo = new Y.UndoManager(scopes, {
      deleteFilter: chat.undoFilter,
      trackedOrigins: new Set([null, 'editor']),
      captureTimeout: 0,
    });
    doc.transact(() => {
      code.insert(0, 'typed');
      say(chat, thread_id, 'said while typing');
    }, 'editor');
    doc.transact(() => say(chat, thread_id, 'said alone'));
    code.insert(0, 'more ');
    const jsonl = chat.toJSONL();
    for (let i = 0; i < 5; i += 1) undo.undo();
    expect(code.toString()).toBe('');
    expect(chat.toJSONL()).toBe(jsonl);
    expect(chat.damage()).toEqual([]);
    for (let i = 0; i < 5; i += 1) undo.redo();
    expect(code.toString()).toBe('more typed');
    expect(chat.toJSONL()).toBe(jsonl);
    expect(say(chat, thread_id, 'and on').content).toBe('and on');
    const outside = present(code._start);
    expect(chat.undoFilter(outside)).toBe(true);
  });

  it('[EM4] the undo filter covers an embedded map, and the entry that holds it may be undone', () => {
    const { doc, map, chat } = embed('one');
    const undo = new Y.UndoManager(doc.getMap('cells'), { deleteFilter: chat.undoFilter, captureTimeout: 0 });
    doc.transact(() => {
      doc.getMap('cells').set('title', 'x');
      chat.createThread({ created_by: 'ada' });
    });
    undo.undo();
    expect(doc.getMap('cells').has('title')).toBe(false);
    expect(chat.threads()).toHaveLength(1);
    expect(map.size).toBe(1);
  });
});
