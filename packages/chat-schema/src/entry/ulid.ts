import { COST } from '../host/cost.js';
import { type Environment, systemEnvironment } from '../host/environment.js';
import { ChatDocError, describeValue } from '../host/errors.js';
import { hashText } from '../host/sha256.js';

export const ULID_LENGTH = 26;
const ULID_BYTES = 16;
/** Greatest time that a ULID holds, ms. */
export const MAX_TIME: number = 2 ** 48 - 1;
/** A stamp further ahead of the reader's clock than this is not followed. */
export const FUTURE_LIMIT_MS: number = 5 * 60 * 1000;

const TIME_LENGTH = 10;
const SMALLEST = '0'.repeat(ULID_LENGTH);
export const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** By UTF-16 code; -1 for a character that is not a digit. */
export const DIGIT: Int8Array = new Int8Array(65_536).fill(-1);
for (let i = 0; i < ALPHABET.length; i += 1) DIGIT[ALPHABET.charCodeAt(i)] = i;

export type ParsedUlid =
  | { readonly ok: true; readonly id: string; readonly time: number }
  | { readonly ok: false; readonly reason: 'not_a_string' | 'length' | 'character' | 'too_late' };

/**
 * Strict: canonical upper case only. The `ulid` package also takes lower case, which is another key, and a
 * first character over 7, which is not a 128-bit number.
 */
export function parseUlid(value: unknown): ParsedUlid {
  if (typeof value !== 'string') return { ok: false, reason: 'not_a_string' };
  if (value.length !== ULID_LENGTH) return { ok: false, reason: 'length' };
  for (let i = 0; i < ULID_LENGTH; i += 1) {
    const code = value.charCodeAt(i);
    if ((DIGIT[code] as number) < 0) return { ok: false, reason: 'character' };
  }
  if (value.charCodeAt(0) > 55) return { ok: false, reason: 'too_late' };
  return { ok: true, id: value, time: timeOfUlid(value) };
}

export function isUlid(value: unknown): value is string {
  return typeof value === 'string' && value.length === ULID_LENGTH && isUlidAt(value, 0);
}

/** Whether 26 characters of `text` from `offset` are a canonical ULID. The caller checks the bounds. */
export function isUlidAt(text: string, offset: number): boolean {
  if (text.charCodeAt(offset) > 55) return false;
  for (let i = offset; i < offset + ULID_LENGTH; i += 1) {
    if ((DIGIT[text.charCodeAt(i)] as number) < 0) return false;
  }
  return true;
}

export function assertUlid(value: unknown, path: string): asserts value is string {
  if (!isUlid(value)) {
    throw new ChatDocError('invalid_argument', path, `expected a ULID, got ${describeValue(value)}`);
  }
}

/** Milliseconds since 1970 of a canonical ULID. */
export function timeOfUlid(id: string): number {
  let time = 0;
  // Beyond 32 bits: no shifts.
  for (let i = 0; i < TIME_LENGTH; i += 1) time = time * 32 + (DIGIT[id.charCodeAt(i)] as number);
  return time;
}

/** `time` in ms (fractions are cut, the range is clamped), `random` at least 10 bytes. */
export function formatUlid(time: number, random: Uint8Array): string {
  return encodeDigits(clampTime(time), TIME_LENGTH) + encodeBase32(random);
}

/** A fresh id, of a thread's root or of anything of the host's: of the clock and the randomness of `environment`. */
export function createUlid(environment: Environment = systemEnvironment): string {
  return formatUlid(environment.now(), environment.random(10));
}

/**
 * The same id on every machine: `time` of what it derives from, and 80 bits of SHA-256 over the tagged tuple.
 * Parts are length-prefixed by JSON, so no two tuples read alike.
 */
export function deriveUlid(time: number, tag: string, ...parts: readonly (string | number)[]): string {
  COST.hashes += 1;
  return formatUlid(time, hashText(JSON.stringify([tag, ...parts])));
}

