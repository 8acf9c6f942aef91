import { type Attempt, ChatDocError, type Message, type Timers } from '@chatdoc/schema';
import { type Agent, AgentError, type Turn, type TurnErrorCode, type TurnEvent } from '../agents/agent.js';
import { listAttempts, type TurnChat } from './turn-chat.js';
import type { TurnWriter } from './turn-writer.js';

/** Milliseconds each. */
export interface TurnLimits {
  /** How long an agent may take to end after its signal. */
  readonly stop_grace_ms: number;
  /** How long after its signal the answer may still grow, below `stop_grace_ms`. */
  readonly stop_flush_ms: number;
  /** How long it may give nothing. */
  readonly idle_timeout_ms: number;
  /** How long a turn may take. */
  readonly turn_timeout_ms: number;
  /** How long what comes after the end is still counted. */
  readonly drain_ms: number;
}

export const TURN_LIMITS: TurnLimits = {
  stop_grace_ms: 5_000,
  stop_flush_ms: 1_000,
  idle_timeout_ms: 15 * 60_000,
  turn_timeout_ms: 6 * 3_600_000,
  drain_ms: 5_000,
};

export type TurnOutcome =
  | 'complete'
  | 'stopped'
  | 'error'
  /** Another attempt at the same answer shows. */
  | 'superseded'
  /** A person asked for another attempt while this one ran. */
  | 'retried'
  /** The prompt or the answer was redacted. */
  | 'redacted'
  /** The engine was closed: the turn is interrupted, and can be continued. */
  | 'closed'
  /** The document can no longer be written. */
  | 'disconnected';

export interface TurnResult {
  readonly thread_id: string;
  readonly prompt_id: string;
  readonly message_id: string;
  readonly attempt: string;
  readonly outcome: TurnOutcome;
  readonly error?: { readonly code: string; readonly message?: string };
  /** Whether the agent ended by itself; one that ignores its signal is left behind. */
  readonly acknowledged: boolean;
}

export interface RunHost {
  readonly chat: TurnChat;
  readonly timers: Timers;
  readonly limits: TurnLimits;
  onSettled(result: TurnResult): void;
  /** After the last event that was still waited for. */
  onDrained(counts: EventCounts): void;
}

/** Events of one attempt that did not become parts as they came. */
export interface EventCounts {
  /** Refused: they came after the end of the attempt, or too long after a stop. */
  readonly late_events: number;
  /** Ignored: their kind is not known here. */
  readonly unknown_events: number;
  /** Ignored: nothing of them can be stored. */
  readonly bad_events: number;
  /** Values that were cut to fit. */
  readonly cut_values: number;
}

interface Ending {
  readonly outcome: TurnOutcome;
  readonly error?: { readonly code: string; readonly message?: string };
}

/** After so many events timers and the network get their turn: an agent may give them without ever waiting. */
const EVENTS_AT_ONCE = 64;

/** One attempt and the agent that makes it. Each wait has an end, whatever the agent does. */
export class TurnRun {
  readonly turn: Turn;
  readonly #host: RunHost;
  readonly #writer: TurnWriter;
  readonly #abort = new AbortController();
  #iterator: AsyncIterator<TurnEvent> | undefined;
  /** Why the agent is to end. */
  #ending: Ending | undefined;
  #settled = false;
  #drained = false;
  #pulled = 0;
  #late = 0;
  #unknown = 0;
  #bad = 0;
  /** When the agent was sent its signal, by the timers. */
  #endedAt: number | undefined;
  #idleTimer: unknown;
  #turnTimer: unknown;
  #endTimer: unknown;
  #heard = 0;

  constructor(host: RunHost, turn: Turn, writer: TurnWriter) {
    this.#host = host;
    this.turn = turn;
    this.#writer = writer;
  }

