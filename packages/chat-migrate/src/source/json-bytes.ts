/** Strings and dates of JSON, read where they stand in a file: nothing is decoded, and nothing made. */

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;

/** What a byte is inside a string: how many bytes of its character follow, or one of the others. */
const [PLAIN, ESCAPE, END] = [0, 4, 5] as const;
const KINDS: Uint8Array = new Uint8Array(256).fill(END, 0, 32).fill(END, 128);
KINDS[QUOTE] = END;
KINDS[BACKSLASH] = ESCAPE;
KINDS.fill(1, 0xc2, 0xe0).fill(2, 0xe0, 0xf0).fill(3, 0xf0, 0xf5);

/** Escapes that `JSON.stringify` writes too; any other way to write a character makes a string odd. */
const ESCAPED: Uint8Array = new Uint8Array(256);
for (const letter of '"\\bfnrt') ESCAPED[letter.charCodeAt(0)] = 1;

/** The bytes of a JSON text, also four at a time: nearly all of a chat is what strings say. */
export class JsonBytes {
  readonly bytes: Uint8Array;
  readonly words: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The first offset from `at` of four bytes among which is not only a part of a string; less than four before the end. */
  skipPlain(at: number): number {
    const { words } = this;
    const last = words.byteLength - 4;
    let next = at;
    for (; next <= last; next += 4) {
      const word = words.getUint32(next, true);
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      // The highest bit of each byte that is a quote, a backslash, below 32 or above 127; sometimes one too many.
      const found =
        ((quote - 0x01010101) & ~quote) |
        ((backslash - 0x01010101) & ~backslash) |
        (word - 0x20202020) |
        word;
      if ((found & 0x80808080) !== 0) break;
    }
    return next;
  }
}

/** `[from, to)` of the bytes of a string, with its quotes, and what its line depends on. */
export class StringSpan {
  readonly #json: JsonBytes;
  from = 0;
  to = 0;
  hasEscapes = false;
  /** Characters above Latin-1 of one code unit. */
  wide = 0;
  /** Characters of two code units. */
  pairs = 0;
  /** Bytes that it has more than code units. */
  extra = 0;

  constructor(json: JsonBytes) {
    this.#json = json;
  }

  /**
   * Reads the string whose opening quote stands at `start`. False of one that is not written as `JSON.stringify`
   * would, or is no UTF-8: its bytes are not what a line would say.
   */
  read(start: number): boolean {
    const json = this.#json;
    const { bytes } = json;
    if (bytes[start] !== QUOTE) return false;
    this.from = start;
    this.hasEscapes = false;
    this.wide = 0;
    this.pairs = 0;
    this.extra = 0;
    let at = start + 1;
    while (at < bytes.length) {
      at = json.skipPlain(at);
      // The byte that the words ended at is one of the next four.
      for (const end = Math.min(at + 4, bytes.length); at < end; at += 1) {
        const byte = bytes[at] as number;
        const kind = KINDS[byte] as number;
        if (kind === PLAIN) continue;
        if (kind === END) {
          this.to = at + 1;
          return byte === QUOTE;
        }
        if (kind === ESCAPE) {
          at += 1;
          if (ESCAPED[bytes[at] as number] !== 1) return false;
          this.hasEscapes = true;
        } else {
          if (!isCharacter(bytes, at, kind)) return false;
          at += kind;
          this.extra += kind === 3 ? 2 : kind;
          if (kind === 3) this.pairs += 1;
          else if (byte >= 0xc4) this.wide += 1;
        }
      }
    }
    return false;
  }

  /** Whether it is a short string of ASCII that says something, in which each byte stands for itself. */
  get isName(): boolean {
    const length = this.to - this.from;
    return length > 2 && length <= MAX_NAME && !this.hasEscapes && this.extra === 0;
  }
}

const MAX_NAME = 256;

/** Whether the bytes after a lead byte make a character of UTF-8 with it. */
function isCharacter(bytes: Uint8Array, at: number, count: number): boolean {
  const lead = bytes[at] as number;
  const second = bytes[at + 1] as number;
  // Neither longer than need be, nor a surrogate, nor above the last.
  if (lead === 0xe0 && second < 0xa0) return false;
  if (lead === 0xed && second > 0x9f) return false;
  if (lead === 0xf0 && second < 0x90) return false;
  if (lead === 0xf4 && second > 0x8f) return false;
  for (let index = 1; index <= count; index += 1)
    if (((bytes[at + index] as number) & 0xc0) !== 0x80) return false;
  return true;
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

/** The offset of the value after the key that ends at `at`; -1 where no colon follows. */
export function skipColon(bytes: Uint8Array, at: number): number {
  const colon = skipSpaceBytes(bytes, at);
  return bytes[colon] === COLON ? skipSpaceBytes(bytes, colon + 1) : -1;
}

export interface Name {
  /** Of ASCII, with the quotes. */
  readonly bytes: Uint8Array;
  /** Among the names that it was made with. */
  readonly place: number;
  readonly bit: number;
}

/** Keys to look for; the first has this bit, and each one after it the next. */
export function createNames(names: readonly string[], bit: number): readonly Name[] {
  const encoder = new TextEncoder();
  return names.map((name, place) => ({ bytes: encoder.encode(`"${name}"`), place, bit: bit << place }));
}

/** The one of the names that stands at `at`. */
export function findName(names: readonly Name[], bytes: Uint8Array, at: number): Name | undefined {
  for (const name of names) if (hasBytes(bytes, at, name.bytes)) return name;
  return undefined;
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
