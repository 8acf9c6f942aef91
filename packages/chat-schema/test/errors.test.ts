import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  type AttemptWriter,
  type Chat,
  ChatDocError,
  type ChatDocErrorCode,
  embedChat,
  LIMITS,
  openChat,
  type PartWriter,
} from '../src/index.js';
import {
  answer,
  ask,
  asPeer,
  bytesOf,
  catchError,
  createReplica,
  DATE,
  expectSame,
  header,
  idAt,
  laneTexts,
  present,
  type Replica,
  reload,
  runs,
  say,
  textOf,
  threadLine,
} from './world.js';

const SLOT = { root_id: 'r', owner_id: 'ada', provider: 'p' };

interface Scene extends Replica {
  readonly thread_id: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly writer: AttemptWriter;
  readonly part: PartWriter;
}

/** A chat with something of each kind that a write refers to. */
function createScene(): Scene {
  const replica = createReplica();
  const { chat } = replica;
  const { thread_id } = chat.createThread({ created_by: 'ada', slot: SLOT });
  const { message_id } = ask(chat, thread_id);
  const done = answer(chat, message_id);
  done.finish({ finish_reason: 'stop' });
  const writer = chat.openMessage({ thread_id, sender_id: 'ada' });
  const part = writer.openPart();
  part.append('x');
  return { ...replica, thread_id, message_id, answer_id: done.message_id, writer, part };
}

type Arguments = Readonly<Record<string, unknown>>;

/** Every write that takes one object: valid arguments, and the call. */
const writes: Readonly<Record<string, (scene: Scene) => readonly [Arguments, (value: never) => unknown]>> = {
  createThread: ({ chat, thread_id }) => [
    {
      created_by: 'ada',
      created_at: DATE,
      purpose: 'chat',
      name: 'N',
      pin: true,
      acp_config: { model: 'm' },
      root_message_id: idAt(1),
      forked_from: { thread_id },
      legacy: { a: [1] },
    },
    (value) => chat.createThread(value),
  ],
  createSlotThread: ({ chat }) => [
    { created_by: 'ada', slot: { ...SLOT, number: 2 }, purpose: 'run' },
    (value) => chat.createThread(value),
  ],
  configure: ({ chat, thread_id }) => [
    {
      thread_id,
      updated_by: 'ada',
      updated_at: DATE,
      name: 'N',
      archived: false,
      session: { id: 's' },
      variables: null,
    },
    (value) => chat.configure(value),
  ],
  send: ({ chat, thread_id, message_id }) => [
    {
      thread_id,
      sender_id: 'ada',
      content: 'x',
      date: DATE,
      reply_to_message_id: message_id,
      expects: 'answer',
      legacy: 1,
    },
    (value) => chat.send(value),
  ],
  resend: ({ chat, thread_id }) => [
    { thread_id, sender_id: 'ada', content: 'x', date: DATE, client_message_id: 'c1' },
    (value) => chat.send(value),
  ],
  edit: ({ chat, message_id }) => [
    { message_id, author_id: 'ada', content: 'y', date: DATE },
    (value) => chat.edit(value),
  ],
  delete: ({ chat, message_id }) => [
    { message_id, author_id: 'ada', date: DATE },
    (value) => chat.delete(value),
  ],
  redact: ({ chat, message_id }) => [{ message_id, by: 'ada', date: DATE }, (value) => chat.redact(value)],
  annotate: ({ chat, message_id }) => [
    { message_id, user_id: 'ada', key: 'k', value: { a: 1 } },
    (value) => chat.annotate(value),
  ],
  annotateThread: ({ chat, thread_id }) => [
    { thread_id, user_id: 'ada', key: 'read', value: null },
    (value) => chat.annotate(value),
  ],
  setVariables: ({ chat }) => [
    { scope: 'user', scope_id: 'ada', values: { a: 1 } },
    (value) => chat.setVariables(value),
  ],
  setState: ({ chat, thread_id, message_id }) => [
    { thread_id, state: 'idle', active_message_id: message_id, updated_at: DATE },
    (value) => chat.setState(value),
  ],
  activate: ({ chat, thread_id }) => [{ thread_id }, (value) => chat.activate(value)],
  openAttempt: ({ chat, message_id }) => [
    { prompt_id: message_id, sender_id: 'agent', runner_id: 'r', epoch: 1, date: DATE, acp_thread_id: 's' },
    (value) => chat.openAttempt(value),
  ],
  openMessage: ({ chat, thread_id, message_id }) => [
    { thread_id, sender_id: 'ada', reply_to_message_id: message_id, date: DATE, legacy: null },
    (value) => chat.openMessage(value),
  ],
  stop: ({ chat, answer_id }) => [{ message_id: answer_id, by: 'ada' }, (value) => chat.stop(value)],
  retry: ({ chat, answer_id }) => [{ message_id: answer_id, by: 'ada' }, (value) => chat.retry(value)],
  interrupt: ({ chat, answer_id }) => [
    { message_id: answer_id, attempt: idAt(9) },
    (value) => chat.interrupt(value),
  ],
  openPart: ({ writer }) => [
    { kind: 'text', part_id: 'p', state: 's', title: 't', data: {}, text: 'x' },
    (value) => writer.openPart(value),
  ],
  addPart: ({ writer }) => [
    { kind: 'tool_call', part_id: 'p', state: 's', title: 't', input: [], output: {}, text: 'x' },
    (value) => writer.addPart(value),
  ],
  finish: ({ writer }) => [
    { finish_reason: 'stop', acp_usage: { a: 1 }, acp_thread_id: 's', error: { a: 1 } },
    (value) => writer.finish(value),
  ],
};

