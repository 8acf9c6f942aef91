import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { connectDevTools, type DevToolsMessage } from '../../src/devtools/index.js';
import { createChat, say } from '../world.js';

/** The extension, as far as its page is concerned. */
function createExtension() {
  const sent: { action: { type: string }; state: string }[] = [];
  let listener: ((message: DevToolsMessage) => void) | undefined;
  const connection = {
    init: () => {},
    send: (action: unknown, state: unknown) =>
      void sent.push({ action: action as { type: string }, state: JSON.stringify(state) }),
    subscribe: (given: (message: DevToolsMessage) => void) => {
      listener = given;
      return () => {
        listener = undefined;
      };
    },
  };
  const jump = (state: string | undefined): void =>
    listener?.({ type: 'DISPATCH', payload: { type: 'JUMP_TO_ACTION' }, state });
  return { extension: { connect: () => connection }, sent, jump, isConnected: () => listener !== undefined };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

describe('connectDevTools', () => {
  it('[DV1] each change is an action; a jump reads the past and changes nothing; the last action is the present', async () => {
    const { chat, thread_id } = createChat();
    const { extension, sent, jump, isConnected } = createExtension();
    let jumps = 0;
    const tools = connectDevTools(chat, {
      extension,
      onJump: () => {
        jumps += 1;
      },
    });
    for (let i = 0; i < 3; i += 1) {
      say(chat, thread_id, 1);
      await pause();
    }
    expect(sent.map(({ action }) => action.type)).toEqual(Array(3).fill('local/entries'));
    const lines = chat.report().lines;
    jump(sent[0]?.state);
    expect(tools.reader().messageCount(thread_id)).toBe(1);
    jump(sent[2]?.state);
    expect(tools.reader()).toBe(chat);
    for (const bad of [undefined, 'nonsense', '{"stamp":7}', 'null']) jump(bad);
    expect(tools.reader()).toBe(chat);
    expect(jumps).toBe(6);
    expect(chat.report().lines).toBe(lines);
    tools.close();
    expect(isConnected()).toBe(false);
    say(chat, thread_id, 1);
    expect(sent.length).toBe(3);
  });

  it('[DV2] the log brings document and changes to another page, with the extension or without', () => {
    const { chat, thread_id } = createChat();
    const tools = connectDevTools(chat);
    say(chat, thread_id, 2);
    const other = openChat(new Y.Doc());
    const { extension, sent } = createExtension();
    const there = connectDevTools(other, { extension });
    expect(there.importLog(tools.exportLog())).toMatchObject({ ok: true });
    expect(other.digest()).toBe(chat.digest());
    expect(sent.length).toBe(3);
    expect(there.importLog(tools.exportLog())).toEqual({ ok: true, lines: 0 });
  });
});
