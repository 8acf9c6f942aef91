import { type Chat, type Environment, openChat, type Timers } from '@chatdoc/schema';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import * as Y from 'yjs';
import { parseRoom, type Room } from '../generation/room.js';
import { openPresence, type Presence } from '../presence/presence.js';
import type { PresenceUser } from '../presence/presence-state.js';
import { type Refusal, watchRefusals } from '../server/refusal.js';
import type { ChatStorage } from '../storage/chat-storage.js';
import { bindStorage, type StorageBinding } from '../storage/storage-binding.js';
import type { ConnectionFacts } from './connection-state.js';
import { openTabs } from './tabs.js';

/** Between two attempts to reach the server, ms: at first, and at most. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface LinkOptions {
  readonly url?: string | undefined;
  readonly user: PresenceUser;
  readonly token?: (() => string | Promise<string>) | undefined;
  readonly root: string;
  readonly others: readonly string[] | 'any';
  readonly tabs: boolean;
  readonly environment: Environment;
  readonly timers: Timers;
  readonly WebSocket?: unknown;
}

interface Session {
  readonly presence: Presence | undefined;
  readonly disconnect: () => void;
}

/** One document of one room, with its chat, its connection to the server and its storage. */
export class RoomLink {
  readonly room: string;
  readonly doc: Y.Doc = new Y.Doc();
  readonly chat: Chat;
  refusal: Refusal | null = null;
  #network: ConnectionFacts['network'];
  #binding: StorageBinding | undefined;
  #unwatchBinding: (() => void) | undefined;
  #unsent: () => number = () => 0;
  /** Changes since the server was left, which nobody else counts. */
  #unheard = 0;
  #hasSynced = false;
  readonly #options: LinkOptions;
  readonly #onChange: () => void;
  readonly #onRefusal: (refusal: Refusal) => void;
  #session: Session | undefined;
  #closeTabs: (() => void) | undefined;

  /** `onChange` is called after each change of what the link reports; `onRefusal` for a refusal that needs an answer. */
  constructor(
    room: string,
    options: LinkOptions,
    onChange: () => void,
    onRefusal: (refusal: Refusal) => void,
  ) {
    const { url, user, root, environment } = options;
    const { generation } = parseRoom(room) as Room;
    this.room = room;
    this.#options = options;
    this.#onChange = onChange;
    this.#onRefusal = onRefusal;
    this.chat = openChat(this.doc, { root, user_id: user.user_id, generation, environment });
    this.#network = url === undefined ? 'none' : 'connecting';
    this.doc.on('update', this.#onUpdate);
    this.connect();
  }

  readonly #onUpdate = (): void => {
    this.#unheard += 1;
    this.#onChange();
  };

  /** Keeps in step with the other tabs from now on, if the options say so. */
  joinTabs(): void {
    const { tabs, root, others } = this.#options;
    const { doc_id, generation } = parseRoom(this.room) as Room;
    if (tabs) this.#closeTabs ??= openTabs({ doc: this.doc, doc_id, generation, root, others });
  }

  /** What others show, and we; undefined while there is no server. */
  get presence(): Presence | undefined {
    return this.#session?.presence;
  }

  /** Connects, or connects again: a token is asked for anew. */
  connect(): void {
    const { url } = this.#options;
    if (url === undefined) return;
    this.#session?.disconnect();
    this.#network = 'connecting';
    this.#session = this.#openSession(url);
  }

  #openSession(url: string): Session {
    const { token, user, timers, environment, WebSocket: given } = this.#options;
    const socket = new HocuspocusProviderWebsocket({
      url,
      WebSocketPolyfill: withErrorListener(given ?? globalThis.WebSocket),
      delay: RETRY_MS,
      minDelay: RETRY_MS,
      maxDelay: MAX_RETRY_MS,
    });
    const provider = new HocuspocusProvider({
      websocketProvider: socket,
      name: this.room,
      document: this.doc,
      token: async () => (await token?.()) ?? '',
    });
    let isConnected = true;
    // Once it is left, the provider counts no more.
    this.#unsent = () => provider.unsyncedChanges + (isConnected ? 0 : this.#unheard);
    let isOpen = false;
    const setNetwork = (network: ConnectionFacts['network']): void => {
      this.#network = network;
      this.#onChange();
    };
    socket.on('status', ({ status }: { readonly status: string }) => {
      if (this.#network === 'denied') return;
      if (status === 'connected') isOpen = true;
      setNetwork(status === 'connected' ? 'open' : isOpen ? 'offline' : 'connecting');
    });
    provider.on('synced', ({ state }: { readonly state: boolean }) => {
      if (!state) return;
      this.#hasSynced = true;
      setNetwork('synced');
    });
    provider.on('unsyncedChanges', this.#onChange);
    provider.on('authenticationFailed', ({ reason }: { readonly reason: string }) => {
      if (!reason.startsWith('{')) setNetwork('denied');
    });
    watchRefusals(provider, (refusal) => {
      if (refusal.reset === 'resync') return;
      this.refusal = refusal;
      // What it would send again is refused again.
      this.disconnect();
      this.#onRefusal(refusal);
    });
    const presence =
      provider.awareness === null
        ? undefined
        : openPresence(provider.awareness, { user, timers, environment });
    const disconnect = (): void => {
      if (!isConnected) return;
      this.#unheard = 0;
      isConnected = false;
      presence?.close();
      // A retry that is due would open the socket again, and nobody would close it.
      socket.connect = async () => undefined;
      provider.destroy();
      socket.destroy();
    };
    provider.attach();
    return { presence, disconnect };
  }

  /** Loads what the storage holds, and keeps the document in it from now on. */
  bind(storage: ChatStorage): StorageBinding {
    const { root, others, timers } = this.#options;
    const binding = bindStorage(this.doc, storage, { root, others, timers });
    this.#binding = binding;
    this.#unwatchBinding = binding.subscribe(this.#onChange);
    return binding;
  }

  get binding(): StorageBinding | undefined {
    return this.#binding;
  }

  get facts(): Pick<ConnectionFacts, 'storage' | 'network' | 'unsent'> {
    return { storage: this.#binding?.status ?? null, network: this.#network, unsent: this.#unsent() };
  }

  /** Whether the document is here: read from the storage, or brought by the server. */
  get loaded(): boolean {
    const { storage, network } = this.facts;
    return this.#hasSynced || storage?.phase === 'open' || (storage === null && network === 'none');
  }

  get isConfirmed(): boolean {
    return this.#network === 'synced' && this.#unsent() === 0;
  }

  /** Leaves the server and the other tabs. Document and storage stay. */
  disconnect(): void {
    this.#session?.disconnect();
    this.#closeTabs?.();
    this.#closeTabs = undefined;
  }

  /** Leaves everything. Resolves to what the storage could not save. */
  async close(): Promise<number> {
    this.disconnect();
    this.doc.off('update', this.#onUpdate);
    const result = await this.#binding?.close();
    this.#unwatchBinding?.();
    this.chat.close();
    return result === undefined || result.ok ? 0 : result.unsaved;
  }
}

type SocketClass = new (...args: never[]) => object;

/**
 * The provider takes its listeners off a socket that is still connecting, and closes it: that is an uncaught error of
 * the sockets of `ws`.
 */
function withErrorListener(given: unknown): unknown {
  const Base = given as SocketClass & { readonly prototype: { on?: unknown } };
  if (typeof Base?.prototype?.on !== 'function') return given;
  return class extends Base {
    constructor(...args: never[]) {
      super(...args);
      (this as unknown as { on(event: 'error', listener: () => void): void }).on('error', () => {});
    }
  };
}
