import { type AssistantRuntime, AssistantRuntimeProvider } from '@assistant-ui/react';
import type { Chat } from '@chatdoc/schema';
import { act, createElement, type ReactElement, useState } from 'react';
import { describe, expect, it } from 'vitest';
import { useChatDocRuntime } from '../../src/assistant-ui/index.js';
import { ChatProvider } from '../../src/index.js';
import { collectComplaints, perform, render } from '../render.js';
import { ADA, createChat, GRACE, openAnswer, say } from '../world.js';

interface Kit {
  readonly chat: Chat;
  readonly thread_id: string;
  runtime(): AssistantRuntime;
  shown(): string;
  /** Texts of the messages. */
  texts(): readonly string[];
  unmount(): void;
}

/** A page of the kit, without its primitives: its runtime is what they call. */
function openKit(messages = 0, size = 50): Kit {
  const { chat, thread_id } = createChat(messages);
  let runtime: AssistantRuntime | undefined;
  let shown = thread_id;
  const Inner = (): ReactElement => {
    const [current, setThread] = useState(thread_id);
    shown = current;
    runtime = useChatDocRuntime({ thread_id: current, setThread, size });
    // biome-ignore lint/correctness/noChildrenProp: the type of the provider asks for it
    return createElement(AssistantRuntimeProvider, { runtime, children: null });
  };
  const page = render(createElement(ChatProvider, { chat, user_id: ADA }, createElement(Inner)));
  const texts = (): readonly string[] =>
    (runtime?.thread.getState().messages ?? []).map(({ content }) =>
      content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join(''),
    );
  return {
    chat,
    thread_id,
    texts,
    runtime: () => runtime as AssistantRuntime,
    shown: () => shown,
    unmount: page.unmount,
  };
}

const settle = (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 1)));

