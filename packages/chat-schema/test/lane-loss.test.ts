import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  answer,
  ask,
  asPeer,
  createReplica,
  expectSame,
  findText,
  laneTexts,
  present,
  type Replica,
  say,
  textAt,
} from './world.js';

/** A replica with a thread, and the key of its one text. */
function createWriter(): Replica & { thread_id: string; key: string } {
  const replica = createReplica();
  const { thread_id } = replica.chat.createThread({ created_by: 'ada' });
  return { ...replica, thread_id, key: present(laneTexts(replica.doc)[0]).key };
}

describe('lanes that are lost', () => {
  const harms: Readonly<Record<string, (doc: Y.Doc, key: string, client: number) => void>> = {
    'whose clientID a peer has taken': (doc, key, client) => {
      asPeer(doc, (map) => (map.get(key) as Y.Text).insert((map.get(key) as Y.Text).length, 'x'), client);
    },
    'whose clientID a peer has taken, delivered in a local transaction': (doc, key, client) => {
      const rogue = new Y.Doc();
      Y.applyUpdate(rogue, Y.encodeStateAsUpdate(doc));
      rogue.clientID = client;
      textAt(rogue, key).insert(textAt(rogue, key).length, 'x');
      doc.transact(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(rogue)));
    },
    'whose clientID a peer has taken elsewhere in the document': (doc, _key, client) => {
      asPeer(doc, (_map, rogue) => rogue.getMap('other').set('a', 1), client);
    },
    'whose map key was replaced': (doc, key) => {
      asPeer(doc, (map) => map.set(key, new Y.Text('')));
    },
    'whose map key was deleted': (doc, key) => {
      asPeer(doc, (map) => map.delete(key));
    },
    'whose end was deleted': (doc, key) => {
      asPeer(doc, (map) => (map.get(key) as Y.Text).delete((map.get(key) as Y.Text).length - 1, 1));
    },
    'of which a line was deleted': (doc, key) => {
      asPeer(doc, (map) => (map.get(key) as Y.Text).delete(250, 20));
    },
  };
  for (const [harm, damage] of Object.entries(harms)) {
    it(`[LA7] the writer drops a lane ${harm}, and goes on in a new one under a new clientID`, () => {
      const { doc, chat, thread_id, key } = createWriter();
      say(chat, thread_id, 'before');
      const { client } = findText(doc, 'before');
      damage(doc, key, client);
      const { message_id } = say(chat, threadOf(chat, thread_id), 'after');
      const text = findText(doc, 'after');
      expect(text.key).not.toBe(key);
      expect(text.client).not.toBe(client);
      expect(chat.message(message_id)?.content).toBe('after');
      say(chat, present(chat.message(message_id)).thread_id, 'and on');
      expect(findText(doc, 'and on').key).toBe(text.key);
      expectSame([{ doc, chat }], { copies: false });
    });
  }

  for (const [harm, damage] of Object.entries(harms)) {
    it(`[LA7] a stream in a lane ${harm} goes on as a new part with \`continues\``, () => {
      const { doc, chat, thread_id } = createWriter();
      const prompt = ask(chat, thread_id);
      say(chat, thread_id, 'between');
      const attempt = answer(chat, prompt.message_id);
      attempt.openPart({ kind: 'reasoning' }).close('thinking');
      const part = attempt.openPart();
      part.append('so far');
      const { key, client, text } = findText(doc, 'so far');
      // Not the message line of the attempt: without it nothing of it could be read.
      const spot = text.indexOf('thinking');
      if (harm === 'of which a line was deleted')
        asPeer(doc, (map) => (map.get(key) as Y.Text).delete(spot, 3));
      else damage(doc, key, client);
      part.append(', and on');
      part.append(', to the end');
      attempt.finish({ finish_reason: 'stop' });
      const rest = findText(doc, ', and on, to the end');
      expect(rest.client).not.toBe(client);
      expect(rest.text).toMatch(/"n":3,("kind":"text",)?"continues":2,"text":", and on, to the end"\}\n/);
      const message = chat.message(attempt.message_id);
      if (message !== undefined) expect(message).toMatchObject({ generating: false });
      expectSame([{ doc, chat }], { copies: false });
    });
  }

  for (const harm of ['set', 'delete'] as const) {
    it(`[LA7] a lane that goes within the transaction that also writes is dropped at once: ${harm}`, () => {
      const { doc, chat, thread_id, key } = createWriter();
      const attempt = answer(chat, ask(chat, thread_id).message_id);
      const part = attempt.openPart();
      part.append('so far');
      const streamed = findText(doc, 'so far').key;
      let said = '';
      doc.transact(() => {
        const map = doc.getMap('chat');
        for (const each of new Set([key, streamed])) {
          if (harm === 'delete') map.delete(each);
          else map.set(each, new Y.Text(''));
        }
        said = say(chat, thread_id, 'not lost').message_id;
        part.append(' and on');
      });
      expect(chat.message(said)?.content).toBe('not lost');
      expect(findText(doc, ' and on').key).not.toBe(streamed);
      chat.rehost();
      expect(chat.message(attempt.message_id)?.content).toBe('so far and on');
      expectSame([{ doc, chat }], { copies: false });
    });
  }

  it('[LA7] a lane whose end is deleted within the transaction that also writes is dropped at once', () => {
    const { doc, chat, thread_id, key } = createWriter();
    let said = '';
    doc.transact(() => {
      textAt(doc, key).delete(textAt(doc, key).length - 1, 1);
      said = say(chat, thread_id, 'not lost').message_id;
    });
    expect(chat.message(said)?.content).toBe('not lost');
    expect(findText(doc, 'not lost').key).not.toBe(key);
    expectSame([{ doc, chat }], { copies: false });
  });

  for (const call of ['addPart', 'finish', 'close'] as const) {
    it(`[LA7] ${call} in a lane that was lost goes to a new one, and counts`, () => {
      const { doc, chat, thread_id, key } = createWriter();
      const attempt = answer(chat, ask(chat, thread_id).message_id);
      const part = attempt.openPart();
      part.append('so far');
      const { client } = findText(doc, 'so far');
      present(harms['whose clientID a peer has taken elsewhere in the document'])(doc, key, client);
      if (call === 'addPart') attempt.addPart({ kind: 'text', text: ' at once' });
      if (call === 'close') part.close(' at last');
      if (call === 'finish') attempt.finish({ finish_reason: 'stop' });
      const message = present(chat.message(attempt.message_id));
      expect(message.generating).toBe(call !== 'finish');
      expect(message.content).toBe(
        { addPart: 'so far at once', close: 'so far at last', finish: 'so far' }[call],
      );
      expect(chat.report().ignored).toEqual([]);
      expect(laneTexts(doc).length).toBeGreaterThan(1);
      expectSame([{ doc, chat }]);
    });
  }
});

/** The thread again, where the harm took its line: a message may come before it. */
function threadOf(chat: Replica['chat'], thread_id: string): string {
  return chat.thread(thread_id) === undefined
    ? chat.createThread({ created_by: 'ada' }).thread_id
    : thread_id;
}
