import { type Chat, type Message, openChat, type Timers } from '@chatdoc/schema';
import * as Y from 'yjs';
import {
  type Agent,
  continueTurn,
  LEASE_MS,
  type Liveness,
  retryTurn,
  type Service,
  sendNow,
  stopTurn,
  submitPrompt,
  TurnEngine,
  type TurnEvent,
} from '../src/index.js';
import { Laws, type Witness } from './laws.js';
import { Random } from './random.js';
import type { Kind, Schedule, Step } from './schedule.js';
import { createReplica, DATE, FakeTimers, NETWORK, present, START, settlePromises } from './world.js';

/** Runners, viewers and a network with faults, on simulated time: what a random schedule is run on. */

const DAY = 86_400_000;
const ADVANCES = [5, 20, 60, 200];

interface Node extends Witness {
  doc: Y.Doc;
  chat: Chat;
  /** What it believes the time is, of the true one. */
  skew: number;
  isUp: boolean;
  /** Which side of a partition it is on. */
  side: number;
  /** Another number in each life. */
  life: number;
  /** Another number whenever its document has changed. */
  version: number;
  checked: number;
}

interface Runner extends Node {
  kill(): void;
  /** What a crash may bring it back to. */
  saved: Uint8Array;
  shown: ReadonlySet<string>;
  service: Service;
}

/** What an agent does in one turn. */
const MANNERS = ['plain', 'plain', 'plain', 'tools', 'fails', 'hangs', 'deaf', 'late'] as const;

/** The document that all begin with. */
const BASE = createBase();

function createBase(): { readonly update: Uint8Array; readonly threadId: string } {
  const { doc, chat } = createReplica('base');
  const config = { created_by: 'ada', created_at: DATE, acp_config: { m: 0 } };
  const { thread_id } = chat.createThread(config);
  return { update: Y.encodeStateAsUpdate(doc), threadId: thread_id };
}

export class Simulation {
  /** What happened, counted. */
  readonly fired = new Map<string, number>();
  readonly #random: Random;
  readonly #timers = new FakeTimers(settlePromises);
  readonly #laws: Laws;
  readonly #isPolite: boolean;
  readonly #nodes: Node[] = [];
  readonly #runners: Runner[] = [];
  readonly #viewers: Node[] = [];
  /** By pair and direction, what the second has of the first: nothing else is sent. */
  readonly #sent = new Map<string, number>();
  readonly #captured: Uint8Array[] = [];
  #ticks = 0;
  #edits = 0;
  #lives = 0;
  #isPartitioned = false;

