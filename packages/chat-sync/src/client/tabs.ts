import * as Y from 'yjs';
import { Door, type DoorOptions } from '../update/door.js';

interface TabOptions extends Pick<DoorOptions, 'doc_id' | 'generation' | 'root' | 'others'> {
  readonly doc: Y.Doc;
}

/** A frame with changes, or what the sender has: those that have more answer with it. */
type TabMessage =
  | { readonly frame: Uint8Array; readonly isAnswer?: boolean }
  | { readonly vector: Uint8Array };

/**
 * Keeps the documents of one room in all tabs of a browser in step, also without a server. What comes in goes through
 * the door. Returns a function that ends it. Does nothing where there is no `BroadcastChannel`.
 */
export function openTabs({ doc, ...options }: TabOptions): () => void {
  if (typeof BroadcastChannel !== 'function') return () => {};
  const channel = new BroadcastChannel(`chatdoc ${options.doc_id}.${options.generation}`);
  const door = new Door(doc, options);
  const ask = (): void => channel.postMessage({ vector: Y.encodeStateVector(doc) });
  const onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== door) channel.postMessage({ frame: door.wrap(update) });
  };
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if ('vector' in data) {
      const update = Y.encodeStateAsUpdate(doc, data.vector);
      channel.postMessage({ frame: door.wrap(update), isAnswer: true });
      return;
    }
    const receipt = door.receive(data.frame);
    // An answer that lacks something is all that there is: asked again, it would come again.
    if (!receipt.ok && receipt.outcome === 'gap' && data.isAnswer !== true) ask();
  };
  // In Node a channel would keep the process alive.
  (channel as { unref?: () => void }).unref?.();
  doc.on('update', onUpdate);
  ask();
  return () => {
    doc.off('update', onUpdate);
    channel.close();
  };
}
