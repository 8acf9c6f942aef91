import { type Chat, ChatDocError, type Json, type JsonObject, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import {
  createScriptEnvironment,
  forgeUpdate,
  hostileRecords,
  hostileUpdates,
  RESERVED_NAMES,
  reservedObjects,
  writeHostileRecord,
} from '../../chat-testkit/src/index.js';
import {
  closePeers,
  expectCounted,
  headerOf,
  openPeers,
  type Peer,
  readEverything,
  readReports,
  runs,
  scale,
  textOf,
  updateOf,
} from './rows-world.js';

const { test, all } = createParts();
const VALUES = 10_000;
const DATE = '2026-11-21T12:00:00.000Z';
const PROTOTYPES: readonly object[] = [
  Object,
  Array,
  Function,
  String,
  Number,
  Boolean,
  Map,
  Set,
  Promise,
  RegExp,
]
  .map(({ prototype }) => prototype as object)
  .concat(Y.Text.prototype, Y.Map.prototype, Y.Doc.prototype);

/** Every property of every prototype that a value of a document could reach. */
function readPrototypes(): readonly unknown[] {
  return PROTOTYPES.map((prototype) => [
    Object.getPrototypeOf(prototype),
    Object.entries(Object.getOwnPropertyDescriptors(prototype)),
  ]);
}

/** Nothing in a value that is read has a prototype of its own making. */
function expectPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype = Object.getPrototypeOf(value) as unknown;
  expect([Object.prototype, Array.prototype, null]).toContain(prototype);
  for (const key of Object.keys(value)) expectPlain((value as Record<string, unknown>)[key]);
}

interface Written {
  readonly expected: Json;
  readonly read: (chat: Chat) => unknown;
}

/** Writes a name, and an object of such names, wherever the library takes one. */
function writeEverywhere(chat: Chat, name: string, value: JsonObject): readonly Written[] {
  const written: Written[] = [];
  const at = (expected: Json, read: (reader: Chat) => unknown): void => {
    written.push({ expected, read });
  };
  const thread = chat.createThread({ created_by: name, name, legacy: value });
  const { thread_id } = thread;
  at(name, (reader) => reader.thread(thread_id)?.created_by);
  at(name, (reader) => reader.config(thread_id).name);
  at(value, (reader) => reader.thread(thread_id)?.legacy);
  for (const field of ['acp_config', 'session', 'template', 'variables', 'anchor', 'resolved'] as const) {
    chat.configure({ thread_id, updated_by: name, [field]: value });
    at(value, (reader) => reader.config(thread_id)[field]);
  }
  at(name, (reader) => reader.config(thread_id).updated_by);
  const message = { thread_id, sender_id: name, content: name, client_message_id: name, date: DATE };
  const { message_id } = chat.send({ ...message, legacy: value });
  at(name, (reader) => reader.message(message_id)?.sender_id);
  at(name, (reader) => reader.message(message_id)?.history[0]?.content);
  at(value, (reader) => reader.message(message_id)?.legacy);
  chat.edit({ message_id, author_id: name, content: `${name}!` });
  at(name, (reader) => reader.message(message_id)?.history[1]?.author_id);
  chat.annotate({ message_id, user_id: name, key: name, value });
  at([name, name, value], (reader) => {
    const [found] = reader.annotations({ message_id });
    return [found?.user_id, found?.key, found?.value];
  });
  chat.annotate({ thread_id, user_id: name, key: 'read', value: message_id });
  at(message_id, (reader) => reader.readMark(thread_id, name));
  const slot = { root_id: name, owner_id: name, provider: name };
  const active = chat.createThread({ created_by: name, slot: { ...slot, number: 1 } });
  at(active.thread_id, (reader) => reader.activeThread({ ...slot, purpose: 'chat' }));
  const prompt = chat.send({ thread_id, sender_id: name, content: name, expects: 'answer' });
  const attempt = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: name, runner_id: name });
  attempt.addPart({
    kind: 'tool_call',
    part_id: name,
    title: name,
    input: value,
    output: value,
    data: value,
  });
  attempt.finish({ finish_reason: name, acp_usage: value, error: value, acp_thread_id: name });
  at([name, name, value, value, value], (reader) => {
    const [part] = reader.message(attempt.message_id)?.parts ?? [];
    return [part?.part_id, part?.title, part?.input, part?.output, part?.data];
  });
  at([name, name, value, value, name], (reader) => {
    const shown = reader.message(attempt.message_id)?.attempt;
    return [shown?.runner_id, shown?.finish_reason, shown?.acp_usage, shown?.error, shown?.acp_thread_id];
  });
  chat.setVariables({ scope: 'user', scope_id: name, values: value });
  for (const [key, expected] of Object.entries(value)) {
    // null clears.
    if (expected !== null) at(expected, (reader) => reader.variables('user', name)[key]);
  }
  return written;
}

