import { ChatDocError, type Message } from '@chatdoc/schema';
import { act, createElement, type ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import { ChatProvider, type TurnHandle, useDraft, useMarkRead, useTurn, useUnread } from '../../src/index.js';
import { Drafts } from '../../src/store/index.js';
import { perform, render } from '../render.js';
import { ADA, createChat, GRACE, openAnswer, say } from '../world.js';

describe('useTurn', () => {
  /** A page that shows what goes on in a thread. */
  function createPage(): ReturnType<typeof createChat> & { turn(): TurnHandle; unmount(): void } {
    const { chat, thread_id } = createChat();
    let latest: TurnHandle | undefined;
    const Shown = (): ReactElement => {
      latest = useTurn(thread_id);
      return createElement('p', null, latest.state);
    };
    const page = render(createElement(ChatProvider, { chat, user_id: ADA }, createElement(Shown)));
    return { chat, thread_id, turn: () => latest as TurnHandle, unmount: page.unmount };
  }

  it('[HK9] shows state and queue, and submits once for one client id', () => {
    const { chat, thread_id, turn, unmount } = createPage();
    expect(turn()).toMatchObject({ state: 'idle', queue: [] });
    const options = { client_message_id: 'c1', date: '2026-11-30T12:00:00.000Z' };
    act(() => void turn().submit('Go', options));
    act(() => void turn().submit('Go', options));
    const [prompt_id = ''] = chat.messageIds(thread_id);
    expect(turn()).toMatchObject({ state: 'queued', queue: [prompt_id] });
    act(() => void turn().submit('And then'));
    expect(turn().queue.length).toBe(2);
    expect(chat.messages(thread_id).map(({ sender_id }) => sender_id)).toEqual([ADA, ADA]);
    expect(turn().submit('No', { when_busy: 'reject' })).toMatchObject({ ok: false, code: 'busy' });
    unmount();
  });

  it('[HK9] one that is sent to run next is first in the queue at once', () => {
    const { turn, unmount } = createPage();
    act(() => void turn().submit('One'));
    act(() => void turn().submit('Two'));
    const [one, two = ''] = turn().queue;
    act(() => void turn().sendNow(two));
    expect(turn().queue).toEqual([two, one]);
    unmount();
  });

  it('[HK9] stop, retry and resume are about what runs, or the last prompt', () => {
    const { chat, thread_id, turn, unmount } = createPage();
    let { attempt } = perform(() => openAnswer(chat, thread_id));
    act(() => attempt.addPart({ kind: 'text', text: 'Half' }));
    const answer = (): Message => chat.message(attempt.message_id) as Message;
    expect(turn()).toMatchObject({ state: 'running', active_message_id: attempt.message_id });
    expect(turn().resume()).toEqual({ ok: false, code: 'running' });
    act(() => void turn().stop());
    expect(answer().attempt?.stop_requested).toBe(true);
    act(() => attempt.finish({ finish_reason: 'stopped' }));
    expect(turn().state).toBe('complete');
    act(() => void turn().retry());
    expect(turn().queue.length).toBe(1);
    const prompt_id = answer().prompt_id ?? '';
    attempt = perform(() => chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' }));
    act(() => attempt.finish({ finish_reason: 'stop' }));
    expect(answer().alternates.length).toBe(1);
    expect(perform(() => turn().resume())).toEqual({ ok: true });
    expect(turn().stop('01JD0000000000000000000000')).toEqual({ ok: false, code: 'not_found' });
    unmount();
  });

  it('[HK5] a request without a user throws at its caller', () => {
    const { chat, thread_id } = createChat();
    let turn: TurnHandle | undefined;
    const Shown = (): ReactElement => {
      turn = useTurn(thread_id);
      return createElement('p');
    };
    const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
    expect(() => turn?.submit('Go')).toThrow(ChatDocError);
    expect(chat.messageCount(thread_id)).toBe(0);
    page.unmount();
  });
});

describe('unread', () => {
  it('[HK10] counts what others have sent since the mark, and marking writes once', () => {
    const { chat, thread_id } = createChat();
    let mark = (): void => {};
    const Shown = (): ReactElement => {
      mark = useMarkRead(thread_id);
      return createElement('p', null, useUnread(thread_id));
    };
    const page = render(createElement(ChatProvider, { chat, user_id: ADA }, createElement(Shown)));
    expect(page.texts('p')).toEqual(['0']);
    act(() => mark());
    act(() => void say(chat, thread_id, 5));
    expect(page.texts('p')).toEqual(['2']);
    act(() => mark());
    expect(page.texts('p')).toEqual(['0']);
    const lines = chat.report().lines;
    act(() => mark());
    expect(chat.report().lines).toBe(lines);
    act(() => void say(chat, thread_id, 2));
    expect(page.texts('p')).toEqual(['1']);
    page.unmount();
  });
});

describe('drafts', () => {
  it('[HK11] a draft is on the device alone, for one user and thread, and the same in two fields', () => {
    const { chat, thread_id } = createChat();
    const rows = new Map<string, string>();
    const drafts = new Drafts({
      getItem: (key) => rows.get(key) ?? null,
      setItem: (key, text) => void rows.set(key, text),
      removeItem: (key) => void rows.delete(key),
    });
    let write = (_text: string): void => {};
    const Field = ({ user_id }: { readonly user_id: string }): ReactElement => {
      const [text, setText] = useDraft(thread_id, { drafts, user_id });
      if (user_id === ADA) write = setText;
      return createElement('p', null, text);
    };
    const lines = chat.report().lines;
    const page = render(
      createElement(
        ChatProvider,
        { chat },
        ...[ADA, ADA, GRACE].map((user_id, key) => createElement(Field, { key, user_id })),
      ),
    );
    act(() => write('Dear'));
    expect(page.texts('p')).toEqual(['Dear', 'Dear', '']);
    expect([...rows.values()]).toEqual(['Dear']);
    act(() => write(''));
    expect(page.texts('p')).toEqual(['', '', '']);
    expect(rows.size).toBe(0);
    expect(chat.report().lines).toBe(lines);
    page.unmount();
  });
});
