import { type Chat, deriveAnswerId, type Json, openChat } from '@chatdoc/schema';
import { listFailedStarts, readRunRecord, type Template } from '@chatdoc/turns';
import { configureStore, type UnknownAction } from '@reduxjs/toolkit';
import { act, createElement, type ReactElement, useEffect, useState } from 'react';
import { Provider, useDispatch } from 'react-redux';
import { describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import {
  attachChat,
  type ChatDocRoot,
  chatdocReducer,
  completeExecution,
  executeMessage,
  fetchScopedVariables,
  type PromptInstanceHandle,
  selectDisplayMessages,
  selectMergedVariables,
  selectMessages,
  startPromptInstance,
  usePromptInstance,
} from '../../src/redux/index.js';
import { collectComplaints, render } from '../render.js';
import { ADA } from '../world.js';

const TEMPLATE: Template = {
  version: '3',
  messages: [
    { role: 'system', content: 'Answer {{tone}}.' },
    { role: 'user', content: 'Translate: {{text}}' },
  ],
  defaults: { tone: 'briefly' },
};

function createStore() {
  return configureStore({
    reducer: (root: ChatDocRoot | undefined, action: UnknownAction): ChatDocRoot =>
      // As DevTools put an older state back.
      action.type === 'jump'
        ? (action['state'] as ChatDocRoot)
        : { chatdoc: chatdocReducer(root?.chatdoc, action) },
  });
}

type Store = ReturnType<typeof createStore>;

function createWorld(fetchPrompt = vi.fn(async (_id: string) => TEMPLATE)) {
  const chat = openChat(new Y.Doc());
  const store = createStore();
  const detach = attachChat(store, chat, { user_id: ADA, fetchPrompt });
  return { chat, store, detach, fetchPrompt };
}

function start(store: Store, variables: Record<string, Json> = { text: 'x' }): Promise<string> {
  return store
    .dispatch(startPromptInstance({ promptId: 'p1', executionConfig: { track_in_runs: true }, variables }))
    .unwrap();
}

/** Answers what is next in the thread. */
function answer(chat: Chat, thread_id: string, text: string): void {
  const [prompt_id = ''] = chat.queue(thread_id);
  const attempt = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' });
  attempt.addPart({ kind: 'text', text });
  attempt.finish({ finish_reason: 'stop' });
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** The Quick Start of the prompt engine that this replaces: only its imports are others. */
let latest: PromptInstanceHandle | undefined;
const stale: PromptInstanceHandle[] = [];

function QuickStart(): ReactElement {
  const dispatch = useDispatch<Store['dispatch']>();
  const [instanceId, setInstanceId] = useState<string | null>(null);
  useEffect(() => {
    dispatch(
      startPromptInstance({
        promptId: 'p1',
        executionConfig: { track_in_runs: true },
        variables: { text: 'x' },
      }),
    )
      .unwrap()
      .then(setInstanceId);
  }, [dispatch]);
  const handle = usePromptInstance(instanceId);
  const { instance, displayMessages, variables } = handle;
  latest = handle;
  stale.push(handle);
  return createElement(
    'main',
    null,
    createElement('h1', null, `${instance?.prompt_id} ${variables['text']} ${variables['tone']}`),
    displayMessages.map(({ id, role, content }) => createElement('p', { key: id }, `${role}: ${content}`)),
  );
}

describe('a component of a prompt engine', () => {
  it('[DX1] runs with nothing but its imports changed; a call of an old render takes the values of now', async () => {
    const { chat, store } = createWorld();
    const complaints = await collectComplaints(async () => {
      // biome-ignore lint/correctness/noChildrenProp: the type of Provider asks for it
      const page = render(createElement(Provider, { store, children: createElement(QuickStart) }));
      await act(settle);
      expect(page.texts('h1')).toEqual(['p1 x briefly']);
      const old = latest;
      const thread_id = latest?.instance?.thread_id ?? '';
      act(() => latest?.updateVariable('text', 'y'));
      await act(settle);
      expect(page.texts('h1')).toEqual(['p1 y briefly']);
      await act(async () => void (await old?.sendMessage()));
      expect(page.texts('p')).toEqual(['user: Translate: y']);
      const prompt = chat.message(chat.queue(thread_id)[0] ?? '');
      expect(prompt && readRunRecord(chat, prompt)?.values['text']).toMatchObject({ value: 'y' });
      answer(chat, thread_id, 'z');
      await act(settle);
      expect(page.texts('p')).toEqual(['user: Translate: y', 'assistant: z']);
      await act(async () => void (await latest?.sendMessage('And now?')));
      await act(settle);
      expect(page.texts('p').at(-1)).toBe('user: And now?');
      act(() => latest?.stop());
      expect(chat.queue(thread_id)).toEqual([]);
      page.unmount();
    });
    expect(complaints).toEqual([]);
  });
});

describe('thunks', () => {
  it('[DX2] the prompt is fetched once, also for instances that start at once; two instances differ', async () => {
    const { chat, store, fetchPrompt } = createWorld();
    const [one, two] = await Promise.all([start(store, { text: 'a' }), start(store, { text: 'b' })]);
    expect(fetchPrompt).toHaveBeenCalledTimes(1);
    expect(one).not.toBe(two);
    expect(chat.thread(one)?.purpose).toBe('run');
    expect([one, two].map((id) => selectMergedVariables(store.getState(), id)['text'])).toEqual(['a', 'b']);
  });

  it('[DX2] a fetch that failed is tried again', async () => {
    const fetchPrompt = vi.fn(async (_id: string) => TEMPLATE).mockRejectedValueOnce(new Error('offline'));
    const { store } = createWorld(fetchPrompt);
    await expect(start(store)).rejects.toMatchObject({ message: 'offline' });
    await start(store);
    expect(fetchPrompt).toHaveBeenCalledTimes(2);
  });

  it('[DX3] a run is recorded, also one that cannot start: it rejects with the names that have no value', async () => {
    const { chat, store } = createWorld();
    const instanceId = await start(store, {});
    await expect(store.dispatch(executeMessage({ instanceId })).unwrap()).rejects.toMatchObject({
      message: expect.stringMatching(/missing_variable: text/),
    });
    expect(listFailedStarts(chat, instanceId).length).toBe(1);
    await expect(store.dispatch(executeMessage({ instanceId: 'no' })).unwrap()).rejects.toMatchObject({
      message: expect.stringMatching(/instanceId/),
    });
  });

  it('[DX3] content is the value of {{message}}, or a message of its own', async () => {
    const template = { messages: [{ role: 'user', content: 'Say {{message}}' }] } as const;
    const asked = createWorld(vi.fn(async () => template as Template));
    const one = await start(asked.store, {});
    await asked.store.dispatch(executeMessage({ instanceId: one, content: 'hello' })).unwrap();
    expect(selectDisplayMessages(asked.store.getState(), one).map(({ content }) => content)).toEqual([
      'Say hello',
    ]);
    const plain = createWorld();
    const two = await start(plain.store);
    await plain.store.dispatch(executeMessage({ instanceId: two, content: 'hello' })).unwrap();
    expect(selectDisplayMessages(plain.store.getState(), two).map(({ content }) => content)).toEqual([
      'Translate: x',
      'hello',
    ]);
  });

  it('[DX4] completion waits for the answer, wherever it runs; it rejects what failed, was cancelled or aborted', async () => {
    const { chat, store } = createWorld();
    const instanceId = await start(store);
    const run = (): Promise<string> => store.dispatch(executeMessage({ instanceId, content: 'Go' })).unwrap();
    const complete = (promptId: string, signal?: AbortSignal) =>
      store.dispatch(completeExecution({ promptId, ...(signal !== undefined && { signal }) })).unwrap();
    await run();
    answer(chat, instanceId, 'first');
    const [second = ''] = chat.queue(instanceId);
    const waiting = complete(second);
    answer(chat, instanceId, 'done');
    expect((await waiting).content).toBe('done');
    expect((await complete(second)).message_id).toBe(deriveAnswerId(second));
    const failing = await run();
    const failed = complete(failing);
    chat
      .openAttempt({ prompt_id: failing, sender_id: 'bot', runner_id: 'laptop' })
      .finish({ finish_reason: 'error', error: { message: 'No key.' } });
    await expect(failed).rejects.toMatchObject({ message: 'No key.' });
    const cancelled = await run();
    const rejected = complete(cancelled);
    chat.stop({ message_id: cancelled, by: ADA });
    await expect(rejected).rejects.toMatchObject({ message: expect.stringMatching(/cancelled/) });
    const controller = new AbortController();
    const aborted = complete(await run(), controller.signal);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toMatchObject({ message: 'enough' });
  });

  it('[DX5] scoped variables are fetched once each, merged in order, and written only where they differ', async () => {
    const { chat, store } = createWorld();
    const instanceId = await start(store, {});
    const fetches = {
      org: vi.fn(async () => ({ tone: 'org', text: 'org', a: 1 })),
      project: vi.fn(async () => ({ tone: 'project', text: 'project' })),
      user: vi.fn(async () => ({ tone: 'user' })),
    };
    const fetchAll = () =>
      Promise.all(
        (['user', 'org', 'project'] as const).map((scope) =>
          store
            .dispatch(fetchScopedVariables({ scope, scopeId: `${scope}-1`, fetch: fetches[scope] }))
            .unwrap(),
        ),
      );
    await Promise.all([fetchAll(), fetchAll()]);
    for (const fetch of Object.values(fetches)) expect(fetch).toHaveBeenCalledTimes(1);
    expect(selectMergedVariables(store.getState(), instanceId)).toEqual({
      tone: 'user',
      text: 'project',
      a: 1,
    });
    const { lines } = chat.report();
    const other = createStore();
    attachChat(other, chat, { user_id: ADA, fetchPrompt: async () => TEMPLATE });
    await other
      .dispatch(fetchScopedVariables({ scope: 'user', scopeId: 'user-1', fetch: fetches.user }))
      .unwrap();
    expect(chat.report().lines).toBe(lines);
  });
});

describe('the state of a store', () => {
  it('[DX6] holds no record: a few hundred bytes; a token is one action a microtask, and changes one object', async () => {
    const { chat, store } = createWorld();
    const instanceId = await start(store);
    await store.dispatch(executeMessage({ instanceId })).unwrap();
    const [prompt_id = ''] = chat.queue(instanceId);
    const attempt = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' });
    const part = attempt.openPart({ kind: 'text' });
    part.append('One');
    await settle();
    const before = selectDisplayMessages(store.getState(), instanceId);
    expect(selectDisplayMessages(store.getState(), instanceId)).toBe(before);
    const { version } = store.getState().chatdoc;
    for (let i = 0; i < 20; i += 1) part.append(` ${i}`);
    await settle();
    const after = selectDisplayMessages(store.getState(), instanceId);
    expect(store.getState().chatdoc.version).toBe(version + 1);
    expect(after.map((one, i) => one === before[i])).toEqual([true, false]);
    expect(after[1]?.generating).toBe(true);
    expect(JSON.stringify(store.getState()).length).toBeLessThan(600);
  });

  it('[DX7] where DevTools put an older state back, selectors read the past, and the document stays', async () => {
    const { chat, store, detach } = createWorld();
    const instanceId = await start(store);
    await store.dispatch(executeMessage({ instanceId })).unwrap();
    await settle();
    await settle();
    const old = store.getState();
    await settle();
    await settle();
    answer(chat, instanceId, 'z');
    store.dispatch(executeMessage({ instanceId, content: 'More' }));
    await settle();
    const now = store.getState();
    const count = (): number => selectDisplayMessages(store.getState(), instanceId).length;
    expect(count()).toBe(3);
    const lines = chat.report().lines;
    store.dispatch({ type: 'jump', state: old });
    expect(count()).toBe(1);
    expect(selectMessages(store.getState(), instanceId)).toBe(selectMessages(store.getState(), instanceId));
    store.dispatch({ type: 'jump', state: now });
    expect(count()).toBe(3);
    expect(chat.report().lines).toBe(lines);
    expect(() => attachChat(store, chat, { user_id: ADA, fetchPrompt: async () => TEMPLATE })).toThrow(
      'another chat is attached',
    );
    detach();
    expect(store.getState().chatdoc.source).toBeNull();
    await expect(start(store)).rejects.toMatchObject({ message: expect.stringMatching(/attachChat/) });
  });
});
