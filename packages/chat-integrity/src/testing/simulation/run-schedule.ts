import type { Schedule } from '../schedule/schedule.js';
import type { Subject } from '../subject/subject.js';
import { type RunResult, Simulation, type SimulationOptions } from './simulation.js';

/** Runs a schedule on a subject that is synchronous. Throws `LawBroken` for the first law that does not hold. */
export function runSchedule<S>(
  subject: Subject<S>,
  schedule: Schedule,
  options: SimulationOptions,
): RunResult {
  const run = new Simulation(subject, schedule, options).run();
  for (;;) {
    const { done, value } = run.next();
    if (done === true) return value;
  }
}

/** The same, waiting after each step until the subject has settled. */
export async function runSettled<S>(
  subject: Subject<S>,
  schedule: Schedule,
  options: SimulationOptions,
): Promise<RunResult> {
  const run = new Simulation(subject, schedule, options).run();
  for (;;) {
    const { done, value } = run.next();
    if (done === true) return value;
    await subject.settle?.();
  }
}
