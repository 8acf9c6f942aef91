import { type Chat, ChatDocError, chatOf, openChat } from '@chatdoc/schema';
import { act, createElement, type ReactElement, useEffect, useMemo, version } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  ChatProvider,
  useAnnotations,
  useChat,
  useConfig,
  useConflicts,
  useMessage,
  useMessages,
  useThread,
  useThreadState,
  useThreads,
} from '../../src/index.js';
import { collectComplaints, render } from '../render.js';
import { ADA, createChat, GRACE, say } from '../world.js';

/** Renders what a hook returns, and keeps each value that it has returned. */
function show<T>(
  use: () => T,
  write: (value: T) => string = String,
): { Shown: () => ReactElement; values: T[] } {
  const values: T[] = [];
  const Shown = (): ReactElement => {
    const value = use();
    values.push(value);
    return createElement('p', null, write(value));
  };
  return { Shown, values };
}

describe('records', () => {
  it('[HK3] each hook shows its record, and what another replica changes in it', async () => {
    const { chat, thread_id } = createChat(1);
    const [message_id = ''] = chat.messageIds(thread_id);
    const { Shown, values } = show(
      () => ({
        threads: useThreads().map((thread) => thread.thread_id),
        created_by: useThread(thread_id)?.created_by,
        name: useConfig(thread_id).name,
        state: useThreadState(thread_id).state,
        content: useMessage(message_id)?.content,
        reactions: useAnnotations({ message_id }).map(({ value }) => value),
        marks: useAnnotations({ thread_id }).map(({ key }) => key),
        isSame: useChat() === chat,
      }),
      JSON.stringify,
    );
    const complaints = await collectComplaints(() => {
      const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
      expect(values.at(-1)).toEqual({
        threads: [thread_id],
        created_by: ADA,
        name: 'Roadmap',
        state: 'idle',
        content: 'Message 0',
        reactions: [],
        marks: [],
        isSame: true,
      });
      act(() => {
        chat.edit({ message_id, author_id: ADA, content: 'Edited' });
        chat.configure({ thread_id, name: 'Plan', updated_by: GRACE });
        chat.annotate({ message_id, user_id: GRACE, key: 'reaction:👍', value: true });
        chat.annotate({ thread_id, user_id: GRACE, key: 'read', value: message_id });
        chat.send({ thread_id, sender_id: ADA, content: 'Go', expects: 'answer' });
      });
      expect(values.at(-1)).toMatchObject({
        name: 'Plan',
        state: 'queued',
        content: 'Edited',
        reactions: [true],
        marks: ['read'],
      });
      page.unmount();
    });
    expect(complaints).toEqual([]);
  });

  it('[HK3] settings that two people have changed apart are conflicts on screen', () => {
    const { chat, thread_id } = createChat();
    const doc = new Y.Doc();
    const other = openChat(doc);
    other.importJSONL(chat.toJSONL());
    const { Shown, values } = show(() => useConflicts(thread_id).map(({ field }) => field));
    const page = render(createElement(ChatProvider, { chat: other }, createElement(Shown)));
    expect(values.at(-1)).toEqual([]);
    chat.configure({ thread_id, name: 'Plan', updated_by: ADA });
    act(() => {
      other.configure({ thread_id, name: 'Ideas', updated_by: GRACE });
      other.importJSONL(chat.toJSONL());
    });
    expect(values.at(-1)).toEqual(['name']);
    page.unmount();
  });

  it('[HK4] a reaction renders what shows reactions, and not what shows the message', () => {
    const { chat, thread_id } = createChat(1);
    const [message_id = ''] = chat.messageIds(thread_id);
    const message = show(() => useMessage(message_id)?.content);
    const reactions = show(() => useAnnotations({ message_id }).length);
    const page = render(
      createElement(ChatProvider, { chat }, createElement(message.Shown), createElement(reactions.Shown)),
    );
    const before = message.values.length;
    act(() => chat.annotate({ message_id, user_id: GRACE, key: 'reaction:👍', value: true }));
    expect(reactions.values.at(-1)).toBe(1);
    expect(message.values.length).toBe(before);
    page.unmount();
  });

  it('[HK5] what is absent is undefined or empty, renders once, and shows when it comes', async () => {
    const { chat, thread_id } = createChat();
    const { chat: source, thread_id: later } = createChat(2);
    const [message_id = ''] = source.messageIds(later);
    const { Shown, values } = show(
      () => ({
        thread: useThread(later)?.thread_id,
        name: useConfig(later).name,
        state: useThreadState(later).state,
        content: useMessage(message_id)?.content,
        ids: useMessages(later).ids,
        conflicts: useConflicts(later),
      }),
      JSON.stringify,
    );
    const complaints = await collectComplaints(() => {
      const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
      expect(values.at(-1)).toEqual({
        thread: undefined,
        name: undefined,
        state: 'idle',
        content: undefined,
        ids: [],
        conflicts: [],
      });
      const before = values.length;
      act(() => void say(chat, thread_id, 1));
      expect(values.length).toBe(before);
      act(() => void chat.importJSONL(source.toJSONL()));
      expect(values.at(-1)).toMatchObject({ thread: later, name: 'Roadmap', content: 'Message 0' });
      page.unmount();
    });
    expect(complaints).toEqual([]);
  });

  it('[HK5] a closed chat shows what it had; a call that writes throws at its caller', () => {
    const { chat, thread_id } = createChat(2);
    const { Shown, values } = show(() => useMessages(thread_id).total);
    chat.close();
    const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
    expect(values.at(-1)).toBe(2);
    expect(() => say(chat, thread_id, 1)).toThrow(ChatDocError);
    page.unmount();
  });

  it('[HK5] a hook without a chat says what it needs', () => {
    const { Shown } = show(() => useThreads().length);
    expect(() => renderToString(createElement(Shown))).toThrow('expected a ChatProvider above, or { chat }');
  });

  it('[HK6] several chats are on a page: each provider has its own, and a hook takes another', () => {
    const one = createChat(1);
    const two = createChat(3);
    const inner = show(() => useMessages(two.thread_id).total);
    const outer = show(() => useMessages(one.thread_id).total);
    const given = show(() => useMessages(two.thread_id, { chat: two.chat }).total);
    const page = render(
      createElement(
        ChatProvider,
        { chat: one.chat },
        createElement(outer.Shown),
        createElement(given.Shown),
        createElement(ChatProvider, { chat: two.chat }, createElement(inner.Shown)),
      ),
    );
    expect([outer, given, inner].map(({ values }) => values.at(-1))).toEqual([1, 3, 3]);
    act(() => void say(two.chat, two.thread_id, 1));
    expect([outer, given, inner].map(({ values }) => values.at(-1))).toEqual([1, 4, 4]);
    page.render(createElement(ChatProvider, { chat: two.chat }, createElement(outer.Shown)));
    expect(outer.values.at(-1)).toBe(0);
    page.unmount();
  });

  it('[HK6] React is the version that this project asks for', ({ task }) => {
    const expected = task.file.projectName === 'chat-react-18' ? /^18\./ : /^19\./;
    expect(version).toMatch(expected);
  });
});

