import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Chat, openChat } from '@chatdoc/schema';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { type Document, type Extension, Hocuspocus } from '@hocuspocus/server';
import { createDecoder, readVarInt, readVarString, readVarUint, readVarUint8Array } from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarString, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import { vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import * as Y from 'yjs';
import { roomName } from '../src/generation/room.js';
import {
  type GateExtension,
  type GateExtensionOptions,
  gateExtension,
} from '../src/server/gate-extension.js';
import { type Refusal, watchRefusals } from '../src/server/refusal.js';
import { createEnvironment, DOC_ID, GENERATION, MINUTE, START } from './hostile-world.js';

/** A real Hocuspocus on loopback with a gate, real providers, and a client that sends what it likes. */

export const ROOM: string = roomName(DOC_ID, GENERATION);

export interface Hub {
  readonly hocuspocus: Hocuspocus;
  readonly extension: GateExtension;
  readonly url: string;
  /** The stored documents, by room. */
  readonly stored: Map<string, Uint8Array>;
  document(room?: string): Document;
  chat(room?: string): Chat;
  close(): Promise<void>;
}

const closers: (() => Promise<void> | void)[] = [];

/** Ends what a test has begun, last first. */
export async function closeAll(): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

export async function openHub(
  options: Partial<GateExtensionOptions> = {},
  more: readonly Extension[] = [],
  stored = new Map<string, Uint8Array>(),
): Promise<Hub> {
  const environment = { now: () => START + MINUTE, random: createEnvironment('gate').random };
  const user = (context: unknown): string | undefined => (context as { user?: string }).user;
  const extension = gateExtension({ environment, user, ...options });
  const hocuspocus = new Hocuspocus({
    quiet: true,
    debounce: 0,
    extensions: [extension, ...more],
    // A token is a name, with `!` for who may only read; none is nobody.
    onAuthenticate: async ({ token, connectionConfig }) => {
      connectionConfig.readOnly = token.endsWith('!');
      return token === '' ? {} : { user: token.replace('!', '') };
    },
    onLoadDocument: async ({ document, documentName }) => {
      const bytes = stored.get(documentName);
      if (bytes !== undefined) Y.applyUpdate(document, bytes);
    },
    onStoreDocument: async ({ document, documentName }) => {
      stored.set(documentName, Y.encodeStateAsUpdate(document));
    },
  });
  const http: HttpServer = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket, request) => hocuspocus.handleConnection(socket, request));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const chats = new Map<Document, Chat>();
  const hub: Hub = {
    hocuspocus,
    extension,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    stored,
    document: (room = ROOM) => hocuspocus.documents.get(room) as Document,
    chat: (room = ROOM) => {
      const document = hub.document(room);
      const chat = chats.get(document) ?? openChat(document, { readOnly: true });
      chats.set(document, chat);
      return chat;
    },
    close: async () => {
      for (const [room, document] of hocuspocus.documents) stored.set(room, Y.encodeStateAsUpdate(document));
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  closers.push(hub.close);
  return hub;
}

export interface Client {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly provider: HocuspocusProvider;
  readonly refusals: Refusal[];
  readonly closes: string[];
  /** Nothing of its own is waiting to be acknowledged. */
  settled(): Promise<void>;
  disconnect(): void;
}

export function connect(
  hub: Pick<Hub, 'url'>,
  user: string,
  {
    seed = user,
    room = ROOM,
    doc = new Y.Doc(),
    generation = GENERATION,
  }: { seed?: string; room?: string; doc?: Y.Doc; generation?: number } = {},
): Client {
  const chat = openChat(doc, {
    environment: createEnvironment(seed),
    generation,
    ...(user !== '' && { user_id: user.replace('!', '') }),
  });
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: hub.url,
    WebSocketPolyfill: WebSocket,
    delay: 50,
    minDelay: 50,
    maxDelay: 200,
  });
  const closes: string[] = [];
  const provider = new HocuspocusProvider({
    websocketProvider,
    name: room,
    document: doc,
    token: user,
    onClose: ({ event }) => closes.push(event.reason),
  });
  const refusals: Refusal[] = [];
  watchRefusals(provider, (refusal) => refusals.push(refusal));
  provider.attach();
  const disconnect = (): void => {
    provider.destroy();
    websocketProvider.destroy();
  };
  closers.push(disconnect);
  return {
    doc,
    chat,
    provider,
    refusals,
    closes,
    settled: () => until(() => provider.isSynced && provider.unsyncedChanges === 0),
    disconnect,
  };
}

