import type { ActivationEntry } from '../entry/activation.js';
import type { DocumentEntry, Rollback } from '../entry/document.js';
import type { LaneEntry } from '../entry/lane.js';
import type { LegacyRowEntry } from '../entry/legacy-row.js';
import type { MessageEntry } from '../entry/message.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import type { Purpose, SlotKey } from '../entry/thread.js';
import { deriveAnswerId } from '../entry/ulid.js';
import type { AnnotationsFold } from '../fold/annotations.js';
import { AttemptFold, type Body, foldAttempt } from '../fold/attempt.js';
import { type Chosen, chooseRows, readRow } from '../fold/choose.js';
import { keepMessage } from '../fold/keep-message.js';
import { findHeads } from '../fold/last-writer.js';
import { MessageFold } from '../fold/message.js';
import {
  appendDelta,
  type FoldedMessage,
  foldAnswer,
  foldPlain,
  NOTHING_ABOUT,
} from '../fold/message-record.js';
import { type OrderNode, ThreadOrder } from '../fold/order.js';
import type { Message, Thread, ThreadState } from '../fold/records.js';
import { scanNode, scanSender } from '../fold/scan.js';
import { filterRows, type Source } from '../fold/subject.js';
import {
  MessageAnnotationsFold,
  sameSlot,
  ThreadFactsFold,
  type ThreadLine,
  ThreadLineFold,
} from '../fold/thread.js';
import { ThreadList } from '../fold/thread-list.js';
import { type FoldedTurn, NO_TURN } from '../fold/turn.js';
import { deriveState, type TurnView } from '../fold/turns.js';
import { VariablesFold } from '../fold/variables.js';
import { compareText, keepEqual, sameValue } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';

/** A fold of more rows than this is kept, to take in the next one alone; a smaller one is made again. */
const SMALL = 6;

interface ListedThread {
  readonly record: Thread;
  readonly line: ThreadLine;
}

interface KeptList {
  readonly list: ThreadList;
  /** Messages whose place must be looked at again. */
  readonly stale: Set<number>;
}

/** Folds subjects on demand, by ref, and keeps what it folded until a transaction touches it. */
export class Folds implements TurnView {
  readonly source: Source;
  readonly variables: VariablesFold;
  readonly #index: EntryIndex;
  readonly #folded = new Map<number, FoldedMessage | null>();
  readonly #stale = new Set<number>();
  readonly #messageFolds = new Map<number, MessageFold>();
  /** By attempt, then by who may write it. */
  readonly #bodies = new Map<number, Map<string, AttemptFold>>();
  readonly #lines = new Map<number, ThreadLineFold>();
  readonly #facts = new Map<number, ThreadFactsFold>();
  readonly #annotations = new Map<number, MessageAnnotationsFold>();
  readonly #lists = new Map<number, KeptList>();
  readonly #listed = new Map<number, ListedThread>();
  readonly #roots = new Map<number, number>();
  readonly #senders = new Map<number, string>();
  readonly #states = new Map<number, { readonly state: ThreadState; readonly version: number }>();
  #threads: readonly Thread[] | undefined;
  /** The records in `#threads`, by ref. */
  readonly #shown = new Map<number, Thread>();
  readonly #staleThreads = new Set<number>();
  #turnVersion = 0;
  #document: { docId: string | null; rollbacks: readonly Rollback[] } | undefined;
  #legacyRows: readonly LegacyRowEntry[] | undefined;

  constructor(index: EntryIndex, include?: (row: number) => boolean) {
    this.#index = index;
    this.source = include === undefined ? { index } : { index, include };
    this.variables = new VariablesFold(this.source, -1);
  }

  /** Forgets what a transaction touched, and goes on with the texts that only grew. O(what it touched). */
  invalidate(touched: Touched): void {
    for (const ref of touched.messages) this.#forget(ref);
    for (const { message, attempt, n, text, first } of touched.deltas) {
      if (!first && !touched.messages.has(message)) this.#grow(message, attempt, n, text);
    }
    for (const [thread, messages] of touched.lists) {
      this.#staleThreads.add(thread);
      this.#keepRoot(thread, messages);
      const kept = this.#lists.get(thread);
      if (kept !== undefined) for (const message of messages) kept.stale.add(message);
    }
    for (const thread of touched.threads) {
      this.#staleThreads.add(thread);
      this.#roots.delete(thread);
    }
    if (touched.messages.size > 0 || touched.threads.size > 0) this.#turnVersion += 1;
    if (touched.document) this.#document = undefined;
    if (touched.document || touched.messages.size > 0) this.#legacyRows = undefined;
  }