describe('names of Object.prototype', () => {
  let values = 0;

  test('[HO5] written anywhere, they read on the third hop, in a copy and in a fresh load as they were written', () => {
    const before = readPrototypes();
    fc.assert(
      fc.property(fc.array(reservedObjects(), { minLength: 4, maxLength: 4 }), fc.nat(), (texts, from) => {
        const peers = openPeers(3) as [Peer, Peer, Peer];
        const [sender, , third] = peers;
        const written = texts.flatMap((text, at) => {
          const name = RESERVED_NAMES[(from + at) % RESERVED_NAMES.length] as string;
          return writeEverywhere(sender.chat, name, JSON.parse(text) as JsonObject);
        });
        const doc = new Y.Doc();
        const copy = openChat(doc, { environment: createScriptEnvironment('copy', 1) });
        copy.importJSONL(third.chat.toJSONL());
        const fresh = new Y.Doc();
        Y.applyUpdate(fresh, Y.encodeStateAsUpdate(third.doc));
        const loaded = openChat(fresh, { readOnly: true });
        for (const { expected, read } of written) {
          values += 1;
          const text = JSON.stringify(expected);
          for (const chat of [sender.chat, third.chat, copy, loaded]) {
            const value = read(chat);
            expect(JSON.stringify(value)).toBe(text);
            if (!Array.isArray(expected)) expectPlain(value);
          }
        }
        expectCounted(third);
        expect(readReports(third.chat)).toEqual(readReports(sender.chat));
        closePeers(peers);
      }),
      runs(VALUES / 84),
    );
    expect(readPrototypes(), '[HO5] no prototype changes').toEqual(before);
  });

  it('[HO5] a value with a key `__proto__` is refused where it would be written, at any depth', () => {
    const before = readPrototypes();
    const chat = openChat(new Y.Doc(), { environment: createScriptEnvironment('writer', 1) });
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'How?', expects: 'answer' });
    const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' });
    const forbidden = reservedObjects({ forbidden: true }).filter((text) => text.includes('"__proto__":'));
    fc.assert(
      fc.property(forbidden, (text) => {
        const value = JSON.parse(text) as JsonObject;
        const lines = chat.toJSONL();
        const writes: readonly (() => unknown)[] = [
          () => chat.createThread({ created_by: 'ada', legacy: value }),
          () => chat.configure({ thread_id, updated_by: 'ada', acp_config: value }),
          () => chat.send({ thread_id, sender_id: 'ada', content: '', legacy: value }),
          () => chat.annotate({ thread_id, user_id: 'ada', key: 'k', value }),
          () => chat.setVariables({ scope: 'user', scope_id: 'ada', values: value }),
          () => attempt.addPart({ kind: 'tool_call', input: value }),
          () => attempt.finish({ finish_reason: 'stop', acp_usage: value }),
        ];
        for (const write of writes) expect(write).toThrow(ChatDocError);
        expect(chat.toJSONL()).toBe(lines);
      }),
      runs(50),
    );
    expect(readPrototypes()).toEqual(before);
  });

  it('[HO5] nothing that a hostile peer names so changes a prototype, or a reader asked for such a name', () => {
    const before = readPrototypes();
    const records = fc.array(hostileRecords(), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        records,
        fc.array(hostileUpdates({ harming: true }), { maxLength: 6 }),
        (hostile, updates) => {
          const peers = openPeers(2) as [Peer, Peer];
          const [first, second] = peers;
          const lines = hostile.flatMap((record, at) =>
            writeHostileRecord({ ...record, kind: at % 2 === 0 ? 'reserved_field' : record.kind }, at).map(
              ({ line }) => line,
            ),
          );
          // As keys of entries, as a type, and as the key of a lane.
          Y.applyUpdate(first.doc, updateOf(4_100_000_000, 'lane', textOf([headerOf('lane'), ...lines])));
          for (const [at, name] of RESERVED_NAMES.entries()) {
            const text = textOf([headerOf(name), `{"type":"${name}","id":"x"}`]);
            Y.applyUpdate(first.doc, updateOf(4_150_000_000 + at, name, text));
          }
          for (const [at, update] of updates.entries()) {
            const forged = forgeUpdate(first.doc, update, 4_200_000_000 + at);
            if (forged !== undefined) Y.applyUpdate(first.doc, forged);
          }
          for (const peer of peers) {
            const everything = readEverything(peer.chat, RESERVED_NAMES);
            for (const value of everything.flat(2)) expectPlain(value);
            expectPlain(peer.chat.report());
            // Not what every object has: nobody has set them.
            const unset = peer.chat.variables('user', 'nobody');
            expect(RESERVED_NAMES.filter((name) => unset[name] !== undefined)).toEqual([]);
            expectCounted(peer);
          }
          expect(readReports(second.chat)).toEqual(readReports(first.chat));
          closePeers(peers);
        },
      ),
      runs(30),
    );
    expect(readPrototypes()).toEqual(before);
  });

  it('[HO5] a root of such a name is a chat like any other', () => {
    for (const root of RESERVED_NAMES) {
      const doc = new Y.Doc();
      const chat = openChat(doc, { root, environment: createScriptEnvironment(root, 1) });
      const { thread_id } = chat.createThread({ created_by: root });
      const copy = new Y.Doc();
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
      expect(openChat(copy, { root, readOnly: true }).thread(thread_id)?.created_by).toBe(root);
    }
  });

  it('[HO5] the values above were as many as they say', async () => {
    await all();
    expect(values).toBeGreaterThan(scale(VALUES) * 0.9);
  });
});
