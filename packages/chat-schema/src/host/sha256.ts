/** Fractional parts of the cube roots of the first 64 primes. */
const ROUNDS = Int32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const START = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const;
const BLOCK = 64;

const encoder = new TextEncoder();
const words = new Int32Array(BLOCK);
const state = new Int32Array(START.length);
const tail = new Uint8Array(2 * BLOCK);

/** The SHA-256 of a text in UTF-8: 32 bytes. A browser's own answers only later, where an id is needed at once. */
export function hashText(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  const { length } = bytes;
  state.set(START);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = 0;
  for (; at + BLOCK <= length; at += BLOCK) mix(view, at);
  const rest = length - at;
  // A one, zeros, and the length in bits: in one block where it fits.
  const end = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  tail.fill(0, 0, end);
  tail.set(bytes.subarray(at));
  tail[rest] = 0x80;
  const last = new DataView(tail.buffer);
  last.setUint32(end - 8, Math.floor(length / 2 ** 29));
  last.setUint32(end - 4, (length << 3) >>> 0);
  for (at = 0; at < end; at += BLOCK) mix(last, at);
  const hash = new DataView(new ArrayBuffer(4 * START.length));
  for (let i = 0; i < START.length; i += 1) hash.setInt32(4 * i, state[i] as number);
  return new Uint8Array(hash.buffer);
}

/** In lower case. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** One block of FIPS 180-4, section 6.2.2. */
function mix(view: DataView, at: number): void {
  // Read once: a loop over a variable of the module looks it up each time.
  const w = words;
  const rounds = ROUNDS;
  for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < BLOCK; i += 1) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const small = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const large = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = (small + (w[i - 16] as number) + ((large + (w[i - 7] as number)) | 0)) | 0;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < BLOCK; i += 1) {
    const chosen = ((rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g))) | 0;
    const first = (((h + chosen) | 0) + (((rounds[i] as number) + (w[i] as number)) | 0)) | 0;
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}