/** The one id of the answer to a prompt, wherever it is answered. */
export function deriveAnswerId(promptId: string): string {
  return deriveUlid(timeOfUlid(promptId), 'answer', promptId);
}

/** The id of a message that a client may send twice; `date` is the ISO time that the client gave it once. */
export function deriveMessageId(
  date: string,
  threadId: string,
  senderId: string,
  clientMessageId: string,
): string {
  return deriveUlid(Date.parse(date), 'message', threadId, senderId, clientMessageId);
}

/** The id of the thread with this number in a slot: two replicas that create it separately create the same one. */
export function deriveSlotThreadId(
  slot: { root_id: string; owner_id: string; provider: string; number: number },
  purpose: string,
): string {
  return deriveUlid(0, 'slot', slot.root_id, slot.owner_id, slot.provider, purpose, slot.number);
}

/** How CoCalc names a thread whose root has no id: by the milliseconds of its date. */
const ROOT_TIME = /^legacy-thread-(-?\d{1,16})$/;

/** The id of a thread of a legacy chat, by its name there: its time is that of its root where the name has it, else 0. */
export function deriveLegacyThreadId(name: string): string {
  return deriveUlid(Number(ROOT_TIME.exec(name)?.[1] ?? 0), 'legacy_thread_id', name);
}

/** The id of the thread of a jupyter-chat document, by the id of the chat; empty where it has none. */
export function deriveJupyterThreadId(chatId: string): string {
  return deriveUlid(0, 'jupyter_thread', chatId);
}

/** The id of the interrupt of an attempt whose last part seen has number `seen` (0: none). */
export function deriveInterruptId(attempt: string, seen: number): string {
  return deriveUlid(timeOfUlid(attempt), 'interrupt', attempt, seen);
}

/**
 * Issues stamps that increase strictly and exceed every stamp noticed, except those more than five minutes
 * ahead of the clock: one forged far-future stamp must not drag every honest writer along.
 */
