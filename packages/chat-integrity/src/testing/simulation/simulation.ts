import { Pick } from '../schedule/pick.js';
import { RESUME, type Schedule, type Step } from '../schedule/schedule.js';
import type { Application } from '../subject/application.js';
import { sharedProvider } from '../subject/framed-provider.js';
import type { Connection, Port, Provider } from '../subject/provider.js';
import type { Seat } from '../subject/seat.js';
import type { Subject } from '../subject/subject.js';
import { canonicalJson, findDifference } from './canonical.js';
import { areInStep, assertSameStores, findPending } from './convergence.js';
import { restartReplica, settleFallen } from './crash.js';
import { applyFault } from './faults.js';
import { Fingerprint } from './fingerprint.js';
import { Journal } from './journal.js';
import { assertLaw, guard, type Law, LawBroken } from './law.js';
import { Network } from './network.js';
import { reloadDocument } from './reload.js';
import { Replica } from './replica.js';
import { assertJson, readComplaint, readFacts, readResult } from './returned.js';
import type { Tally } from './tally.js';
import type { World } from './world.js';

/** Options of one run. */
export interface SimulationOptions {
  readonly tally: Tally;
  /** Laws that are not checked: what a provider or an application does not promise. */
  readonly without?: readonly Law[];
  /** One of so many runs ends with an audit. Defaults to every run. */
  readonly auditEvery?: number;
}

/** A run that broke no law. */
export interface RunResult {
  /** Equal for two runs in which every message and every read at the end was the same. */
  readonly fingerprint: string;
  /** Full sync rounds until all were equal: 1 or 2. */
  readonly rounds: number;
  readonly steps: number;
}

const START = Date.UTC(2026, 10, 21, 12);
/** Virtual time that a step takes, unless it is a command. */
const STEP_MS = 20;
const MAX_ROUNDS = 2;
/** Messages of one round beyond which nobody ever comes to rest: so many for each connection. */
const MAX_MESSAGES = 400;

/** One run: replicas of the subject, the network between them, and all that happens to both. */
export class Simulation<S> implements World<S> {
  readonly subject: Subject<S>;
  readonly schedule: Schedule;
  readonly tally: Tally;
  readonly network: Network;
  readonly replicas: readonly Replica<S>[];
  readonly journal: Journal;
  now: number = START;
  visitors = 0;
  readonly #provider: Provider;
  readonly #fingerprint = new Fingerprint();
  readonly #without: ReadonlySet<Law>;
  readonly #auditEvery: number;

  constructor(
    subject: Subject<S>,
    schedule: Schedule,
    { tally, without = [], auditEvery = 1 }: SimulationOptions,
  ) {
    const { replicas, seed, skews } = schedule;
    this.subject = subject;
    this.schedule = schedule;
    this.tally = tally;
    this.#provider = subject.provider ?? sharedProvider;
    this.#without = new Set(without);
    this.#auditEvery = auditEvery;
    this.network = new Network(replicas, subject.topology === 'star', this.#fingerprint);
    this.journal = new Journal(replicas, tally);
    const around = {
      seed,
      now: () => this.now,
      mark: this.mark,
      connect: (at: number, seat: Seat) => this.#connect(at, seat),
      disconnect: (at: number) => this.#disconnect(at),
      flushed: (at: number, facts: readonly string[], sync: number) => this.journal.flush(at, facts, sync),
      unsafe: (at: number) => this.journal.unsafe(at),
    };
    this.replicas = Array.from(
      { length: replicas },
      (_, index) => new Replica(subject, index, skews[index] ?? 0, around),
    );
  }

  get application(): Application<S> {
    return this.subject.application;
  }

  get provider(): Provider {
    return this.#provider;
  }

  readonly mark: (name: string) => void = (name) => this.tally.add(name);

  /**
   * Runs all of it. Yields after each step, so that a driver can wait there for what is asynchronous. Throws
   * `LawBroken` for the first law that does not hold.
   */
  *run(): Generator<void, RunResult, void> {
    try {
      for (const replica of this.replicas) replica.start();
      yield;
      for (const step of this.schedule.steps) {
        // Calls on several replicas fall in one moment: who takes it for a name must find out.
        if (step.do !== 'command') this.now += STEP_MS;
        const touched = this.#runStep(step);
        yield;
        if (this.subject.settle !== undefined)
          for (const replica of this.replicas) settleFallen(this, replica);
        this.#moveOn();
        if (touched !== undefined) this.#checkStep(touched);
      }
      const rounds = yield* this.#heal();
      this.#checkEnd();
      return { fingerprint: this.#fingerprint.read(), rounds, steps: this.schedule.steps.length };
    } finally {
      for (const replica of this.replicas) if (replica.isUp) replica.end();
    }
  }

  /** Returns the replica that may have changed. */
  #runStep(step: Step): Replica<S> | undefined {
    const pick = new Pick(step.picks);
    const replica = this.replicas[step.at % this.replicas.length] as Replica<S>;
    switch (step.do) {
      case 'command':
        return this.#runCommand(replica, step.name ?? '', pick) ? replica : undefined;
      case 'deliver':
        return this.#deliver(step.at);
      case 'flush':
        if (replica.flush()) this.tally.add('flushes');
        return undefined;
      case RESUME:
        this.#resume(pick);
        return undefined;
      case 'audit':
        this.#audit(replica);
        return undefined;
      case 'fault': {
        if (!applyFault(this, step.name ?? '', replica, step.at, pick)) return undefined;
        this.tally.add(`fault ${step.name}`);
        return replica;
      }
    }
  }

  #runCommand(replica: Replica<S>, name: string, pick: Pick): boolean {
    const { state } = replica;
    const command = this.application.commands[name];
    if (state === undefined || command === undefined) return false;
    const outcome = guard(name, () => readResult(`command ${name}`, command(state, pick)));
    // A run that acknowledges something else is another run, whatever it reads.
    this.#fingerprint.addText(JSON.stringify(outcome ?? false));
    if (outcome === undefined) return false;
    this.tally.add(`command ${name}`);
    this.journal.record(replica.index, outcome, name);
    return true;
  }