/** Waits for real sockets. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error('not yet');
    },
    { timeout: 600_000, interval: 5 },
  );
}

/** What a raw client hears, by the type of the message. */
export interface Heard {
  readonly type: number;
  readonly text: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** A client that sends any bytes. */
export class RawClient {
  readonly heard: Heard[] = [];
  readonly #socket: WebSocket;
  readonly #room: string;

  private constructor(socket: WebSocket, room: string) {
    this.#socket = socket;
    this.#room = room;
    socket.on('message', (data: Buffer) => this.#hear(data));
    // What is too large for a frame ends the socket, with the document.
    socket.on('close', () =>
      this.heard.push({ type: 7, text: 'closed', number: 0, bytes: new Uint8Array() }),
    );
    socket.on('error', () => undefined);
  }

  static async open(hub: Pick<Hub, 'url'>, user: string, room: string = ROOM): Promise<RawClient> {
    const socket = new WebSocket(hub.url);
    const client = new RawClient(socket, room);
    closers.push(() => socket.terminate());
    await new Promise((resolve) => socket.once('open', resolve));
    client.send(2, (encoder) => {
      writeVarUint(encoder, 0);
      writeVarString(encoder, user);
    });
    await until(() => client.heard.some(({ type }) => type === 2));
    return client;
  }

  #hear(data: Buffer): void {
    const decoder = createDecoder(new Uint8Array(data));
    readVarString(decoder);
    const type = readVarUint(decoder);
    const none = { type, text: '', number: 0, bytes: new Uint8Array() };
    if (type === 5 || type === 7) this.heard.push({ ...none, text: readVarString(decoder) });
    else if (type === 8) this.heard.push({ ...none, number: readVarInt(decoder) });
    else if (type === 0 || type === 4) {
      this.heard.push({ ...none, number: readVarUint(decoder), bytes: readVarUint8Array(decoder) });
    } else if (type === 1) this.heard.push({ ...none, bytes: readVarUint8Array(decoder) });
    else this.heard.push(none);
  }

  send(type: number, write: (encoder: ReturnType<typeof createEncoder>) => void): void {
    const encoder = createEncoder();
    writeVarString(encoder, this.#room);
    writeVarUint(encoder, type);
    write(encoder);
    this.#socket.send(toUint8Array(encoder));
  }

  /** An update as it happens (2), or as the answer to a sync (1). */
  sendUpdate(update: Uint8Array, step: 1 | 2 = 2, type = 0): void {
    this.send(type, (encoder) => {
      writeVarUint(encoder, step);
      writeVarUint8Array(encoder, update);
    });
  }

  sendAwareness(states: readonly (readonly [client: number, clock: number, state: unknown])[]): void {
    const update = createEncoder();
    writeVarUint(update, states.length);
    for (const [client, clock, state] of states) {
      writeVarUint(update, client);
      writeVarUint(update, clock);
      writeVarString(update, typeof state === 'string' ? state : JSON.stringify(state));
    }
    this.send(1, (encoder) => writeVarUint8Array(encoder, toUint8Array(update)));
  }

  /** A question whose answer shows that everything before it has been handled. */
  async flush(): Promise<void> {
    const isAnswer = ({ type, number }: Heard): boolean => (type === 0 && number === 1) || type === 7;
    const count = this.heard.filter(isAnswer).length;
    this.send(0, (encoder) => {
      writeVarUint(encoder, 0);
      writeVarUint8Array(encoder, Y.encodeStateVector(new Y.Doc()));
    });
    await until(() => this.heard.filter(isAnswer).length > count);
  }

  /** Why it was sent away; waits for it. */
  async refusal(): Promise<{ refusal: Refusal & { type: string }; reason: string }> {
    await until(() => this.heard.some(({ type }) => type === 7));
    const said = this.heard.find(({ type }) => type === 5);
    const reason = this.heard.find(({ type }) => type === 7)?.text ?? '';
    return { refusal: JSON.parse(said?.text ?? 'null') as Refusal & { type: string }, reason };
  }

  acks(): number {
    return this.heard.filter(({ type, number }) => type === 8 && number === 1).length;
  }
}
