import type { GateReset } from '../gate/gate.js';
import type { GateRefusalCode } from '../gate/refusal.js';

export type HocuspocusRefusalCode =
  | GateRefusalCode
  /** No message that a client has to send, or not all of its bytes are one. */
  | 'message'
  /** The room is no `<doc_id>.<generation>`. */
  | 'room'
  /** The room is of another generation than the document has now. */
  | 'moved';

/** What a client is told before its connection to a document is closed. */
export interface Refusal {
  readonly code: HocuspocusRefusalCode;
  readonly reset: GateReset;
  /** Where to go, for `move`. */
  readonly room?: string;
  /** The line at fault, if it was one: its type and own id. */
  readonly entry?: { readonly type: string; readonly id: string };
  /** Of `future_stamp`: how far the line is ahead of the server's clock, ms. */
  readonly ahead_ms?: number;
}

const TYPE = 'chatdoc/refused';
const RESETS: ReadonlySet<string> = new Set<GateReset>(['resync', 'reset', 'move']);

export function encodeRefusal({ code, reset, room, entry, ahead_ms }: Refusal): string {
  return JSON.stringify({ type: TYPE, code, reset, room, entry, ahead_ms });
}

/** Undefined for any other message. Never throws. */
export function decodeRefusal(payload: unknown): Refusal | undefined {
  if (typeof payload !== 'string' || !payload.startsWith(`{"type":"${TYPE}"`)) return undefined;
  try {
    const { code, reset, room, entry, ahead_ms } = JSON.parse(payload) as Record<string, unknown>;
    if (typeof code !== 'string' || typeof reset !== 'string' || !RESETS.has(reset)) return undefined;
    // A later server may know more codes.
    const refusal = { code: code as HocuspocusRefusalCode, reset: reset as GateReset };
    return {
      ...refusal,
      ...(typeof room === 'string' && { room }),
      ...(isEntry(entry) && { entry: { type: entry.type, id: entry.id } }),
      ...(typeof ahead_ms === 'number' && { ahead_ms }),
    };
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is { readonly type: string; readonly id: string } {
  const { type, id } = Object(value) as { readonly type?: unknown; readonly id?: unknown };
  return typeof type === 'string' && typeof id === 'string';
}

/** What of a `HocuspocusProvider` is used. */
export interface RefusalSource {
  on(event: string, listener: (data: { payload?: unknown; reason?: unknown }) => void): unknown;
  off(event: string, listener: (data: { payload?: unknown; reason?: unknown }) => void): unknown;
}

/** Calls `listener` for each refusal that a provider hears of. The result ends it. */
export function watchRefusals(provider: RefusalSource, listener: (refusal: Refusal) => void): () => void {
  const onMessage = ({ payload, reason }: { payload?: unknown; reason?: unknown }): void => {
    const refusal = decodeRefusal(payload ?? reason);
    if (refusal !== undefined) listener(refusal);
  };
  // Within a connection it is a stateless message; before there is one, the reason why there is none.
  provider.on('stateless', onMessage);
  provider.on('authenticationFailed', onMessage);
  return () => {
    provider.off('stateless', onMessage);
    provider.off('authenticationFailed', onMessage);
  };
}
