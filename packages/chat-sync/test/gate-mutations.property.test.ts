import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import {
  createServer,
  forge,
  join,
  laneTexts,
  type Member,
  runs,
  type Server,
  scale,
} from './hostile-world.js';

const { test, all } = createParts();
/** Updates of honest clients, changed; and updates that a peer makes of what it knows. */

interface Scene {
  readonly server: Server;
  readonly ada: Member;
  readonly bob: Member;
  readonly thread_id: string;
  readonly ofBob: readonly string[];
}

function createScene(): Scene {
  const server = createServer();
  const bob = join(server, 'bob');
  const { thread_id } = bob.chat.createThread({ created_by: 'bob', name: 'of bob' });
  const { message_id } = bob.chat.send({ thread_id, sender_id: 'bob', content: 'one', expects: 'answer' });
  const stream = bob.chat.openMessage({ thread_id, sender_id: 'bob' });
  stream.openPart().append('still open');
  const attempt = bob.chat.openAttempt({ prompt_id: message_id, sender_id: 'bob', runner_id: 'r' });
  attempt.openPart({ text: 'an answer' });
  attempt.finish({ finish_reason: 'stop' });
  bob.send();
  const ada = join(server, 'ada');
  return { server, ada, bob, thread_id, ofBob: bob.chat.messageIds(thread_id) };
}

/** What bob wrote, as the server reads it. */
function readBob({ server, ofBob, thread_id }: Scene): unknown {
  const { chat } = server;
  const messages = ofBob.map((id) => chat.message(id));
  return [messages, chat.thread(thread_id), chat.config(thread_id), textsOfBob(server)];
}

function textsOfBob({ doc }: Server): string[] {
  return laneTexts(doc)
    .map(({ text }) => text)
    .filter((text) => text.includes('"user_id":"bob"'));
}

/** What ada writes, each as one update; nothing of it is about a message of bob's. */
function writeAda({ ada, thread_id }: Scene, text: string): Uint8Array[] {
  const { chat } = ada;
  const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: text });
  chat.edit({ message_id, author_id: 'ada', content: `${text}!` });
  const stream = chat.openMessage({ thread_id, sender_id: 'ada' });
  const part = stream.openPart();
  for (const token of ['a ', text, ' c']) part.append(token);
  stream.finish({ finish_reason: 'stop' });
  chat.redact({ message_id, by: 'ada' });
  return ada.outbox.splice(0);
}

const outcomes = new Map<string, number>();

function deliver({ server, ada }: Scene, update: Uint8Array, kind: 'live' | 'initial'): void {
  const before = Y.encodeStateVector(server.doc);
  const verdict = server.gate.receive(update, ada.principal as never, ada, kind);
  const name = verdict.ok ? verdict.outcome : verdict.code;
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  if (!verdict.ok) expect(Y.encodeStateVector(server.doc)).toEqual(before);
}

type Edit = { readonly at: number; readonly kind: number; readonly value: number };

function mutate(update: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let bytes = [...update];
  for (const { at, kind, value } of edits) {
    const index = at % bytes.length;
    if (kind === 0) bytes[index] = (bytes[index] as number) ^ (1 << (value % 8));
    else if (kind === 1) bytes[index] = value % 256;
    else if (kind === 2) bytes.splice(index, 1 + (value % 4));
    else if (kind === 3) bytes.splice(index, 0, value % 256);
    else if (kind === 4) bytes = bytes.slice(0, index + 1);
    else bytes[index] = [0, 1, 127, 128, 255][value % 5] as number;
    if (bytes.length === 0) bytes = [0];
  }
  return new Uint8Array(bytes);
}

const edit: fc.Arbitrary<Edit> = fc.record({ at: fc.nat(4000), kind: fc.nat(5), value: fc.nat(255) });

describe('hostile updates', () => {
  test('[GT15] honest updates changed at random never change what another wrote, and never throw', () => {
    const cases = fc.array(fc.tuple(fc.nat(20), fc.array(edit, { maxLength: 4 }), fc.boolean()), {
      minLength: 10,
      maxLength: 40,
    });
    fc.assert(
      fc.property(cases, fc.string({ maxLength: 8 }), (mutations, text) => {
        const scene = createScene();
        const updates = writeAda(scene, text);
        const before = readBob(scene);
        for (const [pick, edits, initial] of mutations) {
          const update = updates[pick % updates.length] as Uint8Array;
          deliver(scene, mutate(update, edits), initial ? 'initial' : 'live');
          expect(scene.server.doc.store.pendingStructs).toBeNull();
          expect(scene.server.doc.store.pendingDs).toBeNull();
          expect([...scene.server.doc.share.keys()]).toEqual(['chat']);
        }
        expect(readBob(scene)).toEqual(before);
        const { chat } = scene.server;
        expect(chat.quarantine()).toEqual([]);
        expect(chat.damage()).toEqual([]);
        expect(chat.report().foreign).toEqual([]);
        scene.bob.chat.send({ thread_id: scene.thread_id, sender_id: 'bob', content: 'goes on' });
        scene.bob.send();
        expect(scene.bob.chat.digest()).toBe(chat.digest());
      }),
      runs(80),
    );
  });

  test('[GT15] nor do changes of any text, key or client that a peer makes of what it knows', () => {
    const act = fc.record({
      lane: fc.nat(20),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      what: fc.nat(5),
      length: fc.nat(60),
      client: fc.nat(30),
      text: fc.constantFrom('x', '"}\n', '\n', '{"type":"part",', ',"cut":true}', '"'),
    });
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 20 }), (acts) => {
        const scene = createScene();
        for (const update of writeAda(scene, 'x')) deliver(scene, update, 'live');
        const before = readBob(scene);
        for (const { lane, at, what, length, client, text } of acts) {
          const lanes = laneTexts(scene.server.doc);
          const target = lanes[lane % lanes.length] as (typeof lanes)[number];
          // Not ada's own: in her name she may append what she likes.
          const others = lanes.filter((each) => each.text.includes('"user_id":"bob"'));
          const forged = client > 20 ? undefined : others[client % others.length]?.client;
          const position = Math.floor(at * target.text.length);
          const update = forge(
            scene.server.doc,
            (map, doc) => {
              const type = map.get(target.key) as Y.Text;
              if (what === 0) type.insert(position, text);
              else if (what === 1) type.insert(type.length, text);
              else if (what === 2) type.delete(position, Math.min(length + 1, type.length - position));
              else if (what === 3) map.set(target.key, new Y.Text(text));
              else if (what === 4) map.delete(target.key);
              else doc.getMap('chat').set(`${target.key}`, text);
            },
            forged,
          );
          deliver(scene, update, 'live');
        }
        expect(readBob(scene)).toEqual(before);
        expect(scene.server.chat.quarantine()).toEqual([]);
        expect(scene.server.chat.report().foreign).toEqual([]);
      }),
      runs(60),
    );
  });

  it('[GT15] the updates above had every outcome', async () => {
    await all();
    for (const name of ['pass', 'duplicate', 'gap', 'malformed', 'deletion', 'foreign_text', 'key_taken']) {
      expect(outcomes.get(name) ?? 0, name).toBeGreaterThanOrEqual(scale(10, 1));
    }
  });
});
