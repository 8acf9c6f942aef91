import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { decodeUpdate } from '../src/update/decode.js';
import { Door } from '../src/update/door.js';
import { encodeFrame } from '../src/update/frame.js';
import { inspectUpdate } from '../src/update/inspect.js';
import { LIVE_LIMITS } from '../src/update/limits.js';
import {
  createEnvironment,
  DOC_ID,
  docOf,
  encodeRaw,
  fingerprint,
  openDoor,
  outcomeOf,
  type RawSection,
  type RawUpdate,
  rawDeleted,
  rawGc,
  rawLane,
  rawSkip,
  rawText,
  rawType,
  receiveChecked,
} from './door-world.js';

const BASE = encodeRaw({
  sections: [
    rawLane(5, 'a', 'one two'),
    rawLane(6, 'b', 'three'),
    {
      client: 8,
      clock: 0,
      structs: [
        rawType(1, { parent: 'notes', key: 'm' }),
        rawText('note', { parent: [8, 0], key: 'k' }),
        rawText('list', { parent: 'notes' }),
      ],
    },
  ],
});

function check(update: RawUpdate, base: Uint8Array = BASE): string {
  const doc = docOf(base);
  return receiveChecked(openDoor(doc), doc, encodeRaw(update));
}
const of = (client: number, clock: number, ...structs: RawSection['structs']): RawUpdate => ({
  sections: [{ client, clock, structs }],
});

