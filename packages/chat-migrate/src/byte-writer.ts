const ENCODER = new TextEncoder();
/** Above this, the engine's own copy is faster than a loop. */
const LONG = 48;

/** Bytes that are put together one after the other. Room is asked for first: what is added is not checked again. */
export class ByteWriter {
  bytes: Uint8Array;
  end = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Makes room for that many bytes more. What was written so far stays only if `keep`. */
  reserve(count: number, keep: boolean): void {
    if (this.end + count <= this.bytes.length) return;
    const before = this.bytes;
    this.bytes = new Uint8Array(Math.max(this.end + count, before.length * 2));
    if (keep) this.bytes.set(before.subarray(0, this.end));
  }

  /** A text of ASCII. */
  addAscii(text: string): void {
    const { bytes, end } = this;
    const { length } = text;
    for (let index = 0; index < length; index += 1) bytes[end + index] = text.charCodeAt(index);
    this.end = end + length;
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
}
