import fc from 'fast-check';
import { SEED, scale } from '../../../tools/amounts.js';
import { auditedChat } from '../../chat-testkit/src/index.js';
import {
  type ChatState,
  FAULTS,
  type Fault,
  framedProvider,
  frameStorage,
  REPLICAS,
  runSchedule,
  type Schedule,
  type SimulationOptions,
  type Subject,
  scheduleArbitrary,
  syncProvider,
  Tally,
} from '../src/testing/index.js';

/** Our own chat in the simulator, at the amounts of the continuous build. */

export const chatInFrames: Subject<ChatState> = {
  application: auditedChat(),
  provider: framedProvider,
  storage: frameStorage,
  gapless: true,
};

/** Over bare `y-protocols`, as any provider carries it: with no checksum, and in a star around a server. */
export const chatInTheOpen: Subject<ChatState> = {
  application: auditedChat(),
  provider: syncProvider,
  storage: frameStorage,
  topology: 'star',
};

/** What a bare update cannot be protected from. */
const DAMAGE: ReadonlySet<Fault> = new Set(['corrupt', 'truncate', 'garbage']);
export const OPEN_FAULTS: readonly Fault[] = FAULTS.filter((fault) => !DAMAGE.has(fault));

/** Runs of one file: each has seeds of its own. */
export interface Amount {
  readonly file: number;
  readonly runs: number;
  /** Of a quick run; a tenth unless given. */
  readonly quick?: number;
  /** Of one run, at most. */
  readonly steps: number;
}

export interface Amounts {
  readonly runs: number;
  readonly steps: number;
  readonly tally: Tally;
}

/** Throws what fast-check says of the first run that breaks a law, with seed, path and the shortest such run. */
export function simulate(
  subject: Subject<ChatState>,
  faults: readonly Fault[],
  { file, runs, quick, steps: most }: Amount,
  options: Omit<SimulationOptions, 'tally'> = {},
): Amounts {
  const { commands: all, weights = {} } = subject.application;
  const commands = Object.fromEntries(Object.keys(all).map((name) => [name, weights[name] ?? 10]));
  const tally = new Tally();
  const numRuns = scale(runs, quick);
  let steps = 0;
  let left = MOST_SHRINKS + numRuns;
  const run = (schedule: Schedule): void => {
    left -= 1;
    if (left < 0) return;
    steps += schedule.steps.length;
    runSchedule(subject, schedule, { tally, auditEvery: 4, ...options });
  };
  const profile = { commands, faults, steps: most, replicas: REPLICAS, auditEvery: 1000 };
  fc.assert(fc.property(scheduleArbitrary(profile), run), {
    seed: SEED + file,
    numRuns,
    endOnFailure: false,
  });
  return { runs: numRuns, steps, tally };
}

const MOST_SHRINKS = 2000;

/** Names of what came up too seldom in a run of that many steps, of 1,000,000 in which each comes up `least` times. */
export function findRare(
  { tally, steps }: Amounts,
  names: readonly string[],
  least: number,
): readonly string[] {
  const expected = (least * steps) / 1_000_000;
  // A part of that amount scatters more.
  const share = steps < 1_000_000 ? Math.min(0.9 * expected, expected - 3 * Math.sqrt(expected)) : expected;
  return names.filter((name) => tally.count(name) < share).map((name) => `${name}: ${tally.count(name)}`);
}
