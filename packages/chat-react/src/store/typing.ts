import { systemTimers, type Timers } from '@chatdoc/schema';

/** After so long without a key a user counts as not writing any more, ms. */
export const TYPING_MS = 5_000;

/** The part of the `Presence` of @chatdoc/sync that this needs. */
export interface TypingPresence {
  setTyping(threadId: string | null): void;
}

/** Shows that the user writes in a thread, and takes it back after `TYPING_MS` without a key. */
export class Typing {
  readonly #presence: TypingPresence;
  readonly #threadId: string;
  readonly #timers: Timers;
  #timer: unknown;

  constructor(presence: TypingPresence, threadId: string, timers: Timers = systemTimers) {
    this.#presence = presence;
    this.#threadId = threadId;
    this.#timers = timers;
  }

  /** For each key. */
  readonly key = (): void => {
    if (this.#timer === undefined) this.#presence.setTyping(this.#threadId);
    else this.#timers.clearTimer(this.#timer);
    this.#timer = this.#timers.setTimer(this.stop, TYPING_MS);
  };

  /** For what was sent, and a field that goes. */
  readonly stop = (): void => {
    if (this.#timer === undefined) return;
    this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#presence.setTyping(null);
  };
}
