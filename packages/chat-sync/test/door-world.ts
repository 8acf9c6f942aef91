import { createHash } from 'node:crypto';
import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import {
  createEncoder,
  type Encoder,
  toUint8Array,
  writeUint8,
  writeVarString,
  writeVarUint,
} from 'lib0/encoding';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { Door, type DoorOptions, type Receipt } from '../src/update/door.js';

/** Replicas behind plain Yjs, a document behind a door, and updates written by hand. */

const START: number = Date.UTC(2026, 10, 21, 12);
export const DOC_ID: string = deriveUlid(START, 'door');
export { runs, SEED, scale } from '../../../tools/amounts.js';

/** The same for the same seed and calls. */
export function createEnvironment(seed: string): Environment {
  let count = 0;
  return {
    now: () => START + count,
    random: (bytes) => {
      count += 1;
      return new Uint8Array(createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, bytes));
    },
  };
}

/** Numbers below `below`, for picking among cases that fast-check need not shrink. */
export function createPicker(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export function docOf(...updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = 1;
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

export function openDoor(doc: Y.Doc, options: Partial<DoorOptions> = {}): Door {
  return new Door(doc, { doc_id: DOC_ID, generation: 0, others: ['notes'], ...options });
}

/** Every struct and deletion as it stands, roots and what waits: equal only if nothing at all has changed. */
export function fingerprint(doc: Y.Doc): string {
  const { pendingStructs, pendingDs } = doc.store;
  const rest = [[...doc.share.keys()].sort(), pendingStructs === null, pendingDs === null];
  return `${Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64')} ${JSON.stringify(rest)}`;
}

export function isPending(doc: Y.Doc): boolean {
  return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}

/** The state, however its structs are cut; throws where the document could not be loaded again. */
export function stateOf(doc: Y.Doc): string {
  const loaded = docOf(Y.encodeStateAsUpdate(doc));
  if (isPending(loaded)) throw new Error('a document that has all of its structs waits for some');
  if (readTexts(doc) !== readTexts(loaded)) throw new Error('a copy reads otherwise');
  const state = Buffer.from(Y.encodeStateAsUpdate(loaded)).toString('base64');
  loaded.destroy();
  return state;
}

function readTexts(doc: Y.Doc): string {
  const map = doc.getMap('chat');
  return JSON.stringify([...map.keys()].sort().map((key) => [key, String(map.get(key))]));
}

/** What plain Yjs makes of `update` on a document with this state. */
export function applyPlainly(
  base: Uint8Array,
  update: Uint8Array,
  gc = true,
): {
  readonly outcome: 'applied' | 'pending' | 'threw';
  readonly bytes: string;
  readonly state: () => string;
} {
  const shadow = new Y.Doc({ gc });
  Y.applyUpdate(shadow, base);
  try {
    Y.applyUpdate(shadow, update);
  } catch {
    return { outcome: 'threw', bytes: '', state: () => '' };
  }
  const outcome = isPending(shadow) ? 'pending' : 'applied';
  return { outcome, bytes: fingerprint(shadow), state: () => stateOf(shadow) };
}

export type Outcome = 'applied' | 'duplicate' | 'gap' | Extract<Receipt, { code: unknown }>['code'];

export function outcomeOf(receipt: Receipt): Outcome {
  return receipt.outcome === 'refused' ? receipt.code : receipt.outcome;
}

/**
 * Gives `update` to the door of `doc` and compares with plain Yjs on a copy. Accepted: Yjs takes it whole, with
 * nothing waiting and no new root, and both are equal. Anything else: the document is as it was.
 */
export function receiveChecked(door: Door, doc: Y.Doc, update: Uint8Array): Outcome {
  const before = fingerprint(doc);
  const state = Y.encodeStateAsUpdate(doc);
  const allowed = new Set(['chat', 'notes', ...doc.share.keys()]);
  const outcome = outcomeOf(door.receiveUpdate(update));
  if (outcome === 'applied' || outcome === 'duplicate') {
    const plain = applyPlainly(state, update, doc.gc);
    expect(plain.outcome, 'plain Yjs').toBe('applied');
    if (plain.bytes !== fingerprint(doc)) expect(stateOf(doc), 'the state').toBe(plain.state());
    else plain.state();
    expect(
      [...doc.share.keys()].filter((name) => !allowed.has(name)),
      'new roots',
    ).toEqual([]);
    if (outcome === 'applied') expectContained(doc, update);
  }
  if (outcome !== 'applied') expect(fingerprint(doc), `after ${outcome}`).toBe(before);
  expect(isPending(doc)).toBe(false);
  return outcome;
}

/** Every struct of the update is in the store and everything it deletes is deleted. */
function expectContained(doc: Y.Doc, update: Uint8Array): void {
  const { structs, ds } = Y.decodeUpdate(update);
  for (const struct of structs) {
    expect(Y.getState(doc.store, struct.id.client)).toBeGreaterThanOrEqual(struct.id.clock + struct.length);
  }
  const { ds: deleted } = Y.snapshot(doc);
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) {
      for (const at of [clock, clock + len - 1]) {
        expect(Y.isDeleted(deleted, Y.createID(client, at))).toBe(true);
      }
    }
  }
}

