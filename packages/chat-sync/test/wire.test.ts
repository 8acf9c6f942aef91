import { writeAny, writeUint8, writeVarInt, writeVarString, writeVarUint } from 'lib0/encoding';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { decodeUpdate } from '../src/update/decode.js';
import { INITIAL_LIMITS, LIVE_LIMITS, NO_LIMITS, type UpdateLimits } from '../src/update/limits.js';
import {
  docOf,
  encodeRaw,
  openDoor,
  outcomeOf,
  type RawStruct,
  rawDeleted,
  rawGc,
  rawSkip,
  rawText,
} from './door-world.js';

const at = (structs: readonly RawStruct[], client = 9, clock = 0): Uint8Array =>
  encodeRaw({ sections: [{ client, clock, structs }] });
const codeOf = (bytes: Uint8Array, limits: Partial<UpdateLimits> = {}): string => {
  const decoded = decodeUpdate(bytes, { ...LIVE_LIMITS, ...limits });
  return decoded.ok ? 'ok' : decoded.code;
};
const value = (ref: number, content: RawStruct['content']): Uint8Array =>
  at([{ ref, parent: 'notes', content }]);
const any = (write: RawStruct['content']): Uint8Array =>
  value(8, (encoder) => {
    writeVarUint(encoder, 1);
    write(encoder);
  });
const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);

