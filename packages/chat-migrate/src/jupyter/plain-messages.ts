import { deriveIdOfBytes } from '../plan/derive-id.js';
import { type ByteTail, TAIL_STARTS, TailStore } from '../plan/write-entry.js';
import { decodeSpan } from '../source/byte-spans.js';
import { ByteWriter } from '../source/byte-writer.js';
import { readSeconds } from '../source/dates.js';
import {
  createNames,
  findName,
  hasBytes,
  JsonBytes,
  type Name,
  ShortStrings,
  StringSpan,
  skipColon,
  skipSpaceBytes,
} from '../source/json-bytes.js';
import { quote } from '../source/quote.js';

/** Members of a message that the short way takes. The numbers are bits. */
const MEMBERS = createNames(['body', 'sender', 'id', 'time', 'edited'], 1);
const [BODY, SENDER, ID, TIME, EDITED] = [1, 2, 4, 8, 16] as const;
const NEEDED: number = BODY | SENDER | ID | TIME;
/** These say nothing with the value that nearly all have. */
const OTHERS = createNames(['raw_time', 'deleted', 'type', 'mentions', 'attachments', 'metadata'], 32);
const NAMES: readonly Name[] = [...MEMBERS, ...OTHERS];
const USUAL: readonly Uint8Array[] = ['false', 'false', '"msg"', '[]', '[]', '{}'].map((text) =>
  new TextEncoder().encode(text),
);
const [FALSE, TRUE] = [new TextEncoder().encode('false'), new TextEncoder().encode('true')] as const;

const [COMMA, BRACE, BRACE_END, DOT] = [44, 123, 125, 46] as const;
const [ZERO, NINE] = [48, 57] as const;
/** Longer ones take the long way: they may not fit an entry. */
const MAX_CONTENT = 64 * 1024;

/** A message as it was read, without its id: that depends on the chat, which comes last in a document. */
export interface PlainJupyterMessage {
  readonly time: number;
  readonly micros: number;
  readonly sender_id: string;
  /** Of its line. */
  readonly tail: ByteTail;
  /** Of an edited message, what its body says; its line does not. */
  readonly content: string | undefined;
  /** Where its own id stands, with the quotes. */
  readonly idStart: number;
  readonly idEnd: number;
}

/**
 * Reads messages of the kind that nearly all of a document are (a text, a sender, an id and a time that a number holds)
 * from their bytes, without making the values. Of any other, and of any other way to write one, it knows nothing, and
 * the long way through `JSON.parse` reads it. Both give the same message.
 */
export class PlainJupyterMessages {
  readonly #bytes: Uint8Array;
  readonly #body: StringSpan;
  readonly #sender: StringSpan;
  readonly #id: StringSpan;
  readonly #senders = new ShortStrings();
  readonly #tails = new TailStore();
  readonly #days = new DayText();
  #timeStart = 0;
  #timeEnd = 0;
  #seconds = 0;
  #isEdited = false;

  constructor(bytes: Uint8Array) {
    const json = new JsonBytes(bytes);
    this.#bytes = bytes;
    this.#body = new StringSpan(json);
    this.#sender = new StringSpan(json);
    this.#id = new StringSpan(json);
  }

