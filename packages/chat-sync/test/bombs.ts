import { createEncoder, toUint8Array, writeAny, writeVarString, writeVarUint } from 'lib0/encoding';
import * as Y from 'yjs';
import type { Outcome } from './door-world.js';
import {
  DOC_ID,
  docOf,
  encodeRaw,
  openDoor,
  type RawStruct,
  rawGc,
  rawLane,
  rawText,
  rawType,
} from './door-world.js';

/** Updates that are small or cheap to send and dear to take, for a document that `createTarget` makes. */
export interface Bomb {
  readonly name: string;
  readonly outcome: Outcome;
  /** Several updates where the harm is in their number. */
  readonly build: () => readonly Uint8Array[];
  /** As a frame: by whom it is told apart. */
  readonly framed?: true;
}

/** One lane of 2,000 characters, in the name of client 5. */
export function createTarget(): Y.Doc {
  return docOf(encodeRaw({ sections: [rawLane(5, 'lane', 'x'.repeat(2000))] }));
}

const one = (structs: readonly RawStruct[], client = 9): Uint8Array =>
  encodeRaw({ sections: [{ client, clock: 0, structs }] });

const list = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

function raw(...numbers: readonly number[]): Uint8Array {
  return rawNumbers(numbers);
}

function rawNumbers(numbers: readonly number[]): Uint8Array {
  const encoder = createEncoder();
  for (const number of numbers) writeVarUint(encoder, number);
  return toUint8Array(encoder);
}

function stranger(): Uint8Array {
  return encodeRaw({ sections: [rawLane(77, 'other', 'of another document')] });
}

function deepMaps(root: string): Uint8Array {
  return one(list(6000, (at) => rawType(1, { parent: at === 0 ? root : [9, at - 1], key: 'a' })));
}

