import type { Principal } from '../gate/gate.js';

/** How many clientIDs that have left are kept with whose they were. */
const MOST_LEFT = 4096;

/**
 * Whose awareness clientIDs are: one for each connection, the first that it shows a state of. A provider echoes
 * the states of others, so what is another's is no fault, only nothing to take in.
 */
export class AwarenessSeats {
  readonly #holders = new Map<number, Principal>();
  readonly #seats = new Map<Principal, number>();
  /** An echo may come after its owner has left: it must not take the seat. */
  readonly #left = new Map<number, string | undefined>();

  /** Whether a state of `client` may pass; the first takes the seat. `isFull`: no new states. */
  take(client: number, principal: Principal, isLeaving: boolean, isFull: boolean): boolean {
    const holder = this.#holders.get(client);
    if (holder !== undefined) return holder === principal;
    if (isLeaving || isFull || this.#seats.has(principal)) return false;
    if (this.#left.has(client) && this.#left.get(client) !== principal.user) return false;
    this.#holders.set(client, principal);
    this.#seats.set(principal, client);
    return true;
  }

  /** Frees the seat of a connection that is closed; gives its clientID. */
  leave(principal: Principal): number | undefined {
    const client = this.#seats.get(principal);
    if (client === undefined) return undefined;
    this.#seats.delete(principal);
    this.#holders.delete(client);
    this.#left.delete(client);
    this.#left.set(client, principal.user);
    if (this.#left.size > MOST_LEFT) this.#left.delete(this.#left.keys().next().value as number);
    return client;
  }
}