/** Those that take something else. */
const others: Readonly<Record<string, (scene: Scene) => (value: never) => unknown>> = {
  append:
    ({ part }) =>
    (value) =>
      part.append(value),
  close:
    ({ part }) =>
    (value) =>
      part.close(value),
  importJSONL:
    ({ chat }) =>
    (value) =>
      chat.importJSONL(value),
  at:
    ({ chat }) =>
    (value) =>
      chat.at(value),
  openChat: () => (value) => openChat(value),
  embedChat:
    ({ doc }) =>
    (value) =>
      embedChat(doc.getMap('cells'), value),
  embedParent: () => (value) => embedChat(value, 'key'),
};

const more = { withBigInt: true, withDate: true, withMap: true, withSet: true, withObjectString: true };
const junk = fc.anything({ ...more, withNullPrototype: true, withTypedArray: true, withSparseArray: true });
const plain: readonly unknown[] = [
  undefined,
  null,
  true,
  1.5,
  10n,
  'x',
  Symbol('s'),
  () => 1,
  [],
  {},
  new Date(0),
];
const awkward = fc.oneof(
  junk,
  fc.constantFrom<unknown>(...plain, Number.NaN, -0, '', new Date(Number.NaN)),
  fc.constant(JSON.parse('{"__proto__":1}') as unknown),
  fc.string({ unit: 'binary' }),
);

/** Nothing but a ChatDocError, and then nothing written; what is written reads without a problem. */
function expectSafe(scene: Scene, call: () => unknown): void {
  const { doc, chat } = scene;
  const before = bytesOf(doc);
  try {
    call();
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(ChatDocError);
    expect(bytesOf(doc) === before, 'nothing is written').toBe(true);
    return;
  }
  expect(chat.quarantine()).toEqual([]);
  expect(chat.report().unknown_types).toEqual({});
  for (const thread of chat.threads()) {
    expect(thread.problem).toBeUndefined();
    for (const message of chat.messages(thread.thread_id)) expect(message.problem).toBeUndefined();
  }
}

/** The message, with the ids that it may name written as names. */
function messageOf(call: () => unknown): string {
  const { code, path, message } = catchError(call);
  const plain = message.replace(/[0-7][0-9A-Z]{25}/g, '<id>');
  return `${code} | ${path} | ${plain}`;
}

