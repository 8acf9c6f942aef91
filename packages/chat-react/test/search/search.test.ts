import { type Chat, type Message, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { act, createElement, type ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../../tools/amounts.js';
import { ChatProvider } from '../../src/index.js';
import { ChatSearch, useSearch } from '../../src/search/index.js';
import { listWords } from '../../src/search/words.js';
import { render } from '../render.js';
import { ADA, createChat, openAnswer } from '../world.js';

const WORDS = ['roadmap', 'Road', 'ro', 'ship', 'SHIPPED', 'élan', 'plan', '日本', 'ok'];

/** What the index must find, slowly. */
function findAll(chat: Chat, query: string): string[] {
  const words = listWords(query);
  const last = words.length - 1;
  return chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id))
    .filter(({ content, deleted, redacted }) => {
      const all = listWords(content);
      const has = (word: string, i: number): boolean =>
        all.some((one) => one === word || (i === last && word.length >= 3 && one.startsWith(word)));
      return !deleted && !redacted && words.length > 0 && words.every(has);
    })
    .map(({ message_id }) => message_id)
    .sort();
}

function find(search: ChatSearch, query: string): string[] {
  return search
    .search(query, { limit: Number.POSITIVE_INFINITY })
    .map(({ message_id }) => message_id)
    .sort();
}

describe('ChatSearch', () => {
  it('[FS1] after whatever has happened, it finds what a reader of all messages finds', () => {
    const text = fc
      .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 })
      .map((all) => all.join(' '));
    const step = fc.record({
      kind: fc.constantFrom('send', 'send', 'edit', 'delete', 'redact', 'import', 'look'),
      place: fc.nat(20),
      text,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), text, (steps, query) => {
        const { chat, thread_id } = createChat();
        const search = new ChatSearch(chat);
        search.build();
        const apply = ({ kind, place, text: content }: (typeof steps)[number]): void => {
          const ids = chat.messageIds(thread_id);
          const message_id = ids[place % Math.max(1, ids.length)];
          if (kind === 'send') chat.send({ thread_id, sender_id: ADA, content });
          if (kind === 'look') search.search(content);
          if (kind === 'import') importOther(chat, content);
          if (message_id === undefined) return;
          if (kind === 'edit') chat.edit({ message_id, author_id: ADA, content });
          if (kind === 'delete') chat.delete({ message_id, author_id: ADA });
          if (kind === 'redact') chat.redact({ message_id, by: ADA });
        };
        for (const one of steps) apply(one);
        expect(find(search, query)).toEqual(findAll(chat, query));
        search.close();
      }),
      runs(300),
    );
  });

  it('[FS2] the words of a redacted message leave the index within the change that brings it', () => {
    const { chat, thread_id } = createChat(1);
    const search = new ChatSearch(chat);
    search.build();
    const { wordCount } = search;
    const { message_id } = chat.send({ thread_id, sender_id: ADA, content: 'the secret is swordfish' });
    expect(find(search, 'swordfish')).toEqual([message_id]);
    expect(search.wordCount).toBe(wordCount + 4);
    chat.redact({ message_id, by: ADA });
    expect(search.wordCount).toBe(wordCount);
    expect(find(search, 'swordfish')).toEqual([]);
  });

  it('[FS3] it is built in slices, the newest first; until then it has what has been read', async () => {
    const { chat, thread_id } = createChat(1200);
    const search = new ChatSearch(chat);
    expect(find(search, 'message')).toEqual([]);
    expect(search.isReady).toBe(false);
    await new Promise<void>((resolve) => {
      const stop = search.subscribe(() => {
        stop();
        resolve();
      });
    });
    expect(search.isReady).toBe(true);
    expect(find(search, 'message').length).toBe(1200);
    expect(search.search('message 1199').map(({ message_id }) => message_id)).toEqual(
      chat.messageIds(thread_id, { limit: 1 }),
    );
    expect(search.search('message').length).toBe(20);
    search.close();
    expect(search.isReady).toBe(false);
  });

  it('[FS6] of many matches the newest come first, and a search of those looks at no others', () => {
    const { chat, thread_id } = createChat();
    const ids = Array.from({ length: 7_000 }, (_, i) => String(i).padStart(5, '0'));
    const record = (message_id: string) =>
      ({
        message_id,
        thread_id,
        content: `message ${message_id}`,
        deleted: false,
        redacted: false,
      }) as Message;
    const many: Chat = { ...chat, messageIds: () => [...ids], message: record };
    const search = new ChatSearch(many);
    search.build();
    const hits = search.search('message', { limit: 100 });
    expect(hits.length).toBe(100);
    expect(hits.every(({ message_id }) => message_id >= '04000')).toBe(true);
    expect(search.search('message', { limit: 10_000 }).length).toBe(7_000);
    expect(search.search('00001').map(({ message_id }) => message_id)).toEqual(['00001']);
  });

  it('[FS4] the search of one thread finds nothing of another; streamed text notifies at its end', () => {
    const { chat, thread_id } = createChat(1);
    const other = chat.createThread({ created_by: ADA }).thread_id;
    chat.send({ thread_id: other, sender_id: ADA, content: 'message' });
    const search = ChatSearch.of(chat);
    expect(ChatSearch.of(chat)).toBe(search);
    search.build();
    expect(search.search('message', { thread_id }).map((hit) => hit.thread_id)).toEqual([thread_id]);
    const { attempt } = openAnswer(chat, thread_id);
    const part = attempt.openPart({ kind: 'text' });
    part.append('Well');
    let heard = 0;
    search.subscribe(() => {
      heard += 1;
    });
    for (let i = 0; i < 5; i += 1) part.append(` word${i}`);
    expect(heard).toBe(0);
    attempt.finish({ finish_reason: 'stop' });
    expect(heard).toBeGreaterThan(0);
    expect(find(search, 'word4').length).toBe(1);
  });
});

/** A message of another replica, in a thread that this one does not know. */
function importOther(chat: Chat, content: string): void {
  const other = openChat(new Y.Doc());
  const { thread_id } = other.createThread({ created_by: ADA });
  other.send({ thread_id, sender_id: ADA, content });
  chat.importJSONL(other.toJSONL());
}

describe('useSearch', () => {
  it('[FS5] finds while it types, follows the document, and builds nothing for an empty query', () => {
    const { chat, thread_id } = createChat(3);
    ChatSearch.of(chat).build();
    const Shown = ({ query }: { readonly query: string }): ReactElement => {
      const { hits, isReady } = useSearch(query);
      return createElement('p', null, `${hits.length} ${isReady}`);
    };
    const app = (query: string): ReactElement =>
      createElement(ChatProvider, { chat }, createElement(Shown, { query }));
    const page = render(app('mess'));
    expect(page.texts('p')).toEqual(['3 true']);
    act(() => void chat.send({ thread_id, sender_id: ADA, content: 'A message more' }));
    expect(page.texts('p')).toEqual(['4 true']);
    page.render(app('message more'));
    expect(page.texts('p')).toEqual(['1 true']);
    page.render(app(' '));
    expect(page.texts('p')).toEqual(['0 true']);
    page.unmount();
  });
});
