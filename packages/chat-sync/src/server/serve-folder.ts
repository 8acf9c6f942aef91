import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Extension, Hocuspocus, type onAuthenticatePayload } from '@hocuspocus/server';
import { createDecoder, readVarString } from 'lib0/decoding';
import { type WebSocket, WebSocketServer } from 'ws';
import { describeFault, type FileEnvironment, type FileFault, nodeFileEnvironment } from '../file/fs.js';
import { INITIAL_LIMITS } from '../update/limits.js';
import type { FolderCopies } from './document-folder.js';
import { FileExtension, type FileExtensionOptions } from './file-extension.js';
import { type GateExtensionOptions, gateExtension } from './gate-extension.js';
import type { UnsavedRoom } from './room-file.js';

export interface ServeOptions
  extends Pick<GateExtensionOptions, 'authorize' | 'allowLater' | 'limits' | 'others'>,
    Pick<FileExtensionOptions, 'maxPending' | 'watch'> {
  /** Holds the document files. */
  readonly directory: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `127.0.0.1` unless given: who opens a server to others does so by name. */
  readonly host?: string;
  /** Whoever gives this is let in, as nobody in particular. */
  readonly token?: string;
  /** Secrets by user: whoever gives one is let in as that user, and may write in that name alone. */
  readonly users?: Readonly<Record<string, string>>;
  /** Where pages of browsers may come from, such as `https://edit.example.org`, where there is neither token nor users. */
  readonly origins?: readonly string[];
  readonly environment?: FileEnvironment;
  /** How long `close` waits for the disk, ms. Defaults to 5,000. */
  readonly patience_ms?: number;
}

export interface ChatServer {
  readonly host: string;
  readonly port: number;
  /** Open documents and connections. */
  count(): {
    readonly documents: number;
    readonly connections: number;
    /** Bytes that wait for clients. */
    readonly pending: number;
  };
  /** Documents of which the folder has several files, as a copy that was made by hand: only one of them is served. */
  copies(): Promise<readonly FolderCopies[]>;
  /**
   * Brings everything to the disk, tells the clients, and ends, at most four times `patience_ms` later. Not ok: the
   * disk failed, or a file was deleted, replaced or damaged; what is not saved is kept where `unsaved` says.
   */
  close(): Promise<ClosedServer>;
}

export type ClosedServer =
  | { readonly ok: true }
  | { readonly ok: false; readonly unsaved: readonly UnsavedRoom[] };

export type Served = { readonly ok: true; readonly server: ChatServer } | FileFault | PortFault;

export interface PortFault {
  readonly ok: false;
  readonly code: 'port_taken' | 'no_such_host';
}

/** What a socket may send before it has said who it is: Hocuspocus keeps all of it. */
const MOST_BEFORE_TOKEN = 64 * 1024;
const MOST_PAYLOAD = INITIAL_LIMITS.bytes + 64 * 1024;
const TOO_MUCH = 1009;
const POLICY = 1008;
/** On one socket. */
const MAX_ROOMS = 1000;

interface Context {
  readonly visitor: { isKnown: boolean };
  readonly user?: string;
}

/**
 * Serves the documents of a folder over Hocuspocus, each in the room `<doc_id>.<generation>`, with the gate in front
 * and a file behind. A client is told `saved` when its update is on the disk.
 */
