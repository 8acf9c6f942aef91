import { openChat } from '@chatdoc/schema';
import { act, createElement, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  ChatProvider,
  type Initial,
  snapshotOf,
  useConfig,
  useMessage,
  useMessages,
  useThreadState,
  useThreads,
} from '../../src/index.js';
import { collectComplaints, hydrate } from '../render.js';
import { createChat } from '../world.js';

const Row = ({ id }: { readonly id: string }): ReactElement =>
  createElement('p', null, useMessage(id)?.content);

const frames: string[] = [];

function Page({ thread_id }: { readonly thread_id: string }): ReactElement {
  const { ids, total, hasOlder } = useMessages(thread_id, { size: 3 });
  const title = `${useThreads().length} ${useConfig(thread_id).name} ${useThreadState(thread_id).state} ${total} ${hasOlder}`;
  frames.push(title);
  return createElement(
    'main',
    null,
    createElement('h1', null, title),
    ids.map((id) => createElement(Row, { key: id, id })),
  );
}

describe('server rendering', () => {
  it('[HK14] a server renders; the client hydrates with an empty document, keeps what shows until it is loaded, then goes on', async () => {
    const { chat, thread_id } = createChat(5);
    const initial = JSON.parse(JSON.stringify(snapshotOf(chat, [thread_id], 3))) as Initial;
    const html = renderToString(
      createElement(ChatProvider, { chat, initial }, createElement(Page, { thread_id })),
    );
    expect(html).toContain('1 Roadmap idle 5 true');
    expect(html).toContain('Message 4');
    const client = openChat(new Y.Doc());
    const errors: unknown[] = [];
    const app = (loaded: boolean): ReactElement =>
      createElement(ChatProvider, { chat: client, initial, loaded }, createElement(Page, { thread_id }));
    const complaints = await collectComplaints(() => {
      frames.length = 0;
      const page = hydrate(html, app(false), (error) => errors.push(error));
      expect(page.texts('p')).toEqual(['Message 2', 'Message 3', 'Message 4']);
      act(() => void client.importJSONL(chat.toJSONL()));
      page.render(app(true));
      act(() => void client.send({ thread_id, sender_id: 'ada', content: 'Live' }));
      expect(page.texts('p').at(-1)).toBe('Live');
      expect(page.texts('h1')).toEqual(['1 Roadmap idle 6 true']);
      page.unmount();
    });
    expect(errors).toEqual([]);
    expect(complaints).toEqual([]);
    // No frame has shown an empty chat.
    expect(new Set(frames)).toEqual(new Set(['1 Roadmap idle 5 true', '1 Roadmap idle 6 true']));
  });

  it('[HK14] without a snapshot the server renders what its chat has', () => {
    const { chat, thread_id } = createChat(2);
    const html = renderToString(createElement(ChatProvider, { chat }, createElement(Page, { thread_id })));
    expect(html).toContain('Message 1');
  });
});
