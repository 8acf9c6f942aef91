/** Strings and dates of JSON, read where they stand in a file: nothing is decoded, and nothing made. */

const QUOTE = 34;
const BACKSLASH = 92;

const PLAIN = 0;
const ESCAPE = 1;
const WIDER = 2;
const ODD = 3;
/** What a byte is inside a string. */
const KINDS: Uint8Array = new Uint8Array(256).fill(ODD, 0, 32).fill(ODD, 128);
KINDS[BACKSLASH] = ESCAPE;
// The lead bytes of what Latin-1 has beyond ASCII.
KINDS[0xc2] = WIDER;
KINDS[0xc3] = WIDER;
KINDS[QUOTE] = ODD;

/** Escapes that `JSON.stringify` writes too; any other way to write a character makes a string odd. */
const ESCAPED: Uint8Array = new Uint8Array(256);
for (const letter of '"\\bfnrt') ESCAPED[letter.charCodeAt(0)] = 1;

/**
 * The offset of the closing quote of a string that begins at `start`, within its quotes; -1 of one that is not written
 * as `JSON.stringify` would, or holds a character above Latin-1: its bytes are not what a line would say.
 */
export function findStringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; ; at += 1) {
    let kind = KINDS[bytes[at] as number];
    while (kind === PLAIN) {
      at += 1;
      kind = KINDS[bytes[at] as number];
    }
    if (kind === ESCAPE) {
      at += 1;
      if (ESCAPED[bytes[at] as number] !== 1) return -1;
    } else if (kind === WIDER) {
      at += 1;
      if (((bytes[at] as number) & 0xc0) !== 0x80) return -1;
    } else {
      return bytes[at] === QUOTE ? at : -1;
    }
  }
}

/** The offset of the first byte from `at` that is no white space of JSON. */
export function skipSpaceBytes(bytes: Uint8Array, at: number): number {
  let next = at;
  for (let byte = bytes[next]; byte === 32 || byte === 10 || byte === 13 || byte === 9; byte = bytes[next]) {
    next += 1;
  }
  return next;
}

/** Whether this text of ASCII stands at `at`. */
export function hasBytes(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text[index]) return false;
  }
  return true;
}

/** Whether both ranges hold the same. */
export function areBytesEqual(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[a + index] !== bytes[b + index]) return false;
  return true;
}

/** A short string of each kind, made once where the same one comes again and again. */
export class ShortStrings {
  readonly #known: { readonly bytes: Uint8Array; readonly text: string }[] = [];
  #next = 0;

  read(bytes: Uint8Array, start: number, end: number): string {
    for (const known of this.#known) {
      if (known.bytes.length === end - start && hasBytes(bytes, start, known.bytes)) return known.text;
    }
    const copy = bytes.slice(start, end);
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(copy);
    this.#known[this.#next] = { bytes: copy, text };
    this.#next = (this.#next + 1) % KEPT;
    return text;
  }
}

const KEPT = 8;
