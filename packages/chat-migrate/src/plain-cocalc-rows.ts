import { ByteWriter } from './byte-writer.js';
import { DATE_LENGTH, readDateBytes } from './dates.js';
import { deriveIdOfBytes } from './derive-id.js';
import { areBytesEqual, findStringEnd, hasBytes, ShortStrings, skipSpaceBytes } from './json-bytes.js';
import { type ByteRange, type ByteTail, TailStore } from './write-entry.js';

/** Columns of a row, and of its one version, that the short way takes. The numbers are bits. */
const COLUMNS = createNames(['date', 'event', 'history', 'sender_id', 'reply_to'], 1);
/** These say nothing while they are empty, or false. */
const EMPTY = createNames(['editing', 'folding', 'feedback'], 32);
const GENERATING: number = 256;
const FLAGS = createNames(['generating'], GENERATING);
const NAMES: readonly Name[] = [...COLUMNS, ...EMPTY, ...FLAGS];
const VERSION = createNames(['author_id', 'content', 'date'], 1);
const [DATE, EVENT, HISTORY, SENDER, REPLY] = [1, 2, 4, 8, 16] as const;
const [AUTHOR, CONTENT, VERSION_DATE] = [1, 2, 4] as const;
const NEEDED: number = DATE | EVENT | HISTORY | SENDER;

interface Name {
  /** Of ASCII, with the quotes. */
  readonly bytes: Uint8Array;
  readonly bit: number;
}

function createNames(names: readonly string[], bit: number): readonly Name[] {
  return names.map((name, index) => ({ bytes: toAscii(`"${name}"`), bit: bit << index }));
}

function toAscii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const CHAT = toAscii('"chat"');
const FALSE = toAscii('false');

const [QUOTE, COMMA, COLON, BACKSLASH, BRACE, BRACKET] = [34, 44, 58, 92, 123, 91] as const;
const [BRACE_END, BRACKET_END] = [125, 93] as const;

/** Longer ones take the long way: they may not fit an entry. */
const MAX_CONTENT = 64 * 1024;
const MAX_NAME = 256;

/**
 * Reads rows of the kind that nearly all of a chat are (a message, one version of it, nothing else) from the bytes of
 * their line, without making the values. Of any other row, and of any other way to write one, it knows nothing, and
 * the long way through `JSON.parse` reads it. Both give the same message.
 */
export class PlainCocalcRows {
  readonly #bytes: Uint8Array;
  readonly #senders = new ShortStrings();
  readonly #tails = new TailStore();
  readonly #tuple = new ByteWriter(1024);
  readonly #sender: ByteRange = { from: 0, to: 0 };
  readonly #author: ByteRange = { from: 0, to: 0 };
  readonly #content: ByteRange = { from: 0, to: 0 };
  #date = 0;
  #versionDate = -1;
  #hasAuthor = false;

  /** Of the row that was read last. */
  time = 0;
  replyTime: number | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether the line is such a row; what it says can be asked for until the next is read. */
  read(start: number, end: number): boolean {
    // Every loop over the bytes of a string ends at a quote or a newline, so no value leaves its line.
    const bytes = this.#bytes;
    let at = skipSpaceBytes(bytes, start);
    if (bytes[at] !== BRACE || at >= end) return false;
    this.replyTime = undefined;
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
    return this.#senders.read(this.#bytes, this.#sender.from, this.#sender.to);
  }

  deriveId(): string {
    const bytes = this.#bytes;
    const { from, to } = this.#content;
    const tuple = this.#tuple;
    tuple.end = 0;
    tuple.reserve(MAX_NAME + to - from + 64, false);
    tuple.addAscii('["legacy_message",');
    tuple.addAscii(String(this.time));
    tuple.addAscii(',"');
    tuple.addRange(bytes, this.#sender.from, this.#sender.to);
    tuple.addAscii('","chat",');
    tuple.addRange(bytes, from, to);
    tuple.addAscii(']');
    return deriveIdOfBytes(this.time, tuple.bytes.subarray(0, tuple.end));
  }

  writeTail(): ByteTail {
    return this.#tails.add(this.#bytes, this.#sender, this.#date, '', this.#content);
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
        return readName(bytes, at, this.#sender);
      case HISTORY:
        return this.#readHistory(at);
      case GENERATING:
        return hasBytes(bytes, at, FALSE) ? at + FALSE.length : -1;
      default:
        return readEmpty(bytes, at);
    }
  }

  #readHistory(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== BRACKET) return -1;
    let at = skipSpaceBytes(bytes, start + 1);
    if (bytes[at] !== BRACE) return -1;
    this.#versionDate = -1;
    this.#hasAuthor = false;
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
    if (bytes[at] !== BRACE_END || (seen & CONTENT) === 0) return -1;
    at = skipSpaceBytes(bytes, at + 1);
    return bytes[at] === BRACKET_END ? at + 1 : -1;
  }

  #readMember(bit: number, at: number): number {
    const bytes = this.#bytes;
    switch (bit) {
      case AUTHOR:
        this.#hasAuthor = true;
        return readName(bytes, at, this.#author);
      case VERSION_DATE:
        this.#versionDate = at + 1;
        return readDateAt(bytes, at) < 0 ? -1 : at + DATE_LENGTH + 2;
      default: {
        if (bytes[at] !== QUOTE) return -1;
        const end = findStringEnd(bytes, at + 1);
        if (end < 0 || end - at > MAX_CONTENT) return -1;
        this.#content.from = at;
        this.#content.to = end + 1;
        return end + 1;
      }
    }
  }

  /** Whether the version says nothing of its own but the content. */
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

function findName(names: readonly Name[], bytes: Uint8Array, at: number): Name | undefined {
  for (const name of names) if (hasBytes(bytes, at, name.bytes)) return name;
  return undefined;
}

function skipColon(bytes: Uint8Array, at: number): number {
  const colon = skipSpaceBytes(bytes, at);
  return bytes[colon] === COLON ? skipSpaceBytes(bytes, colon + 1) : -1;
}

/** The time of the date that stands at `at`; -1 where there is none in the form of a document. */
function readDateAt(bytes: Uint8Array, at: number): number {
  return bytes[at] === QUOTE && bytes[at + DATE_LENGTH + 1] === QUOTE ? readDateBytes(bytes, at + 1) : -1;
}

/** A string that says something and holds no escape. */
function readName(bytes: Uint8Array, at: number, name: ByteRange): number {
  if (bytes[at] !== QUOTE) return -1;
  const end = findStringEnd(bytes, at + 1);
  if (end <= at + 1 || end - at > MAX_NAME) return -1;
  for (let index = at; index < end; index += 1) if (bytes[index] === BACKSLASH) return -1;
  name.from = at + 1;
  name.to = end;
  return end + 1;
}

/** An empty object or list. */
function readEmpty(bytes: Uint8Array, at: number): number {
  const [first, second] = [bytes[at], bytes[at + 1]];
  const isEmpty = (first === BRACE && second === BRACE_END) || (first === BRACKET && second === BRACKET_END);
  return isEmpty ? at + 2 : -1;
}
