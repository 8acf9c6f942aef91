import { type Chat, openChat } from '@chatdoc/schema';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';
import * as Y from 'yjs';

/** One person at one screen: a document, a chat, and the real provider on a socket of its own. */
export interface Client {
  readonly name: string;
  readonly room: string;
  readonly chat: Chat;
  /** Messages that the server has confirmed. */
  readonly confirmed: string[];
  /** Milliseconds from a message to its confirmation. */
  readonly delays: number[];
  /** Sends one message, and waits for its confirmation. False if the connection broke first. */
  say(thread_id: string, content: string): Promise<boolean>;
  isSynced(): boolean;
  close(): void;
}

export function connect(url: string, room: string, name: string): Client {
  const doc = new Y.Doc();
  const chat = openChat(doc);
  const socket = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    delay: 1000,
    minDelay: 500,
  });
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, document: doc });
  provider.attach();
  const confirmed: string[] = [];
  const delays: number[] = [];
  const say = (thread_id: string, content: string): Promise<boolean> => {
    const start = performance.now();
    const { message_id } = chat.send({ thread_id, sender_id: name, content });
    return new Promise((resolve) => {
      const settle = (isConfirmed: boolean): void => {
        provider.off('unsyncedChanges', look);
        provider.off('close', lose);
        if (isConfirmed) {
          confirmed.push(message_id);
          delays.push(performance.now() - start);
        }
        resolve(isConfirmed);
      };
      const look = (): void => {
        if (provider.unsyncedChanges === 0) settle(true);
      };
      const lose = (): void => settle(false);
      provider.on('unsyncedChanges', look);
      provider.on('close', lose);
      look();
    });
  };
  const close = (): void => {
    chat.close();
    provider.destroy();
    socket.destroy();
  };
  return { name, room, chat, confirmed, delays, say, isSynced: () => provider.isSynced, close };
}
