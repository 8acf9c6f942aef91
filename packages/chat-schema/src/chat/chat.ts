import * as Y from 'yjs';
import { assertUlid, StampClock } from '../entry/ulid.js';
import { describeFold } from '../fold/describe.js';
import { Digest, hash } from '../fold/digest.js';
import type {
  ChatChange,
  ChatReport,
  DamagedLine,
  ImportResult,
  LineReport,
  QuarantinedLine,
  Waiting,
} from '../fold/records.js';
import { systemEnvironment } from '../host/environment.js';
import { ChatDocError, describeType } from '../host/errors.js';
import { notifyAll, throwLater } from '../host/listeners.js';
import { EntryIndex } from '../index/entry-index.js';
import { mergeTouched, type Touched } from '../index/touched.js';
import { DamageLog } from '../lane/damage.js';
import { applyImport, findMissing, isFree, parseJSONL, planImport, writeJSONL } from '../lane/jsonl.js';
import { LanePool } from '../lane/pool.js';
import type { Section } from '../lane/sections.js';
import {
  docOf,
  hasPending,
  isInTransaction,
  isOutside,
  type LaneMap,
  refuseTarget,
} from '../lane/structs.js';
import type { ChatCalls } from './calls.js';
import { ChangeLister } from './changes.js';
import { Folds } from './folds.js';
import { type Inspector, LineInspector } from './inspector.js';
import type { ChatOptions } from './options.js';
import { type ChatReader, Reader } from './reader.js';
import { deletePrivateText, findPrivateText } from './redaction.js';
import { countWaiting, createReport, listDuplicates, listQuarantine } from './report.js';
import { Transactor } from './transaction.js';
import { Writer } from './writer.js';

/** One chat: reads of its present state, and writes that append entries to lanes of our own. Methods work unbound. */
export interface Chat extends ChatReader, ChatCalls {
  readonly readOnly: boolean;
  /** Of the lanes that this chat writes. */
  readonly generation: number;
  /** The lines behind the records, for checking a document. */
  readonly inspector: Inspector;
  /** Whether a transaction of the document is open: then an observer may be running. */
  readonly isInTransaction: boolean;
  /** Whether updates have come that wait for others: `rehost` writes nothing until then. */
  readonly hasPending: boolean;
  /** Whether it was closed, or its document destroyed. */
  readonly isClosed: boolean;
  /**
   * Stops listening to the document, as `doc.destroy()` does. Reads stay at what was last seen; every write, `subscribe`,
   * and a stream that is still open throw `closed`. Opening another `Chat` on the same document is fine.
   */
  close(): void;
  /**
   * Calls `listener` once for each transaction that changed something. Returns an unsubscribe function. What a listener
   * throws goes to `reportError` and stops nobody else. Throws `closed`.
   */
  subscribe(listener: (change: ChatChange) => void): () => void;
  /** For `new Y.UndoManager(…, { deleteFilter: chat.undoFilter })`: keeps undo off every lane. */
  undoFilter(item: Y.Item): boolean;
  /** The chat as of the entries up to `stamp`, read-only. Throws `invalid_argument` for what is not a ULID. */
  at(stamp: string): ChatReader;
  /** SHA-256 of what the document holds: equal for two documents with the same lines, whatever lanes hold them. */
  digest(): string;
  /** SHA-256 of the records: equal for two documents that read the same. */
  foldDigest(): string;
  /** Every lane under its header, as JSON lines. */
  toJSONL(): string;
  /** Lines that are not folded, each once per lane. O(document). */
  quarantine(): readonly QuarantinedLine[];
  /** Lines of an id for which another was chosen, each once per lane. O(document). */
  duplicates(): readonly LineReport[];
  /** References to what is not there (yet), counted. O(document). */
  waiting(): Waiting;
  /** Lines that a deletion took, kept aside by this process. */
  damage(): readonly DamagedLine[];
  /** JSONL of the lines kept aside, under their own headers. */
  rescued(): string;
  /** Everything unusual in the document. O(document). */
  report(): ChatReport;
  /** Writes a union by id: what the document has already is not written again. */
  importJSONL(text: string): ImportResult;
  /**
   * Writes the lines that are aside into the document again, under their own headers. Replicas that hold the
   * same ones write the same structs. Returns how many lines it wrote: none while updates wait for others, because the
   * redaction of these lines may be among them.
   */
  rehost(): number;
}

/**
 * Opens the chat of a document, or of a nested map from `embedChat`. Writes nothing. Any provider may sync the
 * document; keep one `Chat` per document per process, and `close()` it when done. Throws `invalid_argument` for another
 * target, and `detached` for a map that is not in a document. Parses nothing.
 */