/** Opens the chat and asks for its records, and for `all` what is dear too. None of it throws. */
export function readAll(doc: Y.Doc, all = true): Chat {
  const chat = openChat(doc, { environment: createEnvironment('reader'), readOnly: true });
  for (const { thread_id } of chat.threads()) {
    chat.messages(thread_id);
    chat.config(thread_id);
    chat.state(thread_id);
    chat.queue(thread_id);
  }
  chat.quarantine();
  if (!all) return chat;
  chat.duplicates();
  chat.report();
  chat.damage();
  chat.digest();
  chat.toJSONL();
  return chat;
}

// --- Updates by hand ---

export type RawId = readonly [client: number, clock: number];

export interface RawStruct {
  /** Number of the content; 0 is GC, 10 a skip. */
  readonly ref: number;
  readonly origin?: RawId | undefined;
  readonly right?: RawId | undefined;
  /** Written only where there is no neighbour. */
  readonly parent?: string | RawId | undefined;
  readonly key?: string | undefined;
  /** Bits that the reader should not look at. */
  readonly bits?: number;
  readonly content: (encoder: Encoder) => void;
}

export interface RawSection {
  readonly client: number;
  readonly clock: number;
  readonly structs: readonly RawStruct[];
  /** How many it says there are. */
  readonly count?: number;
}

export interface RawUpdate {
  readonly sections: readonly RawSection[];
  readonly deletions?: readonly (readonly [client: number, ...ranges: RawId[]])[];
  readonly tail?: readonly number[];
}

export function encodeRaw({ sections, deletions = [], tail = [] }: RawUpdate): Uint8Array {
  const encoder = createEncoder();
  writeVarUint(encoder, sections.length);
  for (const { client, clock, structs, count = structs.length } of sections) {
    for (const number of [count, client, clock]) writeVarUint(encoder, number);
    for (const struct of structs) writeRawStruct(encoder, struct);
  }
  writeVarUint(encoder, deletions.length);
  for (const [client, ...ranges] of deletions) {
    for (const number of [client, ranges.length, ...ranges.flat()]) writeVarUint(encoder, number);
  }
  for (const byte of tail) writeUint8(encoder, byte);
  return toUint8Array(encoder);
}

function writeRawStruct(encoder: Encoder, struct: RawStruct): void {
  const { ref, origin, right, parent, key, bits = 0, content } = struct;
  const flags =
    (origin === undefined ? 0 : 0x80) | (right === undefined ? 0 : 0x40) | (key === undefined ? 0 : 0x20);
  writeUint8(encoder, ref | bits | (ref === 0 || ref === 10 ? 0 : flags));
  if (ref !== 0 && ref !== 10) {
    for (const number of [...(origin ?? []), ...(right ?? [])]) writeVarUint(encoder, number);
    if (origin === undefined && right === undefined) {
      writeVarUint(encoder, typeof parent === 'string' ? 1 : 0);
      if (typeof parent === 'string') writeVarString(encoder, parent);
      else for (const number of parent ?? [0, 0]) writeVarUint(encoder, number);
      if (key !== undefined) writeVarString(encoder, key);
    }
  }
  content(encoder);
}

type Where = Pick<RawStruct, 'origin' | 'right' | 'parent' | 'key'>;

export const rawText = (text: string, where: Where): RawStruct => ({
  ref: 4,
  ...where,
  content: (encoder) => writeVarString(encoder, text),
});

export const rawType = (type: number, where: Where, name?: string): RawStruct => ({
  ref: 7,
  ...where,
  content: (encoder) => {
    writeVarUint(encoder, type);
    if (name !== undefined) writeVarString(encoder, name);
  },
});

export const rawDeleted = (length: number, where: Where): RawStruct => ({
  ref: 1,
  ...where,
  content: (encoder) => writeVarUint(encoder, length),
});

export const rawGc = (length: number): RawStruct => ({
  ref: 0,
  content: (encoder) => writeVarUint(encoder, length),
});

export const rawSkip = (length: number): RawStruct => ({
  ref: 10,
  content: (encoder) => writeVarUint(encoder, length),
});

/** One section that sets a lane text under `key`. */
export function rawLane(client: number, key: string, text: string): RawSection {
  const structs = [rawType(2, { parent: 'chat', key }), rawText(text, { parent: [client, 0] })];
  return { client, clock: 0, structs };
}
