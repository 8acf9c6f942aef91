import { ByteWriter } from '../source/byte-writer.js';
import type { Progress } from '../source/progress.js';
import { TupleHash } from './derive-id.js';
import { TailedMessage, type WrittenEntry } from './write-entry.js';

/** Bytes that are hashed at once: few at first, for most chats are small. */
const FIRST_BLOCK = 4 * 1024;
const BLOCK = 256 * 1024;
const NEWLINE = 10;

/** The lines under the header of a lane, as bytes: a text of this length costs several times as much to put together. */
export class LaneText {
  readonly #hash: TupleHash;
  readonly #progress: Progress;
  readonly #blocks: Uint8Array[] = [];
  #writer = new ByteWriter(FIRST_BLOCK);
  #done = 0;

  constructor(schemaVersion: number, progress: Progress) {
    this.#hash = new TupleHash('legacy_lane', schemaVersion);
    this.#progress = progress;
  }

  add(written: WrittenEntry): void {
    if (written instanceof TailedMessage && written.size > 0) {
      this.#reserve(written.size + 1);
      written.writeTo(this.#writer);
    } else {
      const { line } = written;
      this.#reserve(line.length * 3 + 1);
      this.#writer.addText(line);
    }
    const { bytes, end } = this.#writer;
    bytes[end] = NEWLINE;
    this.#writer.end = end + 1;
  }

  /** The id of the lane, which hashes all lines. */
  finish(time: number): string {
    this.#endBlock();
    return this.#hash.deriveId(time);
  }

  /** The lines, after `finish`. */
  read(): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return this.#blocks.reduce((text, block) => text + decoder.decode(block), '');
  }

  #reserve(count: number): void {
    if (this.#writer.end + count <= this.#writer.bytes.length) return;
    this.#endBlock();
    const size = Math.min(this.#writer.bytes.length * 4, BLOCK);
    this.#writer = new ByteWriter(Math.max(size, count));
  }

  #endBlock(): void {
    const block = this.#writer.bytes.subarray(0, this.#writer.end);
    this.#blocks.push(block);
    this.#hash.addLines(block);
    this.#done += block.length;
    this.#progress.advance(this.#done);
  }
}
