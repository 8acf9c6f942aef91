import fc from 'fast-check';
import type { Application } from './application.js';
import { findObstacle, GUARANTEES, type Guarantee, listFaults } from './guarantees.js';
import { LawBroken } from './law.js';
import { describeReport } from './report.js';
import { runSchedule, runSettled } from './run-schedule.js';
import type { Schedule } from './schedule.js';
import { REPLICAS, scheduleArbitrary } from './schedule-arbitrary.js';
import type { RunResult, SimulationOptions } from './simulation.js';
import type { Subject } from './subject.js';
import { Tally } from './tally.js';
import { keepTrace, readTraces, type Trace } from './trace.js';

export interface ProveOptions<S> extends Subject<S> {
  /** Of each guarantee: 100 unless given. */
  readonly runs?: number;
  /** The most that one run may take: 120 unless given. */
  readonly steps?: number;
  /** Numbers of replicas to choose from. */
  readonly replicas?: readonly number[];
  readonly seed?: number;
  /** With the seed: the one run that a report names. Nothing else is run then. */
  readonly path?: string;
  /** Names of those to prove; all that apply unless given. */
  readonly guarantees?: readonly string[];
  /** A folder of traces: those that are there run first, and those that are found are put there. */
  readonly traces?: string;
  /** Runs that are spent on making a failing one shorter: 1,500 unless given. */
  readonly shrinkRuns?: number;
}

export interface Broken {
  /** Undefined where a kept trace failed: then `file` names it. */
  readonly seed?: number;
  readonly path?: string;
  readonly file?: string;
  readonly trace: Trace;
}

export interface GuaranteeResult {
  readonly name: string;
  /** Undefined where it does not apply, for this reason. */
  readonly held: boolean | undefined;
  readonly reason?: string;
  readonly runs: number;
  readonly broken?: Broken;
}

export interface GuaranteeReport {
  /** Nothing was found broken. */
  readonly ok: boolean;
  readonly guarantees: readonly GuaranteeResult[];
  /** What happened, and how often. */
  readonly tally: Tally;
  /** Commands, faults and marks that never came up: the runs have proved nothing about them. */
  readonly missing: readonly string[];
  /** For people: a line a guarantee, and the shortest run that breaks one. */
  readonly text: string;
}

const DEFAULT_SEED = 20261121;

/** Puts a subject through the faults of each guarantee, and says which of them held. Never throws for what it finds. */
export async function proveGuarantees<S>(options: ProveOptions<S>): Promise<GuaranteeReport> {
  const tally = new Tally();
  const chosen = GUARANTEES.filter(({ name }) => options.guarantees?.includes(name) ?? true);
  const results: GuaranteeResult[] = [];
  for (const guarantee of chosen) results.push(await prove(options, guarantee, tally));
  const missing = tally.missing(listExpected(options, chosen));
  const ok = results.every(({ held }) => held !== false);
  return { ok, guarantees: results, tally, missing, text: describeReport(results, missing) };
}

/** What enough runs must come across. */
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
): Promise<GuaranteeResult> {
  const { name } = guarantee;
  const reason = findObstacle(options, guarantee);
  if (reason !== undefined) return { name, held: undefined, reason, runs: 0 };
  let runs = 0;
  for (const { file, trace } of options.traces === undefined ? [] : readTraces(options.traces)) {
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
  const { runs: numRuns = 100, seed = DEFAULT_SEED, path, shrinkRuns = 1500, traces } = options;
  const { name } = guarantee;
  let runs = before;
  let left = shrinkRuns;
  let found: { readonly schedule: Schedule; readonly broken: LawBroken } | undefined;
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
  const { broken, schedule } = found;
  const trace: Trace = {
    format: 'chatdoc trace 1',
    ...(options.application.name !== undefined && { application: options.application.name }),
    guarantee: name,
    law: broken.law,
    difference: broken.message,
    schedule,
  };
  const file = traces === undefined ? undefined : keepTrace(traces, trace);
  const at = { seed, path: details.counterexamplePath ?? '' };
  return { name, held: false, runs, broken: { ...at, ...(file !== undefined && { file }), trace } };
}

function profileOf<S>(
  { steps = 120, replicas = REPLICAS, ...subject }: ProveOptions<S>,
  guarantee: Guarantee,
): Parameters<typeof scheduleArbitrary>[0] {
  const faults = listFaults(subject, guarantee.faults);
  return { commands: weigh(subject.application), faults, steps, replicas };
}

/** Each command with its weight. */
export function weigh<S>({ commands, weights = {} }: Application<S>): Readonly<Record<string, number>> {
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
    return new LawBroken('replays the same', 'two runs of one schedule sent or read something else');
  } catch (error) {
    if (error instanceof LawBroken) return error;
    throw error;
  }
}

/** Runs a kept trace once more. Gives the law that it breaks, if it still does. */
export async function replay<S>(subject: Subject<S>, trace: Trace): Promise<LawBroken | undefined> {
  const guarantee = GUARANTEES.find(({ name }) => name === trace.guarantee);
  return tryRun(subject, guarantee ?? { name: trace.guarantee, faults: [] }, trace.schedule, new Tally());
}
