import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type Chat, ChatDocError, chatOf, openChat } from '../src/index.js';
import { createReplica } from './world.js';

const code = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (error instanceof ChatDocError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

describe('closing, and listeners that throw', () => {
  const ends: Readonly<Record<string, (chat: Chat, doc: Y.Doc) => void>> = {
    'close()': (chat) => chat.close(),
    'doc.destroy()': (_chat, doc) => doc.destroy(),
  };
  for (const [name, end] of Object.entries(ends)) {
    it(`[RD7] after ${name} every write, subscribe and an open stream throw, and nothing is written`, () => {
      const { doc, chat } = createReplica();
      const { thread_id } = chat.createThread({ created_by: 'ada' });
      const prompt = chat.send({ thread_id, sender_id: 'ada', content: 'x', expects: 'answer' });
      const { message_id } = prompt;
      const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'r' });
      const part = attempt.openPart({ text: 'begun' });
      end(chat, doc);
      const state = Y.encodeStateVector(doc);
      const calls: readonly (() => unknown)[] = [
        () => chat.createThread({ created_by: 'ada' }),
        () => chat.configure({ thread_id, updated_by: 'ada', name: 'n' }),
        () => chat.send({ thread_id, sender_id: 'ada', content: 'y' }),
        () => chat.edit({ message_id, author_id: 'ada', content: 'y' }),
        () => chat.delete({ message_id, author_id: 'ada' }),
        () => chat.redact({ message_id, by: 'ada' }),
        () => chat.annotate({ message_id, user_id: 'ada', key: 'k', value: 1 }),
        () => chat.setVariables({ scope: 'user', scope_id: 'ada', values: {} }),
        () => chat.setState({ thread_id, state: 'idle' }),
        () => chat.activate({ thread_id }),
        () => chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'r' }),
        () => chat.openMessage({ thread_id, sender_id: 'ada' }),
        () => chat.stop({ message_id, by: 'ada' }),
        () => chat.retry({ message_id, by: 'ada' }),
        () => chat.interrupt({ message_id: attempt.message_id }),
        () => chat.importJSONL(''),
        () => chat.rehost(),
        () => chat.subscribe(() => {}),
        () => part.append('more'),
        () => part.close('more'),
        () => attempt.addPart({ kind: 'text', text: 'more' }),
        () => attempt.finish({ finish_reason: 'stop' }),
      ];
      expect(calls.map(code)).toEqual(calls.map(() => 'closed'));
      expect(Y.encodeStateVector(doc)).toEqual(state);
      expect(chat.messages(thread_id).length).toBe(2);
    });
  }

  it('[RD7] a chat that is opened, closed and opened again on one document works, in either order', () => {
    const doc = new Y.Doc();
    const first = openChat(doc);
    const second = openChat(doc);
    first.close();
    const { thread_id } = second.createThread({ created_by: 'ada' });
    const third = openChat(doc);
    second.close();
    expect(third.send({ thread_id, sender_id: 'ada', content: 'x' }).content).toBe('x');
  });

  it('[RD14] chatOf is one chat until it is closed, for each target, root, user and generation', () => {
    const doc = new Y.Doc();
    const first = chatOf(doc, { user_id: 'ada' });
    expect(chatOf(doc, { user_id: 'ada', root: 'chat', generation: 0 })).toBe(first);
    const others = [
      chatOf(new Y.Doc(), { user_id: 'ada' }),
      chatOf(doc, { user_id: 'grace' }),
      chatOf(doc, { user_id: 'ada', root: 'other' }),
      chatOf(doc, { user_id: 'ada', generation: 1 }),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
    expect(first.isClosed).toBe(false);
    first.close();
    expect(first.isClosed).toBe(true);
    const second = chatOf(doc, { user_id: 'ada' });
    expect(second.isClosed).toBe(false);
    expect(chatOf(doc, { user_id: 'ada' })).toBe(second);
    expect(others.map(({ isClosed }) => isClosed)).toEqual([false, false, false, false]);
    doc.destroy();
    expect(second.isClosed).toBe(true);
  });

  it('[RD8] a listener that throws stops neither the call that wrote nor the others', () => {
    const doc = new Y.Doc();
    const errors: unknown[] = [];
    const chat = openChat(doc, { reportError: (error) => errors.push(error) });
    const heard: string[] = [];
    const wrong = new Error('a fault of the listener');
    chat.subscribe(() => {
      throw wrong;
    });
    chat.subscribe(() => heard.push('subscriber'));
    chat.inspector.listen(() => {
      throw wrong;
    });
    chat.inspector.listen(() => heard.push('inspector'));
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    expect(chat.thread(thread_id)?.thread_id).toBe(thread_id);
    expect(heard.sort()).toEqual(['inspector', 'subscriber']);
    expect(errors).toEqual([wrong, wrong]);
  });
});