  /** The offset after the message that begins at `start`; -1 where it is not of that kind. */
  read(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== BRACE) return -1;
    this.#isEdited = false;
    let at = start;
    let seen = 0;
    do {
      at = skipSpaceBytes(bytes, at + 1);
      const name = findName(NAMES, bytes, at);
      if (name === undefined || (seen & name.bit) !== 0) return -1;
      seen |= name.bit;
      at = skipColon(bytes, at + name.bytes.length);
      if (at < 0) return -1;
      at = this.#readMember(name, at);
      if (at < 0) return -1;
      at = skipSpaceBytes(bytes, at);
    } while (bytes[at] === COMMA);
    return bytes[at] === BRACE_END && (seen & NEEDED) === NEEDED ? at + 1 : -1;
  }

  /** The message that was read last; undefined where its time is none. */
  take(): PlainJupyterMessage | undefined {
    const seconds = readSeconds(this.#seconds);
    if (seconds === undefined) return undefined;
    const { time, micros } = seconds;
    const bytes = this.#bytes;
    const body = this.#body;
    return {
      time,
      micros,
      sender_id: this.#senders.read(bytes, this.#sender.from + 1, this.#sender.to - 1),
      tail: this.#writeTail(time),
      content: this.#isEdited ? (JSON.parse(decodeSpan(bytes, body.from, body.to)) as string) : undefined,
      idStart: this.#id.from,
      idEnd: this.#id.to,
    };
  }

  #readMember(name: Name, at: number): number {
    const bytes = this.#bytes;
    switch (name.bit) {
      case BODY:
        return this.#body.read(at) && this.#body.to - at <= MAX_CONTENT ? this.#body.to : -1;
      case SENDER:
        return this.#sender.read(at) && this.#sender.isName ? this.#sender.to : -1;
      case ID:
        return this.#id.read(at) && this.#id.isName ? this.#id.to : -1;
      case TIME:
        return this.#readTime(at);
      case EDITED:
        this.#isEdited = hasBytes(bytes, at, TRUE);
        return this.#isEdited ? at + TRUE.length : hasBytes(bytes, at, FALSE) ? at + FALSE.length : -1;
      default: {
        const usual = USUAL[name.place] as Uint8Array;
        return hasBytes(bytes, at, usual) ? at + usual.length : -1;
      }
    }
  }

  /** A number that is written as `JSON.stringify` would. */
  #readTime(start: number): number {
    const bytes = this.#bytes;
    let digits = 0;
    let value = 0;
    let dot = -1;
    let at = start;
    for (; ; at += 1) {
      const byte = bytes[at] as number;
      if (byte >= ZERO && byte <= NINE) {
        value = value * 10 + byte - ZERO;
        digits += 1;
      } else if (byte === DOT && dot < 0 && at > start) dot = at;
      else break;
    }
    const decimals = dot < 0 ? 0 : at - dot - 1;
    const isWhole = digits > 0 && bytes[start] !== ZERO && (dot < 0 || decimals > 0);
    // Beyond this, a double may not hold them all.
    if (!isWhole || digits > 17 || isNumberByte(bytes[at])) return -1;
    if (digits <= 15) {
      // Both are held exactly, so the quotient is the nearest double; and it is written with these digits again.
      if (decimals > 0 && bytes[at - 1] === ZERO) return -1;
      this.#seconds = value / (POWERS[decimals] as number);
    } else {
      const text = decodeSpan(bytes, start, at);
      this.#seconds = Number(text);
      if (String(this.#seconds) !== text) return -1;
    }
    this.#timeStart = start;
    this.#timeEnd = at;
    return at;
  }

  #writeTail(time: number): ByteTail {
    const bytes = this.#bytes;
    const body = this.#body;
    const writer = this.#tails.open(this.#isEdited ? 0 : body.to - body.from);
    writer.addAscii(TAIL_STARTS.sender_id);
    writer.addRange(bytes, this.#sender.from, this.#sender.to);
    writer.addAscii(TAIL_STARTS.date);
    writer.addAscii('"');
    this.#days.write(time, writer);
    writer.addAscii('"');
    writer.addAscii(TAIL_STARTS.legacy);
    writer.addAscii('{"id":');
    writer.addRange(bytes, this.#id.from, this.#id.to);
    writer.addAscii(',"time":');
    writer.addRange(bytes, this.#timeStart, this.#timeEnd);
    writer.addAscii('}');
    if (this.#isEdited) return this.#tails.close(NO_CONTENT);
    writer.addAscii(TAIL_STARTS.content);
    writer.addRange(bytes, body.from, body.to);
    return this.#tails.close(body);
  }
}

/** Of ten, each exact. */
const POWERS: readonly number[] = Array.from({ length: 16 }, (_, power) => Number(`1e${power}`));
const NO_CONTENT = { wide: 0, pairs: 0, extra: 0 };

function isNumberByte(byte: number | undefined): boolean {
  // An exponent, a sign, another dot.
  return byte === 101 || byte === 69 || byte === 43 || byte === 45 || byte === DOT;
}

/** Derives the ids of plain messages of one chat. */
export class PlainJupyterIds {
  readonly #bytes: Uint8Array;
  readonly #tuple: ByteWriter;
  readonly #prefix: number;

  constructor(bytes: Uint8Array, chatId: string) {
    this.#bytes = bytes;
    this.#tuple = new ByteWriter(chatId.length * 6 + 1024);
    this.#tuple.addText(`["jupyter_message",${quote(chatId)},`);
    this.#prefix = this.#tuple.end;
  }

  derive({ time, micros, idStart, idEnd }: PlainJupyterMessage): string {
    const tuple = this.#tuple;
    tuple.end = this.#prefix;
    tuple.addRange(this.#bytes, idStart, idEnd);
    tuple.addAscii(']');
    return deriveIdOfBytes(time, tuple.bytes.subarray(0, tuple.end), micros);
  }
}

const DAY_MS = 86_400_000;

/** Writes times as documents do. Those of a chat are mostly of the day before. */
class DayText {
  #day = -1;
  #text = '';

  write(time: number, writer: ByteWriter): void {
    const day = Math.floor(time / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#text = new Date(day * DAY_MS).toISOString().slice(0, 11);
    }
    const rest = time - day * DAY_MS;
    writer.addAscii(this.#text);
    writer.addDigits(Math.floor(rest / 3_600_000), 2);
    writer.addAscii(':');
    writer.addDigits(Math.floor(rest / 60_000) % 60, 2);
    writer.addAscii(':');
    writer.addDigits(Math.floor(rest / 1000) % 60, 2);
    writer.addAscii('.');
    writer.addDigits(rest % 1000, 3);
    writer.addAscii('Z');
  }
}
