import type { Chat, TouchedLines } from '@chatdoc/schema';
import { LineLedger } from './line-ledger.js';
import { type MessageFacts, readMessageFacts } from './message-facts.js';
import { ReplyCycles } from './reply-cycles.js';
import { listSessions } from './rules/slots.js';
import { findActivationHeads } from './slot-activations.js';
import { readSubject, type SurveyedEntry, type SurveyedSubject } from './survey.js';
import { Tally } from './tally.js';
import { readThreadFacts, type ThreadFacts } from './thread-facts.js';
import { ThreadMembers } from './thread-members.js';

/**
 * What the rules count, kept by subject: a change is read again, and what refers to it is judged again. A message
 * that comes or goes costs O(what refers to it), anything else O(lines about it).
 */
export class Ledger {
  readonly tally: Tally = new Tally();
  readonly lines: LineLedger;
  readonly #chat: Chat;
  readonly #messages = new Map<string, MessageFacts>();
  readonly #threads = new Map<string, ThreadFacts>();
  readonly #members = new ThreadMembers();
  readonly #replies: ReplyCycles;
  readonly #answers = new Links();
  readonly #roots = new Links();
  readonly #expected = new Links();
  readonly #attempts = new Links();
  readonly #sessions = new Links();
  readonly #contested = new Set<string>();
  readonly #slots = new Map<string, Map<string, readonly SurveyedEntry<'activation'>[]>>();
  readonly #slotSubjects = new Map<string, string>();
  readonly #openAttempts = new Map<string, readonly string[]>();
  #dirtyMessages = new Set<string>();
  #dirtyThreads = new Set<string>();
  #dirtyAttempts = new Set<string>();

