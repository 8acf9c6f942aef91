import type { ActivationEntry } from '../entry/activation.js';
import type { AnnotationEntry } from '../entry/annotation.js';
import type { DocumentEntry, Rollback } from '../entry/document.js';
import type { Json } from '../entry/json.js';
import type { LegacyRowEntry } from '../entry/legacy-row.js';
import { KIND } from '../entry/table.js';
import type { Purpose, SlotKey } from '../entry/thread.js';
import type { VariableScope, VariablesEntry } from '../entry/variables.js';
import { filterRows, type Source } from '../fold/attempt.js';
import { chooseRows } from '../fold/choose.js';
import { findHeads } from '../fold/last-writer.js';
import {
  appendDelta,
  type FoldedMessage,
  type FoldedTurn,
  foldMessage,
  foldTurn,
  isRedacted,
  NO_TURN,
} from '../fold/message.js';
import { ThreadOrder } from '../fold/order.js';
import type {
  Annotation,
  ConfigConflict,
  Message,
  Thread,
  ThreadConfig,
  ThreadState,
} from '../fold/records.js';
import { type FoldedThread, foldAnnotations, foldThread, foldVariables, sameSlot } from '../fold/thread.js';
import { deriveState, isQueued, listQueue, type TurnView } from '../fold/turns.js';
import { compareText, keepEqual, keepList, sameValue } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';

/** All that can be read of a chat, now or in the past. Never throws on what a document holds. */
export interface ChatReader {
  /** The smallest of the document's ids; null for one that has none. */
  docId(): string | null;
  /** Generations that were taken back, each once, in order. */
  rollbacks(): readonly Rollback[];
  /** By `created_at`, then id. */
  threads(): readonly Thread[];
  thread(threadId: string): Thread | undefined;
  config(threadId: string): ThreadConfig;
  conflicts(threadId: string): readonly ConfigConflict[];
  /** In reading order, the root first. The same array while only text is streamed. */
  messageIds(threadId: string): readonly string[];
  messages(threadId: string): readonly Message[];
  message(messageId: string): Message | undefined;
  /** What the message hangs under: its reply target, else the root of its thread; null for the root. */
  parent(messageId: string): string | null;
  /** The thread as a reader sees it: what it was forked from up to the fork, then its own messages. */
  transcript(threadId: string): readonly Message[];
  state(threadId: string): ThreadState;
  /** Prompts that wait for an attempt, in order. O(messages of the thread). */
  queue(threadId: string): readonly string[];
  /** Whether the message is in the queue of its thread. O(lines about its answer). */
  isQueued(messageId: string): boolean;
  activeThread(slot: SlotKey & { readonly purpose: Purpose }): string | undefined;
  variables(scope: VariableScope, scopeId: string): Readonly<Record<string, Json>>;
  annotations(
    target: { readonly message_id: string } | { readonly thread_id: string },
  ): readonly Annotation[];
  /** The message up to which the user has read the thread. */
  readMark(threadId: string, userId: string): string | undefined;
  legacyRows(): readonly LegacyRowEntry[];
}

/** What is kept of a thread's messages. Stale lists stay, to be given again where nothing in them changed. */
interface ThreadCache {
  order: ThreadOrder;
  /** Messages whose place must be looked at again. */
  readonly stale: Set<number>;
  ids: readonly string[];
  idsCurrent: boolean;
  messages: readonly Message[];
  messagesCurrent: boolean;
  state: ThreadState | undefined;
  /** Turns of any thread that `state` is derived from. */
  stateVersion: number;
}

/** Folds on demand and keeps what it folded until a transaction touches it. */
export class ChatView implements ChatReader, TurnView {
  /** @internal */
  readonly source: Source;
  /** @internal */
  protected readonly index: EntryIndex;
  readonly #messages = new Map<number, FoldedMessage | null>();
  readonly #oldMessages = new Map<number, Message>();
  readonly #threads = new Map<number, FoldedThread>();
  readonly #oldThreads = new Map<number, FoldedThread>();
  readonly #records = new Map<number, Thread>();
  readonly #caches = new Map<number, ThreadCache>();
  readonly #annotations = new Map<string, readonly Annotation[]>();
  readonly #staleAnnotations = new Set<string>();
  #threadList: readonly Thread[] = NONE;
  #threadListCurrent = false;
  #turnVersion = 0;
  #variables = new Map<string, Readonly<Record<string, Json>>>();
  #variableEntries: readonly VariablesEntry[] | undefined;

