import {
  createDecoder,
  type Decoder,
  hasContent,
  peekUint8,
  readUint8,
  readVarInt,
  readVarString,
  readVarUint,
  readVarUint8Array,
} from 'lib0/decoding';
import type { UpdateLimits } from './limits.js';
import { type DecodeRefusalCode, RefusalError, refuseUnless } from './refusal.js';

/**
 * The bytes of a Yjs update (V1) as a flat list, without a document: reading them creates no root and applies
 * nothing, and a limit ends it before the cost is paid.
 */
export interface WireUpdate {
  /** By client as they came, each client's in clock order and without a hole. */
  readonly structs: ReadonlyMap<number, readonly WireStruct[]>;
  readonly deletions: readonly WireRange[];
}

export interface WireRange {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
}

export interface WireId {
  readonly client: number;
  readonly clock: number;
}

export interface WireStruct extends WireRange {
  /** `deleted`: text that its author has deleted; `gc`: whose parent is gone; `skip`: what the sender lacks. */
  readonly kind: 'gc' | 'skip' | 'deleted' | 'text' | 'type' | 'other';
  readonly origin: WireId | null;
  readonly rightOrigin: WireId | null;
  /** Name of a root, or the id of the item that holds the type; null where the origins tell it. */
  readonly parent: string | WireId | null;
  readonly key: string | null;
  /** Of kind `text`. */
  readonly text: string;
  /** Of kind `type`: Yjs's number, 2 for a text. */
  readonly type: number;
}

export type DecodedUpdate =
  | { readonly ok: true; readonly update: WireUpdate }
  | { readonly ok: false; readonly code: DecodeRefusalCode };

/** Yjs's number of `Y.Text`. */
export const TEXT_TYPE = 2;
/** Peers in other languages cut longer ids. */
const MAX_CLIENT = 0xffff_ffff;
/** In lib0's `any` encoding. */
const ANY_OBJECT = 118;

/** O(bytes). Never throws. `roots` are the names that structs may give; any unless given. */
export function decodeUpdate(
  bytes: Uint8Array,
  limits: UpdateLimits,
  roots?: ReadonlySet<string>,
): DecodedUpdate {
  if (bytes.length > limits.bytes) return { ok: false, code: 'too_large' };
  const decoder = createDecoder(bytes);
  try {
    const structs = readStructs(decoder, limits, roots);
    const deletions = readDeletions(decoder, limits);
    if (hasContent(decoder)) return { ok: false, code: 'malformed' };
    return { ok: true, update: { structs, deletions } };
  } catch (error) {
    // Of lib0 and JSON.parse: a RangeError, a TypeError or an Error, as it happens.
    return {
      ok: false,
      code: error instanceof RefusalError ? (error.code as DecodeRefusalCode) : 'malformed',
    };
  }
}

function readStructs(
  decoder: Decoder,
  limits: UpdateLimits,
  roots: ReadonlySet<string> | undefined,
): Map<number, WireStruct[]> {
  const structs = new Map<number, WireStruct[]>();
  const sections = readVarUint(decoder);
  refuseUnless(sections <= limits.clients, 'too_many_clients');
  let total = 0;
  let jump = 0;
  for (let section = 0; section < sections; section += 1) {
    const count = readVarUint(decoder);
    total += count;
    refuseUnless(total <= limits.structs, 'too_many_structs');
    const client = readVarUint(decoder);
    let clock = readVarUint(decoder);
    // Yjs writes no empty section; a million of them cost it seconds and leave no trace.
    refuseUnless(count > 0 && client <= MAX_CLIENT && !structs.has(client), 'malformed');
    const run: WireStruct[] = [];
    for (let index = 0; index < count; index += 1) {
      const struct = readStruct(decoder, client, clock, limits);
      // Also of what the document knows already: Yjs makes roots while it reads.
      const { parent } = struct;
      refuseUnless(typeof parent !== 'string' || roots === undefined || roots.has(parent), 'unknown_root');
      if (struct.kind !== 'text' && struct.kind !== 'skip') jump += struct.length;
      refuseUnless(jump <= limits.jump, 'clock_jump');
      refuseUnless(struct.length > 0 && clock + struct.length <= Number.MAX_SAFE_INTEGER, 'malformed');
      run.push(struct);
      clock += struct.length;
    }
    structs.set(client, run);
  }
  return structs;
}

function readId(decoder: Decoder): WireId {
  return { client: readVarUint(decoder), clock: readVarUint(decoder) };
}

const NO_ITEM = { origin: null, rightOrigin: null, parent: null, key: null, text: '', type: -1 } as const;