  /** A root that refers to nothing stays one until something with a smaller id comes. */
  #keepRoot(thread: number, messages: ReadonlySet<number>): void {
    const root = this.#roots.get(thread);
    if (root === undefined) return;
    const named = this.#namedRoot(thread);
    for (const ref of messages) {
      if (ref !== named && this.#index.refs.compare(ref, root) > 0) continue;
      this.#roots.delete(thread);
      return;
    }
  }

  /** The body of a message of ours that has only just been written; undefined where parts have come before it. */
  bodyOf(messageId: string): Body | undefined {
    const ref = this.#index.refs.find(messageId);
    return ref !== undefined && this.#index.hasParts(ref) ? undefined : NO_BODY;
  }

  /** Takes a message that was folded without being read. */
  seed(folded: FoldedMessage): void {
    const ref = this.#index.refs.find(folded.message.message_id);
    if (ref === undefined || this.#index.messageRows(ref).length !== 1) return;
    this.#folded.set(ref, folded);
    this.#stale.delete(ref);
  }

  #forget(ref: number): void {
    this.#senders.delete(ref);
    if (this.#folded.has(ref)) this.#stale.add(ref);
    const threads = this.#index.threadsOfMessage(ref);
    for (const thread of threads) {
      this.#lists.get(thread)?.stale.add(ref);
      // Lines of one message that name several threads: it may have left one of them.
      if (threads.size < 2) continue;
      this.#roots.delete(thread);
      this.#staleThreads.add(thread);
    }
  }

  #grow(ref: number, attempt: number, n: number, text: string): void {
    const folded = this.#folded.get(ref);
    if (folded === undefined || this.#stale.has(ref)) return;
    const grown = folded && appendDelta(folded, this.#index.refs.idOf(attempt), n, text);
    if (grown) this.#folded.set(ref, grown);
    else this.#stale.add(ref);
    for (const thread of this.#index.threadsOfMessage(ref)) this.#lists.get(thread)?.list.change(ref);
  }

  foldedAt(ref: number): FoldedMessage | undefined {
    const known = this.#folded.get(ref);
    if (known !== undefined && !this.#stale.delete(ref)) return known ?? undefined;
    const simple = known === undefined ? this.#foldSimple(ref) : undefined;
    if (simple !== undefined) {
      this.#folded.set(ref, simple);
      return simple;
    }
    const fold = this.#messageFold(ref);
    let folded = fold.read() ?? null;
    const isSmall = fold.size <= SMALL;
    if (isSmall) this.#messageFolds.delete(ref);
    else this.#messageFolds.set(ref, fold);
    if (folded !== null && known) {
      // A fold of many parts is kept, and keeps them itself.
      const deep = isSmall && folded.message.parts.length <= SMALL;
      folded = { ...folded, message: keepMessage(known.message, folded.message, deep) };
    }
    this.#folded.set(ref, folded);
    return folded ?? undefined;
  }

  /** A message about which there is but one whole line, as most are: nothing has to be chosen or kept. */
  #foldSimple(ref: number): FoldedMessage | undefined {
    const index = this.#index;
    const row = this.source.include === undefined ? index.onlyLine(ref) : undefined;
    if (row === undefined || index.hasAbout(ref) || index.isOpen(row)) return undefined;
    const line = readRow(index, row, false);
    if (line === undefined) return undefined;
    const { attempt, prompt_id, message_id } = line.entry as ReadEntry<MessageEntry>;
    const body = this.#readBody(attempt ?? message_id, line, false);
    if (attempt === undefined || prompt_id === undefined)
      return foldPlain(index.refs, line, body, NOTHING_ABOUT);
    const folded = foldAttempt(line, body, NO_TURN.epochs, undefined, false);
    const forged = deriveAnswerId(prompt_id) !== message_id;
    return foldAnswer(index.refs, ref, [folded], { ...NOTHING_ABOUT, forged });
  }

  #messageFold(ref: number): MessageFold {
    return this.#messageFolds.get(ref) ?? new MessageFold(this.source, ref, this.#readBody);
  }

  readonly #readBody = (attempt: string, { headers }: Chosen, redacted: boolean): Body => {
    const ref = this.#index.refs.find(attempt);
    if (ref === undefined || !this.#index.hasParts(ref)) return NO_BODY;
    const known = this.#bodies.get(ref);
    const key = known === undefined ? '' : nameWriters(headers, redacted);
    const fold = known?.get(key) ?? new AttemptFold(this.source, ref, headers, redacted);
    const body = fold.read();
    if (fold.size + fold.ignored > SMALL) {
      if (known === undefined) this.#bodies.set(ref, new Map([[nameWriters(headers, redacted), fold]]));
      else known.set(key, fold);
    }
    return body;
  };

  folded(messageId: string): FoldedMessage | undefined {
    const ref = this.#index.refs.find(messageId);
    return ref === undefined ? undefined : this.foldedAt(ref);
  }

  message(messageId: string): Message | undefined {
    return this.folded(messageId)?.message;
  }

  turnOf(messageId: string): FoldedTurn {
    const ref = this.#index.refs.find(messageId);
    if (ref === undefined || !this.#index.hasAbout(ref)) return NO_TURN;
    const folded = this.#stale.has(ref) ? undefined : this.#folded.get(ref);
    if (folded) return folded.turn;
    return this.#messageFold(ref).readTurn();
  }

  lineOf(thread: number): ThreadLine | undefined {
    let fold = this.#lines.get(thread);
    if (fold === undefined) {
      fold = new ThreadLineFold(this.source, thread);
      this.#lines.set(thread, fold);
    }
    return fold.read();
  }

  /** Settings, state, activations and annotations of a thread, current. */
  factsOf(thread: number): ThreadFactsFold {
    let fold = this.#facts.get(thread);
    if (fold === undefined) {
      fold = new ThreadFactsFold(this.source, thread);
      this.#facts.set(thread, fold);
    }
    fold.update();
    return fold;
  }

  factsById(threadId: string): ThreadFactsFold | undefined {
    const ref = this.#index.refs.find(threadId);
    return ref === undefined ? undefined : this.factsOf(ref);
  }

  /** Annotations about a message, current. */
  annotationsOf(message: number): AnnotationsFold {
    let fold = this.#annotations.get(message);
    if (fold === undefined) {
      fold = new MessageAnnotationsFold(this.source, message);
      this.#annotations.set(message, fold);
    }
    fold.update();
    return fold.annotations;
  }

  /** By `created_at`, then id. Parses the line of each thread, and no other. */
  threads(): readonly Thread[] {
    if (this.#threads === undefined) {
      for (const ref of this.#index.refsWith('thread')) {
        const record = this.threadAt(ref);
        if (record !== undefined) this.#shown.set(ref, record);
      }
      this.#staleThreads.clear();
      this.#threads = Object.freeze([...this.#shown.values()].sort(compareThreads));
      return this.#threads;
    }
    let list: Thread[] | undefined;
    for (const ref of this.#staleThreads) {
      const before = this.#shown.get(ref);
      const record = this.threadAt(ref);
      if (before === record) continue;
      list ??= this.#threads.slice();
      if (before !== undefined) list.splice(findThread(list, before), 1);
      if (record === undefined) this.#shown.delete(ref);
      else {
        this.#shown.set(ref, record);
        list.splice(findThread(list, record), 0, record);
      }
    }
    this.#staleThreads.clear();
    if (list !== undefined) this.#threads = Object.freeze(list);
    return this.#threads;
  }

  threadAt(ref: number): Thread | undefined {
    const line = this.lineOf(ref);
    if (line === undefined) {
      this.#listed.delete(ref);
      return undefined;
    }
    const root = this.#rootOf(ref);
    const root_message_id = root === undefined ? null : this.#index.refs.idOf(root);
    const known = this.#listed.get(ref);
    if (known !== undefined && known.record.root_message_id === root_message_id) {
      if (known.line === line || sameValue(known.line.thread, line.thread)) return known.record;
    }
    const record = Object.freeze({ ...line.thread, root_message_id });
    this.#listed.set(ref, { record, line });
    return record;
  }

  #namedRoot(thread: number): number | undefined {
    const named = this.lineOf(thread)?.namedRoot;
    return named === undefined ? undefined : this.#index.refs.find(named);
  }

  /** The first message in order. Where nobody has asked for the order yet, mostly without making it. */
  #rootOf(thread: number): number | undefined {
    if (this.#lists.has(thread)) {
      const list = this.listOf(thread);
      return list.size === 0 ? undefined : list.refAt(0);
    }
    const known = this.#roots.get(thread);
    if (known !== undefined) return known;
    const named = this.#namedRoot(thread);
    const root =
      named !== undefined && this.#nodeOf(named, thread) !== undefined ? named : this.#leadOf(thread);
    if (root !== undefined) {
      this.#roots.set(thread, root);
      return root;
    }
    const list = this.listOf(thread);
    return list.size === 0 ? undefined : list.refAt(0);
  }

  /**
   * The plain message with the smallest id, if it refers to nothing: no key is below it. Undefined where that
   * is not certain without the order. The id of its own answer may be smaller: that comes below it.
   */
  #leadOf(thread: number): number | undefined {
    if (this.source.include !== undefined) return undefined;
    const { lead, answers } = this.#index.findLead(thread);
    if (lead === undefined) return undefined;
    const node = scanNode(this.#index, lead);
    if (node === undefined || node.answer || node.targets.length > 0) return undefined;
    const isBelow = (ref: number): boolean => scanNode(this.#index, ref)?.targets.includes(lead) ?? false;
    return answers.every(isBelow) ? lead : undefined;
  }

  /** The order node of a message of the thread; undefined for any other row. Parses only what is not as we write it. */
  #nodeOf(ref: number, thread: number): OrderNode | undefined {
    const { include } = this.source;
    const row = include === undefined && !this.#folded.has(ref) ? this.#index.onlyLine(ref) : undefined;
    if (row !== undefined) {
      if (this.#index.threadOf(row) !== thread) return undefined;
      const node = scanNode(this.#index, ref);
      if (node !== undefined) return node;
    }
    const folded = this.foldedAt(ref);
    return folded?.message.thread_id === this.#index.refs.idOf(thread) ? folded.order : undefined;
  }

  /** The messages of a thread in order, current. Folds them first where all will be read anyway. */
  listOf(thread: number, foldAll = false): ThreadList {
    let kept = this.#lists.get(thread);
    if (kept === undefined) {
      if (foldAll) for (const member of this.#index.memberRefs(thread)) this.foldedAt(member);
      kept = { list: new ThreadList(this.#index.refs, this.#buildOrder(thread)), stale: new Set() };
      this.#lists.set(thread, kept);
    }
    const { list, stale } = kept;
    for (const ref of stale) {
      const node = this.#nodeOf(ref, thread);
      if (node !== undefined) {
        list.put(node);
        list.change(ref);
      } else if (list.order.has(ref)) {
        list.reorder(this.#buildOrder(thread));
        break;
      }
    }
    stale.clear();
    list.setRoot(this.#namedRoot(thread));
    return list;
  }

  #buildOrder(thread: number): ThreadOrder {
    const nodes: OrderNode[] = [];
    // Oldest first: most refer to older ones.
    for (const member of this.#index.memberRefs(thread)) {
      const node = this.#nodeOf(member, thread);
      if (node !== undefined) nodes.push(node);
    }
    return new ThreadOrder(this.#index.refs, nodes);
  }

  /** The sender of a message that is in the list of a thread. */
  senderOf(ref: number): string | undefined {
    const folded = this.#stale.has(ref) ? undefined : this.#folded.get(ref);
    if (folded) return folded.message.sender_id;
    let sender = this.#senders.get(ref);
    if (sender === undefined) {
      sender =
        (this.source.include === undefined ? scanSender(this.#index, ref) : undefined) ??
        this.foldedAt(ref)?.message.sender_id ??
        '';
      this.#senders.set(ref, sender);
    }
    return sender;
  }

  readonly readMessage = (ref: number): Message => (this.foldedAt(ref) as FoldedMessage).message;

  messages(threadId: string): readonly Message[] {
    const ref = this.#index.refs.find(threadId);
    return ref === undefined ? NONE : this.listOf(ref, true).messages(this.readMessage);
  }

  state(thread: number): ThreadState {
    const known = this.#states.get(thread);
    if (known?.version === this.#turnVersion) return known.state;
    const next = deriveState(this, this.#index.refs.idOf(thread), this.factsOf(thread).state);
    const state = keepEqual(known?.state, next);
    this.#states.set(thread, { state, version: this.#turnVersion });
    return state;
  }

  slotThreads(slot: SlotKey & { readonly purpose: Purpose }): readonly Thread[] {
    return this.threads().filter((thread) => sameSlot(thread.slot, slot) && thread.purpose === slot.purpose);
  }

  /** Heads among the activations of these threads that name the slot their thread is in. */
  activationHeads(threads: readonly Thread[]): readonly ReadEntry<ActivationEntry>[] {
    const entries: ReadEntry<ActivationEntry>[] = [];
    for (const { thread_id, slot } of threads) {
      for (const entry of this.factsById(thread_id)?.activations() ?? []) {
        if (sameSlot(entry.slot, slot)) entries.push(entry);
      }
    }
    return findHeads(entries);
  }

  document(): { readonly docId: string | null; readonly rollbacks: readonly Rollback[] } {
    if (this.#document !== undefined) return this.#document;
    let docId: string | null = null;
    const found = new Map<string, Rollback>();
    const rows = filterRows(this.source, this.#index.otherRows(KIND.document));
    for (const { entry } of chooseRows(this.#index, rows).chosen) {
      const { doc_id, rolled_back } = entry as ReadEntry<DocumentEntry>;
      if (doc_id !== undefined && (docId === null || doc_id < docId)) docId = doc_id;
      if (rolled_back === undefined) continue;
      const { from, to } = rolled_back;
      found.set(`${from} ${to}`, Object.freeze({ from, to }));
    }
    const rollbacks = Object.freeze([...found.values()].sort((a, b) => a.from - b.from || a.to - b.to));
    this.#document = { docId, rollbacks };
    return this.#document;
  }

  legacyRows(): readonly LegacyRowEntry[] {
    this.#legacyRows ??= this.#readLegacyRows();
    return this.#legacyRows;
  }

  #readLegacyRows(): readonly LegacyRowEntry[] {
    const index = this.#index;
    const read = (rows: number[], blank: boolean): LegacyRowEntry[] =>
      chooseRows(index, filterRows(this.source, rows), blank).chosen.map(
        ({ entry }) => entry as LegacyRowEntry,
      );
    const found = read(index.otherRows(KIND.legacy_row), false);
    for (const ref of new Set(index.legacyRowsOfMessages().map((row) => index.subjectOf(row)))) {
      const rows = index.messageRows(ref).filter((row) => index.kindOf(row) === KIND.legacy_row);
      for (const entry of read(rows, index.isRedacted(ref, this.source.include))) found.push(entry);
    }
    const about = ({ message_id = '' }: LegacyRowEntry): string => message_id;
    return Object.freeze(found.sort((a, b) => compareText(a.id, b.id) || compareText(about(a), about(b))));
  }
}

function nameWriters(headers: readonly LaneEntry[], redacted: boolean): string {
  const writers = new Set(headers.map(({ writer_id }) => writer_id));
  return `${redacted ? '!' : ''}${[...writers].sort().join(' ')}`;
}

const NONE: readonly never[] = Object.freeze([]);
const NO_BODY: Body = Object.freeze({
  parts: NONE,
  content: '',
  finish: undefined,
  lastPart: 0,
  problem: undefined,
  shared: false,
  whole: true,
});

function compareThreads(a: Thread, b: Thread): number {
  return compareText(a.created_at, b.created_at) || compareText(a.thread_id, b.thread_id);
}

/** Where a thread is in a sorted list, or would be. */
function findThread(list: readonly Thread[], thread: Thread): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareThreads(list[middle] as Thread, thread) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
