import type { Chat } from '@chatdoc/schema';
import { COST } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { ChatStore, Drafts, draftKey, MessageWindow, turnView, unreadView } from '../src/store/index.js';
import { ADA, createChat, GRACE, openAnswer, say } from './world.js';

describe('ChatStore', () => {
  it('[SR1] a chat has one store, and one subscription of the chat while somebody listens', () => {
    const { chat, thread_id } = createChat(1);
    const subscriptions = vi.fn(chat.subscribe);
    const counted = { ...chat, subscribe: subscriptions } as Chat;
    const store = ChatStore.of(counted);
    expect(ChatStore.of(counted)).toBe(store);
    expect(subscriptions).not.toHaveBeenCalled();
    const stops = [
      store.onThreads(() => {}),
      store.onThread(thread_id, () => {}),
      store.onMessage(thread_id, () => {}),
      store.onDocument(() => {}),
      store.onChange(() => {}),
    ];
    expect(subscriptions).toHaveBeenCalledTimes(1);
    for (const stop of stops) {
      stop();
      stop();
    }
    store.onThreads(() => {})();
    expect(subscriptions).toHaveBeenCalledTimes(2);
  });

  it('[SR2] who shows one message is notified of that one; a token notifies no thread', () => {
    const { chat, thread_id } = createChat(2);
    const { attempt, message_id } = openAnswer(chat, thread_id);
    const other = chat.createThread({ created_by: ADA }).thread_id;
    const [first = '', second = ''] = chat.messageIds(thread_id);
    const store = ChatStore.of(chat);
    const heard: string[] = [];
    store.onMessage(first, () => heard.push('first'));
    store.onMessage(second, () => heard.push('second'));
    store.onMessage(message_id, () => heard.push('answer'));
    store.onThread(thread_id, () => heard.push('thread'));
    store.onThread(other, () => heard.push('other'));
    store.onThreads(() => heard.push('threads'));
    store.onDocument(() => heard.push('document'));
    const take = (): string[] => heard.splice(0).sort();
    const part = attempt.openPart({ kind: 'text' });
    part.append('One');
    take();
    part.append(' two');
    expect(take()).toEqual(['answer']);
    chat.edit({ message_id: first, author_id: ADA, content: 'Edited' });
    expect(take()).toEqual(['first', 'thread', 'threads']);
    chat.annotate({ message_id: second, user_id: ADA, key: 'reaction:👍', value: true });
    expect(take()).toEqual(['second']);
    chat.configure({ thread_id: other, name: 'Ideas', updated_by: ADA });
    expect(take()).toEqual(['other', 'threads']);
    chat.setVariables({ scope: 'user', scope_id: ADA, values: { a: 1 } });
    expect(take()).toEqual(['document']);
  });

  it('[SR3] a listener that throws is reported, and starves nobody; one function twice is two subscriptions', () => {
    const { chat, thread_id } = createChat();
    const store = ChatStore.of(chat);
    let heard = 0;
    const listener = (): void => {
      heard += 1;
      if (heard === 1) throw new Error('first');
    };
    const stop = store.onThreads(listener);
    store.onThreads(listener);
    const reported = vi.fn();
    process.once('uncaughtException', reported);
    say(chat, thread_id, 1);
    expect(heard).toBe(2);
    stop();
    say(chat, thread_id, 1);
    expect(heard).toBe(3);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
      expect(reported).toHaveBeenCalledTimes(1),
    );
  });
});

