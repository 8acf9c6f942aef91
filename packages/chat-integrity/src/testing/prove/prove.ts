import fc from 'fast-check';
import type { Schedule } from '../schedule/schedule.js';
import { REPLICAS, scheduleArbitrary } from '../schedule/schedule-arbitrary.js';
import { LawBroken } from '../simulation/law.js';
import { runSchedule, runSettled } from '../simulation/run-schedule.js';
import type { RunResult, SimulationOptions } from '../simulation/simulation.js';
import { Tally } from '../simulation/tally.js';
import { type Application, assertApplication } from '../subject/application.js';
import type { Subject } from '../subject/subject.js';
import { findObstacle, GUARANTEES, type Guarantee, listFaults } from './guarantees.js';
import { type Broken, describeReport, type GuaranteeReport, type GuaranteeResult } from './report.js';
import { type KeptTrace, keepTrace, readTraces, type Trace, type TraceFinding } from './trace.js';

/** A subject, and how much of it to try. */
export interface ProveOptions<S> extends Subject<S> {
  /** Of each guarantee. Defaults to 100. */
  readonly runs?: number;
  /** The most that one run may take. Defaults to 120. */
  readonly steps?: number;
  /** Numbers of replicas to choose from. */
  readonly replicas?: readonly number[];
  readonly seed?: number;
  /** With the seed: the one run that a report names. Nothing else is run then. */
  readonly path?: string;
  /** Names of those to prove; defaults to all that apply. */
  readonly guarantees?: readonly string[];
  /** A folder of traces: those that are there run first, and those that are found are put there. */
  readonly traces?: string;
  /** Runs that are spent on making a failing one shorter. Defaults to 1,500. */
  readonly shrinkRuns?: number;
}

const DEFAULT_SEED = 20261121;

/**
 * Puts a subject through the faults of each guarantee, and reports which of them held. Never throws for what it finds;
 * throws a `TypeError` for options with which nothing would be tried.
 */
export async function proveGuarantees<S>(options: ProveOptions<S>): Promise<GuaranteeReport> {
  assertOptions(options);
  const tally = new Tally();
  const findings: TraceFinding[] = [];
  const { traces: folder } = options;
  const traces = folder === undefined ? [] : readTraces(folder, (finding) => findings.push(finding));
  const chosen = GUARANTEES.filter(({ name }) => options.guarantees?.includes(name) ?? true);
  const results: GuaranteeResult[] = [];
  for (const guarantee of chosen) {
    const result = await prove(options, guarantee, tally, traces);
    results.push(result.broken === undefined ? result : keep(options, result, result.broken, findings));
  }
  const missing = tally.missing(listExpected(options, chosen));
  const ok = results.every(({ held }) => held !== false) && findings.length === 0;
  return {
    ok,
    guarantees: results,
    tally,
    missing,
    findings,
    text: describeReport(results, missing, findings),
  };
}

function assertOptions<S>(options: ProveOptions<S>): void {
  assertApplication(options.application);
  for (const key of ['runs', 'steps'] as const) {
    const number = options[key] ?? 1;
    if (!Number.isSafeInteger(number) || number < 1)
      throw new TypeError(`At ${key}: expected a whole number from 1 on, got ${number}`);
  }
  for (const count of options.replicas ?? REPLICAS) {
    if (!Number.isSafeInteger(count) || count < 2)
      throw new TypeError(`At replicas: expected whole numbers from 2 on, got ${count}`);
  }
  if (options.replicas?.length === 0) throw new TypeError('At replicas: expected at least one number');
  if (options.guarantees?.length === 0) throw new TypeError('At guarantees: expected at least one name');
  for (const name of options.guarantees ?? []) {
    if (!GUARANTEES.some((guarantee) => guarantee.name === name))
      throw new TypeError(`At guarantees: expected the name of a guarantee, got ${name}`);
  }
}

/** Puts a trace that was found into the folder. What is in the way is reported, and loses nothing of the result. */
function keep<S>(
  { traces }: ProveOptions<S>,
  result: GuaranteeResult,
  broken: Broken,
  findings: TraceFinding[],
): GuaranteeResult {
  if (traces === undefined || broken.file !== undefined) return result;
  try {
    return { ...result, broken: { ...broken, file: keepTrace(traces, broken.trace) } };
  } catch (error) {
    const message = `the trace of "${result.name}" is not kept: ${(error as Error).message}`;
    findings.push({ code: 'not_written', file: traces, message });
    return result;
  }
}

/** The cases that enough runs must come across. */
function listExpected<S>(subject: Subject<S>, guarantees: readonly Guarantee[]): string[] {
  const { application } = subject;
  const faults = new Set(guarantees.flatMap(({ faults: some }) => listFaults(subject, some)));
  return [
    ...Object.keys(application.commands).map((name) => `command ${name}`),
    ...[...faults].map((name) => `fault ${name}`),
    ...(application.marks ?? []),
  ];
}