function readStruct(decoder: Decoder, client: number, clock: number, limits: UpdateLimits): WireStruct {
  const info = readUint8(decoder);
  // Yjs tells GC and Skip by these bits alone, but compares Skip with the whole byte elsewhere.
  const content = info & 0x1f;
  if (content === 0 || content === 10) {
    refuseUnless(info === content, 'malformed');
    return { ...NO_ITEM, client, clock, length: readVarUint(decoder), kind: content === 0 ? 'gc' : 'skip' };
  }
  const origin = (info & 0x80) === 0 ? null : readId(decoder);
  const rightOrigin = (info & 0x40) === 0 ? null : readId(decoder);
  let parent: string | WireId | null = null;
  let key: string | null = null;
  if (origin === null && rightOrigin === null) {
    parent = readVarUint(decoder) === 1 ? readVarString(decoder) : readId(decoder);
    if ((info & 0x20) !== 0) key = readVarString(decoder);
  }
  const item = { client, clock, origin, rightOrigin, parent, key };
  if (content === 4) {
    const text = readVarString(decoder);
    return { ...item, length: text.length, kind: 'text', text, type: -1 };
  }
  if (content === 1) {
    return { ...item, length: readVarUint(decoder), kind: 'deleted', text: '', type: -1 };
  }
  if (content === 7) {
    const type = readVarUint(decoder);
    refuseUnless(type <= 6, 'malformed');
    if (type === 3 || type === 5) readVarString(decoder);
    return { ...item, length: 1, kind: 'type', text: '', type };
  }
  return { ...item, length: skipContent(decoder, content, limits), kind: 'other', text: '', type: -1 };
}

/** Reads over content that no lane has; gives its length in clocks. */
function skipContent(decoder: Decoder, content: number, { depth, structs }: UpdateLimits): number {
  switch (content) {
    case 2: {
      const length = readVarUint(decoder);
      refuseUnless(length <= structs, 'too_many_structs');
      for (let index = 0; index < length; index += 1) {
        const json = readVarString(decoder);
        // What Yjs writes for an undefined element.
        if (json !== 'undefined') skipJson(json, depth);
      }
      return length;
    }
    case 3:
      readVarUint8Array(decoder);
      return 1;
    case 5:
      skipJson(readVarString(decoder), depth);
      return 1;
    case 6:
      readVarString(decoder);
      skipJson(readVarString(decoder), depth);
      return 1;
    case 8: {
      const length = readVarUint(decoder);
      refuseUnless(length <= structs, 'too_many_structs');
      for (let index = 0; index < length; index += 1) skipAny(decoder, depth);
      return length;
    }
    case 9:
      readVarString(decoder);
      // Yjs reads options from it, and throws where there is no object.
      refuseUnless(peekUint8(decoder) === ANY_OBJECT, 'malformed');
      skipAny(decoder, depth);
      return 1;
    default:
      throw new RefusalError('malformed');
  }
}

function skipJson(json: string, depth: number): void {
  const visit = (value: unknown, left: number): void => {
    if (typeof value !== 'object' || value === null) return;
    refuseUnless(left > 0, 'too_deep');
    for (const inner of Object.values(value)) visit(inner, left - 1);
  };
  visit(JSON.parse(json), depth);
}

/** lib0's `any` encoding, by its type byte. */
function skipAny(decoder: Decoder, depth: number): void {
  const type = readUint8(decoder);
  switch (type) {
    case 127:
    case 126:
    case 121:
    case 120:
      return;
    case 125:
      readVarInt(decoder);
      return;
    case 124:
      skipBytes(decoder, 4);
      return;
    case 123:
    case 122:
      skipBytes(decoder, 8);
      return;
    case 119:
      readVarString(decoder);
      return;
    case ANY_OBJECT: {
      refuseUnless(depth > 0, 'too_deep');
      const count = readVarUint(decoder);
      for (let index = 0; index < count; index += 1) {
        readVarString(decoder);
        skipAny(decoder, depth - 1);
      }
      return;
    }
    case 117: {
      refuseUnless(depth > 0, 'too_deep');
      const count = readVarUint(decoder);
      for (let index = 0; index < count; index += 1) skipAny(decoder, depth - 1);
      return;
    }
    case 116:
      readVarUint8Array(decoder);
      return;
    default:
      throw new RefusalError('malformed');
  }
}

function skipBytes(decoder: Decoder, count: number): void {
  for (let index = 0; index < count; index += 1) readUint8(decoder);
}

function readDeletions(decoder: Decoder, limits: UpdateLimits): WireRange[] {
  const deletions: WireRange[] = [];
  const known = new Set<number>();
  const clients = readVarUint(decoder);
  refuseUnless(clients <= limits.deletions, 'too_many_deletions');
  for (let index = 0; index < clients; index += 1) {
    const client = readVarUint(decoder);
    const count = readVarUint(decoder);
    refuseUnless(count > 0 && client <= MAX_CLIENT && !known.has(client), 'malformed');
    refuseUnless(deletions.length + count <= limits.deletions, 'too_many_deletions');
    known.add(client);
    let end = 0;
    for (let range = 0; range < count; range += 1) {
      const clock = readVarUint(decoder);
      const length = readVarUint(decoder);
      // Yjs writes ranges in order and apart. Over the same structs again and again they cost both of us
      // ranges times structs.
      refuseUnless(length > 0 && clock >= end && clock + length <= Number.MAX_SAFE_INTEGER, 'malformed');
      deletions.push({ client, clock, length });
      end = clock + length;
    }
  }
  return deletions;
}
