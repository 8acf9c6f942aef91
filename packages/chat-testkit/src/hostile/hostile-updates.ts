import fc from 'fast-check';
import * as Y from 'yjs';
import { RESERVED_NAMES } from './reserved-names.js';

/**
 * The harm that a peer can do to a document with plain Yjs. The first list adds what is not a lane, beside and within lanes;
 * the second takes away what others wrote.
 */
export const ADDING_UPDATES = [
  'subdocument',
  'value',
  'shared_type',
  'root_as_list',
  'root_as_text',
  'root_as_xml',
  'other_root',
  'foreign_text',
  'foreign_line',
  'format',
  'embed',
  'type_in_text',
  'subdocument_in_text',
  'attribute',
  'text_of_pieces',
] as const;
export const HARMING_UPDATES = ['delete_text', 'delete_lane', 'replace_lane', 'replace_with_value'] as const;
type UpdateKind = (typeof ADDING_UPDATES)[number] | (typeof HARMING_UPDATES)[number];

/** A write that no client of the library makes, as numbers that pick: see `forgeUpdate`. */
export interface HostileUpdate {
  readonly kind: UpdateKind;
  /** Picks among the texts of the document. */
  readonly lane: number;
  readonly offset: number;
  readonly length: number;
  /** Picks among names, values and shared types. */
  readonly value: number;
}

/**
 * Raw Yjs writes: subdocuments, numbers, bytes, objects and shared types of every kind where a lane should be; the
 * root used as a list, a text or XML; other roots; text, formatting, embeds, maps and attributes within others'
 * lanes; a text written in pieces from the back. With `harming`, also deletions of others' text and lanes, and other
 * things put under their keys.
 */
export function hostileUpdates({
  harming = false,
}: {
  readonly harming?: boolean;
} = {}): fc.Arbitrary<HostileUpdate> {
  const kinds: readonly UpdateKind[] = harming ? [...ADDING_UPDATES, ...HARMING_UPDATES] : ADDING_UPDATES;
  return fc.record({
    kind: fc.constantFrom(...kinds),
    lane: fc.nat(99),
    offset: fc.nat(9999),
    length: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 999 })),
    value: fc.nat(999),
  });
}

/**
 * The update of a peer with this clientID that holds all of `doc` and writes this; undefined where `doc` has nothing
 * to do it to. Delivered to nobody.
 */
export function forgeUpdate(
  doc: Y.Doc,
  update: HostileUpdate,
  client: number,
  root = 'chat',
): Uint8Array | undefined {
  const rogue = new Y.Doc();
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(doc));
  rogue.clientID = client;
  const before = Y.encodeStateVector(rogue);
  const isWritten = rogue.transact(() => writeRaw(rogue, update, root));
  const forged = Y.encodeStateAsUpdate(rogue, before);
  rogue.destroy();
  return isWritten ? forged : undefined;
}

const VALUES: readonly (() => unknown)[] = [
  () => 5,
  () => 9_007_199_254_740_993n,
  () => Number.NaN,
  () => null,
  () => undefined,
  () => true,
  () => '{"type":"lane"}',
  () => new Uint8Array([0, 255, 10]),
  () => ({ type: 'lane', lines: ['x'] }),
  // Within a list: Yjs asks a value for its constructor, and takes none that has a key of that name.
  () => [JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')],
  () => [[[[[1]]]]],
];
const TYPES: readonly (() => Y.AbstractType<unknown>)[] = [
  () => new Y.Map([['type', 'lane']]) as Y.AbstractType<unknown>,
  () => Y.Array.from(['{"type":"lane"}']) as Y.AbstractType<unknown>,
  () => new Y.XmlElement('lane') as unknown as Y.AbstractType<unknown>,
  () => new Y.XmlFragment() as unknown as Y.AbstractType<unknown>,
  () => new Y.XmlText('{"type":"lane"}\n') as unknown as Y.AbstractType<unknown>,
  () => new Y.XmlHook('lane') as unknown as Y.AbstractType<unknown>,
  () => new Y.Map([['text', new Y.Text('{"type":"lane"}\n')]]) as Y.AbstractType<unknown>,
];

function pick<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T;
}

