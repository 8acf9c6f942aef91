import type { AnnotationEntry } from '../entry/annotation.js';
import type { Rollback } from '../entry/document.js';
import type { Json } from '../entry/json.js';
import type { LegacyRowEntry } from '../entry/legacy-row.js';
import type { Purpose, SlotKey } from '../entry/thread.js';
import type { VariableScope } from '../entry/variables.js';
import type { AnnotationsFold } from '../fold/annotations.js';
import type {
  Annotation,
  ConfigConflict,
  Message,
  Thread,
  ThreadConfig,
  ThreadState,
} from '../fold/records.js';
import type { Range, ThreadList } from '../fold/thread-list.js';
import { isQueued, listQueue } from '../fold/turns.js';
import { ChatDocError, describeType } from '../host/errors.js';
import { compareText, keepList } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Folds } from './folds.js';

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
  /**
   * In reading order, the root first; the same array while no message comes or moves. With a range only those: order
   * comes from the heads of lines, so nothing is parsed.
   */
  messageIds(threadId: string, range?: Range): readonly string[];
  /** The records in the same order. With a range no other message is folded. */
  messages(threadId: string, range?: Range): readonly Message[];
  messageCount(threadId: string): number;
  message(messageId: string): Message | undefined;
  /** The parent of a message: its reply target, else the root of its thread; null for the root. */
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
  /**
   * The message up to which the user has read the thread: of a fork maybe one that was there before it. Marked by
   * `annotate({ thread_id, user_id, key: 'read', value: message_id })`; `null` takes back all marks so far.
   */
  readMark(threadId: string, userId: string): string | undefined;
  /**
   * How many messages of others the user has not seen: those behind the mark, and those that came late and are before
   * it. Of a fork only its own messages. O(messages of the thread), without parsing one.
   */
  unread(threadId: string, userId: string): number;
  legacyRows(): readonly LegacyRowEntry[];
}

/** Ranges whose result is kept, so that it is the same array while nothing in it changes. */
const MAX_PAGES = 32;

interface Mark {
  /** Marks of the user that have been compared. */
  compared: number;
  version: number;
  orderVersion: number;
  size: number;
  best: string | undefined;
  /** How many messages of others the author of the best one had up to it. */
  seen: number | undefined;
}

/** Reads the folds of one index, now or in the past. */
export class Reader implements ChatReader {
  readonly #index: EntryIndex;
  readonly #folds: Folds;
  readonly #pages = new Map<string, readonly unknown[]>();
  readonly #marks = new Map<string, Mark>();

  constructor(index: EntryIndex, folds: Folds) {
    this.#index = index;
    this.#folds = folds;
  }