describe('limits of an update', () => {
  it('[DR6] each limit holds what it says and refuses one more', () => {
    const texts = (count: number): RawStruct[] =>
      Array.from({ length: count }, () => rawText('x', { parent: 'notes' }));
    const bytes = at(texts(3));
    expect(codeOf(bytes, { bytes: bytes.length })).toBe('ok');
    expect(codeOf(bytes, { bytes: bytes.length - 1 })).toBe('too_large');
    expect(codeOf(bytes, { structs: 3 })).toBe('ok');
    expect(codeOf(bytes, { structs: 2 })).toBe('too_many_structs');
    const clients = encodeRaw({
      sections: [8, 9].map((client) => ({ client, clock: 0, structs: texts(2) })),
    });
    expect(codeOf(clients, { clients: 2, structs: 4 })).toBe('ok');
    expect(codeOf(clients, { clients: 1 })).toBe('too_many_clients');
    expect(codeOf(clients, { structs: 3 })).toBe('too_many_structs');
    const deletions = encodeRaw({
      sections: [],
      deletions: [
        [9, [0, 1], [2, 1]],
        [8, [0, 1]],
      ],
    });
    expect(codeOf(deletions, { deletions: 3 })).toBe('ok');
    expect(codeOf(deletions, { deletions: 2 })).toBe('too_many_deletions');
    const jump = at([rawGc(50), rawDeleted(50, { parent: 'notes' })]);
    expect(codeOf(jump, { jump: 100 })).toBe('ok');
    expect(codeOf(jump, { jump: 99 })).toBe('clock_jump');
    expect(codeOf(at([rawText('x'.repeat(200), { parent: 'notes' })]), { jump: 100 })).toBe('ok');
    for (const deep of [
      any((encoder) => writeAny(encoder, nest(3) as [])),
      value(5, (encoder) => writeVarString(encoder, JSON.stringify(nest(3)))),
    ]) {
      expect(codeOf(deep, { depth: 3 })).toBe('ok');
      expect(codeOf(deep, { depth: 2 })).toBe('too_deep');
    }
    expect(
      codeOf(
        any((encoder) => writeAny(encoder, { a: { b: 1 } })),
        { depth: 1 },
      ),
    ).toBe('too_deep');
    expect(codeOf(value(5, (encoder) => writeVarString(encoder, JSON.stringify('['.repeat(2000)))))).toBe(
      'ok',
    );
    expect(LIVE_LIMITS.bytes).toBeLessThan(INITIAL_LIMITS.bytes);
    expect(NO_LIMITS.depth).toBeGreaterThan(INITIAL_LIMITS.depth);
  });

  it('[DR2] what a hole leaves out is a gap, however long', () => {
    const update = at([
      rawText('x', { parent: 'notes' }),
      rawSkip(2 ** 40),
      rawText('y', { origin: [9, 0] }),
    ]);
    expect(outcomeOf(openDoor(docOf()).receiveUpdate(update))).toBe('gap');
  });

  it('[DR4] what Yjs would stumble over while it reads is malformed', () => {
    const bad: Record<string, Uint8Array> = {
      'a subdocument without options': value(9, (encoder) => {
        writeVarString(encoder, 'guid');
        writeAny(encoder, null);
      }),
      'an undefined embed': value(5, (encoder) => writeVarString(encoder, 'undefined')),
      'an undefined format': value(6, (encoder) => {
        for (const string of ['bold', 'undefined']) writeVarString(encoder, string);
      }),
      'no JSON': value(2, (encoder) => {
        writeVarUint(encoder, 1);
        writeVarString(encoder, '{');
      }),
      'an integer above 2^53': any((encoder) => {
        for (const byte of [125, 255, 255, 255, 255, 255, 255, 255, 255, 127]) writeUint8(encoder, byte);
      }),
      'an unknown value': any((encoder) => writeUint8(encoder, 100)),
      'an unknown content': value(11, () => {}),
      'an unknown type': value(7, (encoder) => writeVarUint(encoder, 7)),
      'GC with other bits': at([{ ...rawGc(1), bits: 0x80 }]),
      'a skip with other bits': at([{ ...rawSkip(1), bits: 0x20 }]),
      'an empty text': at([rawText('', { parent: 'notes' })]),
      'GC of nothing': at([rawGc(0)]),
      'a client of 33 bits': at([rawGc(1)], 2 ** 32),
      'a client twice': encodeRaw({
        sections: [9, 9].map((client) => ({ client, clock: 0, structs: [rawGc(1)] })),
      }),
      'an empty section': at([]),
      'a clock out of range': at([rawGc(2)], 9, Number.MAX_SAFE_INTEGER - 1),
      'a struct too few': encodeRaw({ sections: [{ client: 9, clock: 0, structs: [rawGc(1)], count: 2 }] }),
      'a byte too many': encodeRaw({ sections: [], tail: [0] }),
      'a deletion of nothing': encodeRaw({ sections: [], deletions: [[9, [0, 0]]] }),
      'no deletions of a client': encodeRaw({ sections: [], deletions: [[9]] }),
      'deletions of a client of 33 bits': encodeRaw({ sections: [], deletions: [[2 ** 32, [0, 1]]] }),
      'deletions out of order': encodeRaw({ sections: [], deletions: [[9, [2, 1], [0, 1]]] }),
      'deletions over each other': encodeRaw({ sections: [], deletions: [[9, [0, 2], [1, 1]]] }),
      'deletions of one client twice': encodeRaw({
        sections: [],
        deletions: [
          [9, [0, 1]],
          [9, [2, 1]],
        ],
      }),
      'deletions out of range': encodeRaw({ sections: [], deletions: [[9, [Number.MAX_SAFE_INTEGER, 1]]] }),
      'not text': new Uint8Array([1, 1, 9, 0, 4, 1, 1, 120, 1, 0xff, 0]),
      nothing: new Uint8Array(),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      expect(codeOf(bytes), name).toBe('malformed');
      const doc = docOf();
      expect(outcomeOf(openDoor(doc).receiveUpdate(bytes)), name).toBe('malformed');
      expect(doc.share.size).toBe(0);
    }
    expect(
      codeOf(
        any((encoder) => {
          writeUint8(encoder, 125);
          writeVarInt(encoder, -5_000_000_000);
        }),
      ),
    ).toBe('ok');
    expect(
      codeOf(
        value(2, (encoder) => {
          writeVarUint(encoder, 1);
          writeVarString(encoder, 'undefined');
        }),
      ),
    ).toBe('ok');
    expect(decodeUpdate(Y.encodeStateAsUpdate(new Y.Doc()), LIVE_LIMITS).ok).toBe(true);
  });
});
