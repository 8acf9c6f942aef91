import type { Pick } from '../schedule/pick.js';
import type { StrangerKind } from '../subject/application.js';
import type { Port } from '../subject/provider.js';
import { guard } from './law.js';
import { createSeat } from './reload.js';
import type { Replica } from './replica.js';
import { readResult } from './returned.js';
import type { World } from './world.js';

/** Messages of one visit beyond which it is over. */
const MAX_MESSAGES = 64;

/**
 * Another program connects with one replica over a good line, takes a copy of the document, writes into it in its
 * own way, and leaves.
 */
export function visit<S>(world: World<S>, replica: Replica<S>, kind: StrangerKind, pick: Pick): boolean {
  const write = world.application.strangers?.[kind];
  const { seat } = replica;
  if (write === undefined || seat === undefined) return false;
  world.visitors += 1;
  const guest = createSeat(replica, `${kind} ${world.visitors}`, 0xf000_0000 + world.visitors, (name) =>
    world.mark(`${kind}: ${name}`),
  );
  const line = new Line(guest.name, seat.name);
  const here = guard('the provider', () => world.provider(seat, line.ports[0]));
  const there = guard('the provider', () => world.provider(guest, line.ports[1]));
  guard('connecting', () => line.open());
  const outcome = guard(`a client of kind ${kind}`, () =>
    readResult(`the ${kind} client`, write(guest.doc, pick, guest), true),
  );
  guard('receiving', () => line.run());
  line.close();
  here.close();
  there.close();
  guest.doc.destroy();
  if (outcome === undefined) return false;
  world.journal.record(replica.index, { withdrawn: outcome.withdrawn ?? [] }, kind);
  return true;
}

type Listener = (bytes: Uint8Array) => void;

/** Two ports that lose nothing. */
class Line {
  readonly ports: readonly [Port, Port];
  readonly #queues: readonly [Uint8Array[], Uint8Array[]] = [[], []];
  readonly #onOpen: (() => void)[] = [];
  readonly #onClose: (() => void)[] = [];
  readonly #onMessage: Listener[] = [];

  constructor(guest: string, host: string) {
    this.ports = [this.#port(0, guest), this.#port(1, host)];
  }

  #port(at: 0 | 1, peer: string): Port {
    return {
      peer,
      send: (bytes) => void this.#queues[at].push(bytes),
      onOpen: (listener) => void this.#onOpen.push(listener),
      onClose: (listener) => void this.#onClose.push(listener),
      onMessage: (listener) => {
        this.#onMessage[at] = listener;
      },
    };
  }

  open(): void {
    for (const listener of this.#onOpen) listener();
    this.run();
  }

  /** Until both have heard everything. */
  run(): void {
    for (let left = MAX_MESSAGES; left > 0; left -= 1) {
      const at = this.#queues[0].length > 0 ? 0 : 1;
      const bytes = this.#queues[at].shift();
      if (bytes === undefined) return;
      this.#onMessage[1 - at]?.(bytes);
    }
  }

  close(): void {
    for (const listener of this.#onClose) listener();
  }
}
