import { createHash } from 'node:crypto';
import {
  type Chat,
  type ChatOptions,
  type Environment,
  formatDate,
  type Message,
  openChat,
  type Timers,
} from '@chatdoc/schema';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import {
  type Agent,
  type EngineEvent,
  type EngineOptions,
  type Liveness,
  type ServeOptions,
  type Service,
  TurnEngine,
  type TurnEvent,
} from '../src/index.js';

/** Replicas, simulated time and a board of who lives, for the examples of the rules. */

export const START: number = Date.UTC(2026, 10, 21, 12);
export const DATE: string = formatDate(START);
export const NETWORK = 'network';

export { runs, scale } from '../../../tools/amounts.js';

/** Everything that waits on promises alone has gone on when this resolves. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The same without a turn of the event loop: a tick comes when no promise is due. */
export async function settlePromises(): Promise<void> {
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** Time that passes only in `advance`. */
export class FakeTimers implements Timers {
  readonly #settle: () => Promise<void>;
  #now = 1_000;
  #count = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  constructor(settled: () => Promise<void> = settle) {
    this.#settle = settled;
  }

  now(): number {
    return this.#now;
  }

  setTimer(callback: () => void, ms: number): unknown {
    this.#count += 1;
    this.#timers.set(this.#count, { at: this.#now + Math.max(0, ms), callback });
    return this.#count;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Drops every timer: the process that set them is gone. */
  kill(): void {
    this.#timers.clear();
    this.setTimer = () => 0;
  }

  /** Lets time pass, timer by timer, and whatever each sets off. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settle();
    for (;;) {
      let next: number | undefined;
      let at = end;
      for (const [handle, timer] of this.#timers) {
        if (timer.at < at || (timer.at === at && next === undefined)) [next, at] = [handle, timer.at];
      }
      if (next === undefined) break;
      const callback = this.#timers.get(next)?.callback;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, at);
      callback?.();
      await this.#settle();
    }
    this.#now = end;
  }
}

export interface TestClock {
  time: number;
}

/** The bytes are SHA-256 over seed and count: the same for the same calls. */
export function createEnvironment(seed: number | string, clock: TestClock): Environment {
  let pool = Buffer.alloc(0);
  let count = 0;
  return {
    now: () => clock.time,
    random: (bytes) => {
      if (pool.length < bytes) {
        count += 1;
        pool = createHash('sha512').update(`${seed} ${count}`).digest();
      }
      const taken = new Uint8Array(pool.subarray(0, bytes));
      pool = pool.subarray(bytes);
      return taken;
    },
  };
}

export interface Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly clock: TestClock;
}

const nextSession = createCounter(1);

export function createReplica(
  seed: number | string = 1,
  options: ChatOptions = {},
  doc: Y.Doc = new Y.Doc(),
): Replica {
  const clock = { time: START };
  doc.clientID = nextSession();
  const chat = openChat(doc, { environment: createEnvironment(seed, clock), ...options });
  return { doc, chat, clock };
}

/** A fresh document with all bytes of another, as after a restart. */
export function reload(from: Y.Doc, seed: number | string = 'reload'): Replica {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(from), NETWORK);
  return createReplica(seed, {}, doc);
}

export function send(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), NETWORK);
}

/** Until all have everything, also what they write in answer. */
export function syncAll(replicas: readonly { readonly doc: Y.Doc }[]): void {
  for (let round = 0; round < 3; round += 1) {
    for (const from of replicas) for (const to of replicas) if (from !== to) send(from.doc, to.doc);
  }
}

/** Who shows what, seen by all at once. */
export class LivenessBoard {
  readonly #shown = new Map<object, Set<string>>();
  readonly #listeners = new Set<() => void>();