describe('errors', () => {
  it('[RD5] every code comes with a path and a message that says what was expected and what came', () => {
    const { chat, thread_id, message_id, writer, part, doc } = createScene();
    const of = (values: object): never => values as never;
    const said = say(chat, thread_id, 'no prompt').message_id;
    const readOnly = reload(doc, 'viewer', { readOnly: true }).chat;
    const nested = new Y.Doc();
    const embedded = openChat(embedChat(nested.getMap('cells'), 'c'));
    nested.getMap('cells').delete('c');
    part.close();
    expect(
      [
        () => openChat(of({})),
        () => openChat(new Y.Map()),
        () => embedded.createThread({ created_by: 'ada' }),
        () => embedChat(nested.getMap('cells'), 'c'),
        () => readOnly.createThread({ created_by: 'ada' }),
        () => chat.createThread(of({ created_by: 5 })),
        () => chat.createThread({ created_by: 'ada', created_at: 'yesterday' }),
        () => chat.createThread(of({ created_by: 'ada', purpose: 'party' })),
        () => chat.createThread(of({ created_by: 'ada', slot: { ...SLOT, number: 0 } })),
        () => chat.configure(of({ thread_id, updated_by: 'ada', pin: 'yes' })),
        () => chat.configure({ thread_id: idAt(9), updated_by: 'ada' }),
        () => chat.send(of({ thread_id, sender_id: 'ada' })),
        () => chat.send(of({ thread_id, sender_id: 'ada', content: ['x'] })),
        () => chat.send({ thread_id, sender_id: 'ada', content: 'x'.repeat(LIMITS.text + 1) }),
        () => chat.send({ thread_id: 'nope', sender_id: 'ada', content: '' }),
        () => chat.send({ thread_id, sender_id: 'ada', content: '', client_message_id: 'c', date: 'now' }),
        () => chat.edit({ message_id: idAt(9), author_id: 'ada', content: '' }),
        () => chat.redact(of({ message_id })),
        () => chat.annotate({ message_id, user_id: 'ada', key: 'k', value: of(() => 1) }),
        () => chat.annotate({ message_id, user_id: 'ada', key: 'k', value: JSON.parse('{"__proto__":1}') }),
        () => chat.setVariables(of({ scope: 'team', scope_id: 'ada', values: {} })),
        () => chat.activate(chat.createThread({ created_by: 'ada' })),
        () => chat.openAttempt({ prompt_id: said, sender_id: 'agent', runner_id: 'r' }),
        () => chat.stop({ message_id: said, by: 'ada' }),
        () => chat.importJSONL(of([])),
        () => chat.at('now'),
        () => part.append('y'),
        () => writer.finish(of({})),
        () => {
          writer.finish({ finish_reason: 'stop' });
          writer.openPart();
        },
      ].map(messageOf),
    ).toMatchInlineSnapshot(`
      [
        "invalid_argument | target | At target: expected a Y.Doc or Y.Map, got an object",
        "detached | target | At target: the map is in no document",
        "detached | createThread | At createThread: the map of this chat is no longer in a document",
        "detached | key | At key: the embedded chat has been deleted",
        "read_only | createThread | At createThread: this document is open for reading only",
        "invalid_argument | created_by | At created_by: expected a string, got a number",
        "invalid_argument | created_at | At created_at: expected ISO-8601 UTC with milliseconds, got a string of 9 characters",
        "invalid_argument | purpose | At purpose: expected one of chat, run, got a string of 5 characters",
        "invalid_argument | slot.number | At slot.number: expected at least 1, got a number",
        "invalid_argument | pin | At pin: expected a boolean, got a string of 3 characters",
        "not_found | thread_id | At thread_id: no thread has the id <id>",
        "invalid_argument | content | At content: expected a string, got undefined",
        "invalid_argument | content | At content: expected a string, got an array",
        "invalid_argument | content | At content: expected at most 2097152, got a string of 2097153 characters",
        "invalid_argument | thread_id | At thread_id: expected a ULID, got a string of 4 characters",
        "invalid_argument | date | At date: expected ISO-8601 UTC with milliseconds, got a string of 3 characters",
        "not_found | message_id | At message_id: no message has the id <id>",
        "invalid_argument | by | At by: expected a string, got undefined",
        "invalid_argument | value | At value: expected plain JSON, got a function",
        "invalid_argument | annotation | At annotation: expected plain JSON, got a reserved key",
        "invalid_argument | scope | At scope: expected one of user, org, project, got a string of 4 characters",
        "invalid_argument | thread_id | At thread_id: expected a thread with a slot, got one without",
        "invalid_argument | prompt_id | At prompt_id: expected a message that expects an answer",
        "not_found | message_id | At message_id: no prompt or answer has the id <id>",
        "invalid_argument | text | At text: expected a string, got an array",
        "invalid_argument | stamp | At stamp: expected a ULID, got a string of 3 characters",
        "not_open | append | At append: the part is closed",
        "invalid_argument | finish_reason | At finish_reason: expected a string, got undefined",
        "not_open | openPart | At openPart: the attempt is finished",
      ]
    `);
  });

  it('[RD5] a message about an argument says what was expected and the type that came', () => {
    const failures: string[] = [];
    for (const [name, scene] of Object.entries(writes)) {
      const [valid] = scene(createScene());
      for (const key of Object.keys(valid)) {
        for (const wrong of [Symbol('s'), '\u0000', 1.5, [Number.NaN], { a: () => 1 }]) {
          const [values, call] = scene(createScene());
          try {
            call({ ...values, [key]: wrong } as never);
          } catch (error) {
            const { code, path, message } = error as ChatDocError;
            if (code !== 'invalid_argument') continue;
            if (path === '' || !/expected .*, got /.test(message))
              failures.push(`${name}.${key}: ${message}`);
          }
        }
      }
    }
    expect([...new Set(failures)]).toEqual([]);
  });

  it('[RD5] every code of the type is thrown or returned', () => {
    const { chat, thread_id, writer } = createScene();
    const jsonl = textOf([header(), threadLine(idAt(0))]);
    const probe = createReplica('probe');
    probe.chat.importJSONL(jsonl);
    const { client } = present(laneTexts(probe.doc)[0]);
    const taken = createReplica('taken');
    asPeer(taken.doc, (map) => map.set('k', new Y.Text('x')), client);
    writer.finish({ finish_reason: 'stop' });
    const codes: Record<ChatDocErrorCode, () => ChatDocErrorCode> = {
      closed: () => {
        const shut = createReplica('shut').chat;
        shut.close();
        return catchError(() => shut.createThread({ created_by: 'a' })).code;
      },
      detached: () => catchError(() => openChat(new Y.Map())).code,
      import_conflict: () => resultCode(taken.chat, jsonl),
      import_no_header: () => resultCode(chat, 'x\n'),
      invalid_argument: () => catchError(() => chat.at('')).code,
      not_found: () => catchError(() => chat.activate({ thread_id: idAt(5) })).code,
      not_open: () => catchError(() => writer.openPart()).code,
      read_only: () =>
        catchError(() => createReplica('r', { readOnly: true }).chat.createThread({ created_by: 'a' })).code,
    };
    for (const [code, produce] of Object.entries(codes)) expect(produce()).toBe(code);
    expect(chat.messages(thread_id).length).toBeGreaterThan(0);
  });

  it('[RD5] no message holds content', () => {
    const secret = 'SECRET-content';
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(writes)), fc.nat(9), fc.nat(3), (name, at, shape) => {
        const scene = createScene();
        const [valid, call] = present(writes[name])(scene);
        const key = present(Object.keys(valid)[at % Object.keys(valid).length]);
        const wrong = [
          secret,
          [secret],
          { [secret]: secret },
          { deep: [{ a: secret, b: undefined, c: () => 1 }] },
        ][shape];
        for (const values of [
          { ...valid, [key]: wrong },
          { ...valid, [key]: wrong, content: [secret] },
        ]) {
          try {
            call(values as never);
          } catch (error) {
            expect(error).toBeInstanceOf(ChatDocError);
            const { message, path, code } = error as ChatDocError;
            // A wrong key is named by where it stands; its value never.
            expect(`${code} ${message} ${path}`.replaceAll(`.${secret}`, '')).not.toContain(secret);
          }
        }
      }),
      runs(200),
    );
  });

  for (const name of Object.keys(writes)) {
    it(`[RD5] ${name} survives what is no object`, () => {
      for (const value of plain) {
        const scene = createScene();
        const [, call] = present(writes[name])(scene);
        expectSafe(scene, () => call(value as never));
      }
    });

    it(`[RD5] ${name} survives null in any place`, () => {
      const [valid] = present(writes[name])(createScene());
      for (const key of Object.keys(valid)) {
        const scene = createScene();
        const [values, call] = present(writes[name])(scene);
        expectSafe(scene, () => call({ ...values, [key]: null } as never));
      }
    });

    it(`[RD5] ${name} survives any argument: a ChatDocError, and nothing written`, () => {
      fc.assert(
        fc.property(fc.nat(9), awkward, (at, value) => {
          const scene = createScene();
          const [valid, call] = present(writes[name])(scene);
          const key = present(Object.keys(valid)[at % Object.keys(valid).length]);
          expectSafe(scene, () => call({ ...valid, [key]: value } as never));
        }),
        runs(30),
      );
      const scene = createScene();
      const [valid, call] = present(writes[name])(scene);
      call(valid as never);
      expectSame([scene]);
    });
  }

  for (const name of Object.keys(others)) {
    it(`[RD5] ${name} survives any argument`, () => {
      fc.assert(
        fc.property(awkward, (value) => {
          const scene = createScene();
          const call = present(others[name])(scene);
          if (name !== 'importJSONL' || typeof value !== 'string')
            return expectSafe(scene, () => call(value as never));
          expect(() => call(value as never)).not.toThrow();
        }),
        runs(20),
      );
    });
  }
});

function resultCode(chat: Chat, jsonl: string): ChatDocErrorCode {
  const result = chat.importJSONL(jsonl);
  if (result.ok) throw new Error('expected a refusal');
  return result.code;
}