  /** `skewed`: the clocks of all are days apart from the beginning. */
  constructor({ seed, runners, isPolite }: Schedule, skewed: boolean) {
    this.#random = new Random(seed);
    this.#isPolite = isPolite;
    this.#laws = new Laws(BASE.threadId, (name) => this.#count(name));
    for (const name of ['v0', 'v1', 'r0', 'r1', 'r2'].slice(0, 2 + runners)) {
      const node = { name, skew: 0, isUp: true, side: 0, life: 0, version: 0, checked: 0 } as Node;
      if (skewed) node.skew = (this.#random.below(49) - 24) * (DAY / 24);
      this.#nodes.push(node);
      if (name.startsWith('v')) {
        this.#attach(node, BASE.update);
        this.#viewers.push(node);
      } else {
        const runner = Object.assign(node as Runner, { saved: BASE.update });
        this.#runners.push(runner);
        this.#boot(runner);
      }
    }
    this.#laws.noteConfig(present(this.#viewers[0]).chat);
  }

  async run(steps: readonly Step[]): Promise<void> {
    // Without a turn there is nothing to disturb.
    await this.#perform('submit', 0, 0);
    if (this.#random.below(4) > 0) this.#exchangeAll();
    for (const { kind, a, b } of steps) {
      if (await this.#perform(kind, a, b)) this.#count(kind);
      await settlePromises();
      this.#check();
    }
    await this.#quiet();
  }

  #count(name: string): void {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
  }

  /** False where there was nothing to do it to. */
  async #perform(kind: Kind, a: number, b: number): Promise<boolean> {
    const viewer = present(this.#viewers[a % 2]);
    const { chat, name: by } = viewer;
    switch (kind) {
      case 'advance':
        await this.#timers.advance(ADVANCES[b % ADVANCES.length] as number);
        return true;
      case 'lease':
        await this.#timers.advance(LEASE_MS * 1.2);
        return true;
      case 'agent':
        await this.#timers.advance(2_000);
        return true;
      case 'clock':
        this.#pick(a).skew += b % 2 === 0 ? DAY : -DAY;
        return true;
      case 'config':
        this.#edits += 1;
        chat.configure({ thread_id: BASE.threadId, updated_by: by, acp_config: { m: this.#edits } });
        this.#laws.noteConfig(chat);
        return true;
      case 'submit':
        return this.#submit(chat, this.#laws.prompts.size, b);
      case 'resend':
        // The few client ids make two replicas submit one prompt apart.
        return this.#submit(chat, (b >> 2) % 2, b);
      case 'stop':
        return this.#onTurn(chat, b, (message_id) => {
          const before = this.#ticks;
          if (!stopTurn(chat, { message_id, by }).ok) return false;
          if (this.#ticks > before + 1) throw new Error('[RS7] a stop took two transactions');
          return true;
        });
      case 'retry':
        return this.#onTurn(chat, b, (message_id) => retryTurn(chat, { message_id, by }).ok);
      case 'continue':
        return this.#onTurn(chat, b, (message_id) => continueTurn(chat, { message_id, by }).ok, isOver);
      case 'send_now':
        return this.#onTurn(chat, b, (message_id) => sendNow(chat, { message_id, by }).ok);
      case 'redact':
        return this.#onTurn(chat, b, (message_id) => {
          if (chat.message(message_id)?.redacted) return false;
          chat.redact({ message_id, by });
          return true;
        });
      case 'delete':
        return this.#onTurn(chat, b, (message_id) => {
          // A deleted answer shows nothing of what its attempt gave, which is what it should.
          if (chat.message(message_id)?.expects !== 'answer') return false;
          chat.delete({ message_id, author_id: by });
          return true;
        });
      case 'deliver':
        if (b % 2 > 0) return this.#send(this.#pick(a), this.#pick(b >> 1));
        this.#exchangeAll();
        return true;
      case 'duplicate': {
        const node = this.#pick(a);
        const update = this.#captured[b % Math.max(1, this.#captured.length)];
        if (update === undefined || !node.isUp) return false;
        Y.applyUpdate(node.doc, update, NETWORK);
        return true;
      }
      case 'partition':
        for (const [at, node] of this.#nodes.entries()) node.side = (b >> at) & 1;
        this.#isPartitioned = true;
        // A provider that is honest says that it is cut off; one that is not makes us interrupt the living.
        if (a % 3 > 0) for (const { service } of this.#runners) service.setSynced(false);
        return true;
      case 'heal':
        return this.#heal();
      case 'crash': {
        const runner = present(this.#runners[a % this.#runners.length]);
        if (!runner.isUp) return false;
        // What it had may be on disk, or only what was there a while ago.
        if (b % 3 > 0) runner.saved = Y.encodeStateAsUpdate(runner.doc);
        else this.#count('crash that lost the tail');
        if (runner.shown.size > 0) this.#count('crash within a turn');
        runner.kill();
        return true;
      }
      case 'restart': {
        const runner = this.#runners.find((each) => !each.isUp);
        if (runner !== undefined) this.#boot(runner);
        return runner !== undefined;
      }
    }
  }

  #submit(chat: Chat, client: number, b: number): boolean {
    const when_busy = (['enqueue', 'enqueue', 'interrupt', 'reject'] as const)[b % 4] ?? 'enqueue';
    const content = `c${client}`;
    const prompt = { thread_id: BASE.threadId, sender_id: 'ada', content, client_message_id: content };
    const result = submitPrompt(chat, { ...prompt, date: DATE, when_busy });
    if (!result.ok) return false;
    const isApart = result.outcome === 'sent' && this.#laws.prompts.has(result.message.message_id);
    if (isApart) this.#count('one prompt sent apart');
    this.#laws.prompts.add(result.message.message_id);
    return true;
  }

  /** One of the last prompts and answers. */
  #onTurn(
    chat: Chat,
    at: number,
    act: (messageId: string) => boolean,
    isMeant: (message: Message) => boolean = isOfTurn,
  ): boolean {
    const turns = chat.messages(BASE.threadId).filter(isMeant);
    const message = turns[turns.length - 1 - (at % Math.max(1, Math.min(turns.length, 5)))];
    return message !== undefined && act(message.message_id);
  }

  #pick(at: number): Node {
    return present(this.#nodes[at % this.#nodes.length]);
  }

  /** Gives the node a new document with these bytes: what it had in memory is gone. */
  #attach(node: Node, update: Uint8Array): void {
    this.#lives += 1;
    const doc = new Y.Doc({ guid: node.name });
    doc.clientID = this.#lives;
    Y.applyUpdate(doc, update, NETWORK);
    const environment = {
      now: () => START + node.skew + this.#timers.now(),
      random: (count: number) => this.#random.bytes(count),
    };
    const chat = openChat(doc, { environment });
    Object.assign(node, {
      life: this.#lives,
      doc,
      chat,
      config: undefined,
      seen: new Map(),
      settled: new Map(),
    });
    const noteChange = ({ changed }: Y.Transaction): void => {
      if (changed.size > 0) node.version = this.#ticks += 1;
    };
    doc.on('afterTransaction', noteChange);
    node.version = this.#ticks += 1;
  }

