import type { Connection } from '@hocuspocus/server';
import * as Y from 'yjs';
import { encodeSaved, encodeStep1, encodeStep2 } from './client-message.js';

/** Bytes that may wait for one connection before it gets no more until they are gone. */
const MAX_PENDING = 1024 * 1024;
/** The same for all connections of a server. */
const MAX_TOTAL = 128 * 1024 * 1024;

/** Bounds what waits for all clients of a server together, on the disk or in their sockets. */
export class Outflow {
  readonly #waiting = new Set<Outbox>();
  readonly #limit: number;
  #total = 0;

  constructor(limit: number = MAX_TOTAL) {
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get total(): number {
    return this.#total;
  }

  get isFull(): boolean {
    return this.#total >= this.#limit;
  }

  add(bytes: number): void {
    this.#total += bytes;
  }

  /** Calls `catchUp` of the outbox when there is room again: first come, first served. */
  wait(outbox: Outbox): void {
    this.#waiting.add(outbox);
  }

  leave(outbox: Outbox): void {
    this.#waiting.delete(outbox);
  }

  wake(): void {
    for (const outbox of this.#waiting) {
      if (this.isFull) return;
      this.#waiting.delete(outbox);
      outbox.catchUp();
    }
  }
}

/**
 * What goes out to one connection. A client that reads slowly, or not at all, gets no more than it can take: what it
 * misses is not kept but remembered by clock, and sent as one update when there is room again. So no client costs more
 * memory than `MAX_PENDING` and one answer, whatever others write or it asks for.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #outflow: Outflow;
  readonly #flush: () => Promise<unknown>;
  #pending = 0;
  /** By client, the clock from which on something was left out; undefined: nothing was. */
  #behind: Map<number, number> | undefined;
  /** Asked for the state, and was not asked back yet. */
  #hasAsked = false;
  /** Updates that are saved, of which it was not told yet. */
  #saved = 0;

  /** `flush` resolves when what the document holds is on the disk, or cannot be. */
  constructor(connection: Connection, outflow: Outflow, flush: () => Promise<unknown>) {
    this.#connection = connection;
    this.#outflow = outflow;
    this.#flush = flush;
    connection.onClose(() => outflow.leave(this));
  }

  /**
   * Something that holds content of the document, which reaches the client when it is on the disk: after a crash it
   * would bring it back before its author does, and the gate would take it for the client's. A disk that fails holds
   * nobody up.
   */
  sendDocument(message: Uint8Array, update: Uint8Array): void {
    if (this.#behind === undefined && !this.#isFull) {
      this.#add(message.length);
      void this.#flush().then(() => this.#write(message));
      return;
    }
    for (const [client, clock] of Y.parseUpdateMeta(update).from) this.#leaveOut(client, clock);
    this.#wait();
  }

  /** One more update of the client is saved. */
  sendSaved(): void {
    this.#saved += 1;
    if (this.#isFull) this.#wait();
    else this.#tellSaved();
  }

  /** Presence is renewed, so that it may be left out. */
  sendAwareness(message: Uint8Array): void {
    if (!this.#isFull) this.sendOther(message);
  }

  /** What is small, and must come: a question, a refusal, a goodbye. */
  sendOther(message: Uint8Array): void {
    this.#add(message.length);
    this.#write(message);
  }

  /**
   * Whether the answer to a client with this state vector is put off: there is one under way, or no room. All that it
   * asks for in the meantime gets one answer.
   */
  putOffAnswer(vector: ReadonlyMap<number, number>): boolean {
    if (this.#pending === 0 && this.#behind === undefined && !this.#outflow.isFull) return false;
    for (const client of this.#connection.document.store.clients.keys()) {
      this.#leaveOut(client, vector.get(client) ?? 0);
    }
    this.#behind ??= new Map();
    this.#hasAsked = true;
    this.#wait();
    return true;
  }

  /** Sends what was left out, if there is room. */
  catchUp(): void {
    if (this.#isFull) {
      this.#wait();
      return;
    }
    const { document } = this.#connection;
    if (!document.hasConnection(this.#connection)) return;
    const behind = this.#behind;
    this.#behind = undefined;
    this.#tellSaved();
    if (behind === undefined) return;
    const vector = Y.decodeStateVector(Y.encodeStateVector(document));
    for (const [client, clock] of behind) vector.set(client, Math.min(clock, vector.get(client) ?? 0));
    const update = Y.encodeStateAsUpdate(document, Y.encodeStateVector(vector));
    this.sendDocument(encodeStep2(document.name, update), update);
    if (!this.#hasAsked) return;
    this.#hasAsked = false;
    this.sendOther(encodeStep1(document.name, Y.encodeStateVector(document)));
  }

  get #isFull(): boolean {
    return this.#pending > MAX_PENDING || this.#outflow.isFull;
  }

  #leaveOut(client: number, clock: number): void {
    this.#behind ??= new Map();
    this.#behind.set(client, Math.min(clock, this.#behind.get(client) ?? Number.POSITIVE_INFINITY));
  }

  /** Its own next byte that leaves wakes it; where none is under way, those of others. */
  #wait(): void {
    if (this.#pending === 0) this.#outflow.wait(this);
  }

  #tellSaved(): void {
    for (; this.#saved > 0; this.#saved -= 1) {
      const message = encodeSaved(this.#connection.document.name);
      this.#add(message.length);
      this.#write(message);
    }
  }

  #add(bytes: number): void {
    this.#pending += bytes;
    this.#outflow.add(bytes);
  }

  #write(message: Uint8Array): void {
    const { webSocket } = this.#connection;
    const done = (error?: Error | null): void => {
      this.#pending -= message.length;
      this.#outflow.add(-message.length);
      if (error !== undefined && error !== null) this.#connection.close();
      else if (this.#pending === 0 && (this.#behind !== undefined || this.#saved > 0)) this.catchUp();
      this.#outflow.wake();
    };
    if (webSocket.readyState !== webSocket.OPEN) done(new Error('closed'));
    else webSocket.send(message, done);
  }
}
