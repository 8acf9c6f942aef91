import { LawBroken } from './simulation/law.js';

/** One event of an agent, as far as the rules here are about it. */
export interface AgentEvent {
  readonly type: string;
}

/** An agent of `@chatdoc/turns`, by its shape alone. `T` is its turn. */
export type AgentUnderTest<T, E extends AgentEvent = AgentEvent> = (
  turn: T,
  signal: AbortSignal,
) => AsyncIterable<E>;

/** An agent to check, and how to ask it. */
export interface AgentOptions<T, E extends AgentEvent = AgentEvent> {
  /** A new agent for each case, with the same script. */
  readonly createAgent: () => AgentUnderTest<T, E>;
  /** A turn that makes it stream more than one event. */
  readonly turn: T;
  /** Events after a stop until it must have ended. Defaults to 64. */
  readonly mostAfterStop?: number;
  /** Waits until an agent that has nothing to wait for but itself has come to rest. */
  readonly settle: () => Promise<void>;
}

/** Whether an agent keeps one rule. */
export interface AgentResult {
  readonly name: string;
  readonly held: boolean;
  /** The observation that breaks it. */
  readonly difference?: string;
}

/** The results of all rules of `checkAgent`. */
export interface AgentReport {
  readonly ok: boolean;
  readonly results: readonly AgentResult[];
  readonly text: string;
}

type Case<T, E extends AgentEvent> = (options: AgentOptions<T, E>) => Promise<void>;

/** Puts an agent through what an engine does to it. Never throws for what it finds. */
export async function checkAgent<T, E extends AgentEvent>(options: AgentOptions<T, E>): Promise<AgentReport> {
  const results: AgentResult[] = [];
  const cases = Object.entries(CASES) as unknown as readonly [string, Case<T, E>][];
  for (const [name, run] of cases) {
    const difference = await findFault(run, options);
    results.push({ name, held: difference === undefined, ...(difference !== undefined && { difference }) });
  }
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(
    ({ name, held, difference }) => `${name.padEnd(width)}  ${held ? 'held' : `BROKEN: ${difference}`}`,
  );
  return { ok: results.every(({ held }) => held), results, text: `${lines.join('\n')}\n` };
}

async function findFault<T, E extends AgentEvent>(
  run: Case<T, E>,
  options: AgentOptions<T, E>,
): Promise<string | undefined> {
  try {
    await run(options);
    return undefined;
  } catch (error) {
    if (error instanceof LawBroken) return error.message;
    return `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  }
}

function refuse(condition: boolean, difference: string): void {
  if (condition) throw new LawBroken('invariants hold', difference);
}

interface Turned<E> {
  readonly events: E[];
  /** Undefined while it has not ended. */
  readonly ended: { readonly error?: unknown } | undefined;
  readonly abort: () => void;
}

/** Lets an agent work, and stops it before it gives event number `stopAt`. */
function work<T, E extends AgentEvent>(
  { createAgent, turn }: AgentOptions<T, E>,
  stopAt = Number.POSITIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): { readonly seen: Turned<E>; readonly done: Promise<void> } {
  const controller = new AbortController();
  const seen: { events: E[]; ended: Turned<E>['ended']; abort: () => void } = {
    events: [],
    ended: undefined,
    abort: () => controller.abort(),
  };
  const drive = async (): Promise<void> => {
    try {
      if (stopAt === 0) controller.abort();
      for await (const event of createAgent()(turn, controller.signal)) {
        seen.events.push(event);
        if (seen.events.length >= stopAt) controller.abort();
        if (seen.events.length >= most) break;
      }
      seen.ended = {};
    } catch (error) {
      seen.ended = { error };
    }
  };
  return { seen, done: drive() };
}

/** As long as something still comes; what neither gives nor ends is left behind. */
async function rest<T, E extends AgentEvent>(
  { settle }: AgentOptions<T, E>,
  seen: Turned<E>,
  most: number,
): Promise<void> {
  for (let waited = 0; waited < most && seen.ended === undefined; waited += 1) await settle();
}

const MAX_EVENTS = 10_000;
const MAX_WAITS = 200;
const MOST_AFTER_STOP = 64;

async function runWhole<T, E extends AgentEvent>(options: AgentOptions<T, E>): Promise<Turned<E>> {
  const { seen } = work(options, undefined, MAX_EVENTS);
  await rest(options, seen, MAX_EVENTS);
  refuse(seen.ended === undefined, 'it did not end');
  if (seen.ended?.error !== undefined) throw seen.ended.error;
  return seen;
}

const isFinish = ({ type }: AgentEvent): boolean => type === 'finish';
/** A turn is stopped before each of so many of its events. */
const MAX_STOPS = 40;

const CASES: Readonly<Record<string, Case<unknown, AgentEvent>>> = {
  'answers once': async (options) => {
    const { events } = await runWhole(options);
    refuse(events.length === 0, 'it said nothing');
    refuse(events.filter(isFinish).length > 1, 'it finished more than once');
    const finish = events.findIndex(isFinish);
    refuse(finish >= 0 && finish < events.length - 1, 'it went on after it had finished');
  },
  streams: async (options) => {
    const { events } = await runWhole(options);
    const spoken = events.filter((event) => !isFinish(event));
    refuse(spoken.length < 2, `it gave ${spoken.length} events, expected more than one`);
  },
  'stops when it is told to': async (options) => {
    const { events } = await runWhole(options);
    const most = options.mostAfterStop ?? MOST_AFTER_STOP;
    for (let at = 0; at <= Math.min(events.length, MAX_STOPS); at += 1) {
      const { seen } = work(options, at, at + most + 1);
      await rest(options, seen, MAX_WAITS);
      const after = seen.events.length - at;
      refuse(
        after > most,
        `it gave ${after} events after a stop before event ${at}, expected at most ${most}`,
      );
      refuse(seen.ended === undefined, `it did not end after a stop before event ${at}`);
    }
  },
  'ends a stop without an error': async (options) => {
    const { events } = await runWhole(options);
    const { seen } = work(options, Math.floor(events.length / 2));
    await rest(options, seen, MAX_WAITS);
    if (seen.ended?.error !== undefined) throw seen.ended.error;
  },
  'takes a second stop': async (options) => {
    const { events } = await runWhole(options);
    const { seen } = work(options, Math.floor(events.length / 2));
    await rest(options, seen, MAX_WAITS);
    const ended = seen.ended;
    const count = seen.events.length;
    seen.abort();
    seen.abort();
    await rest(options, { ...seen, ended: undefined }, 4);
    refuse(ended === undefined, 'it did not end after a stop');
    refuse(seen.events.length > count, 'it said more after a second stop');
  },
  'can be left in the middle': async (options) => {
    const { seen } = work(options, undefined, 1);
    await rest(options, seen, MAX_WAITS);
    refuse(seen.ended === undefined, 'it did not end when nobody listened any more');
    if (seen.ended?.error !== undefined) throw seen.ended.error;
  },
  'works two turns at once': async (options) => {
    const [first, second] = [work(options, undefined, MAX_EVENTS), work(options, undefined, MAX_EVENTS)];
    await rest(options, first.seen, MAX_EVENTS);
    await rest(options, second.seen, MAX_EVENTS);
    refuse(first.seen.ended === undefined || second.seen.ended === undefined, 'one of two turns did not end');
    const alone = await runWhole(options);
    for (const { events } of [first.seen, second.seen]) {
      refuse(
        events.filter(isFinish).length !== alone.events.filter(isFinish).length,
        'of two turns one finished otherwise than alone',
      );
    }
  },
};
