import type {
  afterLoadDocumentPayload,
  beforeHandleMessagePayload,
  Connection,
  Document,
  Extension,
  onAuthenticatePayload,
  onDisconnectPayload,
} from '@hocuspocus/server';
import { encodeStateVector } from 'yjs';
import {
  GATE_LIMITS,
  Gate,
  type GateLimits,
  type GateOptions,
  type Principal,
  type Verdict,
} from '../gate/gate.js';
import { parseRoom, roomName } from '../generation/room.js';
import {
  AWARENESS_LIMITS,
  type AwarenessLimits,
  filterAwarenessUpdate,
} from '../presence/presence-filter.js';
import { decodeUpdate } from '../update/decode.js';
import { AwarenessSeats } from './awareness-seats.js';
import { encodeSaved, encodeStep1, readClientMessage, replaceWithAwareness } from './client-message.js';
import { encodeRefusal, type Refusal } from './refusal.js';

export interface GateExtensionOptions extends Omit<GateOptions, 'doc_id' | 'generation'> {
  /** The user whom `onAuthenticate` has found, from the context of the connection; undefined for nobody. */
  readonly user: (context: unknown) => string | undefined;
  /** The generation that a document has now; undefined if the server does not know the document yet. */
  readonly currentGeneration?: (doc_id: string) => number | undefined | Promise<number | undefined>;
  readonly awareness?: Partial<AwarenessLimits>;
}

/**
 * After this many answers to a sync that still lack something the client is sent away. Only answers to one state of the
 * document count: while others bring what they have, an honest client waits for them.
 */
const MAX_GAPS = 3;

interface Peer {
  readonly principal: Principal;
  closed: boolean;
  /** Asked for what the server lacks, and not answered yet. */
  asked: boolean;
  gaps: number;
  /** The version of the document to which those gaps belong. */
  gapsAt: number;
  /** Updates that were left out for a gap: the answer to the sync holds them. */
  leftOut: number;
}

interface Session {
  readonly gate: Gate;
  readonly seats: AwarenessSeats;
  readonly peers: WeakMap<Connection, Peer>;
  /** Awareness clientIDs whose connections are closed. */
  readonly left: Set<number>;
  /** Grows with each update of the document. */
  version: number;
}

/** Puts a gate in front of every document of a Hocuspocus server. */
export function gateExtension(options: GateExtensionOptions): GateExtension {
  return new GateExtension(options);
}

/**
 * For Hocuspocus 3.4. A hook `beforeHandleMessage` of the server's own configuration runs after this one and must
 * not refuse: by then the update is applied. Rooms are `<doc_id>.<generation>`.
 */
export class GateExtension implements Extension {
  readonly extensionName = 'chatdoc-gate';
  /** Runs after other extensions: what they refuse must not have been applied. */
  readonly priority: number = -1000;
  readonly #options: GateExtensionOptions;
  readonly #limits: GateLimits;
  readonly #awareness: AwarenessLimits;
  readonly #sessions = new WeakMap<Document, Session>();

  constructor(options: GateExtensionOptions) {
    this.#options = options;
    this.#limits = { ...GATE_LIMITS, ...options.limits };
    this.#awareness = { ...AWARENESS_LIMITS, ...options.awareness };
  }

  // Before the document is loaded: the room of an older generation stays closed.
  async onAuthenticate({ documentName }: Pick<onAuthenticatePayload, 'documentName'>): Promise<void> {
    const room = parseRoom(documentName);
    if (room === undefined) throw deny({ code: 'room', reset: 'reset' });
    const current = await this.#options.currentGeneration?.(room.doc_id);
    if (current === undefined || current === room.generation) return;
    throw deny({ code: 'moved', reset: 'move', room: roomName(room.doc_id, current) });
  }

  async afterLoadDocument({ document }: Pick<afterLoadDocumentPayload, 'document'>): Promise<void> {
    this.#sessionOf(document);
  }

  // Awareness keeps a clock for every clientID that it ever saw. Not at once: closing one connection may close
  // others, each of which Hocuspocus then tells of the clientIDs that have left, with their clocks.
  async onDisconnect({ document }: Pick<onDisconnectPayload, 'document'>): Promise<void> {
    const session = this.#sessions.get(document);
    for (const client of session?.left ?? []) {
      if (!document.awareness.states.has(client)) document.awareness.meta.delete(client);
    }
    session?.left.clear();
  }

  /** Sends every client of a document to another room, as after a compaction. */
  moveClients(document: Document, room: string): void {
    for (const connection of document.getConnections()) {
      connection.close(dismiss(connection, { code: 'moved', reset: 'move', room }));
    }
  }

