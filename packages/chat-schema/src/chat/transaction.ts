import type * as Y from 'yjs';
import { LIMITS } from '../entry/limits.js';
import { encodeLine, findBadValue } from '../entry/line.js';
import { definitionOf, type Entry } from '../entry/table.js';
import { ChatDocError, describeValue } from '../host/errors.js';
import type { EntryIndex } from '../index/entry-index.js';
import { createTouched, mergeTouched, type Touched } from '../index/touched.js';
import { ChatOrigin, docOf, isDetached, isInTransaction, type LaneMap } from '../lane/structs.js';

/**
 * The one way into the document: checks that it may be written, opens a transaction with an origin, and reads
 * back at once what was appended, so that calls within an embedder's own transaction see each other.
 */
export class Transactor {
  readonly #map: LaneMap;
  readonly #index: EntryIndex;
  readonly #readOnly: boolean;
  #pending: Touched | undefined;
  #closed = false;
  wantDeltas = false;
  /** Called within the transaction, before the call returns. */
  onAppend: (touched: Touched) => void = () => {};

  constructor(map: LaneMap, index: EntryIndex, readOnly: boolean) {
    this.#map = map;
    this.#index = index;
    this.#readOnly = readOnly;
  }

  /** From now on every call throws `closed`. */
  close(): void {
    this.#closed = true;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  assertOpen(call: string): void {
    if (this.#closed) throw new ChatDocError('closed', call, 'this chat is closed');
  }

  assertWritable(call: string): void {
    this.assertOpen(call);
    if (this.#readOnly) throw new ChatDocError('read_only', call, 'this document is open for reading only');
    if (isDetached(this.#map)) {
      throw new ChatDocError('detached', call, 'the map of this chat is no longer in a document');
    }
  }

  /** Whether a call now runs within a transaction that is not its own. */
  get isNested(): boolean {
    return isInTransaction(docOf(this.#map) as Y.Doc);
  }

  /** `write` gives the clientIDs in whose name it appended. */
  run(call: string, write: (transaction: Y.Transaction) => readonly number[]): void {
    this.assertWritable(call);
    const doc = docOf(this.#map) as Y.Doc;
    // In a transaction of our own the end of it is read at once; in another's we do not wait for that.
    const { isNested } = this;
    doc.transact((transaction) => {
      const clients = write(transaction);
      if (!isNested) return;
      for (const client of clients) {
        const touched = this.#index.readAppended(doc, client, this.wantDeltas);
        this.#pending ??= createTouched();
        mergeTouched(this.#pending, touched);
        this.onAppend(touched);
      }
    }, new ChatOrigin(call));
  }

  /** The rows that our own calls appended within the transaction that has just ended, if they were read before its end. */
  takePending(): Touched | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}

/**
 * The line of an entry that has been checked: throws `invalid_argument` for what a reader would quarantine.
 */
export function encodeChecked(entry: Entry): string {
  assertEntry(entry);
  const line = encodeLine(entry);
  if (line.length <= LIMITS.line) return line;
  throw new ChatDocError(
    'invalid_argument',
    entry.type,
    `expected a line of at most ${LIMITS.line} code units, got ${line.length}`,
  );
}

/** Throws what makes an entry unfit to be written: what a reader would quarantine or report must not start here. */
export function assertEntry(entry: Entry): void {
  const bad = findBadValue(entry, LIMITS.depth);
  if (bad !== undefined) {
    const got = bad === 'too_deep' ? `nesting beyond ${LIMITS.depth}` : 'a reserved key';
    throw new ChatDocError('invalid_argument', entry.type, `expected plain JSON, got ${got}`);
  }
  const { body } = definitionOf(entry.type);
  if (body.fits(entry)) return;
  const { path, expected } = body.explain(entry);
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], entry);
  throw new ChatDocError(
    'invalid_argument',
    path.join('.'),
    `expected ${expected}, got ${describeValue(value)}`,
  );
}