const ALL: readonly Bomb[] = [
  {
    name: '200,000 roots',
    outcome: 'unknown_root',
    build: () => [one(list(200_000, (at) => rawText('x', { parent: `root ${at}` })))],
  },
  {
    name: '200,000 roots under clocks that are known',
    outcome: 'unknown_root',
    build: () => [
      encodeRaw({
        sections: [
          { client: 5, clock: 0, structs: list(2000, (at) => rawText('x', { parent: `root ${at}` })) },
          rawLane(6, 'new', 'text'),
        ],
      }),
    ],
  },
  {
    name: '1,000,000 ranges to delete',
    outcome: 'too_many_deletions',
    build: () => [
      encodeRaw({ sections: [], deletions: [[3, ...list(1_000_000, (at) => [at * 2, 1] as const)]] }),
    ],
  },
  {
    name: '100,000 ranges over the same characters',
    outcome: 'malformed',
    build: () => [encodeRaw({ sections: [], deletions: [[5, ...list(100_000, () => [1, 2000] as const)]] })],
  },
  {
    name: '100,000 sections of deletions for one client',
    outcome: 'malformed',
    build: () => [encodeRaw({ sections: [], deletions: list(100_000, () => [5, [1, 2000]] as const) })],
  },
  {
    name: '1,000,000 empty clients',
    outcome: 'too_many_clients',
    build: () => {
      const encoder = createEncoder();
      writeVarUint(encoder, 1_000_000);
      for (let at = 0; at < 1_000_000; at += 1)
        for (const number of [0, at, 0]) writeVarUint(encoder, number);
      writeVarUint(encoder, 0);
      return [toUint8Array(encoder)];
    },
  },
  {
    name: '16,000 empty clients',
    outcome: 'malformed',
    build: () => [rawNumbers([16_000, ...list(16_000, (at) => [0, at, 0]).flat(), 0])],
  },
  {
    name: 'JSON 10,000 deep',
    outcome: 'too_deep',
    build: () => [
      one([
        {
          ref: 5,
          parent: 'notes',
          content: (encoder) => writeVarString(encoder, '['.repeat(10_000) + ']'.repeat(10_000)),
        },
      ]),
    ],
  },
  {
    name: 'values 5,000 deep',
    outcome: 'too_deep',
    build: () => {
      let value: unknown = 1;
      for (let level = 0; level < 5000; level += 1) value = level % 2 === 0 ? [value] : { a: value };
      const content: RawStruct['content'] = (encoder) => {
        writeVarUint(encoder, 1);
        writeAny(encoder, value as Parameters<typeof writeAny>[1]);
      };
      return [one([{ ref: 8, parent: 'notes', content }])];
    },
  },
  { name: 'maps 6,000 deep in the chat', outcome: 'content', build: () => [deepMaps('chat')] },
  { name: 'maps 6,000 deep in another root', outcome: 'too_deep', build: () => [deepMaps('notes')] },
  {
    name: 'a clock of 2^53 - 1',
    outcome: 'malformed',
    build: () => [
      encodeRaw({
        sections: [
          { client: 9, clock: Number.MAX_SAFE_INTEGER, structs: [rawText('x', { parent: 'chat' })] },
        ],
      }),
    ],
  },
  {
    name: 'a clock above 2^53',
    outcome: 'malformed',
    build: () => [new Uint8Array([1, 1, 9, 255, 255, 255, 255, 255, 255, 255, 255, 127, 4, 1, 0, 0])],
  },
  { name: 'GC of length 2^50', outcome: 'clock_jump', build: () => [one([rawGc(2 ** 50)])] },
  {
    name: 'a deleted run of length 2^50',
    outcome: 'clock_jump',
    build: () => [
      one([{ ref: 1, parent: 'chat', key: 'k', content: (encoder) => writeVarUint(encoder, 2 ** 50) }]),
    ],
  },
  {
    name: '4,000 clients set one key',
    outcome: 'too_many_rivals',
    build: () => [encodeRaw({ sections: list(4000, (at) => rawLane(100 + at, 'key', 'x')) })],
  },
  {
    name: '4,000 clients write at one place',
    outcome: 'too_many_rivals',
    build: () => [
      encodeRaw({
        sections: list(4000, (at) => ({
          client: 100 + at,
          clock: 0,
          structs: [rawText('x', { origin: [5, 1000] })],
        })),
      }),
    ],
  },
  {
    name: '4,000 clients write at the beginning of a lane',
    outcome: 'too_many_rivals',
    build: () => [
      encodeRaw({
        sections: list(4000, (at) => ({
          client: 100 + at,
          clock: 0,
          structs: [rawText('x', { parent: [5, 0] })],
        })),
      }),
    ],
  },
  {
    name: '4,000 clients that wait in a circle',
    outcome: 'gap',
    build: () => [
      encodeRaw({
        sections: list(4000, (at) => ({
          client: 100 + at,
          clock: 0,
          structs: [rawText('x', { origin: [100 + ((at + 1) % 4000), 0] })],
        })),
      }),
    ],
  },
  {
    name: 'bytes of V2',
    outcome: 'malformed',
    build: () => [Y.convertUpdateFormatV1ToV2(stranger())],
  },
  {
    name: "another document's update",
    outcome: 'other_document',
    framed: true,
    build: () => [openDoor(docOf(), { doc_id: `0${DOC_ID.slice(1, -1)}0` }).wrap(stranger())],
  },
  {
    name: 'two updates in one',
    outcome: 'malformed',
    build: () => [new Uint8Array([...stranger(), ...stranger()])],
  },
  { name: 'a byte too many', outcome: 'malformed', build: () => [new Uint8Array([...stranger(), 0])] },
  { name: 'a count of 2^32 structs', outcome: 'too_many_structs', build: () => [raw(1, 2 ** 32, 9, 0, 4)] },
  { name: 'a count of 2^40 clients', outcome: 'too_many_clients', build: () => [raw(2 ** 40, 1, 9, 0, 4)] },
  {
    name: 'a text that claims 2^50 bytes',
    outcome: 'malformed',
    build: () => [new Uint8Array([...raw(1, 1, 9, 0, 4, 1, 4), 99, 104, 97, 116, ...raw(2 ** 50), 0])],
  },
  {
    name: 'values that claim 2^40 entries',
    outcome: 'too_many_structs',
    build: () => [new Uint8Array([...raw(1, 1, 9, 0, 8, 1, 1), 120, ...raw(2 ** 40), 0])],
  },
  {
    name: 'a list that claims 2^50 entries',
    outcome: 'malformed',
    build: () => [new Uint8Array([...raw(1, 1, 9, 0, 8, 1, 1), 120, 1, 117, ...raw(2 ** 50), 0])],
  },
  {
    name: '1,000 orphans of 1 KB',
    outcome: 'gap',
    build: () =>
      list(1000, (at) =>
        encodeRaw({
          sections: [
            { client: 9, clock: 5000 - at * 2, structs: [rawText('x'.repeat(1024), { origin: [8, 7] })] },
          ],
        }),
      ),
  },
  {
    name: '65 MiB',
    outcome: 'too_large',
    build: () => [new Uint8Array(65 * 1024 * 1024)],
  },
];

/** Some take seconds to make: each is made once for all who want it. */
export const BOMBS: readonly Bomb[] = ALL.map((bomb) => {
  let made: readonly Uint8Array[] | undefined;
  return {
    ...bomb,
    build: () => {
      made ??= bomb.build();
      return made;
    },
  };
});
