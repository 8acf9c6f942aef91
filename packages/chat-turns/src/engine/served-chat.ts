import { type Chat, deriveAnswerId, type Message, type Purpose } from '@chatdoc/schema';
import { AgentError, type Turn, type TurnErrorCode } from '../agents/agent.js';
import {
  digestMessages,
  pickIds,
  readSession,
  type SaveResult,
  type Session,
  saveSession,
} from '../sessions.js';
import { handleOf, type ThreadHandle } from '../slots.js';
import type { AgentBinding, ServeOptions, TurnEngine } from './engine.js';
import { findHolder, listOpen, listWaiting } from './queue.js';
import { Recovery } from './recovery.js';
import { narrowChat, type TurnChat } from './turn-chat.js';
import { createTurn, findContinued, listConversation } from './turn-input.js';
import { type EventCounts, type TurnResult, TurnRun } from './turn-run.js';
import { type SessionState, TurnWriter } from './turn-writer.js';

/** Longer than an update takes to reach the other runners, shorter than a person notices, ms. */
const STAGGER_MS = 400;

type SaveSession = (
  thread: ThreadHandle<Purpose>,
  expected: Session<Purpose> | undefined,
  session: Session<Purpose>,
) => SaveResult;

/** A prompt that waits, as it was first seen to. */
interface Waiting {
  readonly since: number;
  /** The attempt at it that showed then, of an earlier epoch. */
  readonly shown: string | undefined;
}

