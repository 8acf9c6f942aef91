import { ChatDocError } from '@chatdoc/schema';
import type { Awareness } from 'y-protocols/awareness';
import type { Timers } from './timers.js';

/**
 * Which attempts have a living runner. Nothing of it stands in the document, and nothing of it trusts the
 * clock of another machine.
 */
export interface Liveness {
  /** Attempts that live peers show, and those of this process. */
  attempts(): ReadonlySet<string>;
  /** Shows that this process runs the attempt. */
  show(attempt: string): void;
  hide(attempt: string): void;
  /** By `Timers.now`, since when this process has been synced with its peers without a break; undefined: it is not. */
  syncedSince(): number | undefined;
  subscribe(listener: () => void): () => void;
}

export interface AwarenessLivenessOptions {
  readonly timers: Timers;
  /** How long a peer that shows nothing new counts as live, ms. Peers renew theirs every 15 s. */
  readonly stale_ms?: number;
}

const FIELD = 'attempts';
const STALE_MS = 30_000;
/** A forged state must not make us hold more. */
const MOST_ATTEMPTS = 256;

/** Two would set one field over each other: each would find the attempts of the other gone. */
const open = new WeakSet<Awareness>();

/**
 * Liveness over the awareness that a provider already carries. A peer is live while its clock moves, seen by
 * our own monotonic clock: awareness itself would compare wall clocks.
 */
export class AwarenessLiveness implements Liveness {
  readonly #awareness: Awareness;
  readonly #timers: Timers;
  readonly #staleMs: number;
  readonly #own = new Set<string>();
  /** By client, the clock that it last showed and when we saw that. */
  readonly #seen = new Map<number, { clock: number; at: number }>();
  readonly #listeners = new Set<() => void>();
  #syncedSince: number | undefined;

  constructor(awareness: Awareness, { timers, stale_ms: staleMs = STALE_MS }: AwarenessLivenessOptions) {
    if (open.has(awareness)) {
      throw new ChatDocError('invalid_argument', 'awareness', 'another liveness is open on it');
    }
    open.add(awareness);
    this.#awareness = awareness;
    this.#timers = timers;
    this.#staleMs = staleMs;
    awareness.on('update', this.#onUpdate);
    this.#look();
  }

  /** Says whether the provider is in sync with its peers; the host calls it whenever that changes. */
  setSynced(synced: boolean): void {
    if (synced === (this.#syncedSince !== undefined)) return;
    this.#syncedSince = synced ? this.#timers.now() : undefined;
    this.#notify();
  }

  attempts(): ReadonlySet<string> {
    const live = new Set(this.#own);
    const now = this.#timers.now();
    for (const [client, state] of this.#awareness.getStates()) {
      if (client === this.#awareness.clientID) continue;
      const seen = this.#seen.get(client);
      if (seen === undefined || now - seen.at >= this.#staleMs) continue;
      for (const attempt of readAttempts(state)) live.add(attempt);
    }
    return live;
  }

  show(attempt: string): void {
    this.#own.add(attempt);
    this.#publish();
  }

  hide(attempt: string): void {
    this.#own.delete(attempt);
    this.#publish();
  }

  syncedSince(): number | undefined {
    return this.#syncedSince;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    open.delete(this.#awareness);
    this.#awareness.off('update', this.#onUpdate);
    this.#listeners.clear();
  }

  #publish(): void {
    this.#awareness.setLocalStateField(FIELD, [...this.#own].sort());
  }

  readonly #onUpdate = (): void => {
    this.#look();
    this.#notify();
  };

  #look(): void {
    const now = this.#timers.now();
    for (const client of this.#seen.keys())
      if (!this.#awareness.states.has(client)) this.#seen.delete(client);
    for (const client of this.#awareness.states.keys()) {
      const clock = this.#awareness.meta.get(client)?.clock ?? 0;
      if (this.#seen.get(client)?.clock !== clock) this.#seen.set(client, { clock, at: now });
    }
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Whatever a peer may have put there. */
function readAttempts(state: unknown): readonly string[] {
  if (typeof state !== 'object' || state === null || !Object.hasOwn(state, FIELD)) return [];
  const shown = (state as Record<string, unknown>)[FIELD];
  if (!Array.isArray(shown)) return [];
  return shown.slice(0, MOST_ATTEMPTS).filter((attempt) => typeof attempt === 'string');
}
