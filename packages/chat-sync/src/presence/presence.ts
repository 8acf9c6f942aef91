import {
  ChatDocError,
  type Environment,
  systemEnvironment,
  systemTimers,
  type Timers,
} from '@chatdoc/schema';
import { compareText, drawClient } from '@chatdoc/schema/internal';
import { type Awareness, removeAwarenessStates } from 'y-protocols/awareness';
import { AWARENESS_LIMITS, MAX_AWARENESS_NUMBER } from './presence-filter.js';
import {
  createPresenceState,
  PRESENCE_FIELD,
  type PresenceState,
  type PresenceUser,
  readPresenceState,
} from './presence-state.js';

/** Who else is here. The same object until something in it changes. */
export interface Peer extends PresenceUser {
  readonly client_id: number;
  /** Thread in which the user writes. */
  readonly typing: string | null;
  /** Attempts that the peer's process runs. */
  readonly attempts: readonly string[];
}

export interface PresenceLimits {
  /** A peer that was not heard for so long is gone, ms. It says that it is here three times in it. */
  readonly lease: number;
  /** Clients that are remembered as here; those that come later wait until one leaves. */
  readonly peers: number;
  /** Clients whose clocks are remembered, gone ones included. */
  readonly meta: number;
}

export const PRESENCE_LIMITS: PresenceLimits = {
  lease: 30_000,
  peers: AWARENESS_LIMITS.states,
  meta: 4 * AWARENESS_LIMITS.states,
};

export interface PresenceOptions {
  readonly user: PresenceUser;
  readonly timers?: Timers;
  /** Its randomness is all that is read. */
  readonly environment?: Pick<Environment, 'random'>;
  readonly limits?: Partial<PresenceLimits>;
}

/**
 * Shows this process to its peers over the awareness of any provider, and them to us. Writes nothing into the
 * document. Open one for an awareness, and `close()` it when done.
 */
export function openPresence(awareness: Awareness, options: PresenceOptions): Presence {
  return new Presence(awareness, options);
}

interface Row {
  clock: number;
  /** When the peer counts as gone, by the monotonic clock. */
  deadline: number;
  /** Undefined for a client that shows no presence, or none that fits. */
  peer: Peer | undefined;
}

interface Snapshot {
  readonly peers: readonly Peer[];
  readonly attempts: readonly string[];
}

