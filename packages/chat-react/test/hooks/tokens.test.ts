import type { Message } from '@chatdoc/schema';
import { act, createElement, memo, type ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import { ChatProvider, useMessage, useMessages, useThreads, useTurn } from '../../src/index.js';
import { render } from '../render.js';
import { createChat, openAnswer, scale } from '../world.js';

const TOKENS = 200;

/** Renders since the last look: StrictMode renders each component twice. */
const counts = { rows: 0, list: 0, sidebar: 0, composer: 0 };

const Row = memo(function Row({ id }: { readonly id: string }): ReactElement {
  counts.rows += 1;
  return createElement('p', null, useMessage(id)?.content);
});

function List({ thread_id }: { readonly thread_id: string }): ReactElement {
  counts.list += 1;
  const { ids } = useMessages(thread_id);
  return createElement(
    'section',
    null,
    ids.map((id) => createElement(Row, { key: id, id })),
  );
}

function Sidebar(): ReactElement {
  counts.sidebar += 1;
  return createElement('nav', null, useThreads().length);
}

function Composer({ thread_id }: { readonly thread_id: string }): ReactElement {
  counts.composer += 1;
  return createElement('footer', null, useTurn(thread_id).state);
}

function takeCounts(): typeof counts {
  const taken = { ...counts };
  Object.assign(counts, { rows: 0, list: 0, sidebar: 0, composer: 0 });
  return taken;
}

describe('a streamed answer on screen', () => {
  it(`[HK1] ${TOKENS} tokens render ${TOKENS} rows, no list, no list of threads, no composer`, () => {
    const { chat, thread_id } = createChat(scale(10_000, 300));
    const { attempt, message_id } = openAnswer(chat, thread_id);
    const part = attempt.openPart({ kind: 'text' });
    part.append('Begin');
    const page = render(
      createElement(
        ChatProvider,
        { chat },
        createElement(Sidebar),
        createElement(List, { thread_id }),
        createElement(Composer, { thread_id }),
      ),
    );
    takeCounts();
    for (let i = 0; i < TOKENS; i += 1) act(() => part.append(` ${i}`));
    expect(takeCounts()).toEqual({ rows: 2 * TOKENS, list: 0, sidebar: 0, composer: 0 });
    const texts = page.texts('p');
    expect(texts.at(-1)).toBe((chat.message(message_id) as Message).content);
    expect(texts.at(-1)?.endsWith(` ${TOKENS - 1}`)).toBe(true);
    page.unmount();
  });

  it('[HK2] one more part leaves the parts before it, and what their tools were given, the same objects', () => {
    const { chat, thread_id } = createChat();
    const { attempt, message_id } = openAnswer(chat, thread_id);
    attempt.addPart({ kind: 'tool_call', part_id: 't1', state: 'completed', input: { path: ['a'] } });
    attempt.addPart({ kind: 'text', text: 'Seen.' });
    const before = (chat.message(message_id) as Message).parts;
    attempt.addPart({ kind: 'tool_call', part_id: 't2', state: 'completed', output: { lines: 2 } });
    const part = attempt.openPart({ kind: 'text' });
    part.append('And');
    const after = (chat.message(message_id) as Message).parts;
    expect(after.length).toBe(4);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    part.append(' so on');
    expect((chat.message(message_id) as Message).parts[2]).toBe(after[2]);
  });
});