  constructor(chat: Chat) {
    this.#chat = chat;
    this.lines = new LineLedger(chat);
    this.#replies = new ReplyCycles((cycle, exists) => {
      this.tally.set('IN6', messageSubject(cycle[0] as string), exists ? 1 : 0);
    });
    const { inspector } = chat;
    this.note({
      threads: [...inspector.subjects('thread')],
      messages: [...inspector.subjects('message')],
      attempts: [...inspector.subjects('attempt')],
      texts: inspector.texts(),
      document: true,
    });
  }

  note({ threads, messages, attempts, texts, document }: TouchedLines): void {
    for (const id of threads) this.#dirtyThreads.add(id);
    for (const id of messages) this.#dirtyMessages.add(id);
    for (const id of attempts) this.#dirtyAttempts.add(id);
    this.lines.note(texts, document);
  }

  /** Judges again what was noted. */
  settle(): void {
    this.lines.settle();
    if (this.#dirtyMessages.size + this.#dirtyThreads.size + this.#dirtyAttempts.size === 0) return;
    const messages = this.#dirtyMessages;
    const threads = this.#dirtyThreads;
    const attempts = this.#dirtyAttempts;
    this.#dirtyMessages = new Set();
    this.#dirtyThreads = new Set();
    this.#dirtyAttempts = new Set();
    const renewed = [...threads];
    for (const id of [...messages]) this.#renewMessage(id, messages, threads, attempts);
    for (const id of renewed) this.#renewThread(id, messages);
    for (const id of messages) this.#judgeMessage(id);
    for (const id of threads) this.#judgeThread(id);
    for (const id of attempts) this.#judgeAttempt(id);
  }

  /** Open attempts, with the message of each. */
  *openAttempts(): IterableIterator<{ readonly attempt: string; readonly message: string }> {
    for (const [message, attempts] of this.#openAttempts) {
      for (const attempt of attempts) yield { attempt, message };
    }
  }

  threadOf(messageId: string): string | undefined {
    return this.#messages.get(messageId)?.thread;
  }

  messageOf(attempt: string): string | undefined {
    const [message] = this.#attempts.of(attempt);
    return message;
  }

  /** Groups of threads that share a session. O(what is shared). */
  countShared(): number {
    const groups = new Set<string>();
    for (const key of this.#contested) groups.add([...this.#sessions.of(key)].sort().join());
    return groups.size;
  }

  sharingThreads(): ReadonlyMap<string, number> {
    const threads = new Map<string, number>();
    for (const key of this.#contested)
      for (const id of this.#sessions.of(key)) threads.set(threadSubject(id), 1);
    return threads;
  }

  #renewMessage(id: string, messages: Set<string>, threads: Set<string>, attempts: Set<string>): void {
    const old = this.#messages.get(id);
    const message = this.#chat.message(id);
    const read = this.#chat.inspector.isPlain(id) ? undefined : readSubject(this.#chat, 'message', id);
    const next = readMessageFacts(id, message, read?.entries, old);
    this.#messages.set(id, next);
    this.lines.hold(messageSubject(id), read ?? NOTHING);
    this.#members.move(id, old, next);
    this.#replies.link(id, next.replyTo);
    this.#answers.move(id, old?.promptId, next.promptId);
    this.#expected.move(id, old?.answerId, next.answerId);
    this.#attempts.moveAll(id, old?.attempts ?? NONE, next.attempts);
    if (next.open.length > 0) this.#openAttempts.set(id, next.open);
    else this.#openAttempts.delete(id);
    for (const attempt of old?.attempts ?? NONE) attempts.add(attempt);
    for (const attempt of next.attempts) {
      // Its own id, of a plain message: nothing is about that.
      if (!next.plain || attempt !== id) attempts.add(attempt);
    }
    if (old?.thread !== next.thread || old?.date !== next.date || old?.agent !== next.agent) {
      if (old?.thread !== undefined) threads.add(old.thread);
      if (next.thread !== undefined) threads.add(next.thread);
    }
    if (old?.answerId !== next.answerId) {
      if (old?.answerId !== undefined) messages.add(old.answerId);
      if (next.answerId !== undefined) messages.add(next.answerId);
    }
    // What refers to it looks at these alone.
    if (old?.thread === next.thread && old?.answerId === next.answerId) return;
    for (const replier of this.#replies.repliers(id)) messages.add(replier);
    for (const answer of this.#answers.of(id)) messages.add(answer);
    for (const thread of this.#roots.of(id)) threads.add(thread);
  }

  #renewThread(id: string, messages: Set<string>): void {
    const old = this.#threads.get(id);
    const read = readSubject(this.#chat, 'thread', id);
    const next = readThreadFacts(this.#chat, id, read.entries);
    this.#threads.set(id, next);
    this.lines.hold(threadSubject(id), read);
    this.#roots.move(id, old?.namedRoot, next.namedRoot);
    const sessions = next.session === undefined ? NONE : listSessions(next.session);
    const before = old?.session === undefined ? NONE : listSessions(old.session);
    this.#sessions.moveAll(id, before, sessions);
    for (const key of [...before, ...sessions]) {
      if (this.#sessions.of(key).size > 1) this.#contested.add(key);
      else this.#contested.delete(key);
    }
    if (old?.slot !== next.slot) this.#moveActivations(id, old?.slot, undefined);
    if (next.slot !== undefined) this.#moveActivations(id, next.slot, next.activations);
    if (old?.present === next.present) return;
    for (const member of this.#members.of(id)) messages.add(member);
  }

  #moveActivations(
    thread: string,
    slot: string | undefined,
    activations: readonly SurveyedEntry<'activation'>[] | undefined,
  ): void {
    if (slot === undefined) return;
    let own = this.#slots.get(slot);
    if (own === undefined) {
      own = new Map();
      this.#slots.set(slot, own);
    }
    if (activations === undefined) own.delete(thread);
    else own.set(thread, activations);
    const heads = findActivationHeads([...own.values()].flat());
    const threads = new Set(heads.map(({ entry }) => entry.thread_id ?? ''));
    const subject = this.#slotSubjects.get(slot);
    if (subject !== undefined) this.tally.set('IN11', subject, 0);
    this.#slotSubjects.delete(slot);
    if (threads.size < 2) return;
    const first = threadSubject([...threads].sort()[0] as string);
    this.#slotSubjects.set(slot, first);
    this.tally.set('IN11', first, 1);
  }

  #judgeMessage(id: string): void {
    const facts = this.#messages.get(id);
    const set = (rule: string, count: number): void => this.tally.set(rule, messageSubject(id), count);
    const present = facts?.thread !== undefined;
    const expected = this.#expected.of(id).size > 0;
    const about = facts === undefined || present ? 0 : facts.others + (expected ? 0 : facts.turns);
    set('IN9', about);
    set('IN27', facts?.contested ?? 0);
    set('IN7', facts?.forged ?? 0);
    if (facts === undefined) return;
    const { thread, replyTo, promptId } = facts;
    set('IN1', thread !== undefined && this.#threads.get(thread)?.present !== true ? 1 : 0);
    const target = replyTo === undefined ? undefined : this.#messages.get(replyTo);
    set('IN4', replyTo !== undefined && target?.thread === undefined ? 1 : 0);
    set('IN5', target?.thread !== undefined && target.thread !== thread ? 1 : 0);
    const prompt = promptId === undefined ? undefined : this.#messages.get(promptId);
    const hasPrompt = prompt?.thread !== undefined;
    const fits = !hasPrompt || (prompt.thread === thread && prompt.expects);
    set('IN8', facts.isAnswer && !fits ? 1 : 0);
    this.tally.set('IN9', `prompt ${id}`, promptId !== undefined && !hasPrompt ? 1 : 0);
  }

  #judgeThread(id: string): void {
    const facts = this.#threads.get(id);
    if (facts === undefined) return;
    const { present, namedRoot } = facts;
    const set = (rule: string, count: number): void => this.tally.set(rule, threadSubject(id), count);
    const root = namedRoot === undefined ? undefined : this.#messages.get(namedRoot)?.thread;
    set('IN2', namedRoot !== undefined && root === undefined ? 1 : 0);
    set('IN3', root !== undefined && root !== id ? 1 : 0);
    set('IN9', present ? 0 : facts.about);
    set('IN12', facts.misplaced);
    set('IN13', facts.isUnderived ? 1 : 0);
    set('IN25', present ? this.#members.countSameDate(id) : 0);
    set('IN26', present && !facts.configured && this.#members.hasAgent(id) ? 1 : 0);
    set('IN27', present ? facts.conflicts : 0);
  }

  #judgeAttempt(id: string): void {
    const read = this.#isPlainAttempt(id) ? NOTHING : readSubject(this.#chat, 'attempt', id);
    const { entries } = read;
    const finishes = new Set<string>();
    for (const { type, id: own } of entries) if (type === 'finish') finishes.add(own);
    const subject = `attempt ${id}`;
    this.lines.hold(subject, read);
    this.tally.set('IN9', subject, this.#attempts.of(id).size > 0 ? 0 : entries.length);
    this.tally.set('IN10', subject, finishes.size > 1 ? 1 : 0);
  }

  #isPlainAttempt(id: string): boolean {
    const [owner, other] = this.#attempts.of(id);
    if (owner === undefined || other !== undefined) return false;
    return this.#messages.get(owner)?.plain === true;
  }
}

/** Who refers to what. */
class Links {
  readonly #sources = new Map<string, Set<string>>();

  of(target: string): ReadonlySet<string> {
    return this.#sources.get(target) ?? NOBODY;
  }

  move(source: string, from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined) this.#remove(source, from);
    if (to !== undefined) this.#add(source, to);
  }

  moveAll(source: string, from: readonly string[], to: readonly string[]): void {
    for (const target of from) if (!to.includes(target)) this.#remove(source, target);
    for (const target of to) this.#add(source, target);
  }

  #add(source: string, target: string): void {
    const sources = this.#sources.get(target);
    if (sources === undefined) this.#sources.set(target, new Set([source]));
    else sources.add(source);
  }

  #remove(source: string, target: string): void {
    const sources = this.#sources.get(target);
    sources?.delete(source);
    if (sources?.size === 0) this.#sources.delete(target);
  }
}

export function messageSubject(id: string): string {
  return `message ${id}`;
}

export function threadSubject(id: string): string {
  return `thread ${id}`;
}

const NONE: readonly string[] = [];
const NOTHING: SurveyedSubject = { entries: [], faults: undefined };
const NOBODY: ReadonlySet<string> = new Set();