describe('the door', () => {
  it('[DR1] a frame of another document or generation, or a seal, is refused before it is looked at', () => {
    const doc = docOf();
    const door = openDoor(doc, { generation: 4 });
    const head = { kind: 'update', doc_id: DOC_ID, generation: 4, payload: BASE } as const;
    const receive = (change: object): string => outcomeOf(door.receive(encodeFrame({ ...head, ...change })));
    expect(receive({ doc_id: `0${DOC_ID.slice(1, -1)}0` })).toBe('other_document');
    expect(receive({ generation: 3 })).toBe('other_generation');
    expect(receive({ kind: 'seal' })).toBe('not_an_update');
    expect(receive({ payload: new Uint8Array([9]) })).toBe('malformed');
    expect(fingerprint(doc)).toBe(fingerprint(docOf()));
    expect(receive({ kind: 'snapshot' })).toBe('applied');
    expect(outcomeOf(door.receive(door.wrap(BASE)))).toBe('duplicate');
    expect(door.receive(door.wrap(BASE))).toEqual({ ok: true, outcome: 'duplicate' });
  });

  it('[DR1] a door wants a ULID and a uint32', () => {
    const wrong = [
      { doc_id: 'x', generation: 0 },
      { doc_id: DOC_ID, generation: -1 },
      { doc_id: DOC_ID, generation: 1.5 },
    ];
    for (const options of wrong)
      expect(() => new Door(new Y.Doc(), options)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
  });

  it('[DR7] busy in an observer and in an open transaction; the same afterwards comes in', () => {
    const doc = docOf();
    const door = openDoor(doc);
    const before = fingerprint(doc);
    doc.transact(() => {
      expect(outcomeOf(door.receiveUpdate(BASE))).toBe('busy');
      expect(outcomeOf(door.receive(door.wrap(BASE)))).toBe('busy');
    });
    expect(fingerprint(doc)).toBe(before);
    const seen: string[] = [];
    const answer = encodeRaw({ sections: [rawLane(7, 'c', 'answer')] });
    doc.getMap('chat').observe(() => seen.push(outcomeOf(door.receiveUpdate(answer))));
    doc.on('update', () => seen.push(outcomeOf(door.receiveUpdate(answer))));
    expect(outcomeOf(door.receiveUpdate(BASE))).toBe('applied');
    expect(seen).toEqual(['busy', 'busy']);
    expect(Y.getState(doc.store, 7)).toBe(0);
    expect(outcomeOf(door.receiveUpdate(answer))).toBe('applied');
  });

  it('[DR7] the origin is the door, or what was given, and what an observer throws comes out', () => {
    for (const origin of [undefined, 'provider']) {
      const doc = docOf();
      const door = openDoor(doc, { origin });
      const origins: unknown[] = [];
      doc.on('update', (_: Uint8Array, from: unknown) => origins.push(from));
      door.receiveUpdate(BASE);
      expect(origins).toEqual([origin ?? door]);
    }
    const doc = docOf();
    const door = openDoor(doc);
    doc.getMap('chat').observe(() => {
      throw new RangeError('of the caller');
    });
    expect(() => door.receiveUpdate(BASE)).toThrow(RangeError);
    expect(outcomeOf(door.receiveUpdate(BASE))).toBe('duplicate');
  });

  it('[DR2] what builds on what is missing is a gap', () => {
    expect(check(of(5, 9, rawText('x', { origin: [5, 7] })))).toBe('gap');
    expect(check(of(9, 0, rawText('x', { origin: [5, 8] })))).toBe('gap');
    expect(check(of(9, 0, rawText('x', { right: [5, 8] })))).toBe('gap');
    expect(check(of(9, 0, rawText('x', { parent: [9, 4] })))).toBe('gap');
    expect(check({ sections: [], deletions: [[5, [7, 2]]] })).toBe('gap');
    expect(check({ sections: [], deletions: [[77, [0, 1]]] })).toBe('gap');
    expect(check({ sections: [], deletions: [[5, [7, 1]]] })).toBe('applied');
    expect(
      check({
        sections: [
          [1, 2],
          [2, 1],
        ].map(([client, other]) => ({
          client: client as number,
          clock: 0,
          structs: [rawText('x', { origin: [other as number, 0] })],
        })),
      }),
    ).toBe('gap');
    // Each needs the other twice, but never in a circle.
    const first = {
      client: 1,
      clock: 0,
      structs: [rawText('a', { origin: [2, 0] }), rawText('b', { origin: [2, 1] })],
    };
    const second = {
      client: 2,
      clock: 0,
      structs: [rawText('c', { origin: [5, 3] }), rawText('d', { origin: [1, 0] })],
    };
    expect(check({ sections: [first, second] })).toBe('applied');
    expect(check({ sections: [second, first] })).toBe('applied');
    expect(
      check(
        of(5, 0, rawType(2, { parent: 'chat', key: 'a' }), rawSkip(3), rawText(' twox', { origin: [5, 3] })),
      ),
    ).toBe('applied');
    expect(check(of(5, 6, rawSkip(3), rawText('x', { origin: [5, 8] })))).toBe('gap');
  });

  it('[DR2] what is known already must not wait either', () => {
    const lane = rawLane(9, 'new', 'text');
    expect(
      check({ sections: [{ client: 5, clock: 1, structs: [rawText('one', { origin: [77, 3] })] }, lane] }),
    ).toBe('gap');
    expect(
      check({ sections: [{ client: 5, clock: 0, structs: [rawText('x', { parent: 'evil' })] }, lane] }),
    ).toBe('unknown_root');
  });

  it('[DR8] no root is made but those that are named', () => {
    expect(check(of(9, 0, rawText('x', { parent: 'evil' })))).toBe('unknown_root');
    const update = encodeRaw(of(9, 0, rawText('x', { parent: 'notes' })));
    expect(outcomeOf(openDoor(docOf()).receiveUpdate(update))).toBe('applied');
    expect(outcomeOf(openDoor(docOf(), { others: [] }).receiveUpdate(update))).toBe('unknown_root');
    expect(outcomeOf(openDoor(docOf(), { others: 'any' }).receiveUpdate(update))).toBe('applied');
    expect(
      outcomeOf(
        openDoor(docOf(), { root: 'talk' }).receiveUpdate(encodeRaw({ sections: [rawLane(5, 'a', 'x')] })),
      ),
    ).toBe('unknown_root');
    const decoded = decodeUpdate(update, LIVE_LIMITS);
    if (!decoded.ok) throw new Error('expected an update');
    const options = { root: 'chat', others: new Set<string>(), limits: LIVE_LIMITS };
    expect(inspectUpdate(docOf(), decoded.update, options)).toEqual({ ok: false, code: 'unknown_root' });
  });

  it('[DR9] nothing but texts under keys and characters in texts gets into the chat', () => {
    const hidden = docOf(BASE);
    hidden.getArray('chat');
    const list = docOf(BASE, encodeRaw(of(9, 0, rawText('hidden', { parent: 'chat' }))));
    const wrong: RawUpdate[] = [
      of(9, 0, rawText('x', { parent: 'chat', key: 'k' })),
      of(9, 0, rawType(2, { parent: 'chat' })),
      ...[0, 1, 3, 4, 5, 6].map((type) =>
        of(9, 0, rawType(type, { parent: 'chat', key: 'k' }, type === 3 || type === 5 ? 'p' : undefined)),
      ),
      of(9, 0, rawType(2, { parent: [5, 0] })),
      of(9, 0, rawText('x', { parent: [5, 0], key: 'attribute' })),
      of(9, 0, rawText('x', { parent: [5, 3] })),
      of(9, 0, rawText('x', { origin: [5, 3], right: [6, 2] })),
      of(9, 0, rawText('x', { origin: [5, 3], right: [8, 1] })),
      of(9, 0, rawText('x', { origin: [5, 0] })),
    ];
    for (const update of wrong) expect(check(update)).toBe('content');
    expect(check(of(10, 0, rawType(2, { origin: [9, 2] })), Y.encodeStateAsUpdate(list))).toBe('content');
    expect(check(of(9, 0, rawText('x', { origin: [5, 3], right: [5, 4] })))).toBe('applied');
    expect(check(of(9, 0, rawType(2, { origin: [5, 0] }), rawText('x', { parent: [9, 0] })))).toBe('applied');
    expect(check(of(9, 0, rawGc(3), rawText('x', { origin: [9, 1] })))).toBe('applied');
    expect(
      check(of(9, 0, rawDeleted(1, { parent: 'chat', key: 'gone' }), rawText('x', { parent: [9, 0] }))),
    ).toBe('applied');
  });

  it('[DR10] a struct of which a part is known continues that part and no other', () => {
    const more = (where: object, text = 'one two!'): string => check(of(5, 1, rawText(text, where)));
    expect(more({ parent: [5, 0] })).toBe('applied');
    expect(more({ parent: [6, 0] })).toBe('content');
    expect(more({ parent: 'notes' })).toBe('content');
    expect(more({ parent: 'notes', key: 'k' })).toBe('content');
    expect(more({ origin: [6, 1] })).toBe('content');
    expect(more({ right: [6, 1] })).toBe('content');
    expect(more({ origin: [77, 1] })).toBe('gap');
    expect(check(of(5, 3, rawText('e two!', { origin: [5, 2] })))).toBe('applied');
    expect(check(of(5, 3, rawText('e two!', { origin: [5, 1] })))).toBe('content');
    expect(check(of(8, 1, rawText('note list more', { parent: 'notes' })))).toBe('content');
    expect(check(of(8, 5, rawText('list!', { parent: 'notes', key: 'k' })))).toBe('content');
    expect(check(of(5, 1, rawGc(9)))).toBe('applied');
    // A lane whose characters are gone: what follows them is gone too, and nothing brings it to life.
    const gone = docOf(BASE);
    gone.getMap('chat').delete('a');
    expect(check(of(5, 1, rawText('one two!', { parent: [5, 0] })), Y.encodeStateAsUpdate(gone))).toBe(
      'applied',
    );
    expect(check(of(5, 1, rawText('one two!', { parent: [6, 0] })), Y.encodeStateAsUpdate(gone))).toBe(
      'content',
    );
  });

  it('[DR10] a struct cannot begin in one lane and go on in another', () => {
    const lane = (clock: number, key: string): RawSection['structs'] => [
      rawType(2, { parent: 'chat', key }),
      rawText('xy', { parent: [11, clock] }),
    ];
    const base = encodeRaw(of(11, 0, ...lane(0, 'c'), ...lane(3, 'd')));
    expect(check(of(11, 1, rawText('xy-zz!', { parent: [11, 0] })), base)).toBe('content');
    expect(check(of(5, 1, rawText('one two!', { right: [5, 4] })))).toBe('content');
  });

  it('[DR9] what stands beside or in something deleted is deleted, and a lane holds no types', () => {
    const gone = docOf(BASE);
    gone.getMap('chat').delete('a');
    const state = Y.encodeStateAsUpdate(gone);
    expect(check(of(9, 0, rawText('x', { origin: [6, 2], right: [5, 3] })), state)).toBe('applied');
    const keeping = new Y.Doc({ gc: false });
    Y.applyUpdate(keeping, BASE);
    keeping.getMap('chat').delete('a');
    const beside = openDoor(keeping).inspect(encodeRaw(of(9, 0, rawText('x', { origin: [5, 3] }))));
    expect(beside).toMatchObject({ ok: true, structs: [{ place: { in: 'nothing' } }] });
    const nested = docOf(BASE, encodeRaw(of(9, 0, rawType(2, { origin: [5, 3] }))));
    const inside = of(10, 0, rawText('x', { parent: [9, 0] }));
    expect(check(inside, Y.encodeStateAsUpdate(nested))).toBe('content');
  });

  it('[DR10] what stands there is told as Yjs will hold it', () => {
    const doc = docOf(encodeRaw({ sections: [rawLane(5, 'a', 'x\ufffd')] }));
    const door = openDoor(doc);
    const inspection = door.inspect(encodeRaw(of(5, 1, rawText('x😀y', { parent: [5, 0] }))));
    expect(inspection).toMatchObject({
      ok: true,
      structs: [{ clock: 3, text: '\ufffdy', origin: { client: 5, clock: 2 } }],
    });
  });

  it('[DR5] deletions come cut at what they take', () => {
    const door = openDoor(docOf(BASE));
    const update = encodeRaw({
      sections: [{ client: 5, clock: 8, structs: [rawText('xyz', { origin: [5, 7] })] }],
      deletions: [
        [5, [2, 8]],
        [8, [0, 1]],
      ],
    });
    expect(door.inspect(update)).toMatchObject({
      deletions: [
        { client: 5, clock: 2, length: 6, place: { in: 'lane', key: 'a' } },
        { client: 5, clock: 8, length: 2, place: { in: 'lane', key: 'a' } },
        { client: 8, clock: 0, length: 1, place: { in: 'outside', depth: 0 } },
      ],
    });
  });

  it('[DR6] rivals for one place in a lane, and the depth of types, have limits', () => {
    const doc = docOf(BASE);
    const door = openDoor(doc, { limits: { rivals: 2, depth: 1 } });
    const rivals = (count: number): Uint8Array =>
      encodeRaw({
        sections: Array.from({ length: count }, (_, at) => ({
          client: 20 + at,
          clock: 0,
          structs: [rawText('xx', { origin: [5, 2] }), rawText('y', { origin: [20 + at, 1] })],
        })),
      });
    expect(outcomeOf(door.inspect(rivals(2)) as never)).not.toBe('too_many_rivals');
    expect(outcomeOf(door.receiveUpdate(rivals(3)))).toBe('too_many_rivals');
    expect(outcomeOf(door.receiveUpdate(rivals(2)))).toBe('applied');
    expect(
      outcomeOf(
        door.receiveUpdate(
          encodeRaw(
            of(9, 0, rawType(1, { parent: [8, 0], key: 'in' }), rawText('x', { parent: [9, 0], key: 'k' })),
          ),
        ),
      ),
    ).toBe('too_deep');
    expect(
      openChat(doc, { environment: createEnvironment('limits'), readOnly: true }).quarantine().length,
    ).toBeGreaterThan(0);
  });
});