/** The turns of one document: which threads are to be looked at, and what runs in each. */
export class ServedChat {
  readonly #engine: TurnEngine;
  readonly #chat: TurnChat;
  readonly #saveSession: SaveSession;
  readonly #options: ServeOptions;
  readonly #recovery: Recovery | undefined;
  readonly #unsubscribe: () => void;
  readonly #runs = new Map<string, TurnRun>();
  /** Threads to look at. */
  readonly #dirty = new Set<string>();
  /** Threads with a prompt for which no place was free, the longest first. */
  readonly #blocked = new Set<string>();
  /** By thread, the prompt that is left to others, and since when. */
  /** By thread and prompt. */
  readonly #waiting = new Map<string, Map<string, Waiting>>();
  readonly #left = new Map<
    string,
    { readonly promptId: string; readonly since: number; readonly delay: number }
  >();
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(engine: TurnEngine, chat: Chat, options: ServeOptions) {
    this.#engine = engine;
    this.#chat = narrowChat(chat);
    // The one way to the settings, and to this one field of them: no turn holds it.
    this.#saveSession = (thread, expected, session) =>
      saveSession(chat, thread, { expected, session, updated_by: engine.runner_id });
    this.#options = options;
    const { liveness } = options;
    liveness?.setRunner?.(true);
    this.#recovery =
      liveness &&
      new Recovery(this.#chat, liveness, engine.timers, engine.lease_ms, (error) =>
        this.#stopServing(null, error),
      );
    this.refresh();
    this.#unsubscribe = chat.subscribe(({ threads }) => {
      for (const id of threads) this.#dirty.add(id);
      if (threads.length > 0) engine.schedule();
    });
  }

  refresh(): void {
    for (const { thread_id } of this.#chat.threads()) this.#dirty.add(thread_id);
    this.#engine.schedule();
  }

  /** Looks at every thread that changed. True if it began a turn. */
  work(): boolean {
    let hasBegun = false;
    for (const threadId of [...this.#blocked]) {
      if (!this.#engine.hasPermit) break;
      this.#blocked.delete(threadId);
      hasBegun = this.#visit(threadId) || hasBegun;
    }
    for (const threadId of [...this.#dirty]) {
      this.#dirty.delete(threadId);
      hasBegun = this.#visit(threadId) || hasBegun;
    }
    return hasBegun;
  }

  /** By the timers, since when each prompt of a served thread has waited. */
  *waitingSince(): Iterable<number> {
    for (const waiting of this.#waiting.values()) for (const { since } of waiting.values()) yield since;
  }

  /** Keeps count of what waits, also behind a turn that runs. */
  #noteWaiting(threadId: string): void {
    const before = this.#waiting.get(threadId);
    const queue = this.#chat.queue(threadId);
    if (before === undefined && queue.length === 0) return;
    const waiting = new Map<string, Waiting>();
    for (const promptId of queue) {
      const shown = this.#attemptAt(promptId);
      waiting.set(promptId, before?.get(promptId) ?? { since: this.#engine.timers.now(), shown });
    }
    for (const [prompt_id, { shown }] of before ?? []) {
      const attempt = waiting.has(prompt_id) ? undefined : this.#attemptAt(prompt_id);
      const isFound = attempt !== undefined && attempt !== shown;
      if (isFound) this.#engine.notify({ type: 'answer_found', thread_id: threadId, prompt_id });
    }
    if (waiting.size === 0) this.#waiting.delete(threadId);
    else this.#waiting.set(threadId, waiting);
  }

  #attemptAt(promptId: string): string | undefined {
    return this.#chat.message(deriveAnswerId(promptId))?.attempt?.attempt;
  }

  #visit(threadId: string): boolean {
    try {
      const run = this.#runs.get(threadId);
      if (run === undefined) return !this.#isClosed && this.#look(threadId);
      this.#noteWaiting(threadId);
      run.observe();
    } catch (error) {
      this.#stopServing(threadId, error);
    }
    return false;
  }

  setSynced(isSynced: boolean): void {
    this.#recovery?.setSynced(isSynced);
  }

  /** Ends what runs. Settled once each agent has ended or was left behind. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    this.#leaveRunners();
    this.#recovery?.close();
    if (this.#runs.size === 0) return this.#unsubscribe();
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const run of [...this.#runs.values()]) run.end({ outcome: 'closed' });
    await empty;
    this.#unsubscribe();
  }

  #look(threadId: string): boolean {
    const chat = this.#chat;
    const thread = chat.thread(threadId);
    const binding = thread && this.#options.agentFor(thread, chat.config(threadId));
    if (thread === undefined || binding === undefined) {
      this.#recovery?.watch(threadId, []);
      this.#waiting.delete(threadId);
      return false;
    }
    this.#noteWaiting(threadId);
    this.#recovery?.watch(threadId, listOpen(chat, threadId));
    const waiting = this.#cancelDead(listWaiting(chat, threadId));
    const promptId = findHolder(chat, threadId) === undefined ? waiting[0] : undefined;
    if (this.#isLeft(threadId, promptId) || promptId === undefined) return false;
    if (!this.#engine.takePermit()) {
      this.#blocked.add(threadId);
      return false;
    }
    try {
      this.#begin(threadId, promptId, binding);
    } catch (error) {
      this.#engine.releasePermit();
      this.#engine.finishDrain();
      throw error;
    }
    return true;
  }

  #isLeft(threadId: string, promptId: string | undefined): boolean {
    if (promptId === undefined) {
      // A retry of it is left to others as long again.
      this.#left.delete(threadId);
      return false;
    }
    const { timers } = this.#engine;
    const left = this.#left.get(threadId);
    // Of one prompt once: who comes and goes in the meantime changes nothing of it.
    if (left?.promptId === promptId) return timers.now() - left.since < left.delay;
    const delay = this.#findDelay(promptId);
    if (delay <= 0) return false;
    this.#left.set(threadId, { promptId, since: timers.now(), delay });
    timers.setTimer(() => {
      this.#dirty.add(threadId);
      this.#engine.schedule();
    }, delay);
    return true;
  }

  #findDelay(promptId: string): number {
    const { claim_delay_ms = 0, liveness } = this.#options;
    return claim_delay_ms + (liveness?.rank?.(promptId) ?? 0) * STAGGER_MS;
  }

  /** A prompt that was deleted or redacted is not asked: a stop makes that known to all. */
  #cancelDead(waiting: readonly string[]): readonly string[] {
    return waiting.filter((message_id) => {
      const prompt = this.#chat.message(message_id);
      if (prompt?.deleted !== true && prompt?.redacted !== true) return true;
      this.#chat.stop({ message_id, by: this.#engine.runner_id });
      return false;
    });
  }

  #begin(threadId: string, promptId: string, binding: AgentBinding): void {
    const chat = this.#chat;
    const { timers, limits, runner_id } = this.#engine;
    const { agent, sender_id, secrets = {} } = binding;
    const answerId = deriveAnswerId(promptId);
    const continues = findContinued(chat, chat.message(answerId));
    // The claim. From here on every end is written.
    const writer = chat.openAttempt({ prompt_id: promptId, sender_id, runner_id });
    const { attempt } = writer;
    this.#waiting.get(threadId)?.delete(promptId);
    this.#show(attempt, true);
    const claim = { prompt_id: promptId, message_id: answerId, attempt };
    const claimed = { type: 'claimed', thread_id: threadId, prompt_id: promptId, attempt } as const;
    let run: TurnRun | undefined;
    const turnWriter = new TurnWriter(writer, timers, (error) => run?.failWrite(error));
    try {
      const thread = chat.thread(threadId);
      const prompt = chat.message(promptId);
      if (thread === undefined || prompt === undefined) throw new AgentError('dispatch_failed', 'gone');
      const epoch = epochOf(chat.message(answerId), attempt);
      const stored = readSession(chat, handleOf(thread));
      const turn = createTurn(chat, {
        thread,
        prompt,
        message_id: answerId,
        attempt,
        epoch,
        continues,
        secrets,
      });
      const host = {
        chat,
        timers,
        limits,
        onSettled: (result: TurnResult) => {
          this.#keepSession(result, turn, stored, turnWriter.sessionAfter(result.outcome === 'complete'));
          this.#settle(result);
        },
        onDrained: (counts: EventCounts) => {
          this.#engine.notify({ type: 'drained', attempt, ...counts });
          this.#engine.finishDrain();
        },
      };
      run = new TurnRun(host, turn, turnWriter);
    } catch (error) {
      const failed = error instanceof AgentError ? error : undefined;
      const code = failed?.code ?? ('dispatch_failed' satisfies TurnErrorCode);
      const described = { code, ...(failed !== undefined && { message: failed.message }) };
      turnWriter.finish({ finish_reason: 'error', error: described });
      const result = { thread_id: threadId, ...claim, outcome: 'error', error: described } as const;
      this.#engine.notify(claimed);
      this.#settle({ ...result, acknowledged: true });
      this.#engine.finishDrain();
      return;
    }
    this.#runs.set(threadId, run);
    this.#engine.notify(claimed);
    run.start(agent);
  }

  /** Errors of liveness must not affect the claimed attempt. */
  #show(attempt: string, isAlive: boolean): void {
    const { liveness } = this.#options;
    try {
      if (isAlive) liveness?.addAttempt(attempt);
      else liveness?.removeAttempt(attempt);
    } catch (error) {
      this.#stopServing(null, error);
    }
  }

  #settle(result: TurnResult): void {
    this.#runs.delete(result.thread_id);
    this.#show(result.attempt, false);
    this.#dirty.add(result.thread_id);
    this.#engine.notify({ type: 'settled', ...result });
    this.#engine.releasePermit();
    if (this.#runs.size === 0) this.#onEmpty?.();
  }

  /** Saves the provider's conversation with what it includes: what it was given, and of the answer what it knows. */
  #keepSession(
    { thread_id, message_id, attempt }: TurnResult,
    turn: Turn,
    stored: Session<Purpose> | undefined,
    state: SessionState | undefined,
  ): void {
    if (state === undefined) return;
    const answer = this.#chat.message(message_id);
    const isShown = answer?.attempt?.attempt === attempt && answer.attempt.state === 'settled';
    if (answer === undefined || !isShown || answer.redacted) return;
    const included = this.#listIncluded(turn, answer, state.knowsAnswer);
    const last = included.at(-1);
    if (last === undefined) return;
    const thread = handleOf(turn.thread);
    const session = {
      ...pickIds(turn.session ?? {}),
      ...state.ids,
      ...thread,
      last_message_id: last.message_id,
      digest: digestMessages(included),
    };
    try {
      const saved = this.#saveSession(thread, stored, session);
      if (!saved.ok) this.#engine.notify({ type: 'session_conflict', thread_id });
    } catch (error) {
      this.#stopServing(thread_id, error);
    }
  }

  #listIncluded(turn: Turn, answer: Message, knowsAnswer: boolean): readonly Message[] {
    const last = turn.session?.last_message_id;
    const isKnown = turn.messages.some(({ message_id }) => message_id === last);
    if (last === undefined || isKnown || last === answer.message_id) {
      return knowsAnswer ? [...turn.messages, answer] : turn.messages;
    }
    // An older turn went on in a session that knows more than it: the session still does.
    return knowsAnswer ? listConversation(this.#chat, turn.thread.thread_id, last) : [];
  }

  #leaveRunners(): void {
    try {
      this.#options.liveness?.setRunner?.(false);
    } catch {
      // It is no longer served: its presence is the host's.
    }
  }

  /** A document that cannot be written, or a host that throws: not again at each change. */
  #stopServing(threadId: string | null, error: unknown): void {
    this.#isClosed = true;
    this.#dirty.clear();
    this.#blocked.clear();
    this.#waiting.clear();
    this.#leaveRunners();
    this.#recovery?.close();
    this.#engine.notify({ type: 'fault', thread_id: threadId, error });
  }
}

function epochOf(answer: Message | undefined, attempt: string): number {
  const own = [answer?.attempt, ...(answer?.alternates ?? [])].find((each) => each?.attempt === attempt);
  return own?.epoch ?? 1;
}