  start(agent: Agent): void {
    const { timers, limits } = this.#host;
    this.#turnTimer = timers.setTimer(() => this.#timeout(), limits.turn_timeout_ms);
    this.#heard = timers.now();
    this.#idleTimer = timers.setTimer(this.#onIdle, limits.idle_timeout_ms);
    try {
      if (this.turn.continues !== undefined) this.#writer.carry(this.turn.continues);
    } catch (error) {
      this.failWrite(error);
      return;
    }
    try {
      this.#iterator = agent(this.turn, this.#abort.signal)[Symbol.asyncIterator]();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#pull();
  }

  /** Looks at the attempt as the document has it now. Call it whenever the thread has changed. */
  observe(): void {
    if (this.#settled) return;
    const { chat } = this.#host;
    const message = chat.message(this.turn.message_id);
    if (message?.redacted || chat.message(this.turn.prompt.message_id)?.redacted) {
      this.end({ outcome: 'redacted' });
      return;
    }
    // Gone for now: what took it may bring it back.
    const own = message && listAttempts(message).find(({ attempt }) => attempt === this.turn.attempt);
    if (message === undefined || own === undefined) return;
    if (isLost(message, own)) this.end({ outcome: 'superseded' });
    else if (own.stop_requested || own.state === 'settled') this.end({ outcome: 'stopped' });
    else if (this.#isRetried()) this.end({ outcome: 'retried' });
    else if (own.state === 'interrupted') this.#resume();
  }

  /** Its own attempt is open, so only a later epoch can wait for one. */
  #isRetried(): boolean {
    return this.#host.chat.isQueued(this.turn.prompt.message_id);
  }

  /** Has the agent end. The first reason counts, but a redaction and a lost attempt wait for nobody. */
  end(ending: Ending): void {
    if (this.#settled) return;
    const isUrgent = ending.outcome === 'superseded' || ending.outcome === 'redacted';
    if (isUrgent) {
      this.#ending = ending;
      this.#abort.abort();
      this.#settle(ending, false);
    } else if (this.#ending === undefined) {
      this.#ending = ending;
      this.#endedAt = this.#host.timers.now();
      this.#endTimer = this.#host.timers.setTimer(
        () => this.#settle(ending, false),
        this.#host.limits.stop_grace_ms,
      );
      this.#abort.abort();
    }
  }

  /** A write that failed: the document is closed to us, or the event cannot be written. */
  failWrite(error: unknown): void {
    this.#abort.abort();
    this.#settle(isBadEvent(error) ? BAD_EVENT : { outcome: 'disconnected' }, false);
  }

  #pull(): void {
    if (this.#drained || this.#iterator === undefined) return;
    let next: Promise<IteratorResult<TurnEvent>>;
    try {
      next = Promise.resolve(this.#iterator.next());
    } catch (error) {
      this.#fail(error);
      return;
    }
    next.then(this.#onNext, this.#onFail);
  }

  readonly #onNext = (result: IteratorResult<TurnEvent>): void => {
    if (this.#drained) return;
    if (typeof result !== 'object' || result === null) {
      this.#fail(undefined);
      return;
    }
    if (result.done === true) {
      this.#acknowledge('stop');
      this.#finishDrain();
      return;
    }
    this.#take(result.value);
    this.#pulled += 1;
    if (this.#pulled % EVENTS_AT_ONCE > 0) this.#pull();
    else this.#host.timers.setTimer(() => this.#pull(), 0);
  };

  readonly #onFail = (error: unknown): void => this.#fail(error);

  #take(event: TurnEvent): void {
    const now = this.#host.timers.now();
    if (this.#settled || this.#isTooLate(event, now)) {
      this.#late += 1;
      return;
    }
    this.#heard = now;
    if (typeof event !== 'object' || event === null) this.#unknown += 1;
    else if (event.type === 'finish') this.#acknowledge(event.finish_reason ?? 'stop');
    else this.#apply(event);
  }

  /** An agent that ignores a stop must not go on talking; that a tool has ended is still news. */
  #isTooLate(event: TurnEvent, now: number): boolean {
    if (this.#endedAt === undefined || now - this.#endedAt < this.#host.limits.stop_flush_ms) return false;
    return GROWTH.has(event?.type);
  }

  #apply(event: TurnEvent): void {
    try {
      const applied = this.#writer.apply(event);
      if (applied === 'written') return;
      if (applied === 'unknown') this.#unknown += 1;
      else this.#noteBad(event);
    } catch (error) {
      if (isClosed(error)) this.failWrite(error);
      else this.#noteBad(event);
    }
  }

  /** One bad event does not end a turn, and is not passed over in silence. */
  #noteBad({ type }: TurnEvent): void {
    this.#bad += 1;
    try {
      this.#writer.addNotice({
        code: 'bad_event' satisfies TurnErrorCode,
        message: `an event could not be stored: ${type}`,
      });
    } catch (error) {
      this.failWrite(error);
    }
  }

