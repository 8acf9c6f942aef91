import * as Y from 'yjs';
import { assertUlid, StampClock } from '../entry/ulid.js';
import { describeFold } from '../fold/describe.js';
import { Digest, hash } from '../fold/digest.js';
import { isRedacted } from '../fold/message.js';
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
import { EntryIndex } from '../index/entry-index.js';
import { mergeTouched, type Touched } from '../index/touched.js';
import { DamageLog } from '../lane/damage.js';
import { applyImport, findMissing, isFree, parseJSONL, planImport, writeJSONL } from '../lane/jsonl.js';
import { LanePool } from '../lane/pool.js';
import type { Section } from '../lane/sections.js';
import { docOf, isInTransaction, isOutside, type LaneMap } from '../lane/structs.js';
import { listChanges } from './changes.js';
import { Inspector } from './inspector.js';
import type { ChatOptions } from './options.js';
import { type ChatReader, ChatView } from './reader.js';
import { deletePrivateText, hasPrivateText } from './redaction.js';
import { countWaiting, createReport, listDuplicates, listQuarantine } from './report.js';
import { Transactor } from './transaction.js';
import { ChatWriter } from './writer.js';

/**
 * Opens the chat of a document, or of a nested map from `embedChat`. Writes nothing. Any provider may sync the
 * document; keep one `Chat` a document and process, and `close()` it when done.
 */
export function openChat(target: Y.Doc | Y.Map<unknown>, options: ChatOptions = {}): Chat {
  const isDoc = target instanceof Y.Doc;
  if (!isDoc && !(target instanceof Y.Map)) {
    throw new ChatDocError(
      'invalid_argument',
      'target',
      `expected a Y.Doc or Y.Map, got ${describeType(target)}`,
    );
  }
  const map = isDoc ? target.getMap(options.root ?? 'chat') : target;
  if (docOf(map) === null) throw new ChatDocError('detached', 'target', 'the map is in no document');
  const environment = options.environment ?? systemEnvironment;
  const stamps = new StampClock(environment);
  const [a = 0, b = 0, c = 0, d = 0] = environment.random(4);
  const index = new EntryIndex(map, stamps, (a << 24) | (b << 16) | (c << 8) | d);
  return new Chat(map, index, stamps, { ...options, environment });
}

/** One chat: reads of its present state, and writes that append entries to lanes of our own. */
export class Chat extends ChatWriter {
  readonly readOnly: boolean;
  /** Of the lanes that this chat writes. */
  readonly generation: number;
  /** The lines behind the records, for whoever checks a document. */
  readonly inspector: Inspector;
  readonly #map: LaneMap;
  readonly #doc: Y.Doc;
  readonly #stamps: StampClock;
  readonly #lanes: LanePool;
  readonly #digest: Digest;
  readonly #damage: DamageLog;
  readonly #transactor: Transactor;
  readonly #subscribers = new Set<(change: ChatChange) => void>();
  readonly #past = new Set<WeakRef<ChatView>>();
  /** Redacted messages of which text has come: to delete once no transaction is open. */
  readonly #unblanked = new Set<number>();

  /** @internal */
  constructor(
    map: LaneMap,
    index: EntryIndex,
    stamps: StampClock,
    { environment = systemEnvironment, generation = 0, user_id: userId, readOnly = false }: ChatOptions,
  ) {
    const lanes = new LanePool(map, { generation, userId, environment, stamps });
    const transactor = new Transactor(map, index, readOnly);
    super({ index, environment, stamps, lanes, transactor });
    transactor.onAppend = (touched) => this.#take(touched);
    this.readOnly = readOnly;
    this.generation = generation;
    this.inspector = new Inspector(this, index, stamps);
    this.#map = map;
    this.#doc = docOf(map) as Y.Doc;
    this.#stamps = stamps;
    this.#lanes = lanes;
    this.#transactor = transactor;
    this.#digest = new Digest(index);
    this.#damage = new DamageLog(index);
    this.#doc.on('afterTransaction', this.#onTransaction);
    this.#doc.on('afterAllTransactions', this.#onQuiet);
  }

  /** Stops listening. Reads stay at what was last seen. */
  close(): void {
    this.#doc.off('afterTransaction', this.#onTransaction);
    this.#doc.off('afterAllTransactions', this.#onQuiet);
    this.#subscribers.clear();
    this.inspector.close();
  }

