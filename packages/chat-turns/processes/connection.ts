import { type Chat, openChat } from '@chatdoc/schema';
import { watchRefusals } from '@chatdoc/sync/hocuspocus';
import { findHolder, listWaiting } from '@chatdoc/turns';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { ROOM, tell } from './wire.js';

export interface Connection {
  readonly chat: Chat;
  readonly awareness: Awareness;
  /** Called with every change of whether the hub is there and has told all. */
  onSynced(listener: (isSynced: boolean) => void): void;
  /** Tells the supervisor what this replica shows. */
  look(): void;
}

/** The provider takes its listeners off a socket that is still connecting, and closes it: that is an error to `ws`. */
class Socket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on('error', () => {});
  }
}

/** A replica of the document over a real provider, which tells the supervisor what the hub has confirmed. */
export function connect(url: string): Connection {
  const doc = new Y.Doc();
  const chat = openChat(doc);
  const websocketProvider = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: Socket as unknown as typeof globalThis.WebSocket,
    delay: 200,
    minDelay: 100,
    maxDelay: 500,
  });
  const provider = new HocuspocusProvider({ websocketProvider, name: ROOM, document: doc });
  reportSaved(doc, provider);
  watchRefusals(provider, ({ code }) => {
    // A fresh copy is what the next process begins with.
    tell({ type: 'refused', code }, () => process.exit());
  });
  provider.attach();
  return {
    chat,
    awareness: provider.awareness as Awareness,
    onSynced: (listener) => {
      provider.on('synced', () => listener(true));
      provider.on('close', () => listener(false));
    },
    look: () => {
      const views = chat.threads().map(({ thread_id }) => {
        const holder = findHolder(chat, thread_id)?.kind;
        return holder ?? (listWaiting(chat, thread_id).length > 0 ? 'waiting' : 'done');
      });
      const held = views.filter((view) => view === 'interrupted').length;
      const done = views.filter((view) => view === 'done').length;
      tell({ type: 'view', digest: chat.digest(), busy: views.length - held - done, held });
    },
  };
}

/** By struct: whatever this process wrote, and nothing that it only passed on. */
function reportSaved(doc: Y.Doc, provider: HocuspocusProvider): void {
  let own: Record<string, number> = {};
  let writes = 0;
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin === provider) return;
    for (const [client, clock] of Y.parseUpdateMeta(update).to) own[client] = clock;
    writes += 1;
  });
  provider.on('unsyncedChanges', ({ number }: { number: number }) => {
    if (number > 0 || writes === 0) return;
    tell({ type: 'saved', clocks: own, writes });
    own = {};
    writes = 0;
  });
}
