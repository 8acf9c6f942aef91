import { type UseChatHelpers, useChat } from '@ai-sdk/react';
import { act, createElement, type ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import { ChatDocTransport, type ChatUIMessage, useDocChat } from '../../src/ai-sdk/index.js';
import { ChatProvider } from '../../src/index.js';
import { collectComplaints, perform, render } from '../render.js';
import { ADA, createChat, GRACE } from '../world.js';

type Helpers = UseChatHelpers<ChatUIMessage>;

const textOf = ({ parts }: ChatUIMessage): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

describe('useDocChat', () => {
  it('[UI2] shows what others send and what streams, under StrictMode; unmounting ends nothing', async () => {
    const { chat, thread_id } = createChat();
    let helpers: Helpers | undefined;
    const Shown = (): ReactElement => {
      helpers = useDocChat(thread_id);
      return createElement('p', null, `${helpers.status}: ${helpers.messages.map(textOf).join(' | ')}`);
    };
    const complaints = await collectComplaints(async () => {
      const page = render(createElement(ChatProvider, { chat, user_id: ADA }, createElement(Shown)));
      act(() => void chat.send({ thread_id, sender_id: GRACE, content: 'Hi' }));
      expect(page.texts('p')).toEqual(['ready: Hi']);
      await act(async () => helpers?.sendMessage({ text: 'Go' }));
      expect(page.texts('p')).toEqual(['submitted: Hi | Go']);
      const [prompt_id = ''] = chat.queue(thread_id);
      const attempt = perform(() => chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' }));
      const part = attempt.openPart({ kind: 'text' });
      act(() => part.append('Hal'));
      act(() => part.append('f'));
      expect(page.texts('p')).toEqual(['streaming: Hi | Go | Half']);
      page.unmount();
      expect(chat.message(attempt.message_id)?.attempt).toMatchObject({
        state: 'open',
        stop_requested: false,
      });
      part.append(' and half');
      attempt.finish({ finish_reason: 'stop' });
    });
    expect(complaints).toEqual([]);
  });

  it('[UI2] an error is shown and cleared; a component without a user throws', async () => {
    const { chat, thread_id } = createChat();
    let helpers: Helpers | undefined;
    const Shown = (): ReactElement => {
      helpers = useDocChat(thread_id, { user_id: ADA });
      return createElement('p', null, `${helpers.status} ${helpers.error?.message}`);
    };
    const page = render(createElement(ChatProvider, { chat }, createElement(Shown)));
    await act(async () => helpers?.sendMessage({ text: 'Go' }));
    const [prompt_id = ''] = chat.queue(thread_id);
    act(() =>
      chat
        .openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' })
        .finish({ finish_reason: 'error', error: { message: 'No key.' } }),
    );
    expect(page.texts('p')).toEqual(['error No key.']);
    act(() => helpers?.clearError());
    expect(page.texts('p')).toEqual(['ready undefined']);
    page.unmount();
  });
});

describe('useChat with the transport', () => {
  it('[UI3] shows what streams; unmounting, also of StrictMode, ends nothing', async () => {
    const { chat, thread_id } = createChat();
    const transport = new ChatDocTransport({ chat, thread_id, user_id: ADA });
    let helpers: Helpers | undefined;
    const Shown = (): ReactElement => {
      helpers = useChat<ChatUIMessage>({
        id: thread_id,
        transport,
        generateId: ChatDocTransport.generateId,
      });
      return createElement('p', null, helpers.messages.map(textOf).join(' | '));
    };
    const page = render(createElement(Shown));
    act(() => void helpers?.sendMessage({ text: 'Go' }));
    await act(async () => new Promise((resolve) => setTimeout(resolve, 5)));
    const [prompt_id = ''] = chat.queue(thread_id);
    const attempt = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' });
    attempt.openPart({ kind: 'text' }).append('Half');
    await act(async () => new Promise((resolve) => setTimeout(resolve, 5)));
    expect(page.texts('p')).toEqual(['Go | Half']);
    page.unmount();
    expect(chat.message(attempt.message_id)?.attempt).toMatchObject({ state: 'open', stop_requested: false });
    attempt.finish({ finish_reason: 'stop' });
  });
});