  /** Whether a transaction of the document is open: then an observer may be running. */
  get isInTransaction(): boolean {
    return isInTransaction(this.#doc);
  }

  /** Calls `listener` once for each transaction that changed something. The result ends it. */
  subscribe(listener: (change: ChatChange) => void): () => void {
    this.#subscribers.add(listener);
    this.#transactor.wantDeltas = true;
    return () => {
      this.#subscribers.delete(listener);
      this.#transactor.wantDeltas = this.#subscribers.size > 0;
    };
  }

  /** For `new Y.UndoManager(…, { deleteFilter: chat.undoFilter })`: keeps undo off every lane. */
  readonly undoFilter = (item: Y.Item): boolean => isOutside(this.#map, item);

  /** The chat as the entries up to `stamp` tell it. */
  at(stamp: string): ChatReader {
    assertUlid(stamp, 'stamp');
    const past = new ChatView(this.index, (row) => this.index.stampOf(row) <= stamp);
    this.#past.add(new WeakRef(past));
    return past;
  }

  digest(): string {
    return this.#digest.read();
  }

  /** Of what a caller reads: equal for two documents that read the same, whatever their lanes. */
  foldDigest(): string {
    return hash(describeFold(this));
  }

  toJSONL(): string {
    return writeJSONL(this.index);
  }

  quarantine(): readonly QuarantinedLine[] {
    return listQuarantine(this.index);
  }

  duplicates(): readonly LineReport[] {
    return listDuplicates(this.index);
  }

  waiting(): Waiting {
    return countWaiting(this, this.index);
  }

  damage(): readonly DamagedLine[] {
    return this.#damage.list();
  }

  /** JSONL of the lines kept aside, under their own headers. */
  rescued(): string {
    return this.#damage.rescue();
  }

  report(): ChatReport {
    return createReport(this, this.index, this.#stamps.countFuture(), this.damage().length);
  }

  /** Writes a union by id: what the document holds already is not written again. */
  importJSONL(text: string): ImportResult {
    this.#transactor.assertWritable('importJSONL');
    if (typeof text !== 'string') {
      throw new ChatDocError('invalid_argument', 'text', `expected a string, got ${describeType(text)}`);
    }
    const sections = parseJSONL(text);
    if (sections.length > 0 && sections.every((section) => section.laneId === '')) {
      return { ok: false, code: 'import_no_header', line: 1 };
    }
    const missing = findMissing(this.index, sections);
    if (missing.length === 0) return { ok: true, lines: 0 };
    if (!this.#import('importJSONL', 'import', missing))
      return { ok: false, code: 'import_conflict', line: 1 };
    return { ok: true, lines: countLines(missing) };
  }

  /**
   * Writes the lines that are aside into the document again, under their own headers. Replicas that hold the
   * same ones write the same structs. Gives how many lines it wrote.
   */
  rehost(): number {
    this.#transactor.assertWritable('rehost');
    const missing = findMissing(this.index, parseJSONL(this.rescued()));
    if (missing.length === 0) return 0;
    // A lane can be lost again after it was re-hosted: then the tags before are taken.
    for (let round = 1; !this.#import('rehost', `rehost ${round}`, missing); ) round += 1;
    return countLines(missing);
  }

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
    const { touched, lost } = this.index.apply(transaction, this.#subscribers.size > 0);
    if (lost.length > 0) {
      this.#damage.add(lost);
      for (const { header } of lost) if (header !== null) this.#lanes.markDamaged(header.lane_id);
    }
    this.#take(touched);
    const all = this.#transactor.takePending() ?? touched;
    if (all !== touched) mergeTouched(all, touched);
    this.inspector.tell(all);
    if (!all.any || this.#subscribers.size === 0) return;
    const change = listChanges(this.index, all, transaction);
    if (change !== undefined) for (const subscriber of [...this.#subscribers]) subscriber(change);
  };

  /** Brings every reader up to what was touched. */
  #take(touched: Touched): void {
    if (!touched.any) return;
    this.invalidate(touched);
    this.#digest.note(touched);
    for (const thread of touched.lists.keys()) this.forgetTail(this.index.slots.idOf(thread));
    for (const reference of this.#past) {
      const past = reference.deref();
      if (past === undefined) this.#past.delete(reference);
      else past.invalidate(touched);
    }
    for (const slot of touched.messages) this.#watchRedacted(slot);
    for (const { message } of touched.deltas) this.#watchRedacted(message);
  }

  #watchRedacted(slot: number): void {
    if (!this.readOnly && isRedacted(this.source, slot) && hasPrivateText(this.index, slot)) {
      this.#unblanked.add(slot);
    }
  }

  // Never within an observer: a write there would be sent before what it answers.
  readonly #onQuiet = (): void => {
    if (this.#unblanked.size === 0) return;
    const slots = [...this.#unblanked];
    this.#unblanked.clear();
    const due = slots.filter((slot) => hasPrivateText(this.index, slot));
    if (due.length === 0) return;
    this.#transactor.run('blank', (transaction) => {
      deletePrivateText(transaction, this.index, due);
      return [];
    });
  };
}

function countLines(sections: readonly Section[]): number {
  return sections.reduce((count, section) => count + section.lines.length, 0);
}
