import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import type { Provider } from './provider.js';

/**
 * The sync protocol of `y-protocols`, bare: step 1 at each opening, step 2 in answer, then updates. What throws is
 * dropped. It has no checksum, and leaves what arrives too early to Yjs.
 */
export const syncProvider: Provider = ({ doc, is_hub, mark }, port) => {
  let isOpen = false;
  const origin = { provider: 'sync' };
  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder();
    write(encoder);
    port.send(encoding.toUint8Array(encoder));
  };
  const onUpdate = (update: Uint8Array, from: unknown): void => {
    if (!isOpen || from === origin || (isProvided(from) && !is_hub)) return;
    send((encoder) => sync.writeUpdate(encoder, update));
  };
  port.onOpen(() => {
    isOpen = true;
    send((encoder) => sync.writeSyncStep1(encoder, doc));
  });
  port.onClose(() => {
    isOpen = false;
  });
  port.onMessage((bytes) => {
    const message = decode(bytes);
    if (message === undefined) return mark('a message that cannot be read was dropped');
    try {
      if (message.type === sync.messageYjsSyncStep1) {
        send((encoder) => sync.writeSyncStep2(encoder, doc, message.content));
      } else Y.applyUpdate(doc, message.content, origin);
    } catch {
      mark('a message that cannot be read was dropped');
    }
  });
  doc.on('update', onUpdate);
  return { close: () => doc.off('update', onUpdate) };
};

export interface SyncMessage {
  readonly type: number;
  /** A state vector in step 1, else an update. */
  readonly content: Uint8Array;
}

/** Undefined for anything that is not a message of the protocol. */
export function decode(bytes: Uint8Array): SyncMessage | undefined {
  try {
    const decoder = decoding.createDecoder(bytes);
    const type = decoding.readVarUint(decoder);
    const content = decoding.readVarUint8Array(decoder);
    return type <= sync.messageYjsUpdate ? { type, content } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the origin of a transaction is a connection of one of these providers. */
export function isProvided(origin: unknown): boolean {
  return typeof origin === 'object' && origin !== null && 'provider' in origin;
}
