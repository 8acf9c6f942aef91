import type { Environment } from '@chatdoc/schema';
import type * as Y from 'yjs';
import type { Disk } from './disk.js';

/** Where one replica of the application sits: its document, clock, randomness and disk. A restart gives a new one. */
export interface Seat {
  /** `replica 0`, `replica 1`, …; visitors have names of their own. */
  readonly name: string;
  readonly index: number;
  readonly doc: Y.Doc;
  /** A ULID, the same for all. */
  readonly doc_id: string;
  /** Of the document; 0 until somebody moves to another. */
  readonly generation: number;
  readonly environment: Environment;
  readonly disk: Disk;
  /** In a star the replica in the middle, which sends on what came from one peer to the others. */
  readonly is_hub: boolean;
  /** Notes that an interesting case came up. */
  mark(name: string): void;
  /**
   * The provider met a document of a later generation: the application moves to it, once the running call is over.
   * Does nothing for an application that cannot `move`.
   */
  moveTo(generation: number): void;
}
