import { ALPHABET, DIGIT, isUlid, ULID_LENGTH } from '../entry/ulid.js';
import { COST } from '../host/cost.js';

const LOW_BITS = 0x3fffffff;

// The id that `readWords` read last: 128 bits as four words.
let word0 = 0;
let word1 = 0;
let word2 = 0;
let word3 = 0;

/**
 * Ids as small numbers, so that chains and caches are arrays. A ref does not depend on what the id names. An id
 * is kept as the 128 bits that it writes, in an open-addressed table: no string and no map entry until
 * somebody asks for it. `seed` is random, so that nobody can choose ids that collide.
 */
export class RefTable {
  #words = new Int32Array(4 * 512);
  /** Ref + 1 by hash; 0 is free. At most half full. */
  #places = new Int32Array(1024);
  #size = 0;
  /** By ref, once asked for: an id is the same string each time. */
  readonly #ids: string[] = [];
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  find(id: string): number | undefined {
    if (!isUlid(id) || !readWords(id, 0)) return undefined;
    const ref = (this.#places[this.#seek()] as number) - 1;
    return ref < 0 ? undefined : ref;
  }

  /** The ref of the 26 characters at `at` in `text`, made if need be; -1 if they are not a canonical ULID. */
  takeAt(text: string, at: number): number {
    if (!readWords(text, at)) return -1;
    let place = this.#seek();
    const known = this.#places[place] as number;
    if (known > 0) return known - 1;
    if (this.#size * 2 >= this.#places.length) {
      this.#grow();
      readWords(text, at);
      place = this.#seek();
    }
    const ref = this.#size;
    const base = ref * 4;
    this.#size += 1;
    if (base === this.#words.length) {
      const words = new Int32Array(base * 2);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[base] = word0;
    this.#words[base + 1] = word1;
    this.#words[base + 2] = word2;
    this.#words[base + 3] = word3;
    this.#places[place] = ref + 1;
    return ref;
  }

  idOf(ref: number): string {
    let id = this.#ids[ref];
    if (id === undefined) {
      id = this.#writeId(ref * 4);
      this.#ids[ref] = id;
    }
    return id;
  }

  /** The ref of an id, made if need be; -1 if it is not a canonical ULID. */
  take(id: string): number {
    return id.length === ULID_LENGTH ? this.takeAt(id, 0) : -1;
  }

  /** Orders refs as their ids by code unit, without making a string of one. */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const words = this.#words;
    const [x, y] = [a * 4, b * 4];
    // The two upper bits of each word are those of the first two digits.
    let difference = 0;
    for (let i = 0; i < 4 && difference === 0; i += 1) {
      difference = ((words[x + i] as number) >>> 30) - ((words[y + i] as number) >>> 30);
    }
    for (let i = 0; i < 4 && difference === 0; i += 1) {
      difference = ((words[x + i] as number) & LOW_BITS) - ((words[y + i] as number) & LOW_BITS);
    }
    return difference;
  }

  #writeId(base: number): string {
    let head = 0;
    let tail = '';
    for (let i = base; i < base + 4; i += 1) {
      const word = this.#words[i] as number;
      head = (head << 2) | (word >>> 30);
      for (let shift = 25; shift >= 0; shift -= 5) tail += ALPHABET.charAt((word >>> shift) & 31);
    }
    return ALPHABET.charAt(head >> 5) + ALPHABET.charAt(head & 31) + tail;
  }

  /** The place of the id of `word0` … `word3`, or the free one where it would go. */
  #seek(): number {
    COST.lookups += 1;
    const mask = this.#places.length - 1;
    const words = this.#words;
    for (let place = hashWords(this.seed) & mask; ; place = (place + 1) & mask) {
      const base = ((this.#places[place] as number) - 1) * 4;
      if (base < 0) return place;
      if (words[base + 3] !== word3 || words[base + 2] !== word2) continue;
      if (words[base + 1] === word1 && words[base] === word0) return place;
    }
  }

  #grow(): void {
    const places = new Int32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let ref = 0; ref < this.#size; ref += 1) {
      word0 = this.#words[ref * 4] as number;
      word1 = this.#words[ref * 4 + 1] as number;
      word2 = this.#words[ref * 4 + 2] as number;
      word3 = this.#words[ref * 4 + 3] as number;
      let place = hashWords(this.seed) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = ref + 1;
    }
    this.#places = places;
  }
}

/**
 * Six digits a word, and two of the eight bits that the first two digits write. False for text that is not a ULID: a
 * character that is not a digit, -1, makes its word negative.
 */
function readWords(text: string, at: number): boolean {
  const head = (digitAt(text, at) << 5) | digitAt(text, at + 1);
  word0 = readSix(text, at + 2);
  word1 = readSix(text, at + 8);
  word2 = readSix(text, at + 14);
  word3 = readSix(text, at + 20);
  if ((word0 | word1 | word2 | word3 | head) < 0 || head > 255) return false;
  word0 |= (head >> 6) << 30;
  word1 |= ((head >> 4) & 3) << 30;
  word2 |= ((head >> 2) & 3) << 30;
  word3 |= (head & 3) << 30;
  return true;
}

function readSix(text: string, at: number): number {
  return (
    (digitAt(text, at) << 25) |
    (digitAt(text, at + 1) << 20) |
    (digitAt(text, at + 2) << 15) |
    (digitAt(text, at + 3) << 10) |
    (digitAt(text, at + 4) << 5) |
    digitAt(text, at + 5)
  );
}

function digitAt(text: string, at: number): number {
  return DIGIT[text.charCodeAt(at)] as number;
}

/** The words mixed in the manner of MurmurHash3. */
function hashWords(seed: number): number {
  let hash = Math.imul(word3 ^ seed, 0x85ebca6b);
  hash = Math.imul((hash ^ (hash >>> 15)) + word2, 0xc2b2ae35);
  hash = Math.imul((hash ^ (hash >>> 13)) + word1, 0x27d4eb2f);
  hash = Math.imul((hash ^ (hash >>> 16)) + word0, 0x165667b1);
  return hash ^ (hash >>> 15);
}
