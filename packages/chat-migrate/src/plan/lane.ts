import type { Progress } from '../source/progress.js';
import { LinesId } from './derive-id.js';
import type { WrittenEntry } from './written-entry.js';

/** Bytes that are hashed at once: few at first, for most chats are small. */
const FIRST_BLOCK = 8 * 1024;
const MAX_BLOCK = 256 * 1024;
const NEWLINE = 10;
const ENCODER = new TextEncoder();

/** The lines under the header of a lane, as UTF-8: a string of this length costs several times as much to join. */
export class LaneText {
  readonly #id: LinesId;
  readonly #progress: Progress;
  readonly #blocks: Uint8Array[] = [];
  #block = new Uint8Array(FIRST_BLOCK);
  #end = 0;
  #done = 0;

  constructor(schemaVersion: number, progress: Progress) {
    this.#id = new LinesId('legacy_lane', schemaVersion);
    this.#progress = progress;
  }

  add({ line }: WrittenEntry): void {
    // A code unit takes three bytes at most.
    const room = line.length * 3 + 1;
    if (this.#end + room > this.#block.length) {
      this.#endBlock();
      this.#block = new Uint8Array(Math.max(Math.min(this.#block.length * 4, MAX_BLOCK), room));
    }
    this.#end += ENCODER.encodeInto(line, this.#block.subarray(this.#end)).written;
    this.#block[this.#end] = NEWLINE;
    this.#end += 1;
  }

  /** The id of the lane, which hashes all lines. */
  finish(time: number): string {
    this.#endBlock();
    return this.#id.derive(time);
  }

  /** The lines, after `finish`. */
  read(): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return this.#blocks.reduce((text, block) => text + decoder.decode(block), '');
  }

  #endBlock(): void {
    const block = this.#block.subarray(0, this.#end);
    this.#blocks.push(block);
    this.#id.add(block);
    this.#done += block.length;
    this.#end = 0;
    this.#progress.advance(this.#done);
  }
}
