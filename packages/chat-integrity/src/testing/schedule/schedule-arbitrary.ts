import fc from 'fast-check';
import { PICK_RANGE } from './pick.js';
import { type Fault, RESUME, type Schedule, type Step } from './schedule.js';

/** The parts that schedules of a guarantee are made of. */
export interface Profile {
  /** Names, and how often each is chosen. */
  readonly commands: Readonly<Record<string, number>>;
  readonly faults: readonly Fault[];
  /** Steps of one run: at least half, at most all of it. */
  readonly steps: number;
  /** One of so many steps is an audit. Defaults to 200. */
  readonly auditEvery?: number;
  /** Numbers of replicas, each as likely as the others. */
  readonly replicas: readonly number[];
}

/** Numbers of replicas to choose from: small ones are tried most. */
export const REPLICAS: readonly number[] = [2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8];

const PICKS = 3;
/** Of 100 steps. What is left is commands. */
const SHARES = { deliver: 47, flush: 4, resume: 3, fault: 12 };
const HOUR = 3_600_000;
const SKEWS = [0, 0, 0, 0, 1000, -1000, HOUR, -HOUR, 24 * HOUR, -24 * HOUR];

/** Schedules of a profile. In each some kinds of faults and commands are left out: then rare ones meet. */
export function scheduleArbitrary(profile: Profile): fc.Arbitrary<Schedule> {
  return new ScheduleArbitrary(profile);
}

/** The attempts that are left to make a failing schedule shorter. */
type Context =
  | { readonly stage: 'cut'; readonly size: number; readonly from: number; readonly hasCut: boolean }
  | { readonly stage: 'simplify'; readonly from: number };

class ScheduleArbitrary extends fc.Arbitrary<Schedule> {
  readonly #profile: Profile;

  constructor(profile: Profile) {
    super();
    this.#profile = profile;
  }

  override generate(random: fc.Random): fc.Value<Schedule> {
    const { commands, faults, steps: most, replicas: sizes, auditEvery = 200 } = this.#profile;
    const below = (limit: number): number => random.nextInt(0, limit - 1);
    const replicas = sizes[below(sizes.length)] as number;
    const seed = random.nextInt(0, 0x7fff_ffff);
    const skews = Array.from({ length: replicas }, () => SKEWS[below(SKEWS.length)] as number);
    const names = Object.keys(commands).filter(() => below(5) > 0);
    const list = (names.length > 0 ? names : Object.keys(commands)).flatMap((name) =>
      Array.from({ length: commands[name] ?? 1 }, () => name),
    );
    const present = faults.filter(() => below(3) > 0);
    const chosen = present.length > 0 ? present : faults;
    const links = replicas * (replicas - 1);
    const length = Math.ceil(most / 2) + below(Math.ceil(most / 2) + 1);
    const steps = Array.from({ length }, (): Step => {
      let share = below(100);
      const picks = Array.from({ length: PICKS }, () => below(PICK_RANGE));
      if (share < SHARES.deliver) return { do: 'deliver', at: below(links), picks: [] };
      share -= SHARES.deliver;
      const at = below(replicas);
      if (below(auditEvery) === 0) return { do: 'audit', at, picks: [] };
      if (share < SHARES.flush) return { do: 'flush', at, picks: [] };
      share -= SHARES.flush;
      if (share < SHARES.resume) return { do: RESUME, at, picks: picks.slice(0, 1) };
      share -= SHARES.resume;
      if (share < SHARES.fault && chosen.length > 0) {
        return { do: 'fault', name: chosen[below(chosen.length)] as Fault, at, picks };
      }
      return { do: 'command', name: list[below(list.length)] as string, at, picks };
    });
    return new fc.Value({ seed, replicas, skews, steps }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Schedule {
    return typeof value === 'object' && value !== null && 'steps' in value;
  }

  /**
   * Cuts out ever smaller runs of steps, until none can be missed; then makes what is left simpler. Goes on from
   * where it was, not from the start, each time a smaller schedule fails, too.
   */
  override shrink(schedule: Schedule, context?: unknown): fc.Stream<fc.Value<Schedule>> {
    const { length } = schedule.steps;
    const start = (context as Context | undefined) ?? {
      stage: 'cut',
      size: Math.max(1, Math.ceil(length / 2)),
      from: 0,
      hasCut: false,
    };
    return fc.stream(start.stage === 'cut' ? cut(schedule, start) : simplify(schedule, start.from));
  }
}

function* cut(
  schedule: Schedule,
  context: Extract<Context, { stage: 'cut' }>,
): IterableIterator<fc.Value<Schedule>> {
  const { steps } = schedule;
  let { size, from, hasCut } = context;
  for (;;) {
    // From the end: what came last mattered least often.
    for (; from < steps.length; from += size) {
      const end = steps.length - from;
      const left = [...steps.slice(0, Math.max(0, end - size)), ...steps.slice(end)];
      yield new fc.Value({ ...schedule, steps: left }, { stage: 'cut', size, from, hasCut: true });
    }
    if (size === 1 && !hasCut) break;
    size = Math.max(1, Math.floor(size / 2));
    from = 0;
    // The smallest cuts are tried again until a whole pass finds none.
    hasCut = false;
  }
  yield* simplify(schedule, 0);
}

/** Fewer replicas, no skews, then smaller numbers, step by step. */
function* simplify(schedule: Schedule, from: number): IterableIterator<fc.Value<Schedule>> {
  const { steps, replicas, skews } = schedule;
  const next = (at: number): Context => ({ stage: 'simplify', from: at });
  if (from === 0) {
    for (let fewer = 2; fewer < replicas; fewer += 1) {
      const smaller = { ...schedule, replicas: fewer, skews: skews.slice(0, fewer) };
      yield new fc.Value(smaller, next(0));
    }
    if (skews.some((skew) => skew !== 0)) {
      yield new fc.Value({ ...schedule, skews: skews.map(() => 0) }, next(0));
    }
  }
  for (let at = from; at < steps.length; at += 1) {
    const step = steps[at] as Step;
    const replace = (simpler: Step): fc.Value<Schedule> =>
      new fc.Value({ ...schedule, steps: put(steps, at, simpler) }, next(at));
    if (step.at >= replicas) yield replace({ ...step, at: step.at % replicas });
    if (step.at > 0) yield replace({ ...step, at: 0 });
    if (step.picks.some((pick) => pick > 0)) yield replace({ ...step, picks: step.picks.map(() => 0) });
    for (const [which, pick] of step.picks.entries()) {
      for (const smaller of smallerPicks(pick)) {
        yield replace({ ...step, picks: put(step.picks, which, smaller) });
      }
    }
  }
}

/** Simple numbers first; then ever closer to the number itself. */
function* smallerPicks(pick: number): IterableIterator<number> {
  const simple = new Set([0, pick % 2, pick % 10, pick % 1000]);
  for (const smaller of simple) if (smaller < pick) yield smaller;
  for (let less = Math.floor(pick / 2); less > 0; less = Math.floor(less / 2)) yield pick - less;
}

function put<T>(list: readonly T[], at: number, value: T): T[] {
  const copy = list.slice();
  copy[at] = value;
  return copy;
}