export function openChat(target: Y.Doc | Y.Map<unknown>, options: ChatOptions = {}): Chat {
  const map = target instanceof Y.Doc ? rootOf(target, options.root ?? 'chat') : target;
  if (!(map instanceof Y.Map)) throw refuseTarget('target', 'a Y.Doc or Y.Map', target);
  if (docOf(map) === null) throw new ChatDocError('detached', 'target', 'the map is in no document');
  return new OpenChat(map, options).chat;
}

function rootOf(doc: Y.Doc, name: string): LaneMap {
  try {
    return doc.getMap(name);
  } catch (error) {
    // Yjs throws where the root has been used as another type.
    const type = describeType(doc.share.get(name));
    throw new ChatDocError('invalid_argument', 'root', `expected a Y.Map at this root, got ${type}`, error);
  }
}

/** The parts of one `Chat`: reader and writer over one index, and the listener that updates them. */
class OpenChat {
  readonly chat: Chat;
  readonly #map: LaneMap;
  readonly #doc: Y.Doc;
  readonly #index: EntryIndex;
  readonly #folds: Folds;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #inspector: LineInspector;
  readonly #changes: ChangeLister;
  readonly #stamps: StampClock;
  readonly #lanes: LanePool;
  readonly #digest: Digest;
  readonly #damage: DamageLog;
  readonly #transactor: Transactor;
  readonly #readOnly: boolean;
  readonly #reportError: (error: unknown) => void;
  readonly #subscribers = new Set<(change: ChatChange) => void>();
  readonly #past = new Set<WeakRef<Folds>>();
  /** Redacted messages of which text may have come: to delete once no transaction is open. */
  readonly #unblanked = new Set<number>();