  /** The first message of the connection with that number or, if it has none, the next one that has. */
  #deliver(number: number): Replica<S> | undefined {
    const { links } = this.network;
    for (let tried = 0; tried < links.length; tried += 1) {
      const link = links[(number + tried) % links.length];
      if (link === undefined || link.queue.length === 0) continue;
      if (!guard('receiving', () => this.network.deliver(link, this.now))) continue;
      this.tally.add('messages delivered');
      return this.replicas[link.to];
    }
    return undefined;
  }

  /** Some partitions end, and some processes start again. */
  #resume(pick: Pick): void {
    const all = pick.below(2) === 0;
    for (const replica of this.replicas)
      if (!replica.isUp && (all || pick.below(2) === 0)) restartReplica(this, replica);
    for (const { from, to } of this.network.links) {
      if (from < to && (all || pick.below(2) === 0) && this.network.open(from, to))
        this.mark('a partition ended');
    }
    for (const link of this.network.links) if (all) link.isBlocked = false;
  }

  #connect(at: number, seat: Seat): Connection[] {
    const peers = this.network.peersOf(at);
    const connections = peers.map((peer) => this.#plugIn(at, peer, seat));
    for (const peer of peers) {
      if (this.replicas[peer]?.isUp === true) guard('connecting', () => this.network.open(at, peer));
    }
    return connections;
  }

  #plugIn(at: number, peer: number, seat: Seat): Connection {
    const none = (): void => undefined;
    const listeners = {
      onOpen: none as () => void,
      onMessage: none as (bytes: Uint8Array) => void,
      onClose: none,
    };
    const port: Port = {
      peer: `replica ${peer}`,
      send: (bytes) => this.network.send(at, peer, bytes),
      onOpen: (listener) => {
        listeners.onOpen = listener;
      },
      onMessage: (listener) => {
        listeners.onMessage = listener;
      },
      onClose: (listener) => {
        listeners.onClose = listener;
      },
    };
    const connection = guard('the provider', () => this.#provider(seat, port));
    this.network.listen(at, peer, {
      onOpen: () => listeners.onOpen(),
      onMessage: (bytes) => listeners.onMessage(bytes),
      onClose: () => listeners.onClose(),
    });
    return connection;
  }

  #disconnect(at: number): void {
    for (const peer of this.network.peersOf(at)) this.network.close(at, peer);
    this.network.forget(at);
  }

  /** Those that met a later generation of the document go on in it. */
  #moveOn(): void {
    for (const replica of this.replicas) {
      if (replica.wanted > replica.generation && replica.move()) this.mark('moved to a later generation');
    }
  }

  #checkStep(replica: Replica<S>): void {
    const { state, doc } = replica;
    if (state === undefined) return;
    const { application, subject } = this;
    if (subject.gapless === true) this.#assert('nothing is pending', findPending(doc));
    if (application.invariants !== undefined) {
      this.#assert(
        'invariants hold',
        guard('invariants', () => readComplaint('invariants', application.invariants?.(state))),
      );
    }
  }

  #audit({ state }: Replica<S>): void {
    if (state === undefined || this.application.audit === undefined) return;
    this.tally.add('audits');
    this.#assert(
      'audits hold',
      guard('audit', () => readComplaint('audit', this.application.audit?.(state))),
    );
  }

  #assert(law: Law, difference: string | undefined): void {
    if (!this.#without.has(law)) assertLaw(law, difference);
  }

  /** No more faults: everybody runs, everything is connected, and within two full sync rounds all must be equal. */
  *#heal(): Generator<void, number, void> {
    for (const replica of this.replicas) if (!replica.isUp) restartReplica(this, replica);
    yield;
    for (const replica of this.replicas) settleFallen(this, replica);
    const down = this.replicas.find((replica) => !replica.isUp);
    if (down !== undefined) throw new LawBroken('comes to rest', `replica ${down.index} did not start again`);
    const [first, ...others] = this.replicas as [Replica<S>, ...Replica<S>[]];
    for (let round = 1; ; round += 1) {
      yield* this.#syncOnce();
      const behind = others.find(
        ({ doc, generation }) => generation !== first.generation || !areInStep(doc, first.doc),
      );
      if (behind === undefined) {
        this.mark(`converged in round ${round}`);
        return round;
      }
      if (round === MAX_ROUNDS) {
        if (this.#without.has('converges within two rounds')) return round;
        const pending = findPending(behind.doc) ?? findPending(first.doc);
        const why = pending ?? this.#findDifference(behind, first) ?? 'their documents differ';
        throw new LawBroken(
          'converges within two rounds',
          `replicas ${first.index} and ${behind.index}: ${why}`,
        );
      }
    }
  }

  /** Everybody connects again with everybody, and messages are delivered, until nobody sends any more. */
  *#syncOnce(): Generator<void, void, void> {
    const { links } = this.network;
    const pairs = links.filter(({ from, to }) => from < to);
    for (const { from, to } of pairs) this.network.close(from, to);
    for (const link of links) link.isBlocked = false;
    for (const { from, to } of pairs) guard('connecting', () => this.network.open(from, to));
    yield;
    let left = MAX_MESSAGES * links.length;
    for (let busy = this.network.busy(); busy.length > 0; busy = this.network.busy()) {
      for (const link of busy) {
        while (left > 0 && guard('receiving', () => this.network.deliver(link, Number.POSITIVE_INFINITY)))
          left -= 1;
      }
      yield;
      this.#moveOn();
      if (left === 0) {
        throw new LawBroken('comes to rest', `still talking after ${MAX_MESSAGES} messages a connection`);
      }
    }
  }

  #read(replica: Replica<S>): string {
    const value = guard('read', () => this.application.read(replica.state as S));
    guard('read', () => assertJson('read', value));
    return canonicalJson(value);
  }

  #findDifference(actual: Replica<S>, expected: Replica<S>): string | undefined {
    const difference = findDifference(this.#read(actual), this.#read(expected));
    if (difference === undefined) return undefined;
    const [a, b] = [actual, expected].map(({ state }) =>
      canonicalJson(this.application.detail?.(state as S)),
    );
    return findDifference(a ?? '', b ?? '') ?? difference;
  }

  /** The four oracles. */
  #checkEnd(): void {
    const [first, ...others] = this.replicas as [Replica<S>, ...Replica<S>[]];
    const text = this.#read(first);
    this.#fingerprint.addText(text);
    for (const other of others) {
      const names = `replicas ${first.index} and ${other.index}`;
      const difference = this.#findDifference(other, first);
      if (difference !== undefined) this.#assert('reads the same', `${names}: ${difference}`);
      if (!this.#without.has('stores the same')) assertSameStores(first.doc, other.doc, names);
    }
    const chosen = this.replicas[this.schedule.seed % this.replicas.length] as Replica<S>;
    this.#assert('reloads the same', reloadDocument(this.application, chosen, text));
    if (this.schedule.seed % this.#auditEvery === 0) this.#audit(chosen);
    const { facts } = this.application;
    if (facts !== undefined && !this.#without.has('keeps what it acknowledged')) {
      this.journal.check(guard('facts', () => readFacts(facts(first.state as S))));
    }
  }
}