export class StampClock {
  // Offset of the greatest stamp.
  #maxText = SMALLEST;
  #maxAt = 0;
  readonly #future = new Set<string>();
  #smallestFuture = '';
  #time = -1;
  #horizonTime = -1;
  #horizon = '';
  #timeText = '';
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The greatest stamp that counts as present. Read once for a batch, then pass it to `notice`. */
  horizon(): string {
    const time = clampTime(this.#env.now() + FUTURE_LIMIT_MS);
    if (time !== this.#horizonTime) {
      this.#horizonTime = time;
      this.#horizon = `${encodeDigits(time, TIME_LENGTH)}ZZZZZZZZZZZZZZZZ`;
    }
    return this.#horizon;
  }

  /** Notices the stamp at `at` in `text`. Makes a string only of one that leads. */
  notice(text: string, at: number, horizon: string): void {
    if (compareAt(text, at, this.#maxText, this.#maxAt) <= 0) return;
    if (compareAt(text, at, horizon, 0) <= 0) {
      this.#maxText = text;
      this.#maxAt = at;
      return;
    }
    const stamp = text.substring(at, at + ULID_LENGTH);
    this.#future.add(stamp);
    if (this.#smallestFuture === '' || stamp < this.#smallestFuture) this.#smallestFuture = stamp;
  }

  /** Lets go of the text in which the greatest stamp was noticed. Call once a batch is read. */
  settle(): void {
    if (this.#maxText.length === ULID_LENGTH) return;
    // Not a slice, which would keep all of the text alive.
    let stamp = '';
    for (let i = 0; i < ULID_LENGTH; i += 1) stamp += this.#maxText.charAt(this.#maxAt + i);
    this.#maxText = stamp;
    this.#maxAt = 0;
  }

  /** How many stamps noticed are still more than five minutes ahead. */
  countFuture(): number {
    this.#admit(this.horizon());
    return this.#future.size;
  }

  next(): string {
    if (this.#smallestFuture !== '') this.#admit(this.horizon());
    const time = clampTime(this.#env.now());
    if (time !== this.#time) {
      this.#time = time;
      this.#timeText = encodeDigits(time, TIME_LENGTH);
    }
    const fresh = this.#timeText + encodeBase32(this.#env.random(10));
    // A random step, not 1: two writers that saw the same maximum must not make the same stamp.
    const max = this.#maxText.substring(this.#maxAt, this.#maxAt + ULID_LENGTH);
    const stamp = fresh > max ? fresh : addRandomStep(max, this.#env.random(6));
    this.#maxText = stamp;
    this.#maxAt = 0;
    return stamp;
  }

  // Time goes on: what was the future an hour ago is the past now.
  #admit(horizon: string): void {
    if (this.#smallestFuture === '' || this.#smallestFuture > horizon) return;
    this.#smallestFuture = '';
    for (const stamp of [...this.#future]) {
      if (stamp <= horizon) this.#future.delete(stamp);
      this.notice(stamp, 0, horizon);
    }
  }
}

// The last that ISO-8601 writes with four digits of year.
const MAX_DATE = Date.UTC(10_000, 0, 1) - 1;

/** ISO-8601 UTC with milliseconds, the one form of time in a document. Clamped to 1970 … 9999. */
export function formatDate(time: number): string {
  return new Date(Math.min(clampTime(time), MAX_DATE)).toISOString();
}

// Ten minutes below the greatest, so that a random step past the horizon cannot overflow.
function clampTime(time: number): number {
  if (!(time > 0)) return 0;
  return Math.min(Math.floor(time), MAX_TIME - 2 * FUTURE_LIMIT_MS);
}

function compareAt(a: string, atA: number, b: string, atB: number): number {
  for (let i = 0; i < ULID_LENGTH; i += 1) {
    const difference = a.charCodeAt(atA + i) - b.charCodeAt(atB + i);
    if (difference !== 0) return difference;
  }
  return 0;
}

function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  for (let group = 0; group < 10; group += 5) {
    // Two groups of 40 bits: 5 bytes are exactly 8 digits, within the integers that a double holds.
    let value = 0;
    for (let i = 0; i < 5; i += 1) value = value * 256 + (bytes[group + i] as number);
    text += encodeDigits(value, 8);
  }
  return text;
}

function encodeDigits(value: number, length: number): string {
  let digits = '';
  for (let rest = value; digits.length < length; rest = Math.floor(rest / 32)) {
    digits = ALPHABET.charAt(rest % 32) + digits;
  }
  return digits;
}

/** The 128 bits that a canonical ULID writes, big-endian: 16 bytes. */
export function packUlid(id: string): Uint8Array {
  const bytes = new Uint8Array(ULID_BYTES);
  let value = 0;
  // 26 digits of five bits are two more than 16 bytes: the first two are zero.
  let bits = -2;
  let at = 0;
  for (let i = 0; i < ULID_LENGTH; i += 1) {
    value = (value << 5) | (DIGIT[id.charCodeAt(i)] as number);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = value >> bits;
    at += 1;
    value &= (1 << bits) - 1;
  }
  return bytes;
}

/** The canonical ULID of 16 bytes. */
export function unpackUlid(bytes: Uint8Array): string {
  let id = '';
  let value = 0;
  let bits = 2;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; value &= (1 << bits) - 1) {
      bits -= 5;
      id += ALPHABET.charAt(value >> bits);
    }
  }
  return id;
}

/** Adds 1 … 2^45 to the 130-bit number that a ULID writes. */
function addRandomStep(stamp: string, bytes: Uint8Array): string {
  let step = 1;
  for (let i = 0; i < 6; i += 1) step += ((bytes[i] as number) & (i === 0 ? 31 : 255)) * 256 ** (5 - i);
  let text = '';
  let carry = step;
  for (let i = ULID_LENGTH - 1; i >= 0; i -= 1) {
    const sum = (DIGIT[stamp.charCodeAt(i)] as number) + carry;
    text = ALPHABET.charAt(sum % 32) + text;
    carry = Math.floor(sum / 32);
  }
  return text;
}
