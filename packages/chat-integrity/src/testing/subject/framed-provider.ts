import { Door, type DoorOptions, decodeFrame, encodeFrame } from '@chatdoc/sync';
import * as encoding from 'lib0/encoding';
import * as sync from 'y-protocols/sync';
import type { Connection, Port, Provider } from './provider.js';
import type { Seat } from './seat.js';
import { decode, isProvided } from './sync-provider.js';

/** So many reasons to ask again pass before the question is put a second time. */
const PATIENCE = 8;

/**
 * The same protocol as a chat should use it: each message in a checksummed frame that names document and
 * generation, and every update through a door. What does not fit is asked for again.
 */
export function createFramedProvider(
  options: Pick<DoorOptions, 'root' | 'others' | 'limits'> = {},
): Provider {
  return (seat, port) => connect(seat, port, options);
}

/** For documents whose one root is that of a chat. */
export const framedProvider: Provider = createFramedProvider();

/** The same for documents with any roots: the provider of a subject that names none. */
export const sharedProvider: Provider = createFramedProvider({ others: 'any' });

function connect(seat: Seat, port: Port, options: Partial<DoorOptions>): Connection {
  const { doc, doc_id, generation, is_hub, mark } = seat;
  const origin = { provider: 'framed' };
  const door = new Door(doc, { ...options, doc_id, generation, origin });
  let isOpen = false;
  /** Until the answer comes, another question would bring the same; but the answer may be lost. */
  let patience = 0;
  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder();
    write(encoder);
    const payload = encoding.toUint8Array(encoder);
    port.send(encodeFrame({ kind: 'update', doc_id, generation, payload }));
  };
  const ask = (): void => {
    patience -= 1;
    if (patience > 0) return;
    patience = PATIENCE;
    send((encoder) => sync.writeSyncStep1(encoder, doc));
  };
  const onUpdate = (update: Uint8Array, from: unknown): void => {
    if (!isOpen || from === origin || (isProvided(from) && !is_hub)) return;
    send((encoder) => sync.writeUpdate(encoder, update));
  };
  port.onOpen(() => {
    isOpen = true;
    patience = 0;
    ask();
  });
  port.onClose(() => {
    isOpen = false;
  });
  port.onMessage((bytes) => {
    const read = decodeFrame(bytes);
    if (!read.ok) {
      mark(`a frame was refused: ${read.code}`);
      ask();
      return;
    }
    const { frame } = read;
    if (frame.doc_id !== doc_id) return mark('a frame of another document was refused');
    if (frame.generation !== generation) {
      mark(`a frame of ${frame.generation < generation ? 'an older' : 'a later'} generation was refused`);
      if (frame.generation > generation) seat.moveTo(frame.generation);
      // Its state vector shows the other side which generation this is.
      else ask();
      return;
    }
    const message = decode(frame.payload);
    if (message === undefined) return mark('a message that cannot be read was dropped');
    if (message.type === sync.messageYjsSyncStep1) {
      try {
        send((encoder) => sync.writeSyncStep2(encoder, doc, message.content));
      } catch {
        mark('a message that cannot be read was dropped');
      }
      return;
    }
    if (message.type === sync.messageYjsSyncStep2) patience = 0;
    const receipt = door.receiveUpdate(message.content);
    if (receipt.ok) return mark(`an update was ${receipt.outcome}`);
    mark(receipt.outcome === 'gap' ? 'a gap was seen' : `an update was refused: ${receipt.code}`);
    if (receipt.outcome === 'gap') ask();
  });
  doc.on('update', onUpdate);
  return { close: () => doc.off('update', onUpdate) };
}