describe('the window of a list', () => {
  it('[HK7] the list renders when messages come or older ones are asked for, and keeps its first row', () => {
    const { chat, thread_id } = createChat(60);
    const { Shown, values } = show(
      () => useMessages(thread_id, { size: 10 }),
      ({ ids }) => ids.join(' '),
    );
    const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
    const first = values.at(-1);
    expect(first).toMatchObject({ total: 60, hasOlder: true });
    expect(first?.ids).toEqual(chat.messageIds(thread_id).slice(-10));
    act(() => void say(chat, thread_id, 2));
    expect(values.at(-1)?.ids).toEqual(chat.messageIds(thread_id).slice(-12));
    act(() => values.at(-1)?.loadOlder());
    expect(values.at(-1)?.ids).toEqual(chat.messageIds(thread_id).slice(-22));
    act(() => values.at(-1)?.loadOlder(100));
    expect(values.at(-1)).toMatchObject({ total: 62, hasOlder: false, ids: chat.messageIds(thread_id) });
    page.unmount();
  });
});

describe('StrictMode', () => {
  /** What a component does that thinks that it owns its chat, with the calls of others beside it. */
  function createPage(find: (doc: Y.Doc) => Chat) {
    const doc = new Y.Doc();
    const other = openChat(new Y.Doc());
    const { thread_id } = other.createThread({ created_by: ADA });
    const { Shown, values } = show(() => useMessages(thread_id).total);
    let latest = find(doc);
    latest.importJSONL(other.toJSONL());
    const App = (): ReactElement => {
      const chat = useMemo(() => find(doc), []);
      latest = chat;
      return createElement(ChatProvider, { chat }, createElement(Shown));
    };
    const write = (): void => act(() => void say(latest, thread_id, 1));
    return { App, doc, values, write };
  }

  it('[HK8] a chat that is opened in render, memoised, shows and writes, and is the same one after', async () => {
    const { App, doc, values, write } = createPage((target) => chatOf(target));
    const complaints = await collectComplaints(() => {
      const first = render(createElement(App));
      write();
      write();
      expect(values.at(-1)).toBe(2);
      first.unmount();
      const chat = chatOf(doc);
      const second = render(createElement(App));
      write();
      expect(values.at(-1)).toBe(3);
      expect(chatOf(doc)).toBe(chat);
      second.unmount();
    });
    expect(complaints).toEqual([]);
  });

  it('[HK8] opened, closed and opened again on one document: the page goes on with the new one', async () => {
    const { App, doc, values, write } = createPage((target) => chatOf(target));
    const complaints = await collectComplaints(() => {
      const first = render(createElement(App));
      write();
      first.unmount();
      chatOf(doc).close();
      const second = render(createElement(App));
      write();
      expect(values.at(-1)).toBe(2);
      second.unmount();
    });
    expect(complaints).toEqual([]);
  });

  it('[HK8] a memoised chat that an effect closes is closed when StrictMode runs the effect again: a write says so', () => {
    const doc = new Y.Doc();
    let chat = openChat(doc);
    const { thread_id } = chat.createThread({ created_by: ADA });
    chat.close();
    const Wrong = (): ReactElement => {
      const own = useMemo(() => openChat(doc), []);
      chat = own;
      useEffect(() => own.close, [own]);
      return createElement('p');
    };
    const page = render(createElement(Wrong));
    expect(() => say(chat, thread_id, 1)).toThrow(expect.objectContaining({ code: 'closed' }));
    page.unmount();
  });
});
