import { findBadValue } from '@chatdoc/schema/internal';
import { createDecoder, hasContent, readVarUint, readVarUint8Array } from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding';

/** What one awareness update may hold. */
export interface AwarenessLimits {
  /** Clients in one update. */
  readonly states: number;
  /** Of one encoded state. */
  readonly bytes: number;
  /** Nesting of one state. */
  readonly depth: number;
}

export const AWARENESS_LIMITS: AwarenessLimits = { states: 256, bytes: 16 * 1024, depth: 16 };

/** Greatest clientID and clock: peers in other languages hold both in 32 bits. */
export const MAX_AWARENESS_NUMBER = 0xffff_ffff;

export type DroppedReason =
  /** The caller's rule says no. */
  | 'not_allowed'
  /** A clientID or clock of more than 32 bits. With 2^53-1 its owner could never speak again. */
  | 'out_of_range'
  | 'too_large'
  | 'not_json'
  /** A state is an object, or null for one that leaves. */
  | 'not_an_object'
  | 'too_deep'
  /** A key `__proto__`. */
  | 'reserved_key';

export interface DroppedState {
  readonly client_id: number;
  readonly reason: DroppedReason;
}

export type FilteredAwareness =
  | {
      readonly ok: true;
      /** What may pass, its states byte by byte as they came; null if nothing may. */
      readonly update: Uint8Array | null;
      readonly passed: readonly number[];
      readonly dropped: readonly DroppedState[];
    }
  | { readonly ok: false; readonly code: 'malformed' | 'too_large' | 'too_many_states' };

/** An awareness state as it came, or null for a client that leaves. */
export type AwarenessState = Readonly<Record<string, unknown>> | null;

interface WireState {
  readonly client: number;
  readonly clock: number;
  readonly bytes: Uint8Array;
}

/**
 * Takes out of an awareness update what may not pass. `allow` is asked once for each state that is whole; a
 * server that allows a connection its own clientIDs alone lets no peer change another's state. What passes
 * cannot make `applyAwarenessUpdate` throw. O(bytes). Never throws for what stands in `update`.
 */
export function filterAwarenessUpdate(
  update: Uint8Array,
  allow: (clientID: number, state: AwarenessState) => boolean,
  limits: Partial<AwarenessLimits> = {},
): FilteredAwareness {
  const within = { ...AWARENESS_LIMITS, ...limits };
  // Before anything is read: ten bytes of numbers and lengths a state.
  if (update.length > 10 + within.states * (within.bytes + 20)) return { ok: false, code: 'too_large' };
  const read = readStates(update, within.states);
  if (!Array.isArray(read)) return { ok: false, code: read };
  const passed: WireState[] = [];
  const dropped: DroppedState[] = [];
  for (const entry of read) {
    const reason = findFault(entry, within, allow);
    if (reason === undefined) passed.push(entry);
    else dropped.push({ client_id: entry.client, reason });
  }
  const clients = passed.map(({ client }) => client);
  if (dropped.length === 0 && passed.length > 0) return { ok: true, update, passed: clients, dropped };
  return { ok: true, update: encodeStates(passed), passed: clients, dropped };
}

function readStates(update: Uint8Array, most: number): WireState[] | 'malformed' | 'too_many_states' {
  const decoder = createDecoder(update);
  try {
    const count = readVarUint(decoder);
    if (count > most) return 'too_many_states';
    const states: WireState[] = [];
    for (let index = 0; index < count; index += 1) {
      const client = readVarUint(decoder);
      const clock = readVarUint(decoder);
      const bytes = readVarUint8Array(decoder);
      states.push({ client, clock, bytes });
    }
    return hasContent(decoder) ? 'malformed' : states;
  } catch {
    // Of lib0: it ends too early, or a number or length leaves its range.
    return 'malformed';
  }
}

function encodeStates(states: readonly WireState[]): Uint8Array | null {
  if (states.length === 0) return null;
  const encoder = createEncoder();
  writeVarUint(encoder, states.length);
  for (const { client, clock, bytes } of states) {
    writeVarUint(encoder, client);
    writeVarUint(encoder, clock);
    writeVarUint8Array(encoder, bytes);
  }
  return toUint8Array(encoder);
}

function findFault(
  { client, clock, bytes }: WireState,
  limits: AwarenessLimits,
  allow: (clientID: number, state: AwarenessState) => boolean,
): DroppedReason | undefined {
  if (client > MAX_AWARENESS_NUMBER || clock > MAX_AWARENESS_NUMBER) return 'out_of_range';
  if (bytes.length > limits.bytes) return 'too_large';
  let state: unknown;
  try {
    state = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return 'not_json';
  }
  if (typeof state !== 'object' || Array.isArray(state)) return 'not_an_object';
  if (state !== null) {
    const bad = findBadValue(state, limits.depth);
    if (bad !== undefined) return bad === 'too_deep' ? bad : 'reserved_key';
  }
  return allow(client, state as AwarenessState) ? undefined : 'not_allowed';
}
