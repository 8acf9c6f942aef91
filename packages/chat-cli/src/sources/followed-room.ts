import { openChat } from '@chatdoc/schema';
import { parseRoom } from '@chatdoc/sync';
import { watchRefusals } from '@chatdoc/sync/hocuspocus';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';
import * as Y from 'yjs';
import type { Io } from '../io.js';
import { flatten } from '../say/plain-text.js';
import type { FollowedChat, FollowListener } from './followed-chat.js';
import { type Failure, fail } from './read-source.js';

/** Between two attempts to connect, ms. A pending one keeps the process alive for as long. */
const RETRY_MS = 1000;

interface Address {
  readonly server: string;
  readonly room: string;
  readonly token: string;
}

/** A room of a server, by a real provider. Nothing is written into it. */
export class FollowedRoom implements FollowedChat {
  readonly name: string;
  readonly #address: Address;
  #listener: FollowListener | undefined;
  #disconnect: (() => void) | undefined;

  constructor(address: Address) {
    this.#address = address;
    this.name = flatten(`${address.server}/${address.room}`);
  }

  open(listener: FollowListener): void {
    this.#listener = listener;
    this.#connect(this.#address.room);
  }

  close(): void {
    this.#listener = undefined;
    this.#disconnect?.();
  }

  #connect(room: string): void {
    const { server, token } = this.#address;
    const document = new Y.Doc();
    const { generation = 0 } = parseRoom(room) ?? {};
    const chat = openChat(document, { readOnly: true, generation });
    let isThere = false;
    const socket = new HocuspocusProviderWebsocket({
      url: server,
      WebSocketPolyfill: Socket,
      delay: RETRY_MS,
      minDelay: RETRY_MS,
      maxDelay: RETRY_MS,
    });
    const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, token, document });
    this.#disconnect = () => {
      // A retry that is due would open the socket again, and nobody would close it.
      socket.connect = async () => undefined;
      provider.destroy();
      socket.destroy();
      chat.close();
    };
    provider.on('synced', () => {
      this.#listener?.onState(null);
      if (!isThere) this.#listener?.onChat(chat);
      isThere = true;
    });
    provider.on('disconnect', () => {
      this.#listener?.onState(
        isThere ? 'the connection is lost; trying again' : 'the server cannot be reached; trying again',
      );
    });
    provider.on('authenticationFailed', ({ reason }: { readonly reason: string }) => {
      if (reason === 'wrong token') this.#end(describeToken(token));
    });
    watchRefusals(provider, ({ code, reset, room: next }) => {
      if (reset !== 'move' || next === undefined) {
        this.#end(fail('refused', `the server refuses it (${flatten(code)}); name a room as ID.GENERATION`));
        return;
      }
      // A compaction has made the next generation of it.
      this.#disconnect?.();
      this.#connect(next);
    });
    provider.attach();
  }

  #end(failure: Failure): void {
    this.#listener?.onEnd(failure);
  }
}

function describeToken(token: string): Failure {
  return token === ''
    ? fail('no_token', 'the server asks for a token; give it as ?token=… or in CHATDOC_TOKEN')
    : fail('wrong_token', 'the server does not know this token; check it, or ask who runs the server');
}

/** The provider takes its listeners off a socket that is still connecting, and closes it: that is an error to `ws`. */
class Socket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on('error', () => {});
  }
}

export function isRoomUrl(source: string): boolean {
  return /^wss?:\/\//i.test(source);
}

/** `ws://HOST:PORT/ROOM?token=TOKEN` */
export function readRoomUrl(source: string, { env }: Io): ({ readonly ok: true } & Address) | Failure {
  const url = parseUrl(source);
  const at = url?.pathname.lastIndexOf('/') ?? 0;
  const room = url?.pathname.slice(at + 1) ?? '';
  if (url === undefined || room === '') {
    return fail('no_room', 'it names no room; give it as ws://HOST:PORT/ID.GENERATION');
  }
  const server = `${url.protocol}//${url.host}${url.pathname.slice(0, at)}`;
  const token = url.searchParams.get('token') ?? env['CHATDOC_TOKEN'] ?? '';
  return { ok: true, server, room: decodeRoom(room), token };
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function decodeRoom(room: string): string {
  try {
    return decodeURIComponent(room);
  } catch {
    return room;
  }
}
