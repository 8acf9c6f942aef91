import type { Seat } from './seat.js';

/** One end of a connection to one other replica. What is sent may be lost, repeated, late or damaged. */
export interface Port {
  /** Name of the seat at the other end. */
  readonly peer: string;
  /** Nothing happens while the connection is closed. */
  send(bytes: Uint8Array): void;
  /** Called for each connection: the first one, and each after a close. */
  onOpen(listener: () => void): void;
  onMessage(listener: (bytes: Uint8Array) => void): void;
  onClose(listener: () => void): void;
}

/** A provider at work on one connection. */
export interface Connection {
  /** The process ends: stop listening to the document. */
  close(): void;
}

/** Carries the document of a seat to one peer, and what the peer sends into it. Called once for each peer. */
export type Provider = (seat: Seat, port: Port) => Connection;
