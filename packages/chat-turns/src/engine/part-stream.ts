import type { AttemptWriter, PartWriter, Timers } from '@chatdoc/schema';

/** Between two flushes of a stream, ms: a reader sees motion, and a transaction is not spent on each token. */
export const FLUSH_MS = 50;
/** Code units that are flushed without waiting. */
export const FLUSH_LENGTH = 512;

/**
 * Streams text into one part by the flush rule: the first token at once, then after `FLUSH_MS` or
 * `FLUSH_LENGTH`, never between the halves of a surrogate pair; the last text and the end in one transaction.
 */
export class PartStream {
  readonly kind: string;
  readonly #timers: Timers;
  readonly #part: PartWriter;
  readonly #onError: (error: unknown) => void;
  #buffer = '';
  #flushed: number | undefined;
  #timer: unknown;

  /** `onError` hears of a write that failed on a timer, where nobody else would. */
  constructor(writer: AttemptWriter, kind: string, timers: Timers, onError: (error: unknown) => void) {
    this.kind = kind;
    this.#timers = timers;
    this.#part = writer.openPart({ kind });
    this.#onError = onError;
  }

  append(text: string): void {
    this.#buffer += text;
    const now = this.#timers.now();
    const waited = this.#flushed === undefined ? FLUSH_MS : now - this.#flushed;
    if (this.#buffer.length >= FLUSH_LENGTH || waited >= FLUSH_MS) this.#flush(now);
    else this.#timer ??= this.#timers.setTimer(this.#onTimer, FLUSH_MS - waited);
  }

  close(): void {
    this.#clearTimer();
    this.#part.close(this.#buffer);
    this.#buffer = '';
  }

  /** Writes nothing more: what is not flushed is dropped. */
  drop(): void {
    this.#clearTimer();
    this.#buffer = '';
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    try {
      this.#flush(this.#timers.now());
    } catch (error) {
      this.#onError(error);
    }
  };

  #flush(now: number): void {
    this.#clearTimer();
    const last = this.#buffer.charCodeAt(this.#buffer.length - 1);
    const whole = this.#buffer.length - (last >= 0xd800 && last <= 0xdbff ? 1 : 0);
    if (whole === 0) return;
    const text = this.#buffer.slice(0, whole);
    this.#buffer = this.#buffer.slice(whole);
    this.#flushed = now;
    this.#part.append(text);
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return;
    this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
