import { type Attempt, type Chat, type Environment, type Message, openChat } from '@chatdoc/schema';
import { expect } from 'vitest';
import * as Y from 'yjs';
import {
  type Agent,
  continueTurn,
  LEASE_MS,
  type Liveness,
  retryTurn,
  sendNow,
  stopTurn,
  submitPrompt,
  type Timers,
  TurnEngine,
  type TurnEvent,
} from '../src/index.js';
import { DATE, FakeTimers, NETWORK, present, START, settle } from './world.js';

/** Runners, viewers and a network with faults, on simulated time: what a random schedule is run on. */

export const KINDS = [
  'advance',
  'agent',
  'clock',
  'config',
  'continue',
  'crash',
  'deliver',
  'duplicate',
  'heal',
  'lease',
  'partition',
  'redact',
  'resend',
  'restart',
  'retry',
  'send_now',
  'stop',
  'submit',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Step {
  readonly kind: Kind;
  readonly a: number;
  readonly b: number;
}

export interface Schedule {
  readonly seed: number;
  readonly runners: number;
  readonly steps: readonly Step[];
}

const DAY = 86_400_000;

/** xorshift32: the same for the same seed, and cheap. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b9) | 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.next() & 255);
  }
}

interface Node {
  readonly name: string;
  doc: Y.Doc;
  chat: Chat;
  readonly clock: { time: number };
  isUp: boolean;
  /** Which side of a partition it is on. */
  side: number;
  /** What is settled in this life of it. */
  settled: Map<string, string>;
}

interface Runner extends Node {
  engine: TurnEngine;
  kill(): void;
  /** What a crash may bring it back to. */
  saved: Uint8Array;
  shown: Set<string>;
  syncedSince: number | undefined;
}

/** What an agent does in one turn. */
const MANNERS = ['plain', 'plain', 'tools', 'fails', 'hangs', 'deaf', 'late'] as const;

export class Simulation {
  /** Faults that did something. */
  readonly fired = new Map<string, number>();
  readonly #random: Random;
  readonly #timers = new FakeTimers();
  readonly #runners: Runner[] = [];
  readonly #viewers: Node[] = [];
  readonly #threadId: string;
  readonly #prompts = new Set<string>();
  /** By attempt, all that it can ever show. */
  readonly #outputs = new Map<string, string>();
  /** By attempt whose runner wrote its finish, what that settled. */
  readonly #finished = new Map<string, string>();
  readonly #claims = new Set<string>();
  readonly #configs = new Set<string>();
  readonly #captured: Uint8Array[] = [];
  #edits = 0;
  #lives = 0;
  #isPartitioned = false;

