import { sha256 } from '@noble/hashes/sha2.js';
import { quote } from '../source/quote.js';

/** What Node has built in: it does in one tenth of the time what the portable code does, and gives the same bytes. */
interface NodeCrypto {
  hash?(algorithm: 'sha256', data: string | Uint8Array, encoding: 'latin1'): string;
  createHash(algorithm: 'sha256'): NodeHash;
}

interface NodeHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'latin1'): string;
}

// Asked for at run time, so that nothing of Node's stands in what a browser loads.
const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
const nodeCrypto = host.process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;

/** The same id as `deriveUlid` of the schema gives, for times of four-digit years, in a fraction of the time. */
export function deriveId(time: number, tag: string, ...parts: readonly (string | number)[]): string {
  return deriveIdOfTuple(time, writeTuple(tag, parts));
}

/** What an id hashes, as JSON text. */
export function writeTuple(tag: string, parts: readonly (string | number)[]): string {
  let tuple = `["${tag}"`;
  for (const part of parts) tuple += typeof part === 'string' ? `,${quote(part)}` : `,${part}`;
  return `${tuple}]`;
}

/**
 * As `deriveId`, of a tuple that is JSON text already: what is quoted once need not be quoted again. With `micros`,
 * 0 … 999, two of the random digits say them: ids are then in the order of microseconds.
 */
export function deriveIdOfTuple(time: number, tuple: string, micros?: number): string {
  return formatId(time, digestOf(tuple), micros);
}

/** As `deriveIdOfTuple`, of the tuple as UTF-8. */
export function deriveIdOfBytes(time: number, tuple: Uint8Array, micros?: number): string {
  return formatId(time, digestOfBytes(tuple), micros);
}

/** SHA-256 over `["tag",number,"…"]`, whose long last string comes in pieces of JSON lines. */
export class TupleHash {
  readonly #node: NodeHash | undefined = nodeCrypto?.createHash('sha256');
  readonly #portable: ReturnType<typeof sha256.create> | undefined =
    this.#node === undefined ? sha256.create() : undefined;
  #escaped = new Uint8Array(0);

  constructor(tag: string, number: number) {
    this.#update(new TextEncoder().encode(`["${tag}",${number},"`));
  }

  /** Whole lines, as UTF-8: no character but the newline that JSON writes otherwise than quotes and backslashes. */
  addLines(lines: Uint8Array): void {
    if (this.#escaped.length < lines.length * 2) this.#escaped = new Uint8Array(lines.length * 2);
    this.#update(this.#escaped.subarray(0, escapeBytes(lines, this.#escaped)));
  }

  deriveId(time: number): string {
    this.#update(new TextEncoder().encode('"]'));
    const portable = this.#portable;
    return formatId(
      time,
      portable === undefined ? (this.#node?.digest('latin1') ?? '') : readBytes(portable.digest()),
    );
  }

  #update(bytes: Uint8Array): void {
    if (this.#node === undefined) this.#portable?.update(bytes);
    else this.#node.update(bytes);
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const NEWLINE = 10;

/** What stands after the backslash, of bytes that need one. */
const LETTERS: Uint8Array = new Uint8Array(256);
LETTERS[QUOTE] = QUOTE;
LETTERS[BACKSLASH] = BACKSLASH;
LETTERS[NEWLINE] = 'n'.charCodeAt(0);

/** Writes the inside of the JSON string for JSON lines; gives how many bytes it wrote. */
function escapeBytes(bytes: Uint8Array, escaped: Uint8Array): number {
  const { length } = bytes;
  const words = new DataView(bytes.buffer, bytes.byteOffset, length);
  const copies = new DataView(escaped.buffer);
  let at = 0;
  let index = 0;
  for (const last = length - 4; index <= last; ) {
    const word = words.getUint32(index, true);
    const quote = word ^ 0x22222222;
    const backslash = word ^ 0x5c5c5c5c;
    const newline = word ^ 0x0a0a0a0a;
    // The highest bit of each byte that is one of the three; sometimes one too many, but never the first.
    const found =
      (((quote - 0x01010101) & ~quote) |
        ((backslash - 0x01010101) & ~backslash) |
        ((newline - 0x01010101) & ~newline)) &
      0x80808080;
    // All four: what comes after the first of the three is written over.
    copies.setUint32(at, word, true);
    const plain = found === 0 ? 4 : (31 - Math.clz32(found & -found)) >> 3;
    at += plain;
    index += plain;
    if (found === 0) continue;
    at = escapeByte(bytes[index] as number, escaped, at);
    index += 1;
  }
  for (; index < length; index += 1) at = escapeByte(bytes[index] as number, escaped, at);
  return at;
}

/** Gives the offset after it. */
function escapeByte(byte: number, escaped: Uint8Array, at: number): number {
  const letter = LETTERS[byte] as number;
  if (letter === 0) {
    escaped[at] = byte;
    return at + 1;
  }
  escaped[at] = BACKSLASH;
  escaped[at + 1] = letter;
  return at + 2;
}

/** As Latin-1, one character a byte. */
function digestOf(text: string): string {
  if (nodeCrypto?.hash !== undefined) return nodeCrypto.hash('sha256', text, 'latin1');
  return digestOfBytes(new TextEncoder().encode(text));
}

function digestOfBytes(bytes: Uint8Array): string {
  if (nodeCrypto?.hash !== undefined) return nodeCrypto.hash('sha256', bytes, 'latin1');
  if (nodeCrypto === undefined) return readBytes(sha256(bytes));
  const hash = nodeCrypto.createHash('sha256');
  hash.update(bytes);
  return hash.digest('latin1');
}

function readBytes(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const DIGITS: readonly number[] = Array.from(ALPHABET, (digit) => digit.charCodeAt(0));
const ID: number[] = new Array<number>(26).fill(0);

function formatId(time: number, digest: string, micros = -1): string {
  // Thirty bits at a time: beyond them the operators on bits lose the upper ones.
  writeDigits(0, Math.floor(time / 2 ** 30), 4);
  writeDigits(4, time % 2 ** 30, 6);
  for (let group = 0; group < 2; group += 1) {
    const at = group * 5;
    const upper = (digest.charCodeAt(at) << 12) | (digest.charCodeAt(at + 1) << 4);
    const middle = digest.charCodeAt(at + 2);
    const lower = ((middle & 15) << 16) | (digest.charCodeAt(at + 3) << 8) | digest.charCodeAt(at + 4);
    writeDigits(10 + group * 8, upper | (middle >> 4), 4);
    writeDigits(14 + group * 8, lower, 4);
  }
  if (micros >= 0) writeDigits(10, micros, 2);
  return String.fromCharCode.apply(null, ID);
}

function writeDigits(at: number, value: number, count: number): void {
  let rest = value;
  for (let index = at + count - 1; index >= at; index -= 1) {
    ID[index] = DIGITS[rest & 31] as number;
    rest >>= 5;
  }
}
