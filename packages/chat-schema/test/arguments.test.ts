import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { check } from '../../chat-integrity/src/check.js';
import { hashText, toHex } from '../src/host/sha256.js';
import { createUlid, embedChat, isUlid, openChat, timeOfUlid } from '../src/index.js';
import { ask, bytesOf, catchError, createEnvironment, createReplica, runs, START, say } from './world.js';

function createScene() {
  const { chat, doc } = createReplica();
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  const other = chat.createThread({ created_by: 'ada' });
  const message = say(chat, thread_id, 'Hello');
  const { message_id: prompt_id } = ask(chat, thread_id);
  return { chat, doc, thread_id, other, message, prompt_id };
}

/** By call, an argument that it takes. */
const CALLS = {
  createThread: () => ({ created_by: 'ada' }),
  configure: ({ thread_id }) => ({ thread_id, updated_by: 'ada', name: 'a' }),
  send: ({ thread_id }) => ({ thread_id, sender_id: 'ada', content: 'a' }),
  edit: ({ message: { message_id } }) => ({ message_id, author_id: 'ada', content: 'a' }),
  delete: ({ message: { message_id } }) => ({ message_id, author_id: 'ada' }),
  redact: ({ message: { message_id } }) => ({ message_id, by: 'ada' }),
  annotate: ({ thread_id }) => ({ thread_id, user_id: 'ada', key: 'a', value: 1 }),
  setVariables: () => ({ scope: 'user', scope_id: 'ada', values: {} }),
  setState: ({ thread_id }) => ({ thread_id, state: 'idle' }),
  openAttempt: ({ prompt_id }) => ({ prompt_id, sender_id: 'bot', runner_id: 'r' }),
  openMessage: ({ thread_id }) => ({ thread_id, sender_id: 'ada' }),
  stop: ({ prompt_id: message_id }) => ({ message_id, by: 'ada' }),
  retry: ({ prompt_id: message_id }) => ({ message_id, by: 'ada' }),
  interrupt: ({ message: { message_id } }) => ({ message_id }),
} satisfies Record<string, (scene: ReturnType<typeof createScene>) => object>;

