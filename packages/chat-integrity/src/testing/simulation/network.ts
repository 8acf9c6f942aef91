import type { Fingerprint } from './fingerprint.js';

/** A message on its way. */
export interface Packet {
  bytes: Uint8Array;
  /** Virtual time before which it does not arrive. */
  held: number;
}

/** One direction between two replicas. */
export class Link {
  readonly from: number;
  readonly to: number;
  readonly queue: Packet[] = [];
  /** The last messages that were sent, for replays. */
  readonly sent: Uint8Array[] = [];
  /** Messages are lost, and neither end hears of it. */
  isBlocked = false;

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }
}

/** Calls of the network to a connected end. */
export interface Listeners {
  onOpen: () => void;
  onMessage: (bytes: Uint8Array) => void;
  onClose: () => void;
}

const KEPT_MESSAGES = 24;

/** Connections between replicas, each in both directions, and the messages on them. It has no time of its own. */
export class Network {
  readonly links: readonly Link[];
  readonly #size: number;
  readonly #open: Set<number> = new Set();
  readonly #listeners = new Map<number, Listeners>();
  readonly #fingerprint: Fingerprint;
  /** Messages that were sent, and those of them that were lost. */
  sent = 0;
  lost = 0;

  /** `isStar`: all are connected to the first one alone. */
  constructor(size: number, isStar: boolean, fingerprint: Fingerprint) {
    this.#size = size;
    this.#fingerprint = fingerprint;
    const links: Link[] = [];
    for (let from = 0; from < size; from += 1) {
      for (let to = 0; to < size; to += 1) {
        if (from !== to && (!isStar || from === 0 || to === 0)) links.push(new Link(from, to));
      }
    }
    this.links = links;
  }

  link(from: number, to: number): Link | undefined {
    return this.links.find((link) => link.from === from && link.to === to);
  }

  peersOf(index: number): number[] {
    return this.links.filter(({ from }) => from === index).map(({ to }) => to);
  }

  isOpen(a: number, b: number): boolean {
    return this.#open.has(Math.min(a, b) * this.#size + Math.max(a, b));
  }

  /** Sets the listeners of `at` for its connection with `peer`. */
  listen(at: number, peer: number, listeners: Listeners): void {
    this.#listeners.set(at * this.#size + peer, listeners);
  }

  forget(at: number): void {
    for (const peer of this.peersOf(at)) this.#listeners.delete(at * this.#size + peer);
  }

  /** Opens the connection of two that both listen. Returns whether it was closed. */
  open(a: number, b: number): boolean {
    if (this.isOpen(a, b)) return false;
    const ends = [this.#listeners.get(a * this.#size + b), this.#listeners.get(b * this.#size + a)];
    if (ends.includes(undefined)) return false;
    this.#open.add(Math.min(a, b) * this.#size + Math.max(a, b));
    for (const end of ends) end?.onOpen();
    return true;
  }

  /** Messages on the way are lost. Returns whether it was open. */
  close(a: number, b: number): boolean {
    if (!this.#open.delete(Math.min(a, b) * this.#size + Math.max(a, b))) return false;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const link = this.link(from, to) as Link;
      this.lost += link.queue.length;
      link.queue.length = 0;
      link.isBlocked = false;
      this.#listeners.get(from * this.#size + to)?.onClose();
    }
    return true;
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    this.#fingerprint.addNumber(from * this.#size + to);
    this.#fingerprint.addBytes(bytes);
    this.sent += 1;
    const link = this.link(from, to);
    if (link === undefined || !this.isOpen(from, to) || link.isBlocked) {
      this.lost += 1;
      return;
    }
    link.queue.push({ bytes, held: 0 });
    link.sent.push(bytes);
    if (link.sent.length > KEPT_MESSAGES) link.sent.shift();
  }

  /** Hands over the first message of a link that may arrive by `now`. Returns whether there was one. */
  deliver(link: Link, now: number): boolean {
    const at = link.queue.findIndex(({ held }) => held <= now);
    const packet = link.queue[at];
    if (packet === undefined) return false;
    link.queue.splice(at, 1);
    this.#listeners.get(link.to * this.#size + link.from)?.onMessage(packet.bytes);
    return true;
  }

  /** Links on which something is on its way. */
  busy(): Link[] {
    return this.links.filter(({ queue }) => queue.length > 0);
  }
}