  #find(id: string): number | undefined {
    return this.#index.refs.find(id);
  }

  readonly docId = (): string | null => this.#folds.document().docId;

  readonly rollbacks = (): readonly Rollback[] => this.#folds.document().rollbacks;

  readonly threads = (): readonly Thread[] => this.#folds.threads();

  readonly thread = (threadId: string): Thread | undefined => {
    const ref = this.#find(threadId);
    return ref === undefined ? undefined : this.#folds.threadAt(ref);
  };

  readonly config = (threadId: string): ThreadConfig =>
    this.#folds.factsById(threadId)?.settings.config() ?? Object.freeze({ thread_id: threadId });

  readonly conflicts = (threadId: string): readonly ConfigConflict[] =>
    this.#folds.factsById(threadId)?.settings.conflicts() ?? NONE;

  readonly messageIds = (threadId: string, range?: Range): readonly string[] => {
    const list = this.#listOf(threadId);
    if (range === undefined) return list?.ids() ?? NONE;
    return this.#page('ids', threadId, range, list, (ref) => this.#index.refs.idOf(ref));
  };

  readonly messages = (threadId: string, range?: Range): readonly Message[] => {
    if (range === undefined) return this.#folds.messages(threadId);
    const list = this.#listOf(threadId);
    return this.#page('messages', threadId, range, list, this.#folds.readMessage);
  };

  readonly messageCount = (threadId: string): number => this.#listOf(threadId)?.size ?? 0;

  #listOf(threadId: string): ThreadList | undefined {
    const ref = this.#find(threadId);
    return ref === undefined ? undefined : this.#folds.listOf(ref);
  }

  #page<T>(
    what: string,
    threadId: string,
    range: Range,
    list: ThreadList | undefined,
    read: (ref: number) => T,
  ): readonly T[] {
    assertRange(range);
    if (list === undefined) return NONE;
    const { limit, before, after, around } = range;
    const [from, to] = list.place(range);
    const items: T[] = [];
    for (let place = from; place < to; place += 1) items.push(read(list.refAt(place)));
    const name = JSON.stringify([what, threadId, limit, before, after, around]);
    const page = keepList(this.#pages.get(name) as readonly T[] | undefined, items);
    this.#pages.delete(name);
    this.#pages.set(name, page);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MAX_PAGES) break;
      this.#pages.delete(oldest);
    }
    return page;
  }

  readonly message = (messageId: string): Message | undefined => this.#folds.message(messageId);

  readonly parent = (messageId: string): string | null => {
    const message = this.message(messageId);
    if (message === undefined) return null;
    const list = this.#listOf(message.thread_id) as ThreadList;
    const root = this.#index.refs.idOf(list.refAt(0));
    if (messageId === root) return null;
    const target = message.reply_to_message_id;
    const isHere =
      target !== undefined && target !== messageId && this.message(target)?.thread_id === message.thread_id;
    return isHere ? target : root;
  };

  readonly transcript = (threadId: string): readonly Message[] => {
    const chain: { readonly thread_id: string; readonly until: string | undefined }[] = [];
    const seen = new Set<string>();
    let next: string | undefined = threadId;
    let until: string | undefined;
    while (next !== undefined && !seen.has(next)) {
      seen.add(next);
      chain.push({ thread_id: next, until });
      const origin: Thread['forked_from'] = this.thread(next)?.forked_from;
      next = origin?.thread_id;
      until = origin?.message_id;
    }
    let messages: Message[] = [];
    let cut: string | undefined;
    for (const { thread_id, until: following } of chain.reverse()) {
      // `cut` is where this thread was forked from all that came before it.
      const at = cut === undefined ? -1 : messages.findIndex((message) => message.message_id === cut);
      messages = [...(at < 0 ? messages : messages.slice(0, at + 1)), ...this.messages(thread_id)];
      cut = following;
    }
    return Object.freeze(messages);
  };

  readonly state = (threadId: string): ThreadState => {
    const ref = this.#find(threadId);
    return ref === undefined
      ? Object.freeze({ thread_id: threadId, state: 'idle' as const })
      : this.#folds.state(ref);
  };

  readonly queue = (threadId: string): readonly string[] => Object.freeze(listQueue(this.#folds, threadId));

  readonly isQueued = (messageId: string): boolean =>
    this.message(messageId)?.expects === 'answer' && isQueued(this.#folds, messageId);

  readonly activeThread = (slot: SlotKey & { readonly purpose: Purpose }): string | undefined => {
    const threads = this.#folds.slotThreads(slot);
    const winner = this.#folds.activationHeads(threads)[0];
    if (winner !== undefined) return winner.thread_id;
    const last = [...threads].sort(
      (a, b) => (b.slot?.number ?? 0) - (a.slot?.number ?? 0) || compareText(b.thread_id, a.thread_id),
    )[0];
    return last?.thread_id;
  };

  readonly variables = (scope: VariableScope, scopeId: string): Readonly<Record<string, Json>> =>
    this.#folds.variables.read(scope, scopeId);

  readonly annotations = (
    target: { readonly message_id: string } | { readonly thread_id: string },
  ): readonly Annotation[] => {
    const ofMessage = 'message_id' in target;
    const ref = this.#find(ofMessage ? target.message_id : target.thread_id);
    if (ref === undefined) return NONE;
    const fold: AnnotationsFold = ofMessage
      ? this.#folds.annotationsOf(ref)
      : this.#folds.factsOf(ref).annotations;
    return fold.list();
  };

  readonly readMark = (threadId: string, userId: string): string | undefined => {
    const ref = this.#find(threadId);
    return ref === undefined
      ? undefined
      : (this.#markOf(ref, userId)?.best ?? this.#findMarkBefore(ref, userId));
  };

  /** Marks are compared once: of those that have come since the last look, only they are looked at. */
  #markOf(thread: number, userId: string): Mark | undefined {
    const marks = this.#folds.factsOf(thread).annotations.marks(userId);
    if (marks === undefined) return undefined;
    const list = this.#folds.listOf(thread);
    const { size } = list;
    const { version: orderVersion } = list.order;
    const name = `${thread} ${userId}`;
    let known = this.#marks.get(name);
    // A mark may name a message that has only just come: then all are looked at again.
    if (known?.version !== marks.version || known.orderVersion !== orderVersion || known.size !== size) {
      known = { compared: 0, version: marks.version, orderVersion, size, best: undefined, seen: undefined };
      this.#marks.set(name, known);
    }
    let place = known.best === undefined ? -1 : list.placeOf(this.#find(known.best) as number);
    for (; known.compared < marks.list.length; known.compared += 1) {
      const { value, seen } = marks.list[known.compared] as Partial<AnnotationEntry>;
      const named = typeof value === 'string' ? this.#find(value) : undefined;
      const other = named === undefined ? -1 : list.placeOf(named);
      if (other < 0 || other < place) continue;
      // Of two that name one message the later has seen more.
      known.seen = other === place && known.seen !== undefined ? Math.max(known.seen, seen ?? 0) : seen;
      known.best = value as string;
      place = other;
    }
    return known;
  }

  /** Of a fork of which no own message is marked: the mark among what it was forked from. O(transcript). */
  #findMarkBefore(thread: number, userId: string): string | undefined {
    if (this.#folds.threadAt(thread)?.forked_from === undefined) return undefined;
    const marked = new Set(
      this.#folds
        .factsOf(thread)
        .annotations.marks(userId)
        ?.list.map(({ value }) => value),
    );
    if (marked.size === 0) return undefined;
    const before = this.transcript(this.#index.refs.idOf(thread));
    return before.filter(({ message_id }) => marked.has(message_id)).at(-1)?.message_id;
  }

  readonly unread = (threadId: string, userId: string): number => {
    const ref = this.#find(threadId);
    if (ref === undefined) return 0;
    const list = this.#folds.listOf(ref);
    const mark = this.#markOf(ref, userId);
    const place = mark?.best === undefined ? -1 : list.placeOf(this.#find(mark.best) as number);
    const above = this.countOthers(list, userId, 0, place + 1);
    const late = Math.max(0, above - (mark?.seen ?? above));
    return late + this.countOthers(list, userId, place + 1, list.size);
  };

  /** How many of the messages at places `[from, to)` others have sent. Parses none of them. O(places). */
  countOthers(list: ThreadList, userId: string, from: number, to: number): number {
    let count = 0;
    for (let place = from; place < to; place += 1) {
      if (this.#folds.senderOf(list.refAt(place)) !== userId) count += 1;
    }
    return count;
  }

  readonly legacyRows = (): readonly LegacyRowEntry[] => this.#folds.legacyRows();
}

function assertRange(range: Range): void {
  if (typeof range !== 'object' || range === null) {
    throw new ChatDocError('invalid_argument', 'range', `expected an object, got ${describeType(range)}`);
  }
  const { limit, before, after, around } = range;
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new ChatDocError(
      'invalid_argument',
      'range.limit',
      `expected a whole number, got ${describeType(limit)}`,
    );
  }
  const anchors = [before, after, around].filter((anchor) => anchor !== undefined);
  if (anchors.length < 2) return;
  throw new ChatDocError('invalid_argument', 'range', 'expected at most one of before, after and around');
}

const NONE: readonly never[] = Object.freeze([]);