  constructor(index: EntryIndex, include?: (row: number) => boolean) {
    this.index = index;
    this.source = include === undefined ? { index } : { index, include };
  }

  /** @internal Forgets what the transaction touched, and goes on with the texts that only grew. */
  invalidate(touched: Touched): void {
    for (const slot of touched.messages) this.#forgetMessage(slot);
    for (const { message, attempt, n, text, first } of touched.deltas) {
      if (!first && !touched.messages.has(message)) this.#grow(message, attempt, n, text);
    }
    for (const slot of touched.annotated) this.#staleAnnotations.add(`m${slot}`);
    for (const [slot, messages] of touched.lists) {
      this.#threadListCurrent = false;
      const cache = this.#caches.get(slot);
      if (cache === undefined) continue;
      for (const message of messages) cache.stale.add(message);
      cache.idsCurrent = false;
      cache.messagesCurrent = false;
    }
    for (const slot of touched.threads) {
      const folded = this.#threads.get(slot);
      if (folded !== undefined) this.#oldThreads.set(slot, folded);
      this.#threads.delete(slot);
      this.#staleAnnotations.add(`t${slot}`);
      this.#threadListCurrent = false;
      const cache = this.#caches.get(slot);
      if (cache !== undefined) cache.idsCurrent = false;
    }
    if (touched.messages.size > 0 || touched.threads.size > 0) this.#turnVersion += 1;
    if (touched.document) {
      this.#variables = new Map();
      this.#variableEntries = undefined;
    }
  }

  /** @internal Takes a message that was folded without being read. */
  seedMessage(messageId: string, folded: FoldedMessage): void {
    const slot = this.index.slots.find(messageId);
    if (slot !== undefined && this.index.messageRows(slot).length === 1) this.#messages.set(slot, folded);
  }