interface ClientLists {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/** Two presences would set one field over each other for ever. */
const open = new WeakSet<Awareness>();
/** So often our own state is put back under one clientID; then the id is not ours alone, and we take another. */
const RESTORES = 3;
/** Part of the lease after which it is believed of a peer what another said: that it left. */
const GRACE = 1 / 6;
const EMPTY: readonly never[] = Object.freeze([]);

/**
 * `Awareness` judges by the wall clock and takes whatever comes; this keeps a table of its own beside it. A peer
 * is here while its clock has risen within the lease, by the injected monotonic clock. It is gone at once when
 * its own clock says so, and after a grace when another said so: that other's wall clock may have jumped.
 */
export class Presence {
  readonly #awareness: Awareness;
  readonly #timers: Timers;
  readonly #environment: Pick<Environment, 'random'>;
  readonly #limits: PresenceLimits;
  readonly #rows = new Map<number, Row>();
  readonly #subscribers = new Set<() => void>();
  #shown: PresenceState;
  /** Our whole awareness state as this process has set it; undefined while it is set to null. */
  #own: Readonly<Record<string, unknown>> | undefined;
  #restores = 0;
  /** The clientID that we left last. */
  #retired: number | undefined;
  #renewAt = 0;
  #isSweepDue = false;
  #isStale = true;
  #earliest = Number.POSITIVE_INFINITY;
  #snapshot: Snapshot = { peers: EMPTY, attempts: EMPTY };
  #told: Snapshot = this.#snapshot;
  #timer: unknown;
  #timerAt = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** @internal */
  constructor(awareness: Awareness, options: PresenceOptions) {
    const { user, timers = systemTimers, environment = systemEnvironment, limits } = options;
    if (open.has(awareness)) {
      throw new ChatDocError('invalid_argument', 'awareness', 'another presence is open on it');
    }
    this.#shown = createPresenceState({ user, typing: null, attempts: [] });
    open.add(awareness);
    this.#awareness = awareness;
    this.#timers = timers;
    this.#environment = environment;
    this.#limits = { ...PRESENCE_LIMITS, ...limits };
    awareness.on('update', this.#onUpdate);
    awareness.on('destroy', this.#stop);
    this.#own = awareness.getLocalState() ?? {};
    this.#show(this.#shown);
    this.#tick();
    this.#told = this.#snapshot;
  }

  /** Ours in the awareness; another than the document's after a peer has taken that one. */
  get clientId(): number {
    return this.#awareness.clientID;
  }

  /** Says in which thread the user writes; null for none. */
  setTyping(thread_id: string | null): void {
    this.#change({ typing: thread_id });
  }

  /** Says which attempts this process runs. */
  setAttempts(attempts: readonly string[]): void {
    this.#change({ attempts });
  }

  addAttempt(attempt: string): void {
    this.#change({ attempts: [...this.#shown.attempts, attempt] });
  }

  removeAttempt(attempt: string): void {
    this.#change({ attempts: this.#shown.attempts.filter((each) => each !== attempt) });
  }

  /** Who else is here, by user and clientID. The same list until something in it changes. */
  peers(): readonly Peer[] {
    return this.#read().peers;
  }

  /**
   * Attempts that run in a process that is here, ours included, in order. That one is missing says little to a
   * process that was not connected itself through the whole lease.
   */
  liveAttempts(): readonly string[] {
    return this.#read().attempts;
  }

  /** Calls `listener` after `peers()` or `liveAttempts()` changed. The result ends it. */
  subscribe(listener: () => void): () => void {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  /** Takes our part of the awareness state away, so that peers see it at once. Reads stay at what was seen. */
  close(): void {
    if (this.#isClosed) return;
    const own = this.#own;
    this.#stop();
    if (own === undefined) return;
    const { [PRESENCE_FIELD]: _, ...rest } = own;
    this.#awareness.setLocalState(rest);
  }

  readonly #stop = (): void => {
    this.#read();
    this.#isClosed = true;
    open.delete(this.#awareness);
    this.#awareness.off('update', this.#onUpdate);
    this.#awareness.off('destroy', this.#stop);
    if (this.#timer !== undefined) this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#subscribers.clear();
  };

  #change(change: Partial<PresenceState>): void {
    if (this.#isClosed) throw new ChatDocError('not_open', '', 'the presence was closed');
    const shown = createPresenceState({ ...this.#shown, ...change });
    if (JSON.stringify(shown) === JSON.stringify(this.#shown)) return;
    this.#show(shown);
    this.#publish();
  }

  /** Built on what this process has set, never on what stands there: a peer may have overwritten it unseen. */
  #show(shown: PresenceState): void {
    this.#shown = shown;
    this.#isStale = true;
    if (this.#own !== undefined) this.#awareness.setLocalState({ ...this.#own, [PRESENCE_FIELD]: shown });
  }

  readonly #onUpdate = ({ added, updated, removed }: ClientLists, origin: unknown): void => {
    const own = this.#awareness.clientID;
    const now = this.#timers.now();
    for (const list of [added, updated, removed]) {
      for (const client of list) {
        if (client !== own) this.#take(client, now, origin !== 'timeout');
        else if (origin === 'local') this.#follow();
        else this.#defend();
      }
    }
    // Timers of a hidden page come once a minute; messages come in time.
    this.#renew(now);
    this.#publish();
    this.#arm();
  };

  /** Our own process has set its state. */
  #follow(): void {
    const awareness = this.#awareness;
    const state = awareness.states.get(awareness.clientID);
    this.#own = state;
    this.#renewAt = this.#timers.now() + this.#limits.lease / 3;
    if (state !== undefined && state[PRESENCE_FIELD] !== this.#shown) this.#show(this.#shown);
    else if (this.#clockOf(awareness.clientID) > MAX_AWARENESS_NUMBER) this.#move();
  }

  /** Somebody else has written under our clientID: what it says is what we say. */
  #defend(): void {
    const awareness = this.#awareness;
    const state = awareness.states.get(awareness.clientID);
    const isChanged = state !== undefined && state !== this.#own;
    // A provider takes our state away when it goes; it comes back with the next renewal.
    if (isChanged) this.#restores += 1;
    if (this.#clockOf(awareness.clientID) >= MAX_AWARENESS_NUMBER || this.#restores > RESTORES) this.#move();
    else if (isChanged) awareness.setLocalState(this.#own ?? null);
  }

  /**
   * Goes on under another clientID: peers believe the greatest clock, and one of 2^53-1 leaves none above it;
   * two processes with one id would overwrite each other for ever.
   */
  #move(): void {
    const awareness = this.#awareness;
    const old = awareness.clientID;
    const clock = Math.min(this.#clockOf(old), Number.MAX_SAFE_INTEGER);
    this.#retired = old;
    this.#restores = 0;
    awareness.clientID = drawClient(this.#environment, (client) => awareness.meta.has(client));
    // A first state at clock 0 is not taken by anybody.
    awareness.meta.set(awareness.clientID, { clock: 0, lastUpdated: 0 });
    awareness.meta.set(old, { clock, lastUpdated: 0 });
    if (this.#own !== undefined) awareness.setLocalState(this.#own);
    removeAwarenessStates(awareness, [old], this);
  }

  #clockOf(client: number): number {
    return this.#awareness.meta.get(client)?.clock ?? 0;
  }

  /** Takes over what the awareness knows of a peer. */
  #take(client: number, now: number, isTold: boolean): void {
    const { doc, meta, states } = this.#awareness;
    if (client === this.#retired || client === doc.clientID) return;
    const clock = meta.get(client)?.clock;
    if (clock === undefined) return;
    const state = states.get(client);
    const row = this.#rows.get(client);
    const isForged = clock > MAX_AWARENESS_NUMBER;
    if (isForged) this.#isSweepDue = true;
    if (row !== undefined && (isForged || clock <= row.clock)) {
      if (state === undefined && isTold && clock >= row.clock) {
        row.deadline = Math.min(row.deadline, now + this.#limits.lease * GRACE);
        this.#earliest = Math.min(this.#earliest, row.deadline);
      }
      return;
    }
    if (isForged) return;
    if (state === undefined) {
      if (this.#rows.delete(client)) this.#isStale = true;
    } else if (row === undefined && this.#rows.size >= this.#limits.peers) {
      this.#isSweepDue = true;
    } else {
      const peer = createPeer(client, state, row?.peer);
      if (peer !== row?.peer) this.#isStale = true;
      const deadline = now + this.#limits.lease;
      this.#rows.set(client, { clock, deadline, peer });
      this.#earliest = Math.min(this.#earliest, deadline);
    }
  }

  #renew(now: number): void {
    if (now < this.#renewAt) return;
    // First, so that the event of this very call does not call again.
    this.#renewAt = now + this.#limits.lease / 3;
    if (this.#own !== undefined) this.#awareness.setLocalState(this.#own);
  }

  #tick(): void {
    const { clientID, states } = this.#awareness;
    const now = this.#timers.now();
    // An update that fails half-way leaves states of which no event tells.
    for (const client of [...states.keys()]) if (client !== clientID) this.#take(client, now, false);
    if (states.get(clientID) !== this.#own && states.has(clientID)) this.#defend();
    this.#expire(now);
    this.#sweep();
    this.#renew(now);
    this.#publish();
    this.#arm();
  }

  #expire(now: number): void {
    const gone: number[] = [];
    for (const [client, { clock, deadline }] of this.#rows) {
      if (deadline > now) continue;
      this.#rows.delete(client);
      this.#isStale = true;
      if (this.#clockOf(client) === clock) gone.push(client);
    }
    // As the awareness does itself, so that its other readers see the same.
    if (gone.length > 0) removeAwarenessStates(this.#awareness, gone, 'timeout');
  }

  /**
   * Takes out of the awareness what nobody may grow without end. Never within its events: a provider answers
   * them by sending what it then finds, and peers would be told that others have left.
   */
  #sweep(): void {
    const { clientID, doc, meta, states } = this.#awareness;
    const mayGo = (client: number): boolean => client !== clientID && client !== doc.clientID;
    this.#isSweepDue = false;
    const removed: number[] = [];
    for (const client of [...states.keys()]) {
      const isForged = this.#clockOf(client) > MAX_AWARENESS_NUMBER;
      if (mayGo(client) && (isForged || !this.#rows.has(client))) removed.push(client);
    }
    for (const client of removed) states.delete(client);
    for (const [client, { clock, lastUpdated }] of meta) {
      // So that its owner is heard again.
      if (clock > MAX_AWARENESS_NUMBER && mayGo(client))
        meta.set(client, { clock: this.#rows.get(client)?.clock ?? 0, lastUpdated });
    }
    for (const client of meta.keys()) {
      if (meta.size <= this.#limits.meta) break;
      if (mayGo(client) && !states.has(client)) meta.delete(client);
    }
    if (removed.length > 0) this.#awareness.emit('change', [{ added: [], updated: [], removed }, this]);
  }

  /** Sets the timer, unless it comes early enough. */
  #arm(): void {
    if (this.#isClosed) return;
    const isFull = this.#awareness.meta.size > this.#limits.meta;
    const now = this.#timers.now();
    const at = this.#isSweepDue || isFull ? now : Math.min(this.#renewAt, this.#earliest);
    if (this.#timer !== undefined) {
      if (this.#timerAt <= at) return;
      this.#timers.clearTimer(this.#timer);
    }
    this.#timerAt = at;
    const call = (): void => {
      this.#timer = undefined;
      this.#tick();
    };
    this.#timer = this.#timers.setTimer(call, Math.max(0, Math.ceil(at - now)));
  }

  /** Judges by the clock, not by the timer, which may be late. */
  #read(): Snapshot {
    if (this.#isClosed) return this.#snapshot;
    const now = this.#timers.now();
    if (!this.#isStale && now < this.#earliest) return this.#snapshot;
    const peers: Peer[] = [];
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const { deadline, peer } of this.#rows.values()) {
      if (deadline <= now) continue;
      this.#earliest = Math.min(this.#earliest, deadline);
      if (peer !== undefined) peers.push(peer);
    }
    peers.sort((a, b) => compareText(a.user_id, b.user_id) || a.client_id - b.client_id);
    const attempts = new Set(this.#shown.attempts);
    for (const peer of peers) for (const attempt of peer.attempts) attempts.add(attempt);
    const before = this.#snapshot;
    const next = {
      peers: keepList(before.peers, peers),
      attempts: keepList(before.attempts, [...attempts].sort()),
    };
    this.#isStale = false;
    if (next.peers !== before.peers || next.attempts !== before.attempts) this.#snapshot = next;
    return this.#snapshot;
  }

  #publish(): void {
    if (this.#isClosed || this.#read() === this.#told) return;
    this.#told = this.#snapshot;
    for (const subscriber of [...this.#subscribers]) subscriber();
  }
}

function createPeer(client_id: number, state: unknown, before: Peer | undefined): Peer | undefined {
  const shown = readPresenceState(state);
  if (shown === undefined) return undefined;
  const { user, typing, attempts } = shown;
  const peer: Peer = Object.freeze({ client_id, ...user, typing, attempts });
  return before !== undefined && JSON.stringify(before) === JSON.stringify(peer) ? before : peer;
}

function keepList<T>(previous: readonly T[], next: T[]): readonly T[] {
  const isSame = previous.length === next.length && next.every((item, at) => item === previous[at]);
  return isSame ? previous : Object.freeze(next);
}
