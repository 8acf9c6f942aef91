import {
  createDecoder,
  type Decoder,
  hasContent,
  readVarString,
  readVarUint,
  readVarUint8Array,
} from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarString, writeVarUint, writeVarUint8Array } from 'lib0/encoding';

/** What a client sends to Hocuspocus 3.4, as its server reads it. */
export type ClientMessage =
  | { readonly type: 'update'; readonly kind: 'live' | 'initial'; readonly update: Uint8Array }
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  /** Asks for all that a document with this state vector lacks. */
  | { readonly type: 'question'; readonly vector: ReadonlyMap<number, number> }
  /** Changes nothing by itself: a token, a stateless message, a goodbye. */
  | { readonly type: 'harmless' };

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;
const QUERY_AWARENESS = 3;
const SYNC_REPLY = 4;
const STATELESS = 5;
const CLOSE = 7;
const SYNC_STATUS = 8;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;
const TOKEN = 0;

/**
 * Undefined for what no client has to send: other types (a broadcast among them), what ends too early, bytes
 * that no one reads. `maxClients` bounds a state vector.
 */
export function readClientMessage(bytes: Uint8Array, maxClients: number): ClientMessage | undefined {
  // Of another extension: what is left of the message behind it is not read by Hocuspocus.
  if (replaced.has(bytes)) return { type: 'harmless' };
  try {
    const decoder = createDecoder(bytes);
    readVarString(decoder);
    const message = readBody(decoder, maxClients);
    return message === undefined || hasContent(decoder) ? undefined : message;
  } catch {
    // Of lib0: it ends too early, or a number leaves its range.
    return undefined;
  }
}

function readBody(decoder: Decoder, maxClients: number): ClientMessage | undefined {
  switch (readVarUint(decoder)) {
    case SYNC:
    case SYNC_REPLY:
      return readSync(decoder, maxClients);
    case AWARENESS:
      return { type: 'awareness', update: readVarUint8Array(decoder) };
    case AUTH:
      if (readVarUint(decoder) !== TOKEN) return undefined;
      readVarString(decoder);
      return { type: 'harmless' };
    case STATELESS:
      readVarString(decoder);
      return { type: 'harmless' };
    case CLOSE:
      // Some clients give a reason, others do not.
      if (hasContent(decoder)) readVarString(decoder);
      return { type: 'harmless' };
    case QUERY_AWARENESS:
      return { type: 'harmless' };
    default:
      return undefined;
  }
}

function readSync(decoder: Decoder, maxClients: number): ClientMessage | undefined {
  const step = readVarUint(decoder);
  const payload = readVarUint8Array(decoder);
  if (step === STEP_2) return { type: 'update', kind: 'initial', update: payload };
  if (step === UPDATE) return { type: 'update', kind: 'live', update: payload };
  if (step !== STEP_1) return undefined;
  const vector = createDecoder(payload);
  const count = readVarUint(vector);
  if (count > maxClients) return undefined;
  const clocks = new Map<number, number>();
  for (let index = 0; index < count; index += 1) clocks.set(readVarUint(vector), readVarUint(vector));
  return hasContent(vector) ? undefined : { type: 'question', vector: clocks };
}

/** Messages that were made into others. */
const replaced = new WeakSet<Uint8Array>();
/** An awareness update of no states. */
const NO_STATES = new Uint8Array([0]);

/**
 * Makes of a message, in its own bytes, an awareness message with this update, which is not longer than what the
 * message brought. Hocuspocus decodes the bytes after the hook that saw them, so that this is what it reads. A
 * message that has not three bytes brings nothing, and stays.
 */
export function replaceWithAwareness(bytes: Uint8Array, update: Uint8Array | null): void {
  replaced.add(bytes);
  const decoder = createDecoder(bytes);
  readVarString(decoder);
  const encoder = createEncoder();
  writeVarUint(encoder, AWARENESS);
  writeVarUint8Array(encoder, update ?? NO_STATES);
  const message = toUint8Array(encoder);
  if (decoder.pos + message.length <= bytes.length) bytes.set(message, decoder.pos);
}

/** Asks a client for what the server lacks. */
export function encodeStep1(documentName: string, stateVector: Uint8Array): Uint8Array {
  const encoder = createEncoder();
  writeVarString(encoder, documentName);
  writeVarUint(encoder, SYNC);
  writeVarUint(encoder, STEP_1);
  writeVarUint8Array(encoder, stateVector);
  return toUint8Array(encoder);
}

/** Answers with what a client lacks. */
export function encodeStep2(documentName: string, update: Uint8Array): Uint8Array {
  const encoder = createEncoder();
  writeVarString(encoder, documentName);
  writeVarUint(encoder, SYNC);
  writeVarUint(encoder, STEP_2);
  writeVarUint8Array(encoder, update);
  return toUint8Array(encoder);
}

/** A message to a client: `document` holds content of the document. */
export type ServerMessage =
  | { readonly type: 'saved' | 'awareness' | 'other' }
  | { readonly type: 'document'; readonly update: Uint8Array };

export function readServerMessage(message: Uint8Array): ServerMessage {
  try {
    const decoder = createDecoder(message);
    readVarString(decoder);
    const type = readVarUint(decoder);
    if (type === SYNC_STATUS && readVarUint(decoder) === 1) return { type: 'saved' };
    if (type === AWARENESS) return { type: 'awareness' };
    if ((type !== SYNC && type !== SYNC_REPLY) || readVarUint(decoder) === STEP_1) return { type: 'other' };
    return { type: 'document', update: readVarUint8Array(decoder) };
  } catch {
    return { type: 'other' };
  }
}

/** Tells a client that one of its updates is in. */
export function encodeSaved(documentName: string): Uint8Array {
  const encoder = createEncoder();
  writeVarString(encoder, documentName);
  writeVarUint(encoder, SYNC_STATUS);
  writeVarUint(encoder, 1);
  return toUint8Array(encoder);
}
