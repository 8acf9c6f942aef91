import { encodeFrame, readFrame } from '@chatdoc/sync';
import type { Seat } from './seat.js';

/** Keeps the updates of one replica. Opened again by each process, on the same disk. */
export interface Storage {
  /** All updates that are there, in any order. */
  load(): Iterable<Uint8Array> | Promise<Iterable<Uint8Array>>;
  append(update: Uint8Array): void | Promise<void>;
  /** Once it has returned, or its promise is fulfilled, what was appended before is there after a crash. */
  flush(): void | Promise<void>;
  close?(): void;
}

/** Opens the storage of one seat. Called once for each process. */
export type OpenStorage = (seat: Seat) => Storage;

/** A log of checksummed frames: the longest valid prefix loads, and what is torn behind it is cut off. */
export const frameStorage: OpenStorage = ({ disk, doc_id, generation, mark }) => ({
  load: () => {
    const bytes = disk.read();
    const updates: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      const read = readFrame(bytes, at);
      if (!read.ok) break;
      updates.push(read.frame.payload);
      at = read.end;
    }
    if (at < bytes.length) {
      mark('a torn tail was cut off');
      disk.replace(bytes.slice(0, at));
    }
    return updates;
  },
  append: (update) => disk.append(encodeFrame({ kind: 'update', doc_id, generation, payload: update })),
  flush: () => disk.sync(),
});
