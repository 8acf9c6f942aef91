import type * as Y from 'yjs';
import type { Pick } from '../schedule/pick.js';
import type { Seat } from './seat.js';

/** The result of a command, to be compared with the application at the end. */
export interface Outcome {
  /** Facts that were acknowledged: from now on they are visible, or their loss has a named cause. */
  readonly acknowledged?: readonly string[];
  /** Beginnings of facts that need no longer be visible, no matter who acknowledged them and when: redacted, deleted. */
  readonly withdrawn?: readonly string[];
}

/** False: there was nothing that the command could do. A list is what was acknowledged. */
// biome-ignore lint/suspicious/noConfusingVoidType: a command need not return anything
export type Result = readonly string[] | Outcome | false | void;

/** One deed of a user. It finds its objects with `pick`, and returns what it acknowledged. */
export type Command<S> = (state: S, pick: Pick) => Result;

/** Another program that writes into the document: an older or a newer client, or a peer that keeps no rule. */
export type Stranger = (doc: Y.Doc, pick: Pick, seat: Seat) => Result;

export const STRANGERS = ['older', 'newer', 'hostile'] as const;
/** An older client, a newer one, or a peer that keeps no rule. */
export type StrangerKind = (typeof STRANGERS)[number];

/** The program under test: what runs on each replica. It takes time and randomness from its seat alone. */
export interface Application<S> {
  readonly name?: string;
  /** On a document that holds what was stored. */
  open(seat: Seat): S;
  /** The deeds of its users, by name. Each finds its objects with `pick`. */
  readonly commands: Readonly<Record<string, Command<S>>>;
  /** How often each command is chosen. Defaults to 10. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Everything that users see, as JSON: equal on all replicas with equal documents. */
  read(state: S): unknown;
  /** More than `read` returns, to name what differs where `read` is only a digest. */
  detail?(state: S): unknown;
  /** The facts that are visible now, in the words of the commands. */
  facts?(state: S): Iterable<string>;
  /** Returns what is wrong, if anything. Called after every step, so it must be cheap. */
  invariants?(state: S): string | undefined;
  /** The same with time to look at everything. Called at some steps and at the end. */
  audit?(state: S): string | undefined;
  /** Cases that a good amount of runs must come across: see `Seat.mark`. */
  readonly marks?: readonly string[];
  readonly strangers?: Readonly<Partial<Record<StrangerKind, Stranger>>>;
  /** The content of `state` in a new document of this generation. Without it there is one generation. */
  move?(state: S, generation: number): Y.Doc;
  close?(state: S): void;
}

const CALLS = ['read', 'open'] as const;
const OPTIONAL_CALLS = ['detail', 'facts', 'invariants', 'audit', 'move', 'close'] as const;

/** Throws a `TypeError` for an application that nothing can be tried on. */
export function assertApplication<S>(application: Application<S>): void {
  const fail = (where: string, expected: string): never => {
    throw new TypeError(`At application.${where}: expected ${expected}`);
  };
  const { commands, weights = {} } = application;
  for (const call of CALLS) if (typeof application[call] !== 'function') fail(call, 'a function');
  for (const call of OPTIONAL_CALLS) {
    const given: unknown = application[call];
    if (given !== undefined && typeof given !== 'function') fail(call, 'a function');
  }
  const names = Object.keys(commands ?? {});
  if (names.length === 0) fail('commands', 'at least one command');
  for (const name of names) if (typeof commands[name] !== 'function') fail(`commands.${name}`, 'a function');
  for (const [name, weight] of Object.entries(weights)) {
    if (!names.includes(name)) fail(`weights.${name}`, 'the name of a command');
    if (!Number.isSafeInteger(weight) || weight < 0) fail(`weights.${name}`, 'a whole number from 0 on');
  }
}