const refusal = (call: () => unknown): { code: string; path: string } => {
  const { code, path } = catchError(call);
  return { code, path };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('arguments', () => {
  for (const [name, argument] of Object.entries(CALLS)) {
    it(`[RD10] ✗ ${name} refuses a key that it does not know, and takes one that is undefined`, () => {
      const scene = createScene();
      const call = scene.chat[name as keyof typeof CALLS] as (value: object) => unknown;
      const before = bytesOf(scene.doc);
      const given = argument(scene);
      expect(refusal(() => call({ ...given, attachments: ['a'] }))).toEqual({
        code: 'invalid_argument',
        path: 'attachments',
      });
      expect(bytesOf(scene.doc)).toEqual(before);
      expect(() => call({ ...given, attachments: undefined })).not.toThrow();
    });
  }

  it('[RD10] ✗ so do a slot, a fork, a part and the end of an attempt; activate takes a thread', () => {
    const { chat, prompt_id, thread_id } = createScene();
    const slot = { root_id: 'r', owner_id: 'o', provider: 'p' };
    const thread = (value: object) => chat.createThread({ created_by: 'ada', ...value } as never);
    expect(refusal(() => thread({ slot: { ...slot, model: 'm' } })).path).toBe('slot.model');
    expect(refusal(() => thread({ forked_from: { thread_id, at: 1 } })).path).toBe('forked_from.at');
    const writer = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'r' });
    expect(refusal(() => writer.openPart({ name: 'n' } as never)).path).toBe('name');
    expect(refusal(() => writer.addPart({ kind: 'plan', name: 'n' } as never)).path).toBe('name');
    expect(refusal(() => writer.finish({ finish_reason: 'stop', usage: {} } as never)).path).toBe('usage');
    chat.activate(chat.createThread({ created_by: 'ada', slot }));
  });

  it('[RD11] ✗ replies, roots and sessions stay in their thread, and what is not there yet is taken', () => {
    const { chat, thread_id, other, message } = createScene();
    const reply_to_message_id = message.message_id;
    const elsewhere = { thread_id: other.thread_id, sender_id: 'ada', reply_to_message_id };
    const wrong = { code: 'invalid_argument', path: 'reply_to_message_id' };
    expect(refusal(() => chat.send({ ...elsewhere, content: 'a' }))).toEqual(wrong);
    expect(refusal(() => chat.openMessage(elsewhere))).toEqual(wrong);
    expect(
      refusal(() => chat.createThread({ created_by: 'ada', root_message_id: reply_to_message_id })).path,
    ).toBe('root_message_id');
    const session = { acp_session_id: 's1', cwd: '/' };
    chat.configure({ thread_id, updated_by: 'ada', session });
    chat.configure({ thread_id, updated_by: 'ada', session: { ...session, cwd: '/home' } });
    const use = { thread_id: other.thread_id, updated_by: 'ada', session };
    expect(refusal(() => chat.configure(use))).toEqual({ code: 'invalid_argument', path: 'session' });
    expect(refusal(() => chat.createThread({ created_by: 'ada', session })).path).toBe('session');
    chat.configure({ ...use, session: { acp_session_id: 's2' } });
    chat.configure({ thread_id, updated_by: 'ada', session: null });
    chat.configure(use);
    const absent = createUlid();
    chat.send({ thread_id, sender_id: 'ada', content: 'a', reply_to_message_id: absent });
    chat.createThread({ created_by: 'ada', root_message_id: absent });
    expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('[RD12] an anchor takes a relative position as Yjs returns it, and other classes are named', () => {
    const { chat, doc, thread_id, message } = createScene();
    const text = doc.getText('notes');
    text.insert(0, 'some text');
    const position = Y.createRelativePositionFromTypeIndex(text, 4);
    const anchor = { start: Y.relativePositionToJSON(position), quote: 'text' };
    const plain = JSON.parse(JSON.stringify(anchor));
    chat.configure({ thread_id, updated_by: 'ada', anchor });
    expect(chat.config(thread_id).anchor).toEqual(plain);
    const { message_id } = message;
    chat.annotate({ message_id, user_id: 'ada', key: 'anchor', value: anchor });
    expect(chat.annotations({ message_id })[0]?.value).toEqual(plain);
    class Position {
      readonly at = 1;
    }
    for (const [value, inner, name] of [
      [new Date(START), 'value.a.1', 'a Date'],
      [new Map(), 'value.a.1', 'a Map'],
      [new Position(), 'value.a.1', 'a Position'],
      [{ b: undefined }, 'value.a.1.b', 'undefined'],
      [() => 1, 'value.a.1', 'a function'],
    ] as const) {
      const { path, message } = catchError(() =>
        chat.annotate({ message_id, user_id: 'ada', key: 'k', value: { a: [0, value] } as never }),
      );
      expect({ path, message }).toEqual({
        path: inner,
        message: `At ${inner}: expected plain JSON, got ${name}`,
      });
    }
  });

  it('[RD13] methods of a chat, an attempt and a part work unbound', () => {
    const { chat, prompt_id } = createScene();
    const { openAttempt, message, annotations } = chat;
    const { message_id, openPart, addPart, finish } = openAttempt({
      prompt_id,
      sender_id: 'bot',
      runner_id: 'r',
    });
    const { append, close } = openPart();
    append('streamed');
    close();
    addPart({ kind: 'plan', data: { steps: 1 } });
    finish({ finish_reason: 'stop' });
    expect(message(message_id)).toMatchObject({ content: 'streamed', attempt: { state: 'settled' } });
    expect(annotations({ message_id })).toEqual([]);
  });

  it('[EM5] a document of another copy of Yjs, and a root of another type, are named', () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const other = createRequire(import.meta.url)('yjs') as typeof Y;
    expect(other.Doc).not.toBe(Y.Doc);
    const foreign = new other.Doc();
    for (const target of [foreign, foreign.getMap('chat')]) {
      expect(catchError(() => openChat(target as never))).toMatchObject({
        code: 'invalid_argument',
        path: 'target',
        message: expect.stringContaining('another copy of Yjs'),
      });
    }
    expect(catchError(() => embedChat(foreign.getMap('cells') as never, 'c')).message).toContain(
      'another copy of Yjs',
    );
    const doc = new Y.Doc();
    doc.getText('chat').insert(0, 'text');
    const { code, path, message } = catchError(() => openChat(doc));
    expect({ code, path }).toEqual({ code: 'invalid_argument', path: 'root' });
    expect(message).toBe('At root: expected a Y.Map at this root, got a YText');
    expect(catchError(() => openChat('a document' as never)).message).toContain('got a string');
  });

  it('[ID9] a fresh id is of the clock and randomness that it is given', () => {
    const environment = createEnvironment('fresh', { time: START });
    const ids = Array.from({ length: 100 }, () => createUlid(environment));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect([isUlid(id), timeOfUlid(id)]).toEqual([true, START]);
    expect(isUlid(createUlid())).toBe(true);
  });

  it('[ID10] SHA-256 is that of the platform', () => {
    const expectSame = (text: string): void => {
      expect(toHex(hashText(text))).toBe(createHash('sha256').update(text).digest('hex'));
    };
    for (let length = 0; length <= 200; length += 1) expectSame('x'.repeat(length));
    expectSame('é𝄞'.repeat(100_000));
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), expectSame), runs(1_000));
  });
});
