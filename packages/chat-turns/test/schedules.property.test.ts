import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KINDS, type Kind, type Schedule, Simulation } from './simulation.js';
import { runs } from './world.js';

/** How often each is drawn, of the sum. */
const WEIGHTS: Readonly<Record<Kind, number>> = {
  advance: 8,
  agent: 3,
  clock: 2,
  config: 1,
  continue: 3,
  crash: 3,
  deliver: 12,
  duplicate: 2,
  heal: 2,
  lease: 2,
  partition: 2,
  redact: 1,
  resend: 2,
  restart: 3,
  retry: 3,
  send_now: 1,
  stop: 3,
  submit: 5,
};

const step = fc.record({
  kind: fc.oneof(...KINDS.map((kind) => ({ weight: WEIGHTS[kind], arbitrary: fc.constant(kind) }))),
  a: fc.nat({ max: 1_000 }),
  b: fc.nat({ max: 1_000 }),
});

const schedule: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  runners: fc.integer({ min: 2, max: 3 }),
  steps: fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
});

/** What a run of this suite must have met, besides each kind of step. */
const MET = [
  'complete',
  'stopped',
  'error',
  'superseded',
  'redacted',
  'retried',
  'late events',
  'left behind',
];

/** About 30 s of one core; the 60,000 of a full run are CHATDOC_RUNS=40. */
const SCHEDULES = 1_500;

describe('random schedules', () => {
  const fired = new Map<string, number>();
  let schedules = 0;

  it('[RS1] [RS2] [RS3] [RS4] [RS5] hold at every step of every schedule', async () => {
    const property = fc.asyncProperty(schedule, async (drawn) => {
      schedules += 1;
      const simulation = new Simulation(drawn);
      await simulation.run(drawn.steps);
      for (const [name, count] of simulation.fired) fired.set(name, (fired.get(name) ?? 0) + count);
    });
    await fc.assert(property, runs(SCHEDULES));
  }, 3_600_000);

  it('[RS6] each kind of fault has happened', () => {
    const missing = [...KINDS, ...MET].filter((name) => (fired.get(name) ?? 0) < schedules / 100);
    expect(missing, JSON.stringify([...fired].sort())).toEqual([]);
  });
});
