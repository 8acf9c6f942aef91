import type { Json, JsonObject } from '@chatdoc/schema';
import { deriveIdOfBytes } from '../plan/derive-id.js';
import { type ByteTail, TAIL_STARTS, TailStore } from '../plan/write-entry.js';
import { decodeSpan } from '../source/byte-spans.js';
import { ByteWriter } from '../source/byte-writer.js';
import { DATE_LENGTH, readDateBytes } from '../source/dates.js';
import {
  areBytesEqual,
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
import type { Version } from './rows.js';

/** Columns of a row, and of its one version, that the short way takes. The numbers are bits. */
const COLUMNS = createNames(['date', 'event', 'history', 'sender_id', 'reply_to'], 1);
/** These say nothing while they are empty, or false. */
const EMPTY = createNames(['editing', 'folding', 'feedback', 'generating'], 32);
const [FEEDBACK, GENERATING] = [128, 256] as const;
const NAMES: readonly Name[] = [...COLUMNS, ...EMPTY];
const VERSION = createNames(['author_id', 'content', 'date'], 1);
const [DATE, EVENT, HISTORY, SENDER, REPLY] = [1, 2, 4, 8, 16] as const;
const [AUTHOR, CONTENT, VERSION_DATE] = [1, 2, 4] as const;
const NEEDED: number = DATE | EVENT | HISTORY | SENDER;

function toAscii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const CHAT = toAscii('"chat"');
const FALSE = toAscii('false');

const [QUOTE, COMMA, BRACE, BRACKET] = [34, 44, 123, 91] as const;
const [BRACE_END, BRACKET_END] = [125, 93] as const;

/** Longer ones take the long way: they may not fit an entry. */
const MAX_CONTENT = 64 * 1024;

/**
 * Reads rows of the kind that nearly all of a chat are (a message, its versions, thumbs) from the bytes of their line,
 * without making the values. Of any other row, and of any other way to write one, it knows nothing, and
 * the long way through `JSON.parse` reads it. Both give the same message.
 */
export class PlainCocalcRows {
  readonly #bytes: Uint8Array;
  readonly #sender: StringSpan;
  readonly #author: StringSpan;
  readonly #content: StringSpan;
  readonly #other: StringSpan;
  readonly #senders = new ShortStrings();
  readonly #tails = new TailStore();
  readonly #tuple = new ByteWriter(1024);
  #date = 0;
  #versionDate = -1;
  #hasAuthor = false;
  #later: Version[] | undefined;
  #feedback: JsonObject | undefined;

  /** Of the row that was read last. */
  time = 0;
  replyTime: number | undefined;

  constructor(bytes: Uint8Array) {
    const json = new JsonBytes(bytes);
    this.#bytes = bytes;
    this.#sender = new StringSpan(json);
    this.#author = new StringSpan(json);
    this.#content = new StringSpan(json);
    this.#other = new StringSpan(json);
  }

  /** Whether the line is such a row; what it says can be asked for until the next is read. */
  read(start: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = skipSpaceBytes(bytes, start);
    if (bytes[at] !== BRACE || at >= end) return false;
    this.replyTime = undefined;
    this.#later = undefined;
    this.#feedback = undefined;
    let seen = 0;
    do {
      at = skipSpaceBytes(bytes, at + 1);
      const name = findName(NAMES, bytes, at);
      if (name === undefined || (seen & name.bit) !== 0) return false;
      seen |= name.bit;
      at = skipColon(bytes, at + name.bytes.length);
      if (at < 0) return false;
      at = this.#readColumn(name.bit, at);
      if (at < 0) return false;
      at = skipSpaceBytes(bytes, at);
    } while (bytes[at] === COMMA);
    if (bytes[at] !== BRACE_END || (seen & NEEDED) !== NEEDED) return false;
    // Not into the next line.
    for (at += 1; at < end; at += 1) if (skipSpaceBytes(bytes, at) === at) return false;
    return at === end && this.#isPlainVersion();
  }

  get sender_id(): string {
    return this.#senders.read(this.#bytes, this.#sender.from + 1, this.#sender.to - 1);
  }

  /** What the row says besides its first version. */
  get row(): JsonObject {
    return this.#feedback === undefined ? NO_ROW : { feedback: this.#feedback };
  }

  /** Oldest first, of which the first says nothing here: its content is in the tail and the id. */
  get versions(): readonly Version[] {
    return this.#later === undefined ? NO_VERSIONS : [UNREAD, ...this.#later.reverse()];
  }

  deriveId(): string {
    const bytes = this.#bytes;
    const { from, to } = this.#content;
    const tuple = this.#tuple;
    tuple.restart(this.#sender.to - this.#sender.from + to - from + 64);
    tuple.addAscii('["legacy_message",');
    tuple.addAscii(String(this.time));
    tuple.addAscii(',');
    tuple.addRange(bytes, this.#sender.from, this.#sender.to);
    tuple.addAscii(',"chat",');
    tuple.addRange(bytes, from, to);
    tuple.addAscii(']');
    return deriveIdOfBytes(this.time, tuple.bytes.subarray(0, tuple.end));
  }

  writeTail(): ByteTail {
    const bytes = this.#bytes;
    const content = this.#content;
    const writer = this.#tails.open(content.to - content.from);
    writer.addAscii(TAIL_STARTS.sender_id);
    writer.addRange(bytes, this.#sender.from, this.#sender.to);
    writer.addAscii(TAIL_STARTS.date);
    writer.addRange(bytes, this.#date - 1, this.#date + DATE_LENGTH + 1);
    writer.addAscii(TAIL_STARTS.content);
    writer.addRange(bytes, content.from, content.to);
    return this.#tails.close(content);
  }

  /** The offset after the value; -1 where it is not of the plain kind. */
  #readColumn(bit: number, at: number): number {
    const bytes = this.#bytes;
    switch (bit) {
      case DATE:
        this.#date = at + 1;
        this.time = readDateAt(bytes, at);
        return this.time < 0 ? -1 : at + DATE_LENGTH + 2;
      case REPLY:
        this.replyTime = readDateAt(bytes, at);
        return this.replyTime < 0 ? -1 : at + DATE_LENGTH + 2;
      case EVENT:
        return hasBytes(bytes, at, CHAT) ? at + CHAT.length : -1;
      case SENDER:
        return this.#sender.read(at) && this.#sender.isName ? this.#sender.to : -1;
      case HISTORY:
        return this.#readHistory(at);
      case GENERATING:
        return hasBytes(bytes, at, FALSE) ? at + FALSE.length : -1;
      case FEEDBACK:
        return bytes[at] === BRACE && bytes[at + 1] === QUOTE ? this.#readFeedback(at) : readEmpty(bytes, at);
      default:
        return readEmpty(bytes, at);
    }
  }

  /** An object of strings. */
  #readFeedback(start: number): number {
    const bytes = this.#bytes;
    const other = this.#other;
    let at = start;
    do {
      at = skipSpaceBytes(bytes, at + 1);
      if (!other.read(at)) return -1;
      at = skipColon(bytes, other.to);
      if (at < 0 || !other.read(at)) return -1;
      at = skipSpaceBytes(bytes, other.to);
    } while (bytes[at] === COMMA);
    if (bytes[at] !== BRACE_END) return -1;
    this.#feedback = readJson(bytes, start, at + 1) as JsonObject;
    return at + 1;
  }

  #readHistory(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== BRACKET) return -1;
    let at = start;
    do {
      // They stand newest first.
      if (at > start) this.#keepVersion();
      at = this.#readVersion(skipSpaceBytes(bytes, at + 1));
      if (at < 0) return -1;
      at = skipSpaceBytes(bytes, at);
    } while (bytes[at] === COMMA);
    return bytes[at] === BRACKET_END ? at + 1 : -1;
  }

  #keepVersion(): void {
    const bytes = this.#bytes;
    const { from, to } = this.#content;
    const version = {
      content: readJson(bytes, from, to) as string,
      author_id: this.#hasAuthor
        ? this.#senders.read(bytes, this.#author.from + 1, this.#author.to - 1)
        : undefined,
      time: this.#versionDate < 0 ? undefined : readDateBytes(bytes, this.#versionDate),
    };
    if (this.#later === undefined) this.#later = [version];
    else this.#later.push(version);
  }

  #readVersion(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== BRACE) return -1;
    this.#versionDate = -1;
    this.#hasAuthor = false;
    let at = start;
    let seen = 0;
    do {
      at = skipSpaceBytes(bytes, at + 1);
      const name = findName(VERSION, bytes, at);
      if (name === undefined || (seen & name.bit) !== 0) return -1;
      seen |= name.bit;
      at = skipColon(bytes, at + name.bytes.length);
      if (at < 0) return -1;
      at = this.#readMember(name.bit, at);
      if (at < 0) return -1;
      at = skipSpaceBytes(bytes, at);
    } while (bytes[at] === COMMA);
    return bytes[at] === BRACE_END && (seen & CONTENT) !== 0 ? at + 1 : -1;
  }

  #readMember(bit: number, at: number): number {
    const bytes = this.#bytes;
    switch (bit) {
      case AUTHOR:
        this.#hasAuthor = true;
        return this.#author.read(at) && this.#author.isName ? this.#author.to : -1;
      case VERSION_DATE:
        this.#versionDate = at + 1;
        return readDateAt(bytes, at) < 0 ? -1 : at + DATE_LENGTH + 2;
      default: {
        const content = this.#content;
        return content.read(at) && content.to - at <= MAX_CONTENT ? content.to : -1;
      }
    }
  }

  /** Whether the oldest version says nothing of its own but the content. */
  #isPlainVersion(): boolean {
    const bytes = this.#bytes;
    const [author, sender] = [this.#author, this.#sender];
    const length = sender.to - sender.from;
    if (
      this.#hasAuthor &&
      (author.to - author.from !== length || !areBytesEqual(bytes, author.from, sender.from, length))
    ) {
      return false;
    }
    return this.#versionDate < 0 || areBytesEqual(bytes, this.#versionDate, this.#date, DATE_LENGTH);
  }
}

const NO_ROW: JsonObject = {};
const NO_VERSIONS: readonly Version[] = [];
const UNREAD: Version = { content: '' };

function readJson(bytes: Uint8Array, from: number, to: number): Json {
  return JSON.parse(decodeSpan(bytes, from, to)) as Json;
}

/** The time of the date that stands at `at`; -1 where there is none in the form of a document. */
function readDateAt(bytes: Uint8Array, at: number): number {
  return bytes[at] === QUOTE && bytes[at + DATE_LENGTH + 1] === QUOTE ? readDateBytes(bytes, at + 1) : -1;
}

/** An empty object or list. */
function readEmpty(bytes: Uint8Array, at: number): number {
  const [first, second] = [bytes[at], bytes[at + 1]];
  const isEmpty = (first === BRACE && second === BRACE_END) || (first === BRACKET && second === BRACKET_END);
  return isEmpty ? at + 2 : -1;
}
