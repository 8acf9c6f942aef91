import type { Chat, Message } from '@chatdoc/schema';
import { findHeads, type TouchedLines } from '@chatdoc/schema/internal';
import {
  type Facts,
  type LineFacts,
  type LooseEntry,
  type MessageFacts,
  type MessageRef,
  readLines,
  type SubjectKind,
  type ThreadFacts,
} from '../facts.js';
import { ExpectedAnswers } from './expected-answers.js';
import { Links } from './links.js';
import { ThreadMembers } from './members.js';
import {
  asksAgent,
  expectsAnswer,
  isAnswer,
  isOwnAttempt,
  listAttempts,
  listOpen,
  type MessageRecord,
  readMessage,
} from './message.js';
import { ReplyCycles } from './reply-cycles.js';
import { readThread, type ThreadRecord } from './thread.js';

/** Called with the facts of a subject that changed; with none where the subject is gone. */
export type Judge = (kind: SubjectKind, key: string, facts: Facts | undefined) => void;

/**
 * The subjects of a chat, and which of them a change concerns: what was touched is read again, and what refers to it
 * is judged again. A message that comes or goes costs O(what refers to it), anything else O(lines about it).
 */
export class Subjects {
  readonly #chat: Chat;
  readonly #messages = new Map<string, MessageRecord>();
  readonly #threads = new Map<string, ThreadRecord>();
  readonly #members = new ThreadMembers();
  readonly #replies: ReplyCycles;
  readonly #expected = new ExpectedAnswers();
  /** Answers by prompt, threads by the root they name, messages by attempt, threads by session. */
  readonly #answers = new Links();
  readonly #roots = new Links();
  readonly #attempts = new Links();
  readonly #sessions = new Links();
  /** Of each slot the activations that count, by thread. */
  readonly #slots = new Map<string, Map<string, readonly LooseEntry<'activation'>[]>>();
  readonly #openAttempts = new Map<string, readonly string[]>();
  /** Subjects whose lines were judged. */
  readonly #lined: Readonly<Record<LineFacts['role'], Set<string>>> = {
    thread: new Set(),
    message: new Set(),
    attempt: new Set(),
    document: new Set(),
  };
  #dirty: Dirty = createDirty();
  #isNew = true;

  /** All subjects are dirty at first. */
  constructor(chat: Chat) {
    this.#chat = chat;
    this.#replies = new ReplyCycles((cycle, exists) => {
      this.#dirty.cycles.set(cycle[0] ?? '', exists ? cycle : undefined);
    });
  }

  /** Marks subjects that a transaction touched as dirty. */
  markDirty({ threads, messages, attempts, texts, document }: TouchedLines): void {
    if (this.#isNew) return;
    const dirty = this.#dirty;
    for (const id of threads) dirty.threads.add(id);
    for (const id of messages) dirty.messages.add(id);
    for (const id of attempts) dirty.attempts.add(id);
    for (const key of texts) dirty.texts.add(key);
    dirty.document ||= document;
  }

  /** Reads what is dirty, and judges it with all that refers to it. */
  settle(judge: Judge): void {
    if (this.#isNew) {
      this.#settleAll(judge);
      return;
    }
    const dirty = this.#dirty;
    const { messages, threads, attempts } = dirty;
    const touched = [...threads];
    for (const id of [...messages]) this.#readMessage(id, judge);
    for (const id of touched) this.#readThread(id, judge);
    this.#dirty = createDirty();
    this.#judgeAll(messages, threads, attempts, judge);
    this.#judgeOthers(dirty, judge);
  }

  /** The same for all subjects. What refers to each need not be found. */
  #settleAll(judge: Judge): void {
    const { inspector } = this.#chat;
    for (const id of inspector.subjects('message')) this.#readMessage(id, judge);
    for (const id of inspector.subjects('thread')) this.#readThread(id, judge);
    this.#judgeAll(this.#messages.keys(), this.#threads.keys(), inspector.subjects('attempt'), judge);
    for (const key of inspector.texts()) this.#dirty.texts.add(key);
    this.#dirty.document = true;
    this.#judgeOthers(this.#dirty, judge);
    this.#dirty = createDirty();
    this.#isNew = false;
  }

  #judgeAll(
    messages: Iterable<string>,
    threads: Iterable<string>,
    attempts: Iterable<string>,
    judge: Judge,
  ): void {
    for (const id of messages) judge('message', id, this.#messageFacts(id));
    for (const id of threads) judge('thread', id, this.#threadFacts(id));
    for (const id of attempts) this.#judgeAttempt(id, judge);
  }

  #judgeOthers({ cycles, slots, sessions, texts, document }: Dirty, judge: Judge): void {
    for (const [key, cycle] of cycles) judge('cycle', key, cycle && { kind: 'cycle', messages: cycle });
    for (const key of slots) this.#judgeSlot(key, judge);
    for (const key of sessions) {
      judge('session', key, { kind: 'session', threads: [...this.#sessions.of(key)].sort() });
    }
    for (const key of texts) {
      judge('text', key, { kind: 'text', key, foreign: this.#chat.inspector.countForeign(key) });
    }
    if (document) this.#judgeDocument(judge);
  }

  /** Open attempts, with the message of each. */
  *openAttempts(): IterableIterator<{ readonly attempt: string; readonly message: string }> {
    for (const [message, attempts] of this.#openAttempts) {
      for (const attempt of attempts) yield { attempt, message };
    }
  }

  /** The thread of a message that is in the document. */
  threadOf(messageId: string): string | undefined {
    return this.#messages.get(messageId)?.message?.thread_id;
  }

  /** A message that an attempt is of. */
  messageOf(attempt: string): string | undefined {
    if (isOwnAttempt(this.#messages.get(attempt))) return attempt;
    const [message] = this.#attempts.of(attempt);
    return message;
  }

  #readMessage(id: string, judge: Judge): void {
    const old = this.#messages.get(id);
    const { record, lines } = readMessage(this.#chat, id);
    this.#messages.set(id, record);
    if (lines !== undefined || old?.unusual !== undefined) this.#judgeLines('message', id, lines, judge);
    const [from, to] = [old?.message, record.message];
    if (!isSameMember(from, to)) this.#members.move(id, from, to);
    if (from?.reply_to_message_id !== to?.reply_to_message_id)
      this.#replies.link(id, to?.reply_to_message_id);
    this.#answers.move(id, from?.prompt_id, to?.prompt_id);
    const [before, after] = [listAttempts(old), listAttempts(record)];
    this.#attempts.moveAll(id, before, after);
    const open = listOpen(record);
    if (open.length > 0) this.#openAttempts.set(id, open);
    else if (from?.attempt !== undefined) this.#openAttempts.delete(id);
    const asked = expectsAnswer(old);
    const answer =
      asked === expectsAnswer(record) ? undefined : this.#expected.set(id, expectsAnswer(record));
    if (this.#isNew) return;
    const { messages, attempts } = this.#dirty;
    if (answer !== undefined) messages.add(answer);
    for (const attempt of before) attempts.add(attempt);
    for (const attempt of after) attempts.add(attempt);
    // Of a plain message that is its own attempt: nothing is about that.
    if (record.unusual !== undefined || old?.unusual !== undefined) attempts.add(id);
    this.#markRelated(id, from, to);
  }

  /** Marks what looks at a message. */
  #markRelated(id: string, from: Message | undefined, to: Message | undefined): void {
    const { messages, threads } = this.#dirty;
    if (!isSameMember(from, to)) {
      if (from !== undefined) threads.add(from.thread_id);
      if (to !== undefined) threads.add(to.thread_id);
    }
    if (from?.thread_id === to?.thread_id && from?.expects === to?.expects) return;
    for (const replier of this.#replies.repliers(id)) messages.add(replier);
    for (const prompted of this.#answers.of(id)) messages.add(prompted);
    for (const thread of this.#roots.of(id)) threads.add(thread);
  }

  #readThread(id: string, judge: Judge): void {
    const old = this.#threads.get(id);
    const { record, lines } = readThread(this.#chat, id);
    const { messages, sessions } = this.#dirty;
    this.#threads.set(id, record);
    this.#judgeLines('thread', id, lines, judge);
    this.#roots.move(id, old?.root, record.root);
    this.#sessions.moveAll(id, old?.sessions ?? NONE, record.sessions);
    for (const key of old?.sessions ?? NONE) sessions.add(key);
    for (const key of record.sessions) sessions.add(key);
    if (old?.slot !== undefined && old.slot !== record.slot) this.#moveActivations(id, old.slot, undefined);
    if (record.slot !== undefined) this.#moveActivations(id, record.slot, record.activations);
    if (this.#isNew || old?.isPresent === record.isPresent) return;
    for (const member of this.#members.of(id)) messages.add(member);
  }

  #moveActivations(
    thread: string,
    slot: string,
    activations: readonly LooseEntry<'activation'>[] | undefined,
  ): void {
    const own = this.#slots.get(slot) ?? new Map<string, readonly LooseEntry<'activation'>[]>();
    this.#slots.set(slot, own);
    if (activations === undefined) own.delete(thread);
    else own.set(thread, activations);
    this.#dirty.slots.add(slot);
  }

  #refer(id: string): MessageRef {
    const message = this.#messages.get(id)?.message;
    return { id, thread: message?.thread_id, expects: message?.expects === 'answer' };
  }

  #messageFacts(id: string): MessageFacts | undefined {
    const record = this.#messages.get(id);
    if (record === undefined) return undefined;
    const { message, unusual } = record;
    const { thread_id: thread, reply_to_message_id: target, prompt_id: prompt } = message ?? {};
    return {
      kind: 'message',
      id,
      message,
      thread,
      hasThread: thread !== undefined && this.#threads.get(thread)?.isPresent === true,
      target: target === undefined ? undefined : this.#refer(target),
      prompt: prompt === undefined ? undefined : this.#refer(prompt),
      isAnswer: isAnswer(record),
      forged: unusual?.forged ?? NONE,
      contested: unusual?.contested ?? 0,
      waiting: message === undefined ? this.#countWaiting(id, record) : 0,
    };
  }

  /** A stop or retry of an answer that nobody has begun is about its prompt. */
  #countWaiting(id: string, { unusual }: MessageRecord): number {
    if (unusual === undefined) return 0;
    const { others, turns } = unusual;
    return others + (turns === 0 || this.#expected.has(id) ? 0 : turns);
  }

  #threadFacts(id: string): ThreadFacts | undefined {
    const record = this.#threads.get(id);
    if (record === undefined) return undefined;
    const { isPresent, root, derivedId, misplaced, isConfigured, conflicts, about } = record;
    return {
      kind: 'thread',
      id,
      isPresent,
      root: root === undefined ? undefined : this.#refer(root),
      derivedId,
      misplaced,
      sameDates: this.#members.countSameDate(id),
      asksAgent: this.#members.asksAgent(id),
      isConfigured,
      conflicts,
      waiting: isPresent ? 0 : about,
    };
  }

  #judgeAttempt(id: string, judge: Judge): void {
    const lines = this.#isPlainAttempt(id) ? undefined : readLines(this.#chat, 'attempt', id);
    const entries = lines?.entries ?? [];
    const finishes = new Set(entries.filter(({ type }) => type === 'finish').map((each) => each.id));
    const waiting = this.messageOf(id) === undefined ? entries.length : 0;
    this.#judgeLines('attempt', id, lines, judge);
    // A message that answers nothing is finished by imports alone, of which each writes what it knows.
    const counted = isOwnAttempt(this.#messages.get(id)) ? [] : [...finishes].sort();
    judge('attempt', id, { kind: 'attempt', id, finishes: counted, waiting });
  }

  #isPlainAttempt(id: string): boolean {
    const own = this.#messages.get(id);
    const count = this.#attempts.count(id);
    if (isOwnAttempt(own)) return count === 0 && own?.unusual === undefined;
    const [owner = ''] = this.#attempts.of(id);
    const record = this.#messages.get(owner);
    return count === 1 && record !== undefined && record.unusual === undefined;
  }

  #judgeSlot(key: string, judge: Judge): void {
    const activations = [...(this.#slots.get(key)?.values() ?? [])].flat();
    const replacing = activations.map((activation) => ({
      id: activation.id,
      replaces: activation.entry.replaces,
      activation,
    }));
    judge('slot', key, { kind: 'slot', heads: findHeads(replacing).map(({ activation }) => activation) });
  }

  #judgeDocument(judge: Judge): void {
    const { inspector } = this.#chat;
    const [hidden, unknown] = [inspector.hiddenLanes(), inspector.unknownTypes()];
    judge('version', '', { kind: 'version', hidden, unknown });
    const entries = inspector.documentEntries() as unknown as readonly LooseEntry[];
    this.#judgeLines('document', '', { entries, faults: inspector.documentFaults() }, judge);
  }

  /** Of a plain message, or its attempt: none. */
  #judgeLines(
    role: LineFacts['role'],
    id: string,
    lines: Pick<LineFacts, 'entries' | 'faults'> | undefined,
    judge: Judge,
  ): void {
    const lined = this.#lined[role];
    if (lines !== undefined) {
      lined.add(id);
      judge('lines', `${role} ${id}`, { kind: 'lines', role, id, ...lines });
    } else if (lined.delete(id)) judge('lines', `${role} ${id}`, undefined);
  }
}

/** Subjects to be read or judged again. */
interface Dirty {
  readonly threads: Set<string>;
  readonly messages: Set<string>;
  readonly attempts: Set<string>;
  readonly texts: Set<string>;
  readonly cycles: Map<string, readonly string[] | undefined>;
  readonly slots: Set<string>;
  readonly sessions: Set<string>;
  document: boolean;
}

function createDirty(): Dirty {
  return {
    threads: new Set(),
    messages: new Set(),
    attempts: new Set(),
    texts: new Set(),
    cycles: new Map(),
    slots: new Set(),
    sessions: new Set(),
    document: false,
  };
}

/** Whether a thread counts both alike. */
function isSameMember(a: Message | undefined, b: Message | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.thread_id === b.thread_id && a.date === b.date && asksAgent(a) === asksAgent(b);
}

const NONE: readonly string[] = Object.freeze([]);