export async function serveFolder(options: ServeOptions): Promise<Served> {
  const { directory, environment = nodeFileEnvironment } = options;
  try {
    await environment.fileSystem.readdir(directory);
  } catch (error) {
    return describeFault(error);
  }
  const { authorize, allowLater, limits, others, maxPending, watch } = options;
  const gate = gateExtension({
    ...(authorize !== undefined && { authorize }),
    ...(allowLater !== undefined && { allowLater }),
    ...(limits !== undefined && { limits }),
    ...(others !== undefined && { others }),
    user: (context) => (context as Context).user,
    currentGeneration: (docId) => files.folder.generationOf(docId),
  });
  const files = new FileExtension({
    directory,
    environment,
    ...(watch !== undefined && { watch }),
    ...(maxPending !== undefined && { maxPending }),
    onMoved: (document, room) => gate.moveClients(document, room),
  });
  const hocuspocus = new Hocuspocus({ quiet: true, extensions: [letIn(options), files, gate] });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_PAYLOAD });
  const http = createServer((request, response) => {
    const isHealth = request.method === 'GET' && request.url === '/health';
    response.writeHead(isHealth ? 200 : 426, { 'content-type': 'application/json' });
    response.end(isHealth ? '{"ok":true}\n' : '{"ok":false,"message":"connect by websocket"}\n');
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!mayEnter(request, options)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => welcome(hocuspocus, webSocket, request));
  });
  const listening = await listen(http, options);
  if (listening !== undefined) return listening;
  const { address, port } = http.address() as AddressInfo;
  const count = (): ReturnType<ChatServer['count']> => ({
    documents: hocuspocus.getDocumentsCount(),
    connections: hocuspocus.getConnectionsCount(),
    pending: files.pending,
  });
  let closing: Promise<ClosedServer> | undefined;
  const close = async (): Promise<ClosedServer> => {
    http.close();
    // So that what is saved is told before the sockets are closed.
    const unsaved = await files.close(options.patience_ms);
    hocuspocus.closeConnections();
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    http.closeAllConnections();
    return unsaved.length === 0 ? { ok: true } : { ok: false, unsaved };
  };
  const server: ChatServer = {
    host: address,
    port,
    count,
    copies: () => files.folder.copies(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
  return { ok: true, server };
}

/** Programs send no origin; with a token a page has to know that. */
function mayEnter(request: IncomingMessage, { origins = [], token, users }: ServeOptions): boolean {
  const { origin } = request.headers;
  if (origin === undefined || token !== undefined || users !== undefined) return true;
  return origins.includes(origin) || LOOPBACK.test(origin);
}

const LOOPBACK = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

function welcome(hocuspocus: Hocuspocus, socket: WebSocket, request: IncomingMessage): void {
  const visitor = { isKnown: false };
  let received = 0;
  const rooms = new Set<string>();
  socket.on('message', (data: Buffer) => {
    rooms.add(readRoom(data));
    if (rooms.size > MAX_ROOMS) socket.close(POLICY, 'too many rooms');
    if (visitor.isKnown) return;
    received += data.length;
    if (received > MOST_BEFORE_TOKEN) socket.close(TOO_MUCH, 'too much before the token');
  });
  // Of a frame beyond the limit, or a socket that breaks off: ws would read what still comes, and drop it.
  socket.on('error', () => socket.terminate());
  hocuspocus.handleConnection(socket, request, { visitor } satisfies Context);
}

function readRoom(data: Buffer): string {
  try {
    return readVarString(createDecoder(data));
  } catch {
    // No message: it is refused where it is read.
    return '';
  }
}

function letIn({ token, users = {} }: ServeOptions): Extension {
  const secrets = Object.entries(users).map(([user, secret]) => ({ user, digest: digestOf(secret) }));
  const common = token === undefined ? undefined : digestOf(token);
  const isOpen = common === undefined && secrets.length === 0;
  return {
    priority: 1000,
    async onAuthenticate({ token: given, context }: onAuthenticatePayload): Promise<Partial<Context>> {
      const digest = digestOf(given);
      // All of them, so that the time tells nothing.
      const found = secrets.filter((secret) => timingSafeEqual(secret.digest, digest));
      const [known] = found;
      const isCommon = common !== undefined && timingSafeEqual(common, digest);
      if (!isOpen && known === undefined && !isCommon) throw { reason: 'wrong token' };
      (context as Context).visitor.isKnown = true;
      return known === undefined ? {} : { user: known.user };
    },
  };
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function listen(
  http: Server,
  { port, host = '127.0.0.1' }: ServeOptions,
): Promise<FileFault | PortFault | undefined> {
  return new Promise((resolve) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve({ ok: false, code: 'port_taken' });
      else if (error.code === 'ENOTFOUND' || error.code === 'EADDRNOTAVAIL') {
        resolve({ ok: false, code: 'no_such_host' });
      } else resolve(describeFault(error));
    });
    http.listen(port, host, () => {
      http.removeAllListeners('error');
      resolve(undefined);
    });
  });
}
