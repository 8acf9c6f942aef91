import fc from 'fast-check';
import { writeAny, writeVarString, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import * as Y from 'yjs';
import {
  encodeRaw,
  type RawId,
  type RawSection,
  type RawStruct,
  rawDeleted,
  rawGc,
  rawSkip,
  rawText,
  rawType,
} from './door-world.js';

/**
 * Updates that are well formed and lie: about what stands where, whose it is, and what is known already. Their
 * ids are near what `base` holds, so that most of them get past the first check.
 */
export function forgedUpdate(base: Y.Doc): fc.Arbitrary<Uint8Array> {
  const clients = [...base.store.clients.keys()].sort((a, b) => a - b);
  const keys = [...base.getMap('chat').keys()].sort();
  const items = clients.flatMap((client) => base.store.clients.get(client) ?? []);
  const client = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...clients) },
    { weight: 1, arbitrary: fc.constantFrom(7, 0xffff_ffff) },
  );
  const id = fc.oneof(
    fc.constantFrom(...items).map(({ id }): RawId => [id.client, id.clock]),
    fc.constantFrom(...items).map(({ id, length }): RawId => [id.client, id.clock + length - 1]),
    fc.tuple(client, fc.integer({ min: -3, max: 1 })).map(([of, near]): RawId => {
      return [of, Math.max(0, Y.getState(base.store, of) + near)];
    }),
  );
  const where = fc.oneof(
    fc.record({ origin: fc.option(id, { nil: undefined }), right: fc.option(id, { nil: undefined }) }),
    fc.record({ origin: id }),
    fc.record({
      parent: fc.oneof(fc.constantFrom('chat', 'notes', 'notes', 'evil'), id),
      key: fc.option(fc.constantFrom(...keys, 'new', 'prose'), { nil: undefined }),
    }),
  );
  const struct = fc.tuple(where, fc.nat(13), fc.integer({ min: 1, max: 4 })).map(([at, kind, length]) => {
    return structOf(kind, length, at);
  });
  const section = fc
    .tuple(client, fc.integer({ min: -4, max: 1 }), fc.array(struct, { minLength: 1, maxLength: 4 }))
    .map(([of, near, structs]): RawSection => {
      const state = Y.getState(base.store, of);
      return { client: of, clock: Math.max(0, state + Math.min(near, 0) + (near > 0 ? 1 : 0)), structs };
    });
  const resent = fc
    .tuple(fc.constantFrom(...items.filter(isLast(base))), fc.nat(9), where, fc.constantFrom('+', '++😀'))
    .map(([item, twist, lie, more]) => resend(base, item as Y.Item | Y.GC, twist, lie, more));
  const ranges = fc.tuple(client, fc.nat(6), fc.integer({ min: 1, max: 4 }));
  return fc
    .tuple(
      fc.uniqueArray(fc.oneof(section, resent), { minLength: 1, maxLength: 3, selector: (of) => of.client }),
      fc.uniqueArray(ranges, { maxLength: 2, selector: ([of]) => of }),
    )
    .map(([sections, deleted]) => {
      const deletions = deleted.map(([of, clock, length]): readonly [number, RawId] => [of, [clock, length]]);
      return encodeRaw({ sections, deletions });
    });
}

type Where = Pick<RawStruct, 'origin' | 'right' | 'parent' | 'key'>;

function structOf(kind: number, length: number, at: Where): RawStruct {
  const other = (ref: number, content: RawStruct['content']): RawStruct => ({ ref, ...at, content });
  switch (kind) {
    case 0:
      return rawGc(length);
    case 1:
      return rawSkip(length);
    case 2:
      return rawDeleted(length, at);
    case 3:
      return other(2, (encoder) => {
        writeVarUint(encoder, 2);
        for (const json of ['undefined', '[1]']) writeVarString(encoder, json);
      });
    case 4:
      return other(3, (encoder) => writeVarUint8Array(encoder, new Uint8Array(length)));
    case 5:
      return other(5, (encoder) => writeVarString(encoder, length === 1 ? 'undefined' : '{"a":[1]}'));
    case 6:
      return other(6, (encoder) => {
        for (const string of ['bold', length === 1 ? 'undefined' : 'true']) writeVarString(encoder, string);
      });
    case 7:
      return rawType(length % 7, at, length === 3 || length === 5 ? 'p' : undefined);
    case 8:
      return other(8, (encoder) => {
        writeVarUint(encoder, length);
        for (let i = 0; i < length; i += 1) writeAny(encoder, { i, list: [null, 1.5, 'x'] });
      });
    case 9:
      return other(9, (encoder) => {
        writeVarString(encoder, 'guid');
        writeAny(encoder, length === 1 ? null : {});
      });
    case 10:
      return rawType(2, at);
    default:
      return rawText('x😀y'.slice(0, length === 2 ? 1 : 4), at);
  }
}

const isLast =
  (base: Y.Doc) =>
  ({ id, length }: { id: Y.ID; length: number }): boolean =>
    id.clock + length === Y.getState(base.store, id.client);

/** A struct that the document has, with more of it, and with one thing about it changed. */
function resend(base: Y.Doc, item: Y.Item | Y.GC, twist: number, lie: Where, more: string): RawSection {
  const { client, clock } = item.id;
  const text = item instanceof Y.Item && item.content instanceof Y.ContentString ? item.content.str : '';
  const truth = item instanceof Y.Item ? whereOf(base, item) : lie;
  const whole = `${text}${'-'.repeat(item.length - text.length)}${more}`;
  switch (twist) {
    case 0:
    case 1:
      return { client, clock, structs: [rawText(whole, lie)] };
    case 2:
      return { client, clock, structs: [rawText(whole, { ...truth, key: lie.key ?? 'k' })] };
    case 3:
      return { client, clock, structs: [rawDeleted(whole.length, truth)] };
    case 4:
      return { client, clock, structs: [rawGc(whole.length)] };
    case 5:
      // From the middle on.
      return {
        client,
        clock: clock + item.length - 1,
        structs: [
          rawText(
            whole.slice(item.length - 1),
            item.length > 1 ? { origin: [client, clock + item.length - 2] } : truth,
          ),
        ],
      };
    case 6:
      return { client, clock, structs: [rawText(whole, { ...truth, right: lie.right })] };
    default:
      return { client, clock, structs: [rawText(whole, truth)] };
  }
}

function whereOf(base: Y.Doc, { origin, rightOrigin, parent, parentSub }: Y.Item): Where {
  const pair = (id: Y.ID | null): RawId | undefined => (id === null ? undefined : [id.client, id.clock]);
  if (origin !== null || rightOrigin !== null) return { origin: pair(origin), right: pair(rightOrigin) };
  const type = parent as Y.AbstractType<unknown>;
  const name = [...base.share].find(([, root]) => root === type)?.[0];
  return { parent: name ?? pair(type._item?.id ?? null), key: parentSub ?? undefined };
}
