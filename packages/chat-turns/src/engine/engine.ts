import {
  type Chat,
  ChatDocError,
  systemTimers,
  type Thread,
  type ThreadConfig,
  type Timers,
} from '@chatdoc/schema';
import type { Agent } from '../agents/agent.js';
import type { Liveness } from './liveness.js';
import { ServedChat } from './served-chat.js';
import { type EventCounts, TURN_LIMITS, type TurnLimits, type TurnResult } from './turn-run.js';

/** Who answers in a thread. */
export interface AgentBinding {
  readonly agent: Agent;
  /** The author of the answers. */
  readonly sender_id: string;
  /** For this dispatch: never written, and taken out of errors. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface ServeOptions {
  /** Undefined for threads that this process cannot run: then it neither runs nor recovers their turns. */
  readonly agentFor: (thread: Thread, config: ThreadConfig) => AgentBinding | undefined;
  /**
   * Without it nothing shows which attempts are alive, and this process never calls one interrupted; nor does it
   * before `setSynced`.
   */
  readonly liveness?: Liveness;
  /**
   * How long a prompt is left to other runners before this one claims it, ms. Defaults to 0. To it is added
   * `STAGGER_MS` for each runner that liveness puts before this one: of several that are online one claims at once.
   */
  readonly claim_delay_ms?: number;
}

/** A chat that an engine serves. */
export interface Service {
  /**
   * Sets whether this process is in sync with its peers, in both directions; it counts as not, until this is
   * called. The host calls it whenever that changes, or once where nothing can come between, as at a file.
   */
  setSynced(isSynced: boolean): void;
  /** Looks at every thread again, after `agentFor` may answer otherwise: somebody has logged in. */
  refresh(): void;
  /** Ends what runs. */
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Names this process in its attempts, for people to read. Nothing is decided by it. */
  readonly runner_id: string;
  readonly timers?: Timers;
  /** Turns at the same time, over all documents. Defaults to 4. */
  readonly concurrency?: number;
  /**
   * How long an attempt must have been shown by nobody before its runner counts as gone, ms. Defaults to 40,000.
   * Well above the time between two renewals of presence, 10 s: a process that comes back hears of some peers only then.
   */
  readonly lease_ms?: number;
  readonly limits?: Partial<TurnLimits>;
}

export type EngineEvent =
  | {
      readonly type: 'claimed';
      readonly thread_id: string;
      readonly prompt_id: string;
      readonly attempt: string;
    }
  | ({ readonly type: 'settled' } & TurnResult)
  /** Nothing more of this attempt is heard: what came after its end was refused. */
  | ({ readonly type: 'drained'; readonly attempt: string } & EventCounts)
  /** A prompt that waited here was answered by another runner. */
  | { readonly type: 'answer_found'; readonly thread_id: string; readonly prompt_id: string }
  /** The session of a thread was not saved: somebody else has changed it. */
  | { readonly type: 'session_conflict'; readonly thread_id: string }
  /** The document can no longer be written, or the host's own code threw: it is no longer served. */
  | { readonly type: 'fault'; readonly thread_id: string | null; readonly error: unknown };

export const LEASE_MS = 40_000;
const CONCURRENCY = 4;

/** Runs the turns of any number of documents: one at a time in a thread, a bounded number in all. */
export class TurnEngine {
  readonly runner_id: string;
  readonly timers: Timers;
  readonly lease_ms: number;
  readonly limits: TurnLimits;
  readonly #concurrency: number;
  readonly #served = new Set<ServedChat>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #running = 0;
  #draining = 0;
  #isScheduled = false;
  #isClosed = false;
  #waiters: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.runner_id = options.runner_id;
    this.timers = options.timers ?? systemTimers;
    this.lease_ms = options.lease_ms ?? LEASE_MS;
    this.limits = { ...TURN_LIMITS, ...options.limits };
    this.#concurrency = options.concurrency ?? CONCURRENCY;
    if (!(this.#concurrency >= 1)) {
      throw new ChatDocError('invalid_argument', 'concurrency', 'expected at least 1');
    }
  }

  /** Serves a chat from now on: also what waits in it, and what a crash left. */
  serve(chat: Chat, options: ServeOptions): Service {
    if (this.#isClosed) throw new ChatDocError('not_open', 'serve', 'the engine was closed');
    const served = new ServedChat(this, chat, options);
    this.#served.add(served);
    this.schedule();
    return {
      setSynced: (isSynced) => served.setSynced(isSynced),
      refresh: () => served.refresh(),
      close: async () => {
        await served.close();
        this.#served.delete(served);
      },
    };
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once nothing runs, and nothing that waits can be run here. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.schedule();
    });
  }

  /** Ends what runs, which can be continued anywhere, and serves nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#served].map((served) => served.close()));
    this.#served.clear();
    this.schedule();
  }

  /** Turns that run here, and prompts that wait in threads that are served here; waits in ms, since they were seen. */
  load(): { readonly running: number; readonly waiting: number; readonly longest_wait_ms: number } {
    let waiting = 0;
    let longest_wait_ms = 0;
    const now = this.timers.now();
    for (const served of this.#served) {
      for (const since of served.waitingSince()) {
        waiting += 1;
        longest_wait_ms = Math.max(longest_wait_ms, now - since);
      }
    }
    return { running: this.#running, waiting, longest_wait_ms };
  }

  /** @internal Looks at what changed, soon and once: never within the transaction that changed it. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    Promise.resolve().then(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }

  /** @internal False where as many turns run as may; then the caller is asked again when one ends. */
  get hasPermit(): boolean {
    return !this.#isClosed && this.#running < this.#concurrency;
  }

  /** @internal */
  takePermit(): boolean {
    const isFree = this.hasPermit;
    if (isFree) this.#running += 1;
    return isFree;
  }

  /** @internal */
  releasePermit(): void {
    this.#running -= 1;
    this.#draining += 1;
    this.schedule();
  }

  /** @internal */
  finishDrain(): void {
    this.#draining -= 1;
    this.schedule();
  }

  /** @internal An error of a listener is an unhandled rejection, and must not affect a turn. */
  notify(event: EngineEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        void Promise.reject(error);
      }
    }
  }

  #work(): void {
    // Each in turn, and one that has waited goes first: no document starves another.
    for (const served of [...this.#served]) {
      if (!served.work()) continue;
      this.#served.delete(served);
      this.#served.add(served);
    }
    if (this.#running > 0 || this.#draining > 0 || this.#isScheduled) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
