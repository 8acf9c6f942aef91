import { openPresence, type Presence } from '@chatdoc/sync';
import { act, createElement, type ReactElement } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import {
  ChatProvider,
  type ConnectionLike,
  TYPING_MS,
  useChat,
  useConnection,
  usePresence,
  useTyping,
} from '../../src/index.js';
import { render } from '../render.js';
import { ADA, createChat, GRACE } from '../world.js';

interface Person {
  readonly presence: Presence;
  readonly awareness: Awareness;
}

function join(user_id: string, name: string): Person {
  const awareness = new Awareness(new Y.Doc());
  return { awareness, presence: openPresence(awareness, { user: { user_id, name } }) };
}

function link(a: Person, b: Person): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const pass = (): void =>
      applyAwarenessUpdate(
        to.awareness,
        encodeAwarenessUpdate(from.awareness, [from.awareness.clientID]),
        'network',
      );
    from.awareness.on('update', ({ updated, added }: { updated: number[]; added: number[] }) => {
      if ([...updated, ...added].includes(from.awareness.clientID)) pass();
    });
    pass();
  }
}

describe('presence', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('[HK12] the others show; who writes shows until 5 s after the last key, the text is sent, or the field goes', () => {
    const { chat, thread_id } = createChat();
    const ada = join(ADA, 'Ada');
    const grace = join(GRACE, 'Grace');
    link(ada, grace);
    let key = (): void => {};
    let stop = (): void => {};
    const Field = (): ReactElement => {
      [, key, stop] = useTyping(thread_id);
      return createElement('input');
    };
    const Shown = (): ReactElement =>
      createElement(
        'p',
        null,
        `${usePresence().map(({ name }) => name)} | ${useTyping(thread_id)[0].join()}`,
      );
    const writing = render(
      createElement(ChatProvider, { chat, presence: ada.presence, user_id: ADA }, createElement(Field)),
    );
    const reading = render(
      createElement(ChatProvider, { chat, presence: grace.presence, user_id: GRACE }, createElement(Shown)),
    );
    const texts = (): readonly string[] => reading.texts('p');
    expect(texts()).toEqual(['Ada | ']);
    act(() => key());
    expect(texts()).toEqual(['Ada | Ada']);
    act(() => void vi.advanceTimersByTime(TYPING_MS - 1));
    act(() => key());
    act(() => void vi.advanceTimersByTime(TYPING_MS - 1));
    expect(texts()).toEqual(['Ada | Ada']);
    act(() => void vi.advanceTimersByTime(1));
    expect(texts()).toEqual(['Ada | ']);
    act(() => key());
    act(() => stop());
    expect(texts()).toEqual(['Ada | ']);
    act(() => key());
    writing.unmount();
    act(() => {});
    expect(texts()).toEqual(['Ada | ']);
    reading.unmount();
    ada.presence.close();
    grace.presence.close();
  });

  it('[HK12] without a presence nobody is here, and a key does nothing', () => {
    const { chat, thread_id } = createChat();
    const Shown = (): ReactElement => {
      const [names, key] = useTyping(thread_id);
      key();
      return createElement('p', null, names.length + usePresence().length);
    };
    const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
    expect(page.texts('p')).toEqual(['0']);
    page.unmount();
  });
});

describe('a connection', () => {
  it('[HK13] its status shows; one that was rebuilt mounts again what is below, over the new chat', () => {
    const first = createChat(1);
    const second = createChat(2);
    const listeners = new Set<() => void>();
    const connection = {
      chat: first.chat,
      user: { user_id: ADA },
      status: { epoch: 0, loaded: true, state: 'saved' },
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const like: ConnectionLike<typeof connection.status> = connection;
    const chats = new Set<unknown>();
    let mounts = 0;
    const Shown = (): ReactElement => {
      const chat = useChat();
      if (!chats.has(chat)) mounts += 1;
      chats.add(chat);
      return createElement('p', null, `${useConnection(like).state} ${chat.threads().length}`);
    };
    const page = render(createElement(ChatProvider, { connection: like }, createElement(Shown)));
    const [node] = page.container.querySelectorAll('p');
    expect(page.texts('p')).toEqual(['saved 1']);
    const change = (status: typeof connection.status): void =>
      act(() => {
        connection.status = status;
        for (const listener of [...listeners]) listener();
      });
    change({ epoch: 0, loaded: true, state: 'refused' });
    expect(page.texts('p')).toEqual(['refused 1']);
    expect(page.container.querySelector('p')).toBe(node);
    connection.chat = second.chat;
    change({ epoch: 1, loaded: true, state: 'saved' });
    expect(page.container.querySelector('p')).not.toBe(node);
    expect([...chats]).toEqual([first.chat, second.chat]);
    expect(mounts).toBe(2);
    page.unmount();
    expect(listeners.size).toBe(0);
  });
});
