import { ChatDocError } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import crc from 'crc-32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeFrame,
  FRAME_HEADER_LENGTH,
  type Frame,
  findFrame,
  readFrame,
} from '../src/update/frame.js';
import { DOC_ID, runs } from './door-world.js';

const frames = fc.record({
  kind: fc.constantFrom('snapshot', 'update', 'seal'),
  doc_id: fc.nat().map((at) => deriveUlid(at * 1e5, 'frame', at)),
  generation: fc.oneof(fc.nat(), fc.constantFrom(0, 0xffff_ffff)),
  min_reader: fc.nat(255),
  payload: fc.uint8Array({ maxLength: 64 }),
}) as fc.Arbitrary<Frame>;

const sample = (payload: Uint8Array = new Uint8Array([1, 2, 3])): Uint8Array =>
  encodeFrame({ kind: 'update', doc_id: DOC_ID, generation: 3, payload });

/** A frame whose byte `at` says something else, under a checksum that fits. */
function withHeader(at: number, value: number): Uint8Array {
  const bytes = sample();
  bytes[at] = value;
  new DataView(bytes.buffer).setInt32(32, crc.buf(bytes.subarray(0, 32)));
  return bytes;
}

describe('frames', () => {
  it('[FR1] what is written is read again, alone, behind other bytes and in a larger buffer', () => {
    fc.assert(
      fc.property(frames, fc.nat(20), (frame, offset) => {
        const bytes = encodeFrame(frame);
        expect(bytes).toHaveLength(FRAME_HEADER_LENGTH + frame.payload.length);
        const expected = { ok: true, frame, end: bytes.length };
        expect(decodeFrame(bytes)).toEqual(expected);
        const buffer = new Uint8Array(offset + bytes.length + 9).fill(0x89);
        buffer.set(bytes, offset);
        expect(decodeFrame(buffer.subarray(offset, offset + bytes.length))).toEqual(expected);
        expect(readFrame(buffer, offset)).toEqual({ ...expected, end: offset + bytes.length });
        expect(findFrame(buffer, 0)).toBe(offset);
      }),
      runs(300),
    );
  });

  it('[FR1] the layout is the published one', () => {
    const hex = Buffer.from(
      encodeFrame({
        kind: 'seal',
        doc_id: '01KAJ8Z0000000000000000000',
        generation: 258,
        min_reader: 2,
        payload: new Uint8Array([7]),
      }),
    ).toString('hex');
    expect(hex.slice(0, 64)).toBe(`8959435401030102${'019aa48f80000000'}${'0'.repeat(16)}0000010200000001`);
    expect(hex.slice(-2)).toBe('07');
  });

  it('[FR2] each fault has its code', () => {
    const bytes = sample();
    const code = (damaged: Uint8Array): unknown => {
      const read = decodeFrame(damaged);
      return read.ok ? 'read' : read.code;
    };
    expect(code(new Uint8Array())).toBe('truncated');
    expect(code(bytes.subarray(0, 2))).toBe('truncated');
    expect(code(bytes.subarray(0, 39))).toBe('truncated');
    expect(code(bytes.subarray(0, 42))).toBe('truncated');
    expect(code(new Uint8Array([0x89, 0x59, 0]))).toBe('no_frame');
    expect(code(bytes.map((byte, at) => (at === 30 ? 1 : byte)))).toBe('checksum');
    expect(code(bytes.map((byte, at) => (at === 41 ? 1 : byte)))).toBe('checksum');
    expect(code(new Uint8Array([...bytes, 0]))).toBe('trailing_bytes');
    expect(code(new Uint8Array([...bytes, ...bytes]))).toBe('trailing_bytes');
  });

  it('[FR3] a later version, another kind or another encoding is told from damage', () => {
    for (const [at, value] of [
      [4, 2],
      [5, 0],
      [5, 4],
      [6, 2],
    ] as const) {
      expect(decodeFrame(withHeader(at, value))).toEqual({ ok: false, code: 'unknown_frame' });
    }
    expect(decodeFrame(withHeader(7, 9))).toMatchObject({ ok: true, frame: { min_reader: 9 } });
  });

  it('[FR4] the next frame is found behind damage, and is the length where there is none', () => {
    const [first, second] = [sample(), sample(new Uint8Array([0x89, 0x59, 0x43, 9]))];
    const bytes = new Uint8Array([...first.subarray(0, 20), 0x89, 0x59, ...second]);
    expect(findFrame(bytes, 0)).toBe(0);
    expect(findFrame(bytes, 1)).toBe(22);
    expect(findFrame(bytes, 23)).toBe(bytes.length);
  });

  it('[FR5] a head that does not fit is a mistake of the caller', () => {
    const good: Frame = {
      kind: 'update',
      doc_id: DOC_ID,
      generation: 0,
      min_reader: 2,
      payload: new Uint8Array(),
    };
    const huge = { length: 0x7fff_ffff } as Uint8Array;
    const wrong: [keyof Frame, unknown][] = [
      ...([
        ['kind', 'other'],
        ['doc_id', DOC_ID.toLowerCase()],
        ['doc_id', 7],
        ['payload', huge],
      ] as [keyof Frame, unknown][]),
      ...([-1, 0.5, 2 ** 32, Number.NaN].map((value) => ['generation', value]) as [keyof Frame, unknown][]),
      ...([-1, 256].map((value) => ['min_reader', value]) as [keyof Frame, unknown][]),
    ];
    for (const [path, value] of wrong) {
      expect(() => encodeFrame({ ...good, [path]: value })).toThrow(
        expect.objectContaining({ name: 'ChatDocError', code: 'invalid_argument', path }),
      );
    }
    expect(() => encodeFrame({ ...good, [wrong[0]?.[0] ?? 'kind']: 'x' })).toThrow(ChatDocError);
  });
});