describe('the runtime of assistant-ui', () => {
  it('[AU1] sends, streams, and shows what another person writes, under StrictMode', async () => {
    const complaints = await collectComplaints(async () => {
      const { chat, thread_id, runtime, texts, unmount } = openKit();
      act(() => runtime().thread.append('Hello?'));
      await settle();
      expect(texts()).toEqual(['Hello?']);
      const [prompt_id = ''] = chat.queue(thread_id);
      const attempt = perform(() => chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' }));
      const part = attempt.openPart({ kind: 'text' });
      act(() => part.append('Hel'));
      act(() => part.append('lo'));
      await settle();
      expect(texts()).toEqual(['Hello?', 'Hello']);
      expect(runtime().thread.getState().isRunning).toBe(true);
      act(() => attempt.finish({ finish_reason: 'stop' }));
      act(() => void chat.send({ thread_id, sender_id: GRACE, content: 'Hi' }));
      await settle();
      expect(texts()).toEqual(['Hello?', 'Hello', 'Hi']);
      expect(runtime().thread.getState().isRunning).toBe(false);
      unmount();
    });
    expect(complaints).toEqual([]);
  });

  it('[AU2] cancel stops for everyone; reload asks again for that answer; delete deletes', async () => {
    const { chat, thread_id, runtime, texts, unmount } = openKit();
    const one = perform(() => openAnswer(chat, thread_id));
    act(() => one.attempt.addPart({ kind: 'text', text: 'One' }));
    await settle();
    act(() => runtime().thread.cancelRun());
    await settle();
    expect(chat.message(one.message_id)?.attempt?.stop_requested).toBe(true);
    act(() => one.attempt.finish({ finish_reason: 'stopped' }));
    await settle();
    expect(runtime().thread.getState().messages.at(-1)?.status).toMatchObject({ reason: 'cancelled' });
    // Another prompt comes between the two: what is asked for again is still the answer.
    act(() => void say(chat, thread_id, 1));
    await settle();
    act(() => runtime().thread.getMessageByIndex(1).reload());
    await settle();
    expect(chat.queue(thread_id)).toEqual([one.prompt_id]);
    act(() => runtime().thread.cancelRun());
    act(() => void runtime().thread.getMessageByIndex(2).delete());
    await settle();
    expect(texts()).toEqual(['Well?', 'One']);
    expect(chat.messages(thread_id).at(-1)?.deleted).toBe(true);
    unmount();
  });

  it('[AU3] an edit forks: the kit shows the new thread, the old one stays', async () => {
    const { chat, thread_id, runtime, shown, texts, unmount } = openKit();
    const one = perform(() => openAnswer(chat, thread_id));
    act(() => one.attempt.finish({ finish_reason: 'stop' }));
    await settle();
    const { composer } = runtime().thread.getMessageByIndex(0);
    act(() => composer.beginEdit());
    act(() => composer.setText('Better?'));
    act(() => composer.send());
    await settle();
    expect(shown()).not.toBe(thread_id);
    expect(texts()).toEqual(['Better?']);
    expect(chat.message(one.prompt_id)?.content).toBe('Well?');
    unmount();
  });

  it('[AU4] the list of threads switches, begins, renames and archives; runs are not in it', async () => {
    const { chat, thread_id, runtime, shown, unmount } = openKit(1);
    act(() => void chat.createThread({ created_by: ADA, purpose: 'run' }));
    await act(async () => runtime().threads.switchToNewThread());
    const second = shown();
    expect(second).not.toBe(thread_id);
    await act(async () => runtime().threads.getItemById(second).rename('Ideas'));
    expect(chat.config(second).name).toBe('Ideas');
    await act(async () => runtime().threads.switchToThread(thread_id));
    expect(shown()).toBe(thread_id);
    await act(async () => runtime().threads.getItemById(second).archive());
    await settle();
    expect(runtime().threads.getState()).toMatchObject({
      threadIds: [thread_id],
      archivedThreadIds: [second],
    });
    await act(async () => runtime().threads.getItemById(second).unarchive());
    await settle();
    expect(runtime().threads.getState().threadIds).toEqual([second, thread_id]);
    unmount();
  });

  it('[AU5] the kit reads the window alone, and asks for what is before it', async () => {
    const { chat, thread_id, runtime, texts, unmount } = openKit(30, 10);
    await settle();
    expect(texts().length).toBe(10);
    await act(async () => runtime().thread.loadEarlier());
    await settle();
    expect(texts()).toEqual(
      chat
        .messages(thread_id)
        .slice(-20)
        .map(({ content }) => content),
    );
    unmount();
  });

  it('[AU6] tools, thoughts, files and errors show as the kit has them', async () => {
    const { chat, thread_id, runtime, unmount } = openKit();
    const { attempt } = perform(() => openAnswer(chat, thread_id));
    const tool = { kind: 'tool_call', title: 'read', input: { path: 'a' } };
    act(() => {
      attempt.addPart({ kind: 'reasoning', text: 'Hm.' });
      attempt.addPart({ ...tool, part_id: 't1', state: 'completed', output: 'ok' });
      attempt.addPart({ ...tool, part_id: 't2', state: 'failed', output: 'no' });
      attempt.addPart({ ...tool, part_id: 't3', state: 'in_progress' });
      attempt.addPart({ kind: 'file', title: 'p.png', data: { media_type: 'image/png', base64: 'AAAA' } });
      attempt.addPart({ kind: 'file', data: { sourceType: 'url', url: 'https://example.org' } });
    });
    await settle();
    const last = () => runtime().thread.getState().messages.at(-1);
    expect(last()?.content).toMatchObject([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'tool-call', toolName: 'read', args: { path: 'a' }, result: 'ok' },
      { type: 'tool-call', result: 'no', isError: true },
      { type: 'tool-call', toolCallId: 't3' },
      { type: 'file', mimeType: 'image/png', filename: 'p.png' },
      { type: 'source', url: 'https://example.org' },
    ]);
    act(() => attempt.finish({ finish_reason: 'error', error: { message: 'No key.' } }));
    await settle();
    expect(last()?.status).toEqual({ type: 'incomplete', reason: 'error', error: 'No key.' });
    expect(last()?.content[3]).toMatchObject({ result: 'cancelled', isError: true });
    unmount();
  });
});