  constructor(
    map: LaneMap,
    {
      environment = systemEnvironment,
      generation = 0,
      user_id: userId,
      readOnly = false,
      reportError = throwLater,
    }: ChatOptions,
  ) {
    const stamps = new StampClock(environment);
    const [a = 0, b = 0, c = 0, d = 0] = environment.random(4);
    const index = new EntryIndex(map, stamps, (a << 24) | (b << 16) | (c << 8) | d);
    const lanes = new LanePool(map, { generation, userId, environment, stamps });
    const transactor = new Transactor(map, index, readOnly);
    transactor.onAppend = (touched) => this.#take(touched);
    this.#map = map;
    this.#doc = docOf(map) as Y.Doc;
    this.#index = index;
    this.#folds = new Folds(index);
    this.#reader = new Reader(index, this.#folds);
    this.#writer = new Writer({
      index,
      folds: this.#folds,
      reader: this.#reader,
      environment,
      stamps,
      lanes,
      transactor,
    });
    this.#inspector = new LineInspector(this.#folds, index, stamps);
    this.#changes = new ChangeLister(index);
    this.#stamps = stamps;
    this.#lanes = lanes;
    this.#transactor = transactor;
    this.#digest = new Digest(index);
    this.#damage = new DamageLog(index);
    this.#readOnly = readOnly;
    this.#reportError = reportError;
    this.chat = this.#compose(generation);
    this.#doc.on('afterTransaction', this.#onTransaction);
    this.#doc.on('afterAllTransactions', this.#onQuiet);
    this.#doc.on('destroy', this.#close);
  }

  #compose(generation: number): Chat {
    const doc = this.#doc;
    const index = this.#index;
    const damage = this.#damage;
    const transactor = this.#transactor;
    const chat: Chat = {
      ...this.#reader,
      ...this.#writer,
      readOnly: this.#readOnly,
      generation,
      inspector: this.#inspector,
      get isInTransaction() {
        return isInTransaction(doc);
      },
      get hasPending() {
        return hasPending(doc);
      },
      get isClosed() {
        return transactor.isClosed;
      },
      close: this.#close,
      subscribe: this.#subscribe,
      undoFilter: (item) => isOutside(this.#map, item),
      at: this.#at,
      digest: () => this.#digest.read(),
      foldDigest: () => hash(describeFold(this.#reader)),
      toJSONL: () => writeJSONL(index),
      quarantine: () => listQuarantine(index),
      duplicates: () => listDuplicates(index),
      waiting: () => countWaiting(this.#folds, index),
      damage: () => damage.list(),
      rescued: () => damage.rescue(),
      report: () => createReport(index, this.#stamps.countFuture(), damage.list().length),
      importJSONL: this.#importJSONL,
      rehost: this.#rehost,
    };
    return Object.freeze(chat);
  }

  readonly #close = (): void => {
    this.#transactor.close();
    this.#doc.off('destroy', this.#close);
    this.#doc.off('afterTransaction', this.#onTransaction);
    this.#doc.off('afterAllTransactions', this.#onQuiet);
    this.#subscribers.clear();
    this.#inspector.close();
  };

  readonly #subscribe = (listener: (change: ChatChange) => void): (() => void) => {
    this.#transactor.assertOpen('subscribe');
    this.#subscribers.add(listener);
    this.#transactor.wantDeltas = true;
    return () => {
      this.#subscribers.delete(listener);
      this.#transactor.wantDeltas = this.#subscribers.size > 0;
    };
  };

  readonly #at = (stamp: string): ChatReader => {
    assertUlid(stamp, 'stamp');
    const folds = new Folds(this.#index, (row) => this.#index.stampOf(row) <= stamp);
    this.#past.add(new WeakRef(folds));
    return Object.freeze({ ...new Reader(this.#index, folds) });
  };

  readonly #importJSONL = (text: string): ImportResult => {
    this.#transactor.assertWritable('importJSONL');
    if (typeof text !== 'string') {
      throw new ChatDocError('invalid_argument', 'text', `expected a string, got ${describeType(text)}`);
    }
    const sections = parseJSONL(text);
    if (sections.length > 0 && sections.every((section) => section.laneId === '')) {
      return { ok: false, code: 'import_no_header', line: 1 };
    }
    const missing = findMissing(this.#index, sections);
    if (missing.length === 0) return { ok: true, lines: 0 };
    if (!this.#import('importJSONL', 'import', missing))
      return { ok: false, code: 'import_conflict', line: 1 };
    return { ok: true, lines: countLines(missing) };
  };

  readonly #rehost = (): number => {
    this.#transactor.assertWritable('rehost');
    if (hasPending(this.#doc)) return 0;
    const missing = findMissing(this.#index, parseJSONL(this.#damage.rescue()));
    if (missing.length === 0) return 0;
    // A lane can be lost again after it was re-hosted: then the tags before are taken.
    for (let round = 1; !this.#import('rehost', `rehost ${round}`, missing); ) round += 1;
    return countLines(missing);
  };

  #import(call: string, tag: string, sections: readonly Section[]): boolean {
    const plan = planImport(tag, sections);
    if (!isFree(this.#map, plan)) return false;
    this.#transactor.run(call, (transaction) => {
      applyImport(transaction, this.#map, plan);
      return [plan.client];
    });
    return true;
  }

  readonly #onTransaction = (transaction: Y.Transaction): void => {
    const { touched, taken } = this.#index.apply(transaction, this.#subscribers.size > 0);
    if (taken.length > 0) {
      this.#damage.add(taken);
      for (const { header } of taken) if (header !== null) this.#lanes.markDamaged(header.lane_id);
    }
    this.#take(touched);
    const all = this.#transactor.takePending() ?? touched;
    if (all !== touched) mergeTouched(all, touched);
    this.#inspector.notify(all, this.#reportError);
    if (!all.any || this.#subscribers.size === 0) return;
    const change = this.#changes.list(all, transaction);
    if (change !== undefined) notifyAll(this.#subscribers, change, this.#reportError);
  };

  /** Brings every reader up to what was touched. */
  #take(touched: Touched): void {
    if (!touched.any) return;
    this.#folds.invalidate(touched);
    this.#digest.note(touched);
    for (const thread of touched.lists.keys()) this.#writer.forgetTail(this.#index.refs.idOf(thread));
    for (const reference of this.#past) {
      const past = reference.deref();
      if (past === undefined) this.#past.delete(reference);
      else past.invalidate(touched);
    }
    if (this.#readOnly) return;
    for (const ref of touched.messages) if (this.#index.isRedacted(ref)) this.#unblanked.add(ref);
    for (const { message } of touched.deltas)
      if (this.#index.isRedacted(message)) this.#unblanked.add(message);
  }

  // Never within an observer: a write there would be sent before what it answers.
  readonly #onQuiet = (): void => {
    if (this.#unblanked.size === 0) return;
    const refs = findPrivateText(this.#index, this.#unblanked);
    this.#unblanked.clear();
    if (refs.length === 0) return;
    this.#transactor.run('blank', (transaction) => {
      deletePrivateText(transaction, this.#index, refs);
      return [];
    });
  };
}

function countLines(sections: readonly Section[]): number {
  return sections.reduce((count, section) => count + section.lines.length, 0);
}