describe('MessageWindow', () => {
  it('[SR4] it shows the last messages, holds on to its first row, and folds nothing', () => {
    const { chat: source, thread_id } = createChat(40);
    const { chat } = createChat();
    const window = new MessageWindow(chat, thread_id, 10);
    expect(window.snapshot()).toMatchObject({ ids: [], total: 0, hasOlder: false });
    chat.importJSONL(source.toJSONL());
    const before = COST.parses;
    // A bulk that comes at once shows its end.
    expect(window.snapshot().ids).toEqual(source.messageIds(thread_id).slice(-10));
    expect(window.snapshot()).toBe(window.snapshot());
    window.loadOlder(5);
    expect(window.snapshot()).toMatchObject({ total: 40, hasOlder: true });
    expect(window.snapshot().ids).toEqual(source.messageIds(thread_id).slice(-15));
    // The line of the thread, which may name a root.
    expect(COST.parses - before).toBeLessThanOrEqual(1);
  });

  it('[SR4] whatever comes and is asked for, the window is the end of the thread from its first row on', () => {
    const step = fc.oneof(
      fc.record({ say: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ older: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ look: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 12 }), (size, steps) => {
        const { chat, thread_id } = createChat();
        const window = new MessageWindow(chat, thread_id, size);
        const stop = window.subscribe(() => {});
        let first: string | undefined;
        for (const one of steps) {
          if ('say' in one) say(chat, thread_id, one.say);
          if ('older' in one) window.loadOlder(one.older);
          const all = chat.messageIds(thread_id);
          const { ids, total, hasOlder } = window.snapshot();
          const place = first === undefined ? all.length : all.indexOf(first);
          expect(total).toBe(all.length);
          expect(ids).toEqual(all.slice(all.length - ids.length));
          expect(hasOlder).toBe(ids.length < all.length);
          expect(ids.length).toBeGreaterThanOrEqual(Math.min(size, all.length));
          // Once it was full, its first row never slides on.
          if (first !== undefined) expect(all.indexOf(ids[0] as string)).toBeLessThanOrEqual(place);
          if (ids.length >= size) first = ids[0];
        }
        stop();
      }),
      runs(300),
    );
  });

  it('[SR5] where its first row vanishes, it stays at the place', () => {
    const { chat, thread_id } = createChat(20);
    const all = chat.messageIds(thread_id);
    let ids = all;
    const fake = {
      ...chat,
      messageCount: () => ids.length,
      messageIds: (_: string, range?: { limit: number; after?: string; around?: string }) => {
        const { limit = ids.length, after, around } = range ?? {};
        if (around !== undefined) return ids.includes(around) ? [around] : [];
        if (after !== undefined) return ids.slice(ids.indexOf(after) + 1);
        return ids.slice(Math.max(0, ids.length - limit));
      },
    } as Chat;
    const window = new MessageWindow(fake, thread_id, 5);
    expect(window.snapshot().ids).toEqual(all.slice(15));
    ids = [...all.slice(0, 15), ...all.slice(16)];
    expect(window.snapshot().ids).toEqual(all.slice(16));
  });
});

describe('views', () => {
  it('[SR6] the turns of a thread are one object until something in them changes, also unsubscribed', () => {
    const { chat, thread_id } = createChat();
    const view = turnView(chat, thread_id);
    const { attempt } = openAnswer(chat, thread_id);
    const running = view.snapshot();
    expect(running).toMatchObject({ state: 'running', queue: [] });
    attempt.addPart({ kind: 'text', text: 'Well.' });
    expect(view.snapshot()).toBe(running);
    let heard = 0;
    const stop = view.subscribe(() => {
      heard += 1;
    });
    attempt.finish({ finish_reason: 'stop' });
    expect(heard).toBeGreaterThan(0);
    expect(view.snapshot().state).toBe('complete');
    stop();
    const before = heard;
    say(chat, thread_id, 1);
    expect(heard).toBe(before);
  });

  it('[SR6] unread messages are those of others that come after the mark', () => {
    const { chat, thread_id } = createChat(4);
    const unread = unreadView(chat, thread_id, ADA);
    expect(unread.snapshot()).toBe(2);
    const [message_id = ''] = chat.messageIds(thread_id, { limit: 1 });
    chat.delete({ message_id, author_id: GRACE });
    expect(unread.snapshot()).toBe(1);
    chat.annotate({ thread_id, user_id: ADA, key: 'read', value: message_id });
    expect(unread.snapshot()).toBe(0);
  });
});

describe('Drafts', () => {
  const THREAD = '01JD0000000000000000000000';

  it('[SR7] other tabs follow; the key of a thread needs no document', () => {
    const drafts = new Drafts();
    const key = draftKey(null, THREAD, ADA);
    expect(draftKey('doc', THREAD, ADA)).toBe(key);
    expect(draftKey('doc', 'new', ADA)).not.toBe(draftKey('other', 'new', ADA));
    expect(draftKey('a:b', 'c', ADA)).not.toBe(draftKey('a', 'b:c', ADA));
    const heard = vi.fn();
    const stop = drafts.subscribe(key, heard);
    drafts.write(key, 'Dear');
    expect(new Drafts().read(key)).toBe('Dear');
    expect(heard).toHaveBeenCalledTimes(1);
    // As another tab writes: this one gets an event, and no call.
    localStorage.setItem(key, 'Dear Grace');
    window.dispatchEvent(new StorageEvent('storage', { key }));
    expect(drafts.read(key)).toBe('Dear Grace');
    localStorage.clear();
    window.dispatchEvent(new StorageEvent('storage', { key: null }));
    expect(drafts.read(key)).toBe('');
    expect(heard).toHaveBeenCalledTimes(3);
    stop();
    window.dispatchEvent(new StorageEvent('storage', { key }));
    expect(heard).toHaveBeenCalledTimes(3);
  });

  it('[SR7] where the storage throws, the text stays in memory', () => {
    const fail = (): never => {
      throw new Error('full');
    };
    const drafts = new Drafts({ getItem: fail, setItem: fail, removeItem: fail });
    expect(drafts.read('k')).toBe('');
    drafts.write('k', 'Dear');
    expect(drafts.read('k')).toBe('Dear');
    drafts.write('k', '');
    expect(drafts.read('k')).toBe('');
  });
});
