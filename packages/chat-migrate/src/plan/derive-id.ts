import { ALPHABET, DIGIT, formatUlid } from '@chatdoc/schema/internal';
import { sha256 } from '@noble/hashes/sha2.js';

/** Node's own SHA-256: a tenth of the time of the portable code, and the same bytes. */
interface NodeCrypto {
  createHash(algorithm: 'sha256'): Hash;
}

interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

// Asked for at run time, so that nothing of Node's is in what a browser loads.
const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
const nodeCrypto = host.process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
const ENCODER = new TextEncoder();

/** The same id as `deriveUlid` of the schema, by the SHA-256 of the platform. */
export function deriveId(time: number, tag: string, ...parts: readonly (string | number)[]): string {
  const hash = createHash();
  hash.update(ENCODER.encode(JSON.stringify([tag, ...parts])));
  return formatUlid(time, hash.digest());
}

/** The id whose first two random digits are `micros`, 0 … 999: ids are then in the order of microseconds. */
export function withMicros(id: string, micros: number): string {
  return `${id.slice(0, 10)}${ALPHABET.charAt(micros >> 5)}${ALPHABET.charAt(micros & 31)}${id.slice(12)}`;
}

/** 30 bits of the random part of an id. */
export function hashOfId(id: string): number {
  let value = 0;
  for (let index = id.length - 6; index < id.length; index += 1)
    value = value * 32 + (DIGIT[id.charCodeAt(index)] as number);
  return value;
}

/** As `deriveId(time, tag, number, text)`, of a text of JSON lines that comes in blocks. */
export class LinesId {
  readonly #hash = createHash();
  #escaped = new Uint8Array(0);

  constructor(tag: string, number: number) {
    this.#hash.update(ENCODER.encode(`${JSON.stringify([tag, number]).slice(0, -1)},"`));
  }

  /** Adds UTF-8. JSON lines have no character but the newline that JSON escapes besides quotes and backslashes. */
  add(block: Uint8Array): void {
    if (this.#escaped.length < block.length * 2) this.#escaped = new Uint8Array(block.length * 2);
    const escaped = this.#escaped;
    let end = 0;
    for (const byte of block) {
      const letter = LETTERS[byte] as number;
      if (letter !== 0) {
        escaped[end] = BACKSLASH;
        end += 1;
      }
      escaped[end] = letter === 0 ? byte : letter;
      end += 1;
    }
    this.#hash.update(escaped.subarray(0, end));
  }

  derive(time: number): string {
    this.#hash.update(ENCODER.encode('"]'));
    return formatUlid(time, this.#hash.digest());
  }
}

const BACKSLASH = 92;
/** The byte after the backslash, of bytes that need one. */
const LETTERS = new Uint8Array(256);
for (const letter of '"\\') LETTERS[letter.charCodeAt(0)] = letter.charCodeAt(0);
LETTERS['\n'.charCodeAt(0)] = 'n'.charCodeAt(0);

function createHash(): Hash {
  return nodeCrypto?.createHash('sha256') ?? sha256.create();
}