function writeRaw(rogue: Y.Doc, { kind, lane, offset, length, value }: HostileUpdate, root: string): boolean {
  const name = pick(RESERVED_NAMES, value);
  const free = `${name} ${rogue.clientID}`;
  switch (kind) {
    case 'root_as_list':
      rogue.getArray(root).push([5, 'x', { a: 1 }, new Y.Text('garbage\n'), pick(TYPES, value)()]);
      return true;
    case 'root_as_text':
      rogue.getText(root).insert(0, '{"type":"message"}\n');
      rogue.getText(root).insertEmbed(0, { a: 1 }, { [`a${value}`]: true });
      return true;
    case 'root_as_xml':
      rogue.getXmlFragment(root).push([new Y.XmlElement('lane'), new Y.XmlText('x')]);
      return true;
    case 'other_root':
      rogue.getMap(name).set(name, value);
      rogue.getText(`${name} text`).insert(0, 'x');
      rogue.getXmlFragment(`${name} xml`).push([new Y.XmlElement(name)]);
      return true;
  }
  const map = rogue.getMap(root);
  switch (kind) {
    case 'subdocument':
      map.set(free, new Y.Doc({ guid: free, meta: { a: 1 } }));
      return true;
    case 'value':
      map.set(value % 2 === 0 ? free : name, pick(VALUES, value)());
      return true;
    case 'shared_type':
      map.set(value % 2 === 0 ? free : name, pick(TYPES, value)());
      return true;
    case 'text_of_pieces': {
      const text = new Y.Text();
      map.set(free, text);
      for (const piece of ['}\n', '"thread"', '{"type":']) text.insert(0, piece);
      return true;
    }
  }
  const keys = [...map.keys()].filter((each) => map.get(each) instanceof Y.Text).sort();
  if (keys.length === 0) return false;
  const key = pick(keys, lane);
  const text = map.get(key) as Y.Text;
  return writeInText(map, key, text, { kind, offset: offset % (text.length + 1), length, value }, free);
}

/** In or over the text of another. */
function writeInText(
  map: Y.Map<unknown>,
  key: string,
  text: Y.Text,
  { kind, offset, length, value }: Omit<HostileUpdate, 'lane'>,
  free: string,
): boolean {
  const left = Math.min(length, text.length - offset);
  switch (kind) {
    case 'foreign_text':
      text.insert(offset, pick(['x', '\n', '"', '}\n{"type":"', '\\', '\0', '👋'], value));
      return true;
    case 'foreign_line':
      text.insert(text.length, '{"type":"redaction","id":"01M7YZMHG00000000000000000","message_id":"x"}\n');
      return true;
    case 'format':
      if (left === 0) return false;
      text.format(offset, left, { bold: true, [`a${value}`]: null, [RESERVED_NAMES[1] as string]: value });
      return true;
    case 'embed':
      text.insertEmbed(offset, pick([{ image: 'x' }, { insert: '\n' }, ['x']], value) as object);
      return true;
    case 'type_in_text':
      text.insertEmbed(offset, pick(TYPES, value)());
      return true;
    case 'subdocument_in_text':
      text.insertEmbed(offset, new Y.Doc({ guid: free }));
      return true;
    case 'attribute':
      text.setAttribute(pick(RESERVED_NAMES, value), pick(VALUES, value)());
      return true;
    case 'delete_text':
      if (left === 0) return false;
      text.delete(offset, left);
      return true;
    case 'delete_lane':
      map.delete(key);
      return true;
    case 'replace_lane':
      map.set(key, new Y.Text(pick(['', 'garbage\n', '{"type":"lane"}\n'], value)));
      return true;
    default:
      map.set(key, value % 3 === 0 ? pick(TYPES, value)() : pick(VALUES, value)());
      return true;
  }
}