  constructor({ seed, runners }: Schedule) {
    this.#random = new Random(seed);
    for (const name of ['v0', 'v1']) this.#viewers.push(this.#createNode(name, new Y.Doc()));
    const [viewer] = this.#viewers as [Node];
    const { thread_id } = viewer.chat.createThread({
      created_by: 'ada',
      created_at: DATE,
      acp_config: { m: 0 },
    });
    this.#threadId = thread_id;
    this.#configs.add(JSON.stringify(viewer.chat.config(thread_id)));
    for (let at = 0; at < runners; at += 1) {
      const node = this.#createNode(`r${at}`, new Y.Doc());
      const runner = node as Runner;
      runner.saved = Y.encodeStateAsUpdate(viewer.doc);
      this.#runners.push(runner);
      this.#boot(runner);
    }
    this.#exchangeAll();
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#perform(step);
      await settle();
      this.#check();
    }
    await this.#quiet();
  }

  async #perform({ kind, a, b }: Step): Promise<void> {
    const did = await this.#do(kind, a, b);
    if (did) this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
  }

  async #do(kind: Kind, a: number, b: number): Promise<boolean> {
    const viewer = present(this.#viewers[a % 2]);
    const by = viewer.name;
    switch (kind) {
      case 'advance':
        await this.#advance([5, 20, 60, 200][b % 4] as number);
        return true;
      case 'lease':
        await this.#advance(LEASE_MS * 1.2);
        return true;
      case 'agent':
        await this.#advance(2_000);
        return true;
      case 'clock': {
        const node = this.#pick(a);
        node.clock.time += b % 2 === 0 ? DAY : -DAY;
        return true;
      }
      case 'config': {
        this.#edits += 1;
        viewer.chat.configure({ thread_id: this.#threadId, updated_by: by, acp_config: { m: this.#edits } });
        return true;
      }
      case 'submit':
      case 'resend': {
        // The few client ids make two replicas submit one prompt apart.
        const id = `c${kind === 'resend' ? b % 2 : this.#prompts.size}`;
        const when_busy = (['enqueue', 'enqueue', 'interrupt', 'reject'] as const)[b % 4] ?? 'enqueue';
        const prompt = { thread_id: this.#threadId, sender_id: 'ada', content: id, client_message_id: id };
        const result = submitPrompt(viewer.chat, { ...prompt, date: DATE, when_busy });
        if (result.ok) this.#prompts.add(result.message.message_id);
        return result.ok;
      }
      case 'stop':
        return this.#onMessage(viewer, b, (message_id) => stopTurn(viewer.chat, { message_id, by }).ok);
      case 'retry':
        return this.#onMessage(viewer, b, (message_id) => retryTurn(viewer.chat, { message_id, by }).ok);
      case 'continue':
        return this.#onMessage(viewer, b, (message_id) => continueTurn(viewer.chat, { message_id, by }).ok);
      case 'send_now':
        return this.#onMessage(viewer, b, (message_id) => sendNow(viewer.chat, { message_id, by }).ok);
      case 'redact':
        return this.#onMessage(viewer, b, (message_id) => {
          if (viewer.chat.message(message_id)?.redacted) return false;
          viewer.chat.redact({ message_id, by });
          return true;
        });
      case 'deliver':
        if (b % 3 === 0) {
          this.#exchangeAll();
          return true;
        }
        return this.#exchange(this.#pick(a), this.#pick(b));
      case 'duplicate': {
        const node = this.#pick(a);
        const update = this.#captured[b % Math.max(1, this.#captured.length)];
        if (update === undefined || !node.isUp) return false;
        Y.applyUpdate(node.doc, update, NETWORK);
        return true;
      }
      case 'partition': {
        for (const [at, node] of this.#nodes().entries()) node.side = (b >> at) & 1;
        this.#isPartitioned = true;
        // A provider that is honest says that it is cut off; one that is not makes us interrupt the living.
        if (a % 3 > 0) for (const runner of this.#runners) runner.syncedSince = undefined;
        return true;
      }
      case 'heal':
        return this.#heal();
      case 'crash': {
        const runner = present(this.#runners[a % this.#runners.length]);
        if (!runner.isUp) return false;
        // What it had may be on disk, or only what was there a while ago.
        if (b % 3 > 0) runner.saved = Y.encodeStateAsUpdate(runner.doc);
        this.#crash(runner);
        return true;
      }
      case 'restart': {
        const runner = this.#runners.find((each) => !each.isUp);
        if (runner === undefined) return false;
        this.#boot(runner);
        return true;
      }
    }
  }

  #onMessage({ chat }: Node, at: number, act: (messageId: string) => boolean): boolean {
    const turns = chat
      .messages(this.#threadId)
      .filter(({ expects, attempt }) => expects === 'answer' || attempt !== undefined);
    const message = turns[at % Math.max(1, turns.length)];
    return message !== undefined && act(message.message_id);
  }

  #nodes(): Node[] {
    return [...this.#viewers, ...this.#runners];
  }

  #pick(at: number): Node {
    const nodes = this.#nodes();
    return present(nodes[at % nodes.length]);
  }

  #createNode(name: string, doc: Y.Doc): Node {
    const clock = { time: START };
    const node = { name, clock, isUp: true, side: 0, settled: new Map<string, string>() } as Node;
    this.#attach(node, doc);
    return node;
  }

  #attach(node: Node, doc: Y.Doc): void {
    this.#lives += 1;
    doc.clientID = this.#lives;
    const environment: Environment = {
      now: () => node.clock.time + this.#timers.now(),
      random: (bytes) => this.#random.bytes(bytes),
    };
    node.doc = doc;
    node.settled = new Map();
    node.chat = openChat(doc, { environment });
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== NETWORK && this.#captured.length < 400) this.#captured.push(update);
    });
  }

  #boot(runner: Runner): void {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, runner.saved, NETWORK);
    this.#attach(runner, doc);
    runner.isUp = true;
    runner.shown = new Set();
    runner.syncedSince = this.#timers.now();
    let isDead = false;
    const timers: Timers = {
      now: () => this.#timers.now(),
      set: (callback, ms) => this.#timers.set(() => isDead || callback(), ms),
      clear: (handle) => this.#timers.clear(handle),
    };
    const { shown, chat } = runner;
    const liveness: Liveness = {
      attempts: () =>
        new Set(
          this.#runners
            .filter(({ side, isUp }) => isUp && side === runner.side)
            .flatMap((each) => [...each.shown]),
        ),
      show: (attempt) => void shown.add(attempt),
      hide: (attempt) => void shown.delete(attempt),
      syncedSince: () => runner.syncedSince,
      subscribe: () => () => undefined,
    };
    const engine = new TurnEngine({ runner_id: runner.name, timers });
    const life = this.#lives;
    engine.subscribe((event) => {
      if (isDead) return;
      if (event.type === 'claimed') this.#noteClaim(chat, event.prompt_id, life);
      if (event.type === 'fault') throw event.error;
      if (event.type === 'drained' && event.late_events > 0) this.#count('late events');
      if (event.type !== 'settled') return;
      this.#count(event.outcome);
      if (!event.acknowledged && event.outcome === 'stopped') this.#count('left behind');
      const own = findAttempt(chat, event.message_id, event.attempt);
      if (own?.state === 'settled') this.#finished.set(event.attempt, describe(own));
    });
    engine.serve(chat, { agentFor: () => ({ agent: this.#agent, sender_id: 'agent' }), liveness });
    runner.engine = engine;
    runner.kill = () => {
      isDead = true;
      runner.shown = new Set();
      chat.close();
    };
  }

  #crash(runner: Runner): void {
    runner.kill();
    runner.isUp = false;
  }

  #count(name: string): void {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
  }

  /** Once for each time that it was asked for, as far as this replica knows. */
  #noteClaim(chat: Chat, promptId: string, life: number): void {
    const message = present(chat.messages(this.#threadId).find(({ prompt_id }) => prompt_id === promptId));
    const own = [message.attempt, ...message.alternates].filter((attempt) => attempt !== undefined);
    const epoch = Math.max(...own.map((attempt) => attempt.epoch));
    expect(
      own.filter((attempt) => attempt.epoch === epoch),
      '[RS4]',
    ).toHaveLength(1);
    const key = `${life} ${promptId} ${epoch}`;
    expect(this.#claims.has(key), '[RS4]').toBe(false);
    this.#claims.add(key);
  }

  /** Says who it is in every token, so that two attempts can't be taken for one. */
  readonly #agent: Agent = ({ attempt, continues }, signal) => {
    const random = new Random(this.#random.next());
    const manner = MANNERS[random.below(MANNERS.length)];
    const note = (text: string): TurnEvent => {
      this.#outputs.set(attempt, (this.#outputs.get(attempt) ?? '') + text);
      return { type: 'text', text };
    };
    this.#outputs.set(attempt, continues?.content ?? '');
    const wait = (ms: number): Promise<void> => new Promise((resolve) => this.#timers.set(resolve, ms));
    const count = 2 + random.below(8);
    return (async function* (): AsyncGenerator<TurnEvent, void, undefined> {
      for (let at = 0; at < count; at += 1) {
        if (signal.aborted && manner !== 'deaf') break;
        yield note(`${attempt.slice(-5)}.${at} `);
        if (manner === 'tools')
          yield { type: 'tool_call', part_id: `t${at >> 1}`, state: at % 2 ? 'completed' : 'pending' };
        await wait(random.below(60));
        if (manner === 'fails' && at === 3) throw new Error('agent');
        if (manner === 'hangs' && at === 2)
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      }
      while (manner === 'deaf' && !signal.aborted) await wait(500);
      for (let at = 0; manner === 'deaf' && at < 20; at += 1) {
        await wait(900);
        yield note('deaf ');
      }
      if (manner !== 'late' || !signal.aborted) return;
      yield note('flush ');
      yield { type: 'finish', finish_reason: 'cancelled' };
      for (let at = 0; at < 3; at += 1) yield { type: 'text', text: 'TOO LATE' };
    })();
  };

  #exchange(from: Node, to: Node): boolean {
    if (from === to || !from.isUp || !to.isUp || from.side !== to.side) return false;
    Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)), NETWORK);
    return true;
  }

  #exchangeAll(): void {
    // Through the viewers, as through a hub: two rounds bring all to all.
    for (let round = 0; round < 2; round += 1) {
      for (const viewer of this.#viewers) {
        for (const node of this.#nodes()) {
          this.#exchange(node, viewer);
          this.#exchange(viewer, node);
        }
      }
    }
  }

  #heal(): boolean {
    if (!this.#isPartitioned) return false;
    this.#isPartitioned = false;
    for (const node of this.#nodes()) node.side = 0;
    for (const runner of this.#runners) runner.syncedSince ??= this.#timers.now();
    this.#exchangeAll();
    return true;
  }

  async #advance(ms: number): Promise<void> {
    await this.#timers.advance(ms);
  }

  /** What must hold at every step, on every replica. */
  #check(): void {
    for (const node of this.#nodes()) {
      if (!node.isUp) continue;
      expect(
        this.#configs.has(JSON.stringify(node.chat.config(this.#threadId))) || this.#edits > 0,
        '[RS5]',
      ).toBe(true);
      for (const message of node.chat.messages(this.#threadId)) this.#checkMessage(node, message);
    }
  }

  #checkMessage(node: Node, message: Message): void {
    const { attempt: shown } = message;
    if (shown === undefined) return;
    const output = this.#outputs.get(shown.attempt) ?? '';
    if (!output.startsWith(message.content)) {
      expect(message.content, `[RS3] ${node.name} shows what no attempt gave`).toBe(output);
    }
    for (const attempt of [shown, ...message.alternates]) {
      // One that is interrupted and stopped reads as settled, too, until its runner is heard after all.
      const known = node.settled.get(attempt.attempt);
      const read = attempt.state === 'settled' ? describe(attempt) : undefined;
      const isFinal = read !== undefined && read === this.#finished.get(attempt.attempt);
      const now = isFinal || known !== undefined ? read : undefined;
      if (known !== undefined && now !== known && !message.redacted) {
        expect(now, `[RS2] ${node.name} changed a settled attempt`).toBe(known);
      }
      if (message.redacted && known !== undefined) expect(attempt.state, '[RS2]').toBe('settled');
      if (now !== undefined) node.settled.set(attempt.attempt, now);
    }
  }

  /** All are up and connected; persons stop what still waits for them. Then everything must be settled. */
  async #quiet(): Promise<void> {
    for (const runner of this.#runners) if (!runner.isUp) this.#boot(runner);
    this.#isPartitioned = true;
    this.#heal();
    const [viewer] = this.#viewers as [Node];
    for (let round = 0; round < 12; round += 1) {
      for (let part = 0; part < 4; part += 1) {
        await this.#advance(LEASE_MS / 3);
        this.#exchangeAll();
        await settle();
        this.#exchangeAll();
      }
      this.#check();
      if (this.#isSettled(viewer.chat)) break;
      if (round < 2) continue;
      for (const message of viewer.chat.messages(this.#threadId)) {
        const { state } = message.attempt ?? {};
        if (state === 'open' || state === 'interrupted')
          stopTurn(viewer.chat, { message_id: message.message_id, by: 'ada' });
      }
      this.#exchangeAll();
    }
    await this.#advance(LEASE_MS * 2);
    this.#exchangeAll();
    this.#check();
    this.#checkEnd();
  }

  #isSettled(chat: Chat): boolean {
    const messages = chat.messages(this.#threadId);
    if (chat.queue(this.#threadId).length > 0) return false;
    return messages.every(({ attempt }) => attempt === undefined || attempt.state === 'settled');
  }

  #checkEnd(): void {
    const [viewer] = this.#viewers as [Node];
    const digests = new Set(this.#nodes().map(({ chat }) => chat.digest()));
    expect(digests.size, '[RS1] all replicas converge').toBe(1);
    expect(this.#isSettled(viewer.chat), `[RS1] every turn is settled: ${this.#describe(viewer.chat)}`).toBe(
      true,
    );
    const messages = viewer.chat.messages(this.#threadId);
    const present = new Set(messages.map(({ message_id }) => message_id));
    for (const prompt of this.#prompts) expect(present.has(prompt), '[RS4] no prompt is lost').toBe(true);
    for (const { message_id, expects } of messages) {
      if (expects !== 'answer') continue;
      const answer = messages.find(({ prompt_id }) => prompt_id === message_id);
      const isCancelled = viewer.chat.toJSONL().includes('"type":"stop"');
      expect(answer !== undefined || isCancelled, '[RS4] a prompt ran or was cancelled').toBe(true);
    }
    const open = messages
      .flatMap(({ attempt, alternates }) => [attempt, ...alternates])
      .filter((each) => each?.state === 'open');
    expect(open, '[RS1] no attempt is left open').toEqual([]);
    const configs = viewer.chat.toJSONL().match(/"type":"thread_config"/g) ?? [];
    expect(configs, '[RS5] only persons write settings').toHaveLength(1 + this.#edits);
    expect(viewer.chat.toJSONL(), '[TE7]').not.toContain('TOO LATE');
    // Two replicas that submit one prompt apart may have seen different messages before it: a duplicate.
    const { quarantined, ignored, damaged } = viewer.chat.report();
    expect([quarantined, ignored.length, damaged]).toEqual([0, 0, 0]);
    for (const node of this.#nodes()) node.chat.close();
  }

  #describe(chat: Chat): string {
    return JSON.stringify({
      queue: chat.queue(this.#threadId),
      attempts: chat
        .messages(this.#threadId)
        .map(({ attempt, alternates }) =>
          [attempt, ...alternates].map(
            (each) => `${each?.attempt.slice(-4)} ${each?.state} ${each?.finish_reason} ${each?.epoch}`,
          ),
        ),
    });
  }
}

function describe({ finish_reason, content }: Attempt): string {
  return `${finish_reason} ${content}`;
}

function findAttempt(chat: Chat, messageId: string, attempt: string): Attempt | undefined {
  const message = chat.message(messageId);
  return [message?.attempt, ...(message?.alternates ?? [])].find((each) => each?.attempt === attempt);
}
