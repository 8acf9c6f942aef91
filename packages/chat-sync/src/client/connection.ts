import {
  type Chat,
  ChatDocError,
  type Environment,
  systemEnvironment,
  systemTimers,
  type Timers,
} from '@chatdoc/schema';
import * as Y from 'yjs';
import { adoptOwn } from '../generation/adopt-own.js';
import { roomName } from '../generation/room.js';
import type { Presence } from '../presence/presence.js';
import type { PresenceUser } from '../presence/presence-state.js';
import type { Refusal } from '../server/refusal.js';
import type { ChatStorage } from '../storage/chat-storage.js';
import { indexedDbStorage } from '../storage/indexeddb-storage.js';
import type { StorageStatus } from '../storage/storage-binding.js';
import { type ConnectionState, deriveState } from './connection-state.js';
import { type LinkOptions, RoomLink } from './room-link.js';

export interface ConnectOptions {
  /** Of the server, as `wss://…`. Without one the document is on this device alone. */
  readonly url?: string;
  readonly doc_id: string;
  /** Defaults to 0. A server that has a later one says so, and the connection moves on. */
  readonly generation?: number;
  /** The author of what is written, and who others see. */
  readonly user: PresenceUser;
  /** Asked for again with every connection. */
  readonly token?: () => string | Promise<string>;
  /** Where the document rests on this device. Without one it is in memory until the server has it. */
  readonly storage?: 'indexeddb' | ((room: string) => ChatStorage);
  /** Roots of the document beside the chat's, such as an editor's text. Defaults to none. */
  readonly others?: readonly string[] | 'any';
  /** Name of the chat's root. Defaults to `chat`. */
  readonly root?: string;
  /**
   * What happens when the server refuses a change: `rehost` moves to a fresh copy and takes unsent lines along, once and
   * by itself; `ask` waits for `rebuild()`. Defaults to `rehost`, and to `ask` with `others` and without `carry`.
   */
  readonly onReset?: 'rehost' | 'ask';
  /** Brings unsent changes of other roots into a fresh copy: text by text, never as Yjs updates, which are refused again. */
  readonly carry?: (from: Y.Doc, to: Y.Doc) => void;
  /** Whether tabs of one browser keep each other in step, also offline. Defaults to true. */
  readonly tabs?: boolean;
  readonly environment?: Environment;
  readonly timers?: Timers;
  /** Of a host that has none, such as the one of `ws` in Node 20. */
  readonly WebSocket?: unknown;
}

export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** `<doc_id>.<generation>` */
  readonly room: string;
  /** Rises when the connection has moved to another document: `doc`, `chat` and `presence` are then others. */
  readonly epoch: number;
  /** Whether the document is here, from the storage or the server: before, an empty chat means nothing. */
  readonly loaded: boolean;
  /** Changes that the server has not confirmed. */
  readonly unsent: number;
  /** Null without a storage. A fault stands here, beside the state. */
  readonly storage: StorageStatus | null;
  /** Why the server refused a change, until it is settled: the code, and the entry at fault where it names one. */
  readonly refusal: Refusal | null;
}

export interface Rebuilding {
  /**
   * Whether unsent lines of the user come along. Defaults to true. False leaves them in the old document, which
   * `rebuild` returns.
   */
  readonly keep?: boolean;
  /** Gives lines from a clock that was ahead new ids and times, as after `future_stamp`. Defaults to false. */
  readonly restamp?: boolean;
}

export interface Rebuilt {
  /** Lines that came along. */
  readonly lines: number;
  /** Lines that stayed behind: of others, or those that were left out. They are in `stale`. */
  readonly left: number;
  /** The server refused them again: nothing has changed, and the connection waits as before. */
  readonly refused?: Refusal;
  /** The chat from which they were taken, closed for writing; `stale.toJSONL()` is all of it. */
  readonly stale: Chat;
}

/** A document that is kept on this device, in step with a server and other tabs. */
export interface Connection {
  /** Another one after each rise of `status.epoch`. */
  readonly doc: Y.Doc;
  readonly chat: Chat;
  /** Undefined without a server. */
  readonly presence: Presence | undefined;
  readonly user: PresenceUser;
  /** The same object until something in it changes. */
  readonly status: ConnectionStatus;
  /** Resolves once the document is here. Never rejects. */
  readonly ready: Promise<void>;
  /** Calls `listener` whenever `status` is another. Returns an unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /** Stores all that was written before the call. `unsent` is what the server has not confirmed yet. */
  flush(): Promise<{ readonly ok: boolean; readonly unsaved: number; readonly unsent: number }>;
  /** Connects again, with another token after `denied`. */
  retry(): void;
  /**
   * Moves to a fresh copy of the document, by the answer of a person after `refused`. Writes into the old one are
   * possible until it ends, and come along. A crash before its end starts over, and adds nothing twice. Rejects with
   * `invalid_argument` without a server, with `closed` after `close()`.
   */
  rebuild(options?: Rebuilding): Promise<Rebuilt>;
  close(): Promise<{ readonly ok: boolean; readonly unsaved: number; readonly unsent: number }>;
}