  #boot(runner: Runner): void {
    this.#attach(runner, runner.saved);
    const { chat, life } = runner;
    const shown = new Set<string>();
    let isDead = false;
    const timers: Timers = {
      now: () => this.#timers.now(),
      setTimer: (callback, ms) => this.#timers.setTimer(() => isDead || callback(), ms),
      clearTimer: (timer) => this.#timers.clearTimer(timer),
    };
    const liveness: Liveness = {
      liveAttempts: () => this.#runners.flatMap((each) => (isHeard(each, runner) ? [...each.shown] : [])),
      addAttempt: (attempt) => void shown.add(attempt),
      removeAttempt: (attempt) => void shown.delete(attempt),
      subscribe: () => () => undefined,
    };
    const engine = new TurnEngine({ runner_id: runner.name, timers });
    engine.subscribe((event) => {
      if (isDead) return;
      if (event.type === 'fault') throw event.error;
      if (event.type === 'claimed') this.#laws.noteClaim(chat, event.prompt_id, life);
      if (event.type === 'drained' && event.late_events > 0) this.#count('late events');
      if (event.type !== 'settled') return;
      this.#count(event.outcome);
      if (!event.acknowledged && event.outcome === 'stopped') this.#count('left behind');
      this.#laws.noteEnd(chat, event);
    });
    const binding = { agent: this.#createAgent(chat, timers), sender_id: 'agent' };
    const claim_delay_ms = this.#isPolite ? this.#runners.indexOf(runner) * 100 : 0;
    const service = engine.serve(chat, { agentFor: () => binding, liveness, claim_delay_ms });
    service.setSynced(true);
    Object.assign(runner, { isUp: true, shown, service });
    runner.kill = () => {
      isDead = true;
      runner.isUp = false;
      shown.clear();
      for (const each of this.#laws.running) if (each.chat === chat) this.#laws.running.delete(each);
      chat.close();
    };
  }

  /** Says who it is in every token, so that two attempts can't be taken for one. */
  #createAgent(chat: Chat, timers: Timers): Agent {
    return ({ attempt, message_id, continues }, signal) => {
      const random = new Random(this.#random.next());
      const manner = MANNERS[random.below(MANNERS.length)];
      const say = (text: string): TurnEvent => {
        this.#laws.noteOutput(attempt, text);
        return { type: 'text', text };
      };
      this.#laws.running.add({ chat, message_id, attempt, signal });
      this.#laws.noteOutput(attempt, continues?.content ?? '');
      if (continues !== undefined) this.#count('continued');
      const wait = (ms: number): Promise<void> => new Promise((resolve) => timers.setTimer(resolve, ms));
      const count = 1 + random.below(4);
      return (async function* (): AsyncGenerator<TurnEvent, void, undefined> {
        for (let at = 0; at < count; at += 1) {
          if (signal.aborted && manner !== 'deaf') break;
          yield say(`${attempt.slice(-5)}.${at} `);
          if (manner === 'tools')
            yield { type: 'tool_call', part_id: `t${at >> 1}`, state: at % 2 ? 'completed' : 'pending' };
          await wait(random.below(80));
          if (manner === 'fails' && at === 1) throw new Error('agent');
          if (manner === 'hangs' && at === 0)
            await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        }
        while (manner === 'deaf' && !signal.aborted) await wait(500);
        for (let at = 0; manner === 'deaf' && at < 4; at += 1) {
          await wait(1_900);
          yield say('deaf ');
        }
        if (manner !== 'late' || !signal.aborted) return;
        yield say('flush ');
        yield { type: 'finish', finish_reason: 'cancelled' };
        for (let at = 0; at < 3; at += 1) yield { type: 'text', text: 'TOO LATE' };
      })();
    };
  }

  /** False where nothing could go, or nothing was new. */
  #send(from: Node, to: Node): boolean {
    if (from === to || !from.isUp || !to.isUp || from.side !== to.side) return false;
    const way = `${from.life} ${to.life}`;
    if (this.#sent.get(way) === from.version) return false;
    this.#sent.set(way, from.version);
    const update = Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc));
    // Neither structs nor deletions.
    if (update.length <= 2) return false;
    if (this.#captured.length < 64) this.#captured.push(update);
    const back = `${to.life} ${from.life}`;
    const isKnown = this.#sent.get(back) === to.version;
    const before = this.#ticks;
    Y.applyUpdate(to.doc, update, NETWORK);
    // What it has now it has from there, unless it wrote in answer.
    if (isKnown && this.#ticks === before + 1) this.#sent.set(back, to.version);
    return true;
  }

  /** One round: all to a viewer on each side, and from it to all, as through a hub. */
  #exchangeAll(): void {
    const [first, second] = this.#viewers as [Node, Node];
    for (const hub of first.side === second.side ? [first] : [first, second]) {
      for (const node of this.#nodes) this.#send(node, hub);
      for (const node of this.#nodes) this.#send(hub, node);
    }
  }

  #heal(): boolean {
    if (!this.#isPartitioned) return false;
    this.#isPartitioned = false;
    for (const node of this.#nodes) node.side = 0;
    for (const { service } of this.#runners) service.setSynced(true);
    this.#exchangeAll();
    return true;
  }

  /** On every replica that has changed. */
  #check(): void {
    for (const node of this.#nodes) {
      if (!node.isUp || node.checked === node.version) continue;
      node.checked = node.version;
      this.#laws.check(node);
    }
    this.#laws.checkStops();
  }

  /** All are up and connected; persons stop what still waits for them. Then everything must be settled. */
  async #quiet(): Promise<void> {
    for (const runner of this.#runners) if (!runner.isUp) this.#boot(runner);
    this.#isPartitioned = true;
    this.#heal();
    const { chat } = present(this.#viewers[0]);
    for (let round = 0; round < 24 && !this.#laws.isSettled(chat); round += 1) {
      await this.#timers.advance(LEASE_MS * 0.7);
      await this.#exchangeUntilStill();
      // Whatever can end without a person has ended in two leases.
      if (round < 2) continue;
      for (const { attempt, message_id } of chat.messages(BASE.threadId)) {
        const isStill = attempt === undefined || attempt.state === 'settled';
        if (!isStill) stopTurn(chat, { message_id, by: 'ada' });
      }
      await this.#exchangeUntilStill();
    }
    await this.#timers.advance(LEASE_MS * 2);
    await this.#exchangeUntilStill();
    this.#laws.checkEnd(this.#nodes);
    if (this.#random.below(16) === 0) this.#laws.checkFresh(present(this.#viewers[0]));
    for (const node of this.#nodes) node.chat.close();
  }

  /** What engines write in answer included. */
  async #exchangeUntilStill(): Promise<void> {
    for (let before = -1; before !== this.#ticks; ) {
      before = this.#ticks;
      this.#exchangeAll();
      await settlePromises();
    }
    this.#check();
  }
}

function isOfTurn({ expects, attempt }: Message): boolean {
  return expects === 'answer' || attempt !== undefined;
}

function isOver({ attempt }: Message): boolean {
  return attempt !== undefined && attempt.state !== 'open';
}

function isHeard(runner: Runner, by: Runner): boolean {
  return runner.isUp && runner.side === by.side;
}
