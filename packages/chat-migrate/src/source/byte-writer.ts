const ENCODER = new TextEncoder();
/** Above this, the engine's own copy is faster than a loop. */
const LONG = 48;
const ZERO = 48;

/** Bytes that are put together one after the other. Room is asked for first: what is added is not checked again. */
export class ByteWriter {
  bytes: Uint8Array;
  end = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Begins again, with room for that many bytes. */
  restart(count: number): void {
    this.end = 0;
    if (count > this.bytes.length) this.bytes = new Uint8Array(Math.max(count, this.bytes.length * 2));
  }

  /** A text of ASCII. */
  addAscii(text: string): void {
    const { bytes, end } = this;
    const { length } = text;
    for (let index = 0; index < length; index += 1) bytes[end + index] = text.charCodeAt(index);
    this.end = end + length;
  }

  /** A whole number below 2^31, with zeros before it. */
  addDigits(value: number, count: number): void {
    const { bytes, end } = this;
    let rest = value;
    for (let index = count - 1; index >= 0; index -= 1) {
      bytes[end + index] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    this.end = end + count;
  }

  /** Any text, which takes up to three bytes a code unit. */
  addText(text: string): void {
    this.end += ENCODER.encodeInto(text, this.bytes.subarray(this.end)).written;
  }

  /** `[from, to)` of other bytes. */
  addRange(source: Uint8Array, from: number, to: number): void {
    const { bytes, end } = this;
    const length = to - from;
    if (length > LONG) bytes.set(source.subarray(from, to), end);
    else for (let index = 0; index < length; index += 1) bytes[end + index] = source[from + index] as number;
    this.end = end + length;
  }

  /** `[from, to)` of UTF-8 with escapes for what has two code units, and with `isRare` for all above Latin-1. */
  addEscaped(source: Uint8Array, from: number, to: number, isRare: boolean): void {
    for (let at = from; at < to; ) {
      const lead = source[at] as number;
      if (lead < 0xc4) {
        this.bytes[this.end] = lead;
        this.end += 1;
        at += 1;
        continue;
      }
      const count = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      if (count === 4 || isRare) this.#addEscapes(readCharacter(source, at, count));
      else this.addRange(source, at, at + count);
      at += count;
    }
  }

  #addEscapes(character: number): void {
    const isPair = character > 0xffff;
    const rest = character - 0x10000;
    for (const unit of isPair ? [0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff)] : [character])
      this.addAscii(`\\u${unit.toString(16).padStart(4, '0')}`);
  }
}

/** The character of UTF-8 that takes these two to four bytes. */
function readCharacter(bytes: Uint8Array, at: number, count: number): number {
  let character = (bytes[at] as number) & (0x7f >> count);
  for (let index = 1; index < count; index += 1)
    character = (character << 6) | ((bytes[at + index] as number) & 63);
  return character;
}