/** Codes which the same lines bring again: a person has to choose. */
const LASTING: ReadonlySet<string> = new Set([
  ...['author', 'user', 'attempt', 'redaction', 'import', 'id_taken', 'writer', 'future_stamp'],
]);

/**
 * Opens a document of a server: keeps it in the storage, in step with the server and other tabs, and gets over refusals
 * without losing what a person wrote. Works offline from the first load on. `close()` it when done.
 */
export function connect(options: ConnectOptions): Connection {
  return new ServerConnection(options);
}

class ServerConnection implements Connection {
  readonly user: PresenceUser;
  readonly ready: Promise<void>;
  readonly #options: ConnectOptions;
  readonly #linkOptions: LinkOptions;
  readonly #listeners = new Set<() => void>();
  #resolveReady: () => void = () => {};
  #link: RoomLink;
  /** While it rebuilds, what is to take the place of `#link`. */
  #fresh: RoomLink | undefined;
  #epoch = 0;
  /** A rebuild by itself has not been followed by a time in which all was saved. */
  #hasRehosted = false;
  #rebuilding: Promise<Rebuilt> | undefined;
  #isClosed = false;
  #status: ConnectionStatus;

  constructor(options: ConnectOptions) {
    const { doc_id, generation = 0, user, url, token, WebSocket: socket } = options;
    const { root = 'chat', others = [], tabs = true } = options;
    const { environment = systemEnvironment, timers = systemTimers } = options;
    this.user = user;
    this.#options = options;
    this.#linkOptions = { url, user, token, root, others, tabs, environment, timers, WebSocket: socket };
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.#link = this.#open(roomName(doc_id, generation), true);
    this.#link.joinTabs();
    this.#status = this.#describe();
    this.#publish();
  }

  get doc(): Y.Doc {
    return this.#link.doc;
  }

  get chat(): Chat {
    return this.#link.chat;
  }

  get presence(): Presence | undefined {
    return this.#link.presence;
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  #open(room: string, isStored: boolean): RoomLink {
    const link: RoomLink = new RoomLink(
      room,
      this.#linkOptions,
      () => this.#publish(),
      (refusal) => this.#onRefusal(link, refusal),
    );
    const storage = isStored ? this.#storageOf(room) : undefined;
    if (storage !== undefined) link.bind(storage);
    return link;
  }

