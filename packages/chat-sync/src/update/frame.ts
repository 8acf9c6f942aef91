import { ChatDocError, isUlid, SCHEMA_VERSION } from '@chatdoc/schema';
import { packUlid, unpackUlid } from '@chatdoc/schema/internal';
import crc from 'crc-32';

/**
 * What stands around every stored or sent update: Yjs updates have no checksum, and 61 % of their single bit
 * flips are accepted in silence.
 *
 * ```
 *  0  magic       89 59 43 54 ("\x89YCT")
 *  4  version     1
 *  5  kind        1 snapshot, 2 update, 3 seal
 *  6  encoding    1 (Yjs V1 for snapshot and update, UTF-8 for seal)
 *  7  min_reader  schema version that a reader needs to write
 *  8  doc id      16 bytes, the ULID
 * 24  generation  uint32
 * 28  length      uint32, of the payload
 * 32  CRC-32      of bytes 0 to 31
 * 36  CRC-32      of the payload
 * 40  payload
 * ```
 *
 * Numbers are big-endian. The header has a checksum of its own, so that a length can be trusted before the
 * payload is there.
 */

export const FRAME_MAGIC: readonly number[] = [0x89, 0x59, 0x43, 0x54];
export const FRAME_HEADER_LENGTH = 40;
/** A payload is shorter than this many bytes: what one `applyUpdate` can hold. */
const MAX_PAYLOAD: number = 0x7fff_ffff;
const VERSION = 1;
const ENCODING = 1;
const KINDS = ['snapshot', 'update', 'seal'] as const;

export type FrameKind = (typeof KINDS)[number];

export interface FrameHead {
  readonly kind: FrameKind;
  readonly doc_id: string;
  readonly generation: number;
  /** A reader of an older schema opens the document for reading only. */
  readonly min_reader: number;
}

export interface Frame extends FrameHead {
  readonly payload: Uint8Array;
}

export type FrameRefusalCode =
  /** Ends within a frame. */
  | 'truncated'
  /** Does not begin with a frame. */
  | 'no_frame'
  /** A frame of a later format, or another encoding. */
  | 'unknown_frame'
  /** The checksum of header or payload differs. */
  | 'checksum'
  /** Bytes after the frame. */
  | 'trailing_bytes';

export type ReadFrame =
  | { readonly ok: true; readonly frame: Frame; readonly end: number }
  | { readonly ok: false; readonly code: FrameRefusalCode };

/** Throws `invalid_argument` for a head that does not fit its fields. */
export function encodeFrame(frame: Omit<Frame, 'min_reader'> & { readonly min_reader?: number }): Uint8Array {
  const { kind, doc_id, generation, min_reader = SCHEMA_VERSION, payload } = frame;
  assertArgument(KINDS.includes(kind), 'kind', 'a kind of frame');
  assertArgument(isUlid(doc_id), 'doc_id', 'a canonical ULID');
  assertArgument(isUint(generation, 0xffff_ffff), 'generation', 'a uint32');
  assertArgument(isUint(min_reader, 0xff), 'min_reader', 'a byte');
  assertArgument(payload.length < MAX_PAYLOAD, 'payload', 'fewer than 2 GiB');
  const bytes = new Uint8Array(FRAME_HEADER_LENGTH + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(FRAME_MAGIC);
  bytes[4] = VERSION;
  bytes[5] = KINDS.indexOf(kind) + 1;
  bytes[6] = ENCODING;
  bytes[7] = min_reader;
  bytes.set(packUlid(doc_id), 8);
  view.setUint32(24, generation);
  view.setUint32(28, payload.length);
  view.setInt32(32, crc.buf(bytes.subarray(0, 32)));
  view.setInt32(36, crc.buf(payload));
  bytes.set(payload, FRAME_HEADER_LENGTH);
  return bytes;
}

function isUint(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function assertArgument(condition: boolean, path: string, expected: string): void {
  if (!condition) throw new ChatDocError('invalid_argument', path, `expected ${expected}`);
}

export function headOf({ payload: _, ...head }: Frame): FrameHead {
  return head;
}

/** The frame that stands in `bytes` at `offset`. Its payload is a view of `bytes`. Never throws. */
export function readFrame(bytes: Uint8Array, offset = 0): ReadFrame {
  const header = readHeader(bytes, offset);
  if (!header.ok) return header;
  const { ok: _, length, checksum, ...head } = header;
  const start = offset + FRAME_HEADER_LENGTH;
  const end = start + length;
  if (end > bytes.length) return { ok: false, code: 'truncated' };
  const payload = bytes.subarray(start, end);
  if (crc.buf(payload) !== checksum) return { ok: false, code: 'checksum' };
  return { ok: true, frame: { ...head, payload }, end };
}

type ReadHeader =
  | ({ readonly ok: true; readonly length: number; readonly checksum: number } & FrameHead)
  | { readonly ok: false; readonly code: FrameRefusalCode };

function readHeader(bytes: Uint8Array, offset: number): ReadHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  for (let at = 0; at < FRAME_MAGIC.length && at < view.byteLength; at += 1) {
    if (view.getUint8(at) !== FRAME_MAGIC[at]) return { ok: false, code: 'no_frame' };
  }
  if (view.byteLength < FRAME_HEADER_LENGTH) return { ok: false, code: 'truncated' };
  if (crc.buf(bytes.subarray(offset, offset + 32)) !== view.getInt32(32)) {
    return { ok: false, code: 'checksum' };
  }
  const kind = KINDS[view.getUint8(5) - 1];
  const doc_id = unpackUlid(bytes.subarray(offset + 8, offset + 24));
  if (
    view.getUint8(4) !== VERSION ||
    view.getUint8(6) !== ENCODING ||
    kind === undefined ||
    !isUlid(doc_id)
  ) {
    return { ok: false, code: 'unknown_frame' };
  }
  const head = { kind, doc_id, generation: view.getUint32(24), min_reader: view.getUint8(7) };
  return { ok: true, ...head, length: view.getUint32(28), checksum: view.getInt32(36) };
}

/** A frame whose header is whole and whose payload is not: for a reader that trusts nothing of it. */
export function readDamagedFrame(bytes: Uint8Array): Frame | undefined {
  const head = readHeader(bytes, 0);
  if (!head.ok) return undefined;
  const { ok: _, length, checksum: __, ...rest } = head;
  return { ...rest, payload: bytes.subarray(FRAME_HEADER_LENGTH, FRAME_HEADER_LENGTH + length) };
}

/** The one frame that `bytes` are, and nothing behind it. */
export function decodeFrame(bytes: Uint8Array): ReadFrame {
  const read = readFrame(bytes);
  if (!read.ok || read.end === bytes.length) return read;
  return { ok: false, code: 'trailing_bytes' };
}

/** Where the next frame may begin at or after `from`: the offset of a magic, or the length of `bytes`. */
export function findFrame(bytes: Uint8Array, from: number): number {
  const [first = 0, ...rest] = FRAME_MAGIC;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (rest.every((byte, index) => bytes[at + 1 + index] === byte)) return at;
  }
  return bytes.length;
}