  /** The view of one process. `kill` takes what it shows off the board. */
  join(): Liveness & { kill(): void } {
    const own = new Set<string>();
    this.#shown.set(own, own);
    const change = (): void => {
      for (const listener of [...this.#listeners]) listener();
    };
    return {
      liveAttempts: () => [...this.#shown.values()].flatMap((set) => [...set]),
      addAttempt: (attempt) => {
        own.add(attempt);
        change();
      },
      removeAttempt: (attempt) => {
        own.delete(attempt);
        change();
      },
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      kill: () => {
        this.#shown.delete(own);
        change();
      },
    };
  }
}

export interface Backend extends Replica {
  readonly engine: TurnEngine;
  /** In sync from the beginning. */
  readonly service: Service;
  readonly timers: FakeTimers;
  readonly liveness: ReturnType<LivenessBoard['join']>;
  readonly events: EngineEvent[];
  /** As kill -9: nothing more is written, shown or heard. */
  kill(): void;
}

export interface BackendOptions {
  readonly replica?: Replica;
  readonly timers?: FakeTimers;
  readonly board?: LivenessBoard;
  readonly runner_id?: string;
  readonly engine?: Partial<EngineOptions>;
  readonly serve?: Partial<ServeOptions>;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** A process that runs `agent` in every thread. */
export function createBackend(agent: Agent, options: BackendOptions = {}): Backend {
  const runner_id = options.runner_id ?? 'runner';
  const replica = options.replica ?? createReplica(runner_id);
  const timers = options.timers ?? new FakeTimers();
  const liveness = (options.board ?? new LivenessBoard()).join();
  const engine = new TurnEngine({ runner_id, timers, ...options.engine });
  const events: EngineEvent[] = [];
  engine.subscribe((event) => events.push(event));
  const binding = { agent, sender_id: 'agent', ...(options.secrets && { secrets: options.secrets }) };
  const service = engine.serve(replica.chat, { agentFor: () => binding, liveness, ...options.serve });
  service.setSynced(true);
  return {
    ...replica,
    engine,
    service,
    timers,
    liveness,
    events,
    kill: () => {
      liveness.kill();
      timers.kill();
      replica.chat.close();
    },
  };
}

export function createThread(chat: Chat): string {
  return chat.createThread({ created_by: 'ada', created_at: DATE }).thread_id;
}

export function ask(chat: Chat, thread_id: string, content = 'How?'): Message {
  return chat.send({ thread_id, sender_id: 'ada', content, expects: 'answer', date: DATE });
}

/** The answer to a prompt, which must be there. */
export function answerTo(chat: Chat, thread_id: string, prompt_id: string): Message {
  return present(chat.messages(thread_id).find((message) => message.prompt_id === prompt_id));
}

export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('expected a value');
  return value;
}

/** The results of the turns that ended, in order. */
export function outcomes(events: readonly EngineEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'settled' ? [event.outcome] : []));
}

export const say = (text: string): TurnEvent => ({ type: 'text', text });

/** An agent that is fed by hand, event by event. */
export class HandAgent {
  readonly turns: { turn: Parameters<Agent>[0]; signal: AbortSignal }[] = [];
  readonly #queues: Feed[] = [];

  readonly agent: Agent = (turn, signal) => {
    this.turns.push({ turn, signal });
    const feed = new Feed();
    this.#queues.push(feed);
    return feed;
  };

  /** The last turn that began, or the one with this number. */
  feed(at: number = this.#queues.length - 1): Feed {
    return present(this.#queues[at]);
  }

  turn(at: number = this.turns.length - 1): Parameters<Agent>[0] {
    return present(this.turns[at]).turn;
  }

  isAborted(at: number = this.turns.length - 1): boolean {
    return present(this.turns[at]).signal.aborted;
  }
}

export class Feed implements AsyncIterableIterator<TurnEvent, undefined> {
  readonly #ready: IteratorResult<TurnEvent, undefined>[] = [];
  #waiting:
    | { resolve(result: IteratorResult<TurnEvent, undefined>): void; reject(error: unknown): void }
    | undefined;
  #error: unknown;
  isReturned = false;

  async push(...events: readonly TurnEvent[]): Promise<void> {
    for (const value of events) this.#give({ done: false, value });
    await settle();
  }

  async end(): Promise<void> {
    this.#give({ done: true, value: undefined });
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    if (this.#waiting === undefined) this.#error = error;
    else this.#waiting.reject(error);
    this.#waiting = undefined;
    await settle();
  }

  next(): Promise<IteratorResult<TurnEvent, undefined>> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<TurnEvent, undefined>> {
    this.isReturned = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #give(result: IteratorResult<TurnEvent, undefined>): void {
    if (this.#waiting === undefined) this.#ready.push(result);
    else this.#waiting.resolve(result);
    this.#waiting = undefined;
  }
}

export function bytesOf(doc: Y.Doc): string {
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
}

/** Entries of one type, as they stand. */
export function entriesOf(chat: Chat, type: string): Record<string, unknown>[] {
  return chat
    .toJSONL()
    .split('\n')
    .filter((line) => line.startsWith(`{"type":"${type}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