  #storageOf(room: string): ChatStorage | undefined {
    const { storage } = this.#options;
    return storage === 'indexeddb' ? indexedDbStorage({ name: room }) : storage?.(room);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly flush = async (): Promise<{ ok: boolean; unsaved: number; unsent: number }> => {
    const flushed = await this.#link.binding?.flush();
    const unsaved = flushed === undefined || flushed.ok ? 0 : flushed.unsaved;
    return { ok: flushed?.ok ?? true, unsaved, unsent: this.#status.unsent };
  };

  readonly retry = (): void => {
    if (this.#isClosed) return;
    (this.#fresh ?? this.#link).connect();
    this.#publish();
  };

  readonly rebuild = (options: Rebuilding = {}): Promise<Rebuilt> => {
    const fault = this.#findRebuildFault();
    if (fault !== undefined) return Promise.reject(fault);
    this.#rebuilding ??= this.#rebuild(options).finally(() => {
      this.#fresh = undefined;
      this.#rebuilding = undefined;
      this.#publish();
    });
    this.#publish();
    return this.#rebuilding;
  };

  #findRebuildFault(): ChatDocError | undefined {
    if (this.#isClosed) return new ChatDocError('closed', '', 'this connection was closed');
    if (this.#options.url !== undefined) return undefined;
    return new ChatDocError('invalid_argument', 'url', 'without a server there is no fresh copy to move to');
  }

  async #rebuild({ keep = true, restamp = false }: Rebuilding): Promise<Rebuilt> {
    const stale = this.#link;
    const { refusal } = stale;
    stale.disconnect();
    // Not in step with other tabs until it has taken the place: they may hold what was refused.
    const fresh = this.#open(refusal?.room ?? stale.room, false);
    this.#fresh = fresh;
    const { environment, root } = this.#linkOptions;
    const adopt = (): { lines: number; left: number } => {
      const { doc, chat } = fresh;
      const user_id = this.user.user_id;
      if (keep) return adoptOwn({ doc, chat, stale: stale.chat, user_id, root, restamp, environment });
      // Into a copy in memory, to count them.
      const copy = new Y.Doc();
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
      const kept = adoptOwn({ doc: copy, chat, stale: stale.chat, user_id, root, environment });
      return { lines: 0, left: kept.lines + kept.left };
    };
    let lines = 0;
    let left = 0;
    await this.#until(() => fresh.refusal !== null || fresh.isConfirmed);
    if (keep && fresh.refusal === null) this.#options.carry?.(stale.doc, fresh.doc);
    while (fresh.refusal === null && !this.#isClosed) {
      const adopted = adopt();
      lines += adopted.lines;
      left = adopted.left;
      // What was written into the old document in the meantime comes along in the next round.
      if (adopted.lines === 0 && fresh.isConfirmed) break;
      await this.#until(() => fresh.refusal !== null || fresh.isConfirmed);
    }
    if (fresh.refusal !== null || this.#isClosed) {
      stale.refusal = fresh.refusal ?? stale.refusal;
      await fresh.close();
      return { lines: 0, left, stale: stale.chat, ...(stale.refusal !== null && { refused: stale.refusal }) };
    }
    // From here on nothing is written into the old document.
    stale.chat.close();
    this.#link = fresh;
    this.#epoch += 1;
    await stale.close();
    await this.#replaceRows(stale, fresh);
    fresh.joinTabs();
    return { lines, left, stale: stale.chat };
  }

  /**
   * The rows of the old document give way to the fresh one: in one step, by one tab at a time. Those with changes that
   * the old document lacks are another tab's, and stay.
   */
  async #replaceRows({ room, doc }: RoomLink, fresh: RoomLink): Promise<void> {
    const storage = this.#storageOf(room);
    if (storage === undefined) return;
    const known = Y.decodeStateVector(Y.encodeStateVector(doc));
    const replace = async (): Promise<void> => {
      const loaded = await storage.load();
      const isSame = room === fresh.room;
      const snapshot = Y.encodeStateAsUpdate(isSame ? fresh.doc : new Y.Doc());
      if (loaded.ok)
        await storage.replace(
          loaded.rows.filter(({ update }) => isWithin(update, known)).map(({ row }) => row),
          snapshot,
        );
      await storage.close();
    };
    const { locks } = globalThis.navigator ?? {};
    if (locks === undefined) await replace();
    else await locks.request(`chatdoc ${room}`, replace);
    const next = this.#storageOf(fresh.room);
    if (next !== undefined && !this.#isClosed) fresh.bind(next);
  }

  #onRefusal(link: RoomLink, refusal: Refusal): void {
    this.#publish();
    if (link !== this.#link || this.#rebuilding !== undefined || this.#isClosed) return;
    const { others = [], carry, onReset } = this.#options;
    const byItself = onReset ?? (others.length > 0 && carry === undefined ? 'ask' : 'rehost');
    const isHopeless = refusal.reset === 'reset' && (LASTING.has(refusal.code) || this.#hasRehosted);
    if (byItself === 'ask' || isHopeless) return;
    if (refusal.reset === 'reset') this.#hasRehosted = true;
    void this.rebuild();
  }

  /** Resolves when `isSo`, looked at after every change. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo() && !this.#isClosed) return;
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }

  readonly #waiters = new Set<() => void>();

  readonly close = async (): Promise<{ ok: boolean; unsaved: number; unsent: number }> => {
    const { unsent } = this.#describe();
    this.#isClosed = true;
    this.#publish();
    await this.#rebuilding;
    const unsaved = await this.#link.close();
    return { ok: unsaved === 0 && unsent === 0, unsaved, unsent };
  };

  #describe(): ConnectionStatus {
    const link = this.#link;
    const { storage, unsent } = link.facts;
    const { network } = (this.#fresh ?? link).facts;
    const state = deriveState({
      isClosed: this.#isClosed,
      isRebuilding: this.#rebuilding !== undefined,
      isRefused: link.refusal !== null,
      storage,
      network,
      unsent,
    });
    const { room, loaded, refusal } = link;
    return Object.freeze({
      state,
      room,
      epoch: this.#epoch,
      loaded,
      unsent,
      storage: link.binding?.status ?? null,
      refusal,
    });
  }

  #publish(): void {
    // While the first link is made.
    if (this.#link === undefined) return;
    for (const look of [...this.#waiters]) look();
    const next = this.#describe();
    if (next.loaded) this.#resolveReady();
    if (next.state === 'saved') this.#hasRehosted = false;
    const known = this.#status;
    const isSame =
      known !== undefined &&
      Object.entries(next).every(([key, value]) => known[key as keyof ConnectionStatus] === value);
    if (isSame) return;
    this.#status = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Whether a document with this state vector has all changes of an update. False for bytes that are none. */
function isWithin(update: Uint8Array, known: ReadonlyMap<number, number>): boolean {
  try {
    return [...Y.parseUpdateMeta(update).to].every(([client, clock]) => clock <= (known.get(client) ?? 0));
  } catch {
    return false;
  }
}
