import type { RetryEntry } from '../entry/retry.js';
import type { StopEntry } from '../entry/stop.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { type Epochs, effectiveEpoch } from './attempt.js';
import type { Chosen } from './choose.js';

/** Stops and retries of an answer, which may come before it does. */
export interface FoldedTurn {
  readonly epochs: Epochs;
  /** The greatest stamp among them; empty without one. */
  readonly turnStamp: string;
}

export const NO_TURN: FoldedTurn = { epochs: { asked: 1, stopped: 0 }, turnStamp: '' };

/** Folds stops and retries, one by one. */
export class TurnFold {
  readonly #retries = new Set<number>();
  /** Epochs of stops that nobody has asked for yet. */
  #beyond: number[] = [];
  #stopped = 0;
  #turnStamp = '';

  add({ kind, entry }: Chosen): void {
    const { id, epoch = 1 } = entry as ReadEntry<StopEntry | RetryEntry>;
    if (id > this.#turnStamp) this.#turnStamp = id;
    if (kind === KIND.stop) {
      if (effectiveEpoch(epoch, this.#asked) !== epoch) this.#beyond.push(epoch);
      this.#stopped = Math.max(this.#stopped, effectiveEpoch(epoch, this.#asked));
      return;
    }
    // Epochs rise one by one, whatever is written: each that somebody asked for adds one.
    if (epoch < 2 || this.#retries.has(epoch)) return;
    this.#retries.add(epoch);
    if (this.#beyond.length === 0) return;
    const waiting = this.#beyond;
    this.#beyond = waiting.filter((beyond) => beyond > this.#asked);
    for (const beyond of waiting) {
      if (beyond <= this.#asked) this.#stopped = Math.max(this.#stopped, beyond);
    }
  }

  get #asked(): number {
    return 1 + this.#retries.size;
  }

  read(): FoldedTurn {
    return { epochs: { asked: this.#asked, stopped: this.#stopped }, turnStamp: this.#turnStamp };
  }
}