  #forgetMessage(slot: number): void {
    const folded = this.#messages.get(slot);
    if (folded) this.#oldMessages.set(slot, folded.message);
    this.#messages.delete(slot);
    this.#markThreads(slot, true);
  }

  #grow(slot: number, attempt: number, n: number, text: string): void {
    const folded = this.#messages.get(slot);
    if (folded === undefined) return;
    const grown = folded && appendDelta(folded, this.index.slots.idOf(attempt), n, text);
    if (grown) this.#messages.set(slot, grown);
    else this.#messages.delete(slot);
    this.#markThreads(slot, false);
  }

  #markThreads(slot: number, mayMove: boolean): void {
    for (const thread of this.index.threadsOfMessage(slot)) {
      const cache = this.#caches.get(thread);
      if (cache === undefined) continue;
      cache.messagesCurrent = false;
      if (mayMove) cache.stale.add(slot);
    }
  }

  docId(): string | null {
    const entries = this.#others<DocumentEntry>(KIND.document);
    let smallest: string | null = null;
    for (const { doc_id } of entries) {
      if (doc_id !== undefined && (smallest === null || doc_id < smallest)) smallest = doc_id;
    }
    return smallest;
  }

  rollbacks(): readonly Rollback[] {
    const found = new Map<string, Rollback>();
    for (const { rolled_back } of this.#others<DocumentEntry>(KIND.document)) {
      if (rolled_back === undefined) continue;
      const { from, to } = rolled_back;
      found.set(`${from} ${to}`, Object.freeze({ from, to }));
    }
    const list = [...found.values()].sort((a, b) => a.from - b.from || a.to - b.to);
    return Object.freeze(list);
  }

  threads(): readonly Thread[] {
    if (!this.#threadListCurrent) {
      const list: Thread[] = [];
      for (const slot of this.index.slotsWith('thread')) {
        const thread = this.#thread(slot);
        if (thread !== undefined) list.push(thread);
      }
      list.sort((a, b) => compareText(a.created_at, b.created_at) || compareText(a.thread_id, b.thread_id));
      this.#threadList = keepList(this.#threadList, list);
      this.#threadListCurrent = true;
    }
    return this.#threadList;
  }

  thread(threadId: string): Thread | undefined {
    const slot = this.index.slots.find(threadId);
    return slot === undefined ? undefined : this.#thread(slot);
  }

  #thread(slot: number): Thread | undefined {
    const { thread } = this.foldedThreadAt(slot);
    if (thread === undefined) return undefined;
    const root_message_id = this.#rootOf(slot) ?? null;
    const known = this.#records.get(slot);
    if (known !== undefined && known.root_message_id === root_message_id) {
      const { root_message_id: _, ...rest } = known;
      if (sameValue(rest, thread)) return known;
    }
    const record = Object.freeze({ ...thread, root_message_id });
    this.#records.set(slot, record);
    return record;
  }

  /** The first message in order. Where nobody has asked for the order yet, mostly without making it. */
  #rootOf(slot: number): string | undefined {
    if (this.#caches.has(slot)) return this.#idsOf(slot)[0];
    const threadId = this.index.slots.idOf(slot);
    const { namedRoot } = this.foldedThreadAt(slot);
    if (namedRoot !== undefined && this.message(namedRoot)?.thread_id === threadId) return namedRoot;
    return this.#leadOf(slot, threadId) ?? this.#idsOf(slot)[0];
  }

  /**
   * The plain message with the smallest id, if it refers to nothing: no key is below it. Undefined where that
   * is not certain without the order. The id of its own answer may be smaller: that stands below it.
   */
  #leadOf(slot: number, threadId: string): string | undefined {
    let lead: string | undefined;
    const answers: string[] = [];
    for (const member of this.index.memberSlots(slot)) {
      const id = this.index.slots.idOf(member);
      if (this.index.isAnswer(member)) answers.push(id);
      else if (lead === undefined || id < lead) lead = id;
    }
    if (lead === undefined) return undefined;
    const first = this.folded(lead);
    if (first === undefined || first.message.thread_id !== threadId) return undefined;
    if (first.order.answer || first.order.targets.length > 0) return undefined;
    const isBelow = (id: string): boolean => this.folded(id)?.order.targets.includes(first.order.id) ?? false;
    return answers.every((id) => id > first.order.id || isBelow(id)) ? lead : undefined;
  }

  /** @internal Everything about a thread but its messages. */
  foldedThreadAt(slot: number): FoldedThread {
    let folded = this.#threads.get(slot);
    if (folded === undefined) {
      const next = foldThread(this.source, slot);
      const old = this.#oldThreads.get(slot);
      folded = {
        ...next,
        config: keepEqual(old?.config, next.config),
        conflicts: keepEqual(old?.conflicts, next.conflicts),
      };
      this.#oldThreads.delete(slot);
      this.#threads.set(slot, folded);
    }
    return folded;
  }

  /** @internal */
  foldedThread(threadId: string): FoldedThread | undefined {
    const slot = this.index.slots.find(threadId);
    return slot === undefined ? undefined : this.foldedThreadAt(slot);
  }

  config(threadId: string): ThreadConfig {
    return this.foldedThread(threadId)?.config ?? Object.freeze({ thread_id: threadId });
  }

  conflicts(threadId: string): readonly ConfigConflict[] {
    return this.foldedThread(threadId)?.conflicts ?? NONE;
  }

  messageIds(threadId: string): readonly string[] {
    const slot = this.index.slots.find(threadId);
    return slot === undefined ? NONE : this.#idsOf(slot);
  }

  /** @internal The last message in order, without making the list; undefined for an empty thread. */
  lastMessage(threadId: string): ReturnType<ThreadOrder['last']> {
    const slot = this.index.slots.find(threadId);
    return slot === undefined ? undefined : this.#orderOf(slot).order.last();
  }

  #idsOf(slot: number): readonly string[] {
    return this.#cacheOf(slot).ids;
  }

  /** Order and ids of a thread, current. */
  #cacheOf(slot: number): ThreadCache {
    const cache = this.#orderOf(slot);
    if (!cache.idsCurrent) {
      const ids = cache.order.ids();
      const { namedRoot } = this.foldedThreadAt(slot);
      const at = namedRoot === undefined ? -1 : ids.indexOf(namedRoot);
      if (at > 0) ids.unshift(...ids.splice(at, 1));
      cache.ids = keepList(cache.ids, ids);
      cache.idsCurrent = true;
      cache.messagesCurrent = false;
    }
    return cache;
  }

  #orderOf(slot: number): ThreadCache {
    let cache = this.#caches.get(slot);
    if (cache === undefined) {
      cache = {
        order: this.#buildOrder(slot),
        stale: new Set(),
        ids: NONE,
        idsCurrent: false,
        messages: NONE,
        messagesCurrent: false,
        state: undefined,
        stateVersion: -1,
      };
      this.#caches.set(slot, cache);
    } else if (cache.stale.size > 0) {
      this.#renewOrder(cache, slot);
      cache.idsCurrent = false;
    }
    return cache;
  }

  #buildOrder(slot: number): ThreadOrder {
    const threadId = this.index.slots.idOf(slot);
    const nodes = [];
    for (const member of this.index.memberSlots(slot)) {
      const folded = this.foldedAt(member);
      if (folded?.message.thread_id === threadId) nodes.push(folded.order);
    }
    return new ThreadOrder(nodes);
  }

  #renewOrder(cache: ThreadCache, slot: number): void {
    const threadId = this.index.slots.idOf(slot);
    for (const member of cache.stale) {
      const folded = this.foldedAt(member);
      if (folded?.message.thread_id === threadId) cache.order.put(folded.order);
      else if (cache.order.has(this.index.slots.idOf(member))) {
        cache.order = this.#buildOrder(slot);
        break;
      }
    }
    cache.stale.clear();
  }

  messages(threadId: string): readonly Message[] {
    const slot = this.index.slots.find(threadId);
    if (slot === undefined) return NONE;
    const cache = this.#cacheOf(slot);
    if (!cache.messagesCurrent) {
      const list = cache.ids.map((id) => this.message(id) as Message);
      cache.messages = keepList(cache.messages, list);
      cache.messagesCurrent = true;
    }
    return cache.messages;
  }

  message(messageId: string): Message | undefined {
    return this.folded(messageId)?.message;
  }

  /** @internal */
  folded(messageId: string): FoldedMessage | undefined {
    const slot = this.index.slots.find(messageId);
    return slot === undefined ? undefined : this.foldedAt(slot);
  }

  /** @internal */
  foldedAt(slot: number): FoldedMessage | undefined {
    let folded = this.#messages.get(slot);
    if (folded === undefined) {
      folded = foldMessage(this.source, slot) ?? null;
      const old = this.#oldMessages.get(slot);
      if (folded !== null && old !== undefined) {
        folded = { ...folded, message: keepEqual(old, folded.message) };
      }
      this.#oldMessages.delete(slot);
      this.#messages.set(slot, folded);
    }
    return folded ?? undefined;
  }

  /** @internal */
  turnOf(messageId: string): FoldedTurn {
    const slot = this.index.slots.find(messageId);
    return slot === undefined ? NO_TURN : foldTurn(this.source, slot);
  }

  parent(messageId: string): string | null {
    const message = this.message(messageId);
    if (message === undefined) return null;
    const root = this.messageIds(message.thread_id)[0];
    if (messageId === root) return null;
    const target = message.reply_to_message_id;
    if (
      target !== undefined &&
      target !== messageId &&
      this.message(target)?.thread_id === message.thread_id
    ) {
      return target;
    }
    return root ?? null;
  }

  transcript(threadId: string): readonly Message[] {
    const chain: { readonly thread_id: string; readonly until: string | undefined }[] = [];
    const seen = new Set<string>();
    let next: string | undefined = threadId;
    let until: string | undefined;
    while (next !== undefined && !seen.has(next)) {
      seen.add(next);
      chain.push({ thread_id: next, until });
      const origin: Thread['forked_from'] = this.foldedThread(next)?.thread?.forked_from;
      next = origin?.thread_id;
      until = origin?.message_id;
    }
    let messages: Message[] = [];
    let cut: string | undefined;
    for (const { thread_id, until: next } of chain.reverse()) {
      // `cut` is where this thread was forked from all that came before it.
      const at = cut === undefined ? -1 : messages.findIndex((message) => message.message_id === cut);
      messages = [...(at < 0 ? messages : messages.slice(0, at + 1)), ...this.messages(thread_id)];
      cut = next;
    }
    return Object.freeze(messages);
  }

  state(threadId: string): ThreadState {
    const slot = this.index.slots.find(threadId);
    if (slot === undefined) return Object.freeze({ thread_id: threadId, state: 'idle' });
    const cache = this.#cacheOf(slot);
    if (cache.state === undefined || cache.stateVersion !== this.#turnVersion) {
      const next = deriveState(this, threadId, this.foldedThreadAt(slot).state);
      cache.state = keepEqual(cache.state, next);
      cache.stateVersion = this.#turnVersion;
    }
    return cache.state;
  }

  queue(threadId: string): readonly string[] {
    return Object.freeze(listQueue(this, threadId));
  }

  isQueued(messageId: string): boolean {
    return this.message(messageId)?.expects === 'answer' && isQueued(this, messageId);
  }

  activeThread(slot: SlotKey & { readonly purpose: Purpose }): string | undefined {
    const threads = this.slotThreads(slot);
    const winner = findHeads(this.activations(threads))[0];
    if (winner !== undefined) return winner.thread_id;
    const last = [...threads].sort(
      (a, b) => (b.slot?.number ?? 0) - (a.slot?.number ?? 0) || compareText(b.thread_id, a.thread_id),
    )[0];
    return last?.thread_id;
  }

  /** @internal */
  slotThreads(slot: SlotKey & { readonly purpose: Purpose }): readonly Thread[] {
    return this.threads().filter((thread) => sameSlot(thread.slot, slot) && thread.purpose === slot.purpose);
  }

  /** @internal Activations of these threads that name the slot their thread is in. */
  activations(threads: readonly Thread[]): readonly ActivationEntry[] {
    return threads.flatMap((thread) =>
      (this.foldedThread(thread.thread_id)?.activations ?? []).filter((entry) =>
        sameSlot(entry.slot, thread.slot),
      ),
    );
  }

  variables(scope: VariableScope, scopeId: string): Readonly<Record<string, Json>> {
    const key = JSON.stringify([scope, scopeId]);
    let values = this.#variables.get(key);
    if (values === undefined) {
      values = foldVariables(this.variableEntries(), scope, scopeId).values;
      this.#variables.set(key, values);
    }
    return values;
  }

  /** @internal */
  variableEntries(): readonly VariablesEntry[] {
    this.#variableEntries ??= this.#others<VariablesEntry>(KIND.variables);
    return this.#variableEntries;
  }

  annotations(
    target: { readonly message_id: string } | { readonly thread_id: string },
  ): readonly Annotation[] {
    const ofMessage = 'message_id' in target;
    const slot = this.index.slots.find(ofMessage ? target.message_id : target.thread_id);
    if (slot === undefined) return NONE;
    const key = `${ofMessage ? 'm' : 't'}${slot}`;
    let annotations = this.#annotations.get(key);
    if (annotations === undefined || this.#staleAnnotations.delete(key)) {
      annotations = keepEqual(annotations, foldAnnotations(this.annotationEntries(slot, ofMessage)));
      this.#annotations.set(key, annotations);
    }
    return annotations;
  }

  /** @internal */
  annotationEntries(slot: number, ofMessage: boolean): readonly AnnotationEntry[] {
    if (!ofMessage) return this.foldedThreadAt(slot).annotations;
    const rows = this.index.messageRows(slot).filter((row) => this.index.kindOf(row) === KIND.annotation);
    const { chosen } = chooseRows(this.index, filterRows(this.source, rows));
    return chosen.map(({ entry }) => entry as AnnotationEntry);
  }

  readMark(threadId: string, userId: string): string | undefined {
    const ids = this.messageIds(threadId);
    let greatest = -1;
    for (const { key, user_id, value } of this.foldedThread(threadId)?.annotations ?? []) {
      if (key !== 'read' || user_id !== userId || typeof value !== 'string') continue;
      greatest = Math.max(greatest, ids.indexOf(value));
    }
    return ids[greatest];
  }

  legacyRows(): readonly LegacyRowEntry[] {
    const rows = [...this.#others<LegacyRowEntry>(KIND.legacy_row)];
    const slots = new Set(this.index.legacyRowsOfMessages().map((row) => this.index.subjectOf(row)));
    for (const slot of slots) {
      const about = this.index.messageRows(slot).filter((row) => this.index.kindOf(row) === KIND.legacy_row);
      const { chosen } = chooseRows(
        this.index,
        filterRows(this.source, about),
        isRedacted(this.source, slot),
      );
      for (const { entry } of chosen) rows.push(entry as LegacyRowEntry);
    }
    const about = ({ message_id = '' }: LegacyRowEntry): string => message_id;
    return Object.freeze(rows.sort((a, b) => compareText(a.id, b.id) || compareText(about(a), about(b))));
  }

  #others<T>(kind: number): readonly T[] {
    const rows = filterRows(this.source, this.index.otherRows(kind));
    return chooseRows(this.index, rows).chosen.map(({ entry }) => entry as T);
  }
}

const NONE: readonly never[] = Object.freeze([]);