async function prove<S>(
  options: ProveOptions<S>,
  guarantee: Guarantee,
  tally: Tally,
  traces: readonly KeptTrace[],
): Promise<GuaranteeResult> {
  const { name } = guarantee;
  const reason = findObstacle(options, guarantee);
  if (reason !== undefined) return { name, held: undefined, reason, runs: 0 };
  let runs = 0;
  for (const { file, trace } of traces) {
    if (trace.guarantee !== name || trace.application !== options.application.name) continue;
    runs += 1;
    const broken = await tryRun(options, guarantee, trace.schedule, tally);
    if (broken !== undefined) {
      const found = { ...trace, law: broken.law, difference: broken.message };
      return { name, held: false, runs, broken: { file, trace: found } };
    }
  }
  return search(options, guarantee, tally, runs);
}

/** Random schedules; the first that fails is made as short as the runs for it allow. */
async function search<S>(
  options: ProveOptions<S>,
  guarantee: Guarantee,
  tally: Tally,
  before: number,
): Promise<GuaranteeResult> {
  const { runs: numRuns = 100, seed = DEFAULT_SEED, path, shrinkRuns = 1500 } = options;
  const { name } = guarantee;
  let runs = before;
  let left = shrinkRuns;
  let found: Found | undefined;
  const property = fc.asyncProperty(scheduleArbitrary(profileOf(options, guarantee)), async (schedule) => {
    runs += 1;
    if (found !== undefined && left <= 0) return;
    if (found !== undefined) left -= 1;
    const broken = await tryRun(options, guarantee, schedule, tally);
    if (broken === undefined) return;
    found = { schedule, broken };
    throw broken;
  });
  const details = await fc.check(property, {
    seed,
    numRuns: path === undefined ? numRuns : 1,
    ...(path !== undefined && { path, endOnFailure: true }),
  });
  if (found === undefined) {
    if (details.errorInstance !== null && details.errorInstance !== undefined) throw details.errorInstance;
    return { name, held: true, runs };
  }
  const { broken, schedule } = await minimize(options, guarantee, found);
  const trace: Trace = {
    format: 'chatdoc trace 1',
    ...(options.application.name !== undefined && { application: options.application.name }),
    guarantee: name,
    law: broken.law,
    difference: broken.message,
    schedule,
  };
  const again = await runAgain(options, guarantee, schedule);
  return {
    name,
    held: false,
    runs,
    broken: { seed, path: details.counterexamplePath ?? '', trace, again },
  };
}

interface Found {
  readonly schedule: Schedule;
  readonly broken: LawBroken;
}

/** Leaves out single steps until none can be missed: what was made simpler last may have made others needless. */
async function minimize<S>(subject: Subject<S>, guarantee: Guarantee, found: Found): Promise<Found> {
  let shortest = found;
  let length: number;
  do {
    length = shortest.schedule.steps.length;
    for (let at = length - 1; at >= 0; at -= 1) {
      const steps = shortest.schedule.steps.filter((_, which) => which !== at);
      const schedule = { ...shortest.schedule, steps };
      const broken = await tryRun(subject, guarantee, schedule, new Tally());
      if (broken !== undefined) shortest = { schedule, broken };
    }
  } while (shortest.schedule.steps.length < length);
  return shortest;
}

/** How often a run is repeated, to see whether it fails by chance. */
const REPEATS = 10;

async function runAgain<S>(
  subject: Subject<S>,
  guarantee: Guarantee,
  schedule: Schedule,
): Promise<NonNullable<Broken['again']>> {
  let broken = 0;
  for (let run = 0; run < REPEATS; run += 1) {
    if ((await tryRun(subject, guarantee, schedule, new Tally())) !== undefined) broken += 1;
  }
  return { runs: REPEATS, broken };
}

function profileOf<S>(
  { steps = 120, replicas = REPLICAS, ...subject }: ProveOptions<S>,
  guarantee: Guarantee,
): Parameters<typeof scheduleArbitrary>[0] {
  const faults = listFaults(subject, guarantee.faults);
  return { commands: weigh(subject.application), faults, steps, replicas };
}

/** Each command with its weight. */
function weigh<S>({ commands, weights = {} }: Application<S>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(commands).map((name) => [name, weights[name] ?? 10]));
}

/** The law that the run breaks, if any. */
async function tryRun<S>(
  subject: Subject<S>,
  { without = [], twice = false }: Guarantee,
  schedule: Schedule,
  tally: Tally,
): Promise<LawBroken | undefined> {
  const run = (options: SimulationOptions): RunResult | Promise<RunResult> =>
    subject.settle === undefined
      ? runSchedule(subject, schedule, options)
      : runSettled(subject, schedule, options);
  try {
    const first = await run({ tally, without });
    if (!twice) return undefined;
    const second = await run({ tally: new Tally(), without });
    if (first.fingerprint === second.fingerprint) return undefined;
    return new LawBroken(
      'replays the same',
      'two runs of one schedule sent, acknowledged or read something else',
    );
  } catch (error) {
    if (error instanceof LawBroken) return error;
    throw error;
  }
}

/** Runs a kept trace once more. Returns the law that it breaks, if it still does. */
export async function replay<S>(subject: Subject<S>, trace: Trace): Promise<LawBroken | undefined> {
  const guarantee = GUARANTEES.find(({ name }) => name === trace.guarantee);
  return tryRun(subject, guarantee ?? { name: trace.guarantee, faults: [] }, trace.schedule, new Tally());
}