  #resume(): void {
    try {
      this.#writer.resume();
    } catch (error) {
      this.failWrite(error);
    }
  }

  /** The agent is done. After a stop the reason that it gives does not count. */
  #acknowledge(finishReason: string): void {
    if (this.#settled) return;
    if (this.#ending !== undefined) this.#settle(this.#ending, true);
    else if (finishReason === 'cancelled') this.#settle({ outcome: 'stopped' }, true);
    else this.#settle({ outcome: 'complete' }, true, finishReason);
  }

  #fail(error: unknown): void {
    if (this.#ending !== undefined) this.#settle(this.#ending, true);
    else this.#settle({ outcome: 'error', error: describeError(error, this.turn.secrets) }, true);
    this.#finishDrain();
  }

  readonly #onIdle = (): void => {
    const { timers, limits } = this.#host;
    const left = this.#heard + limits.idle_timeout_ms - timers.now();
    if (left <= 0) this.#timeout();
    else this.#idleTimer = timers.setTimer(this.#onIdle, left);
  };

  #timeout(): void {
    this.end({ outcome: 'error', error: { code: 'timeout' satisfies TurnErrorCode } });
  }

  #settle(ending: Ending, acknowledged: boolean, finishReason?: string): void {
    if (this.#settled) return;
    this.#settled = true;
    const { timers, limits } = this.#host;
    for (const timer of [this.#idleTimer, this.#turnTimer, this.#endTimer]) timers.clearTimer(timer);
    const { thread, prompt, message_id, attempt } = this.turn;
    const ids = { thread_id: thread.thread_id, prompt_id: prompt.message_id, message_id, attempt };
    let settled = ending;
    try {
      this.#writeEnd(ending, finishReason);
    } catch (error) {
      settled = this.#writeFault(error);
    }
    this.#endTimer = timers.setTimer(() => this.#finishDrain(), limits.drain_ms);
    this.#host.onSettled({ ...ids, ...settled, acknowledged });
  }

  #writeEnd(ending: Ending, finishReason: string | undefined): void {
    switch (ending.outcome) {
      case 'complete':
        this.#writer.finish({ finish_reason: finishReason ?? 'stop' });
        break;
      case 'error':
        this.#writer.finish({ finish_reason: 'error', ...(ending.error && { error: ending.error }) });
        break;
      case 'stopped':
        this.#writer.finish({ finish_reason: 'stopped' });
        break;
      case 'superseded':
      case 'retried':
        this.#writer.finish({ finish_reason: 'superseded' });
        break;
      case 'redacted':
        this.#writer.drop({ finish_reason: 'redacted' });
        break;
      default:
        this.#leave();
    }
  }

  /** The end as the agent gave it cannot be written, or nothing can. */
  #writeFault(error: unknown): Ending {
    if (!isBadEvent(error)) return { outcome: 'disconnected' };
    const ending = BAD_EVENT;
    try {
      this.#writer.drop({ finish_reason: 'error', error: ending.error });
      return ending;
    } catch {
      return { outcome: 'disconnected' };
    }
  }

  #leave(): void {
    this.#writer.leave();
    this.#host.chat.interrupt({ message_id: this.turn.message_id, attempt: this.turn.attempt });
  }

  #finishDrain(): void {
    if (this.#drained || !this.#settled) return;
    this.#drained = true;
    this.#host.timers.clearTimer(this.#endTimer);
    // Not awaited: it ends when the agent does, if ever.
    try {
      this.#iterator?.return?.().then(undefined, () => undefined);
    } catch {
      // The agent is left behind: nobody is there to hear of it.
    }
    this.#host.onDrained({
      late_events: this.#late,
      unknown_events: this.#unknown,
      bad_events: this.#bad,
      cut_values: this.#writer.cuts,
    });
  }
}

const BAD_EVENT = { outcome: 'error', error: { code: 'bad_event' satisfies TurnErrorCode } } as const;

/** Events that add to what is read of an answer. */
const GROWTH: ReadonlySet<string> = new Set(['text', 'reasoning', 'plan', 'file']);

/** Whether the document can no longer be written, as opposed to one event. */
function isClosed(error: unknown): boolean {
  return error instanceof ChatDocError && error.code !== 'invalid_argument';
}

function isBadEvent(error: unknown): boolean {
  return error instanceof ChatDocError && error.code === 'invalid_argument';
}

/** Whether another attempt shows although this one is alive: an interrupt of ours is void with our next part. */
function isLost({ attempt: shown }: Message, own: Attempt): boolean {
  if (shown === undefined || shown.attempt === own.attempt) return false;
  if (own.state !== 'interrupted' || shown.epoch > own.epoch) return true;
  return shown.state === 'settled' || (shown.state === 'open' && shown.attempt < own.attempt);
}

const MAX_MESSAGE = 1_000;

function describeError(
  error: unknown,
  secrets: Readonly<Record<string, string>>,
): { readonly code: string; readonly message?: string } {
  if (error instanceof AgentError) {
    let { message } = error;
    for (const secret of Object.values(secrets)) if (secret !== '') message = message.split(secret).join('…');
    return { code: error.code, message: message.slice(0, MAX_MESSAGE) };
  }
  return { code: 'agent_failed' satisfies TurnErrorCode };
}