  // Nothing is awaited here, and what passes is applied here: Hocuspocus handles a message some microtasks after
  // its hook, so that messages that come together would all be judged before the first is applied.
  async beforeHandleMessage(payload: beforeHandleMessagePayload): Promise<void> {
    const { connection, document, update: bytes } = payload;
    const session = this.#sessionOf(document);
    const peer = this.#peerOf(session, payload);
    if (peer.closed) {
      replaceWithAwareness(bytes, null);
      return;
    }
    const message = readClientMessage(bytes, this.#limits.initial.clients);
    if (message === undefined) this.#refuse(peer, connection, { code: 'message', reset: 'reset' });
    else if (message.type === 'awareness') {
      this.#filter(session, peer, payload, message.update);
    } else if (message.type === 'update') {
      if (connection.readOnly) this.#checkReadOnly(peer, connection, message.update, message.kind);
      else this.#receive(session, peer, payload, message.update, message.kind);
    }
  }

  #sessionOf(document: Document): Session {
    let session = this.#sessions.get(document);
    if (session === undefined) {
      const room = parseRoom(document.name);
      if (room === undefined) throw deny({ code: 'room', reset: 'reset' });
      const gate = new Gate(document, { ...this.#options, ...room });
      const opened: Session = {
        gate,
        seats: new AwarenessSeats(),
        peers: new WeakMap(),
        left: new Set(),
        version: 0,
      };
      this.#sessions.set(document, opened);
      document.on('update', () => {
        opened.version += 1;
      });
      document.on('destroy', () => gate.close());
      session = opened;
    }
    return session;
  }

  #peerOf({ gate, seats, peers, left }: Session, { connection, context }: beforeHandleMessagePayload): Peer {
    let peer = peers.get(connection);
    if (peer === undefined) {
      const principal = gate.connect(this.#options.user(context));
      const fresh: Peer = { principal, closed: false, asked: false, gaps: 0, gapsAt: 0, leftOut: 0 };
      peers.set(connection, fresh);
      connection.onClose(() => {
        fresh.closed = true;
        gate.disconnect(principal);
        const client = seats.leave(principal);
        if (client !== undefined) left.add(client);
      });
      peer = fresh;
    }
    return peer;
  }

  #receive(
    { gate, version }: Session,
    peer: Peer,
    { connection, document, update: bytes }: beforeHandleMessagePayload,
    update: Uint8Array,
    kind: 'live' | 'initial',
  ): void {
    const verdict = gate.receive(update, peer.principal, connection, kind);
    if (kind === 'initial') peer.asked = false;
    // Hocuspocus applies it again, which changes nothing, and says that it is saved.
    if (verdict.ok) {
      if (kind === 'initial') this.#settle(peer, connection, document);
      return;
    }
    if (kind === 'initial' && verdict.code === 'gap') countGap(peer, version);
    if (verdict.reset !== 'resync' || peer.gaps > MAX_GAPS) this.#refuse(peer, connection, verdict);
    replaceWithAwareness(bytes, null);
    if (kind === 'live') peer.leftOut += 1;
    if (peer.asked) return;
    peer.asked = true;
    connection.send(encodeStep1(document.name, encodeStateVector(document)));
  }

  /** The answer to the sync held all that was left out. */
  #settle(peer: Peer, connection: Connection, document: Document): void {
    for (; peer.leftOut > 0; peer.leftOut -= 1) connection.send(encodeSaved(document.name));
    peer.gaps = 0;
  }

  // Hocuspocus applies nothing of it, but decodes it to see whether anything in it is new.
  #checkReadOnly(peer: Peer, connection: Connection, update: Uint8Array, kind: 'live' | 'initial'): void {
    const decoded = decodeUpdate(update, this.#limits[kind]);
    if (!decoded.ok) this.#refuse(peer, connection, { code: decoded.code, reset: 'reset' });
  }

  #filter(
    { gate, seats }: Session,
    { principal }: Peer,
    { document, update: bytes }: beforeHandleMessagePayload,
    update: Uint8Array,
  ): void {
    const isFull = document.awareness.getStates().size >= this.#awareness.states;
    const allow = (client: number, state: unknown): boolean =>
      !gate.isTaken(client, principal) && seats.take(client, principal, state === null, isFull);
    const filtered = filterAwarenessUpdate(update, allow, this.#awareness);
    replaceWithAwareness(bytes, filtered.ok ? filtered.update : null);
  }

  #refuse(peer: Peer, connection: Connection, refusal: Refusal | Exclude<Verdict, { ok: true }>): never {
    peer.closed = true;
    throw dismiss(connection, refusal);
  }
}

/** Counts an answer that lacks something, from one if the document has changed since the last. */
function countGap(peer: Peer, version: number): void {
  peer.gaps = peer.gapsAt === version ? peer.gaps + 1 : 1;
  peer.gapsAt = version;
}

/** Tells the client why. Gives the event with which its connection is closed. */
function dismiss(
  connection: Connection,
  refusal: Refusal,
): { readonly code: number; readonly reason: string } {
  connection.sendStateless(encodeRefusal(refusal));
  return { code: 4403, reason: `refused: ${refusal.code}` };
}

/** What Hocuspocus answers to a client that may not connect. No `message`: that one it would print. */
function deny(refusal: Refusal): { readonly reason: string } {
  return { reason: encodeRefusal(refusal) };
}
