import * as Y from 'yjs';
import { Pick } from './schedule/pick.js';
import { canonicalJson, findDifference } from './simulation/canonical.js';
import { guard, LawBroken } from './simulation/law.js';
import { createLooseSeat } from './simulation/reload.js';
import { assertJson, readResult } from './simulation/returned.js';
import type { Application } from './subject/application.js';
import type { Seat } from './subject/seat.js';

/** Small cases, all of them: what random runs meet only by luck. */
export interface ExhaustiveOptions {
  /** Commands that are tried against each other, each on each replica. */
  readonly commands: readonly string[];
  /** Brings a document to where every command finds something to do. */
  readonly prepare: readonly (readonly [command: string, picks: readonly number[]])[];
  /** The numbers that each command gets. */
  readonly picks?: readonly number[];
}

/** The cases that were tried. */
export interface ExhaustiveResult {
  /** Orders in which a replica took everything. */
  readonly cases: number;
  /** Commands that found nothing to do: nothing was proved about them. */
  readonly idle: readonly string[];
}

/** The updates of one command on one replica, each by itself. */
interface Written {
  readonly command: string;
  readonly updates: readonly Uint8Array[];
}

const BASE_CLIENT = 0xe000_0000;

class Bench<S> {
  readonly application: Application<S>;
  readonly #options: ExhaustiveOptions;
  #base: Uint8Array = Y.encodeStateAsUpdate(new Y.Doc());
  #opened = 0;

  constructor(application: Application<S>, options: ExhaustiveOptions) {
    this.application = application;
    this.#options = options;
    const { seat, state } = this.open('base', []);
    for (const [command, picks] of options.prepare) this.#run(state, command, picks);
    this.#base = Y.encodeStateAsUpdate(seat.doc);
    this.close(seat, state);
  }

  open(name: string, updates: readonly Uint8Array[]): { readonly seat: Seat; readonly state: S } {
    this.#opened += 1;
    const seat = createLooseSeat(name, BASE_CLIENT + this.#opened);
    Y.applyUpdate(seat.doc, this.#base);
    for (const update of updates) Y.applyUpdate(seat.doc, update);
    return { seat, state: guard('open', () => this.application.open(seat)) };
  }

  close(seat: Seat, state: S): void {
    this.application.close?.(state);
    seat.doc.destroy();
  }

  #run(state: S, command: string, picks: readonly number[]): boolean {
    const call = this.application.commands[command];
    if (call === undefined) throw new Error(`the application has no command ${command}`);
    return guard(command, () => readResult(`command ${command}`, call(state, new Pick(picks)))) !== undefined;
  }

  /** Runs a command on a fresh replica that has seen `before`; undefined where it wrote nothing. */
  write(command: string, replica: string, before: readonly Uint8Array[]): Written | undefined {
    const { seat, state } = this.open(replica, before);
    const updates: Uint8Array[] = [];
    seat.doc.on('update', (update: Uint8Array) => updates.push(update));
    this.#run(state, command, this.#options.picks ?? [1, 2, 3]);
    this.close(seat, state);
    return updates.length === 0 ? undefined : { command, updates };
  }

  /** Reads a replica that takes these updates one by one while it is open. */
  read(updates: readonly Uint8Array[]): string {
    const { seat, state } = this.open('reader', []);
    for (const update of updates) guard('receiving', () => Y.applyUpdate(seat.doc, update));
    const value = guard('read', () => this.application.read(state));
    guard('read', () => assertJson('read', value));
    const text = canonicalJson(value);
    this.close(seat, state);
    return text;
  }
}

function compare(actual: string, expected: string, names: string): void {
  const difference = findDifference(actual, expected);
  if (difference !== undefined) throw new LawBroken('reads the same', `${names}: ${difference}`);
}

/**
 * Every pair of commands on two replicas, separately and with either after the other, in every order in which their
 * updates can arrive that keeps the order of each writer. All replicas must read the same.
 */
export function exhaustPairs<S>(application: Application<S>, options: ExhaustiveOptions): ExhaustiveResult {
  const bench = new Bench(application, options);
  const idle = new Set<string>();
  let cases = 0;
  for (const a of options.commands) {
    const first = bench.write(a, 'a', []);
    if (first === undefined) {
      idle.add(a);
      continue;
    }
    for (const b of options.commands) {
      for (const seen of new Set([0, first.updates.length])) {
        const second = bench.write(b, 'b', first.updates.slice(0, seen));
        if (second === undefined) continue;
        const after = first.updates.slice(seen);
        let expected: string | undefined;
        for (const order of interleave(after, second.updates)) {
          const text = bench.read([...first.updates.slice(0, seen), ...order]);
          expected ??= text;
          compare(text, expected, `${a} ${seen === 0 ? 'beside' : 'before'} ${b}`);
          cases += 1;
        }
      }
    }
  }
  return { cases, idle: [...idle] };
}

/** Every three commands on three replicas that have not met, taken in each of the six orders. */
export function exhaustTriples<S>(application: Application<S>, options: ExhaustiveOptions): ExhaustiveResult {
  const bench = new Bench(application, options);
  const idle = new Set<string>();
  const written = ['a', 'b', 'c'].map((replica) =>
    options.commands.flatMap((command) => {
      const found = bench.write(command, replica, []);
      if (found === undefined) idle.add(command);
      return found === undefined ? [] : [found];
    }),
  );
  let cases = 0;
  for (const a of written[0] ?? []) {
    for (const b of written[1] ?? []) {
      for (const c of written[2] ?? []) {
        let expected: string | undefined;
        for (const order of ORDERS) {
          const text = bench.read(order.flatMap((which) => [a, b, c][which]?.updates ?? []));
          expected ??= text;
          compare(text, expected, `${a.command}, ${b.command} and ${c.command}`);
          cases += 1;
        }
      }
    }
  }
  return { cases, idle: [...idle] };
}

const ORDERS: readonly (readonly number[])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** Every way to put two lists together that keeps the order of both. */
function* interleave<T>(a: readonly T[], b: readonly T[]): IterableIterator<T[]> {
  if (a.length === 0 || b.length === 0) {
    yield [...a, ...b];
    return;
  }
  for (const rest of interleave(a.slice(1), b)) yield [a[0] as T, ...rest];
  for (const rest of interleave(a, b.slice(1))) yield [b[0] as T, ...rest];
}
