import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEED, scale } from '../../../tools/amounts.js';
import {
  FAULTS,
  REPLICAS,
  readTraces,
  replay,
  runSchedule,
  type Schedule,
  scheduleArbitrary,
  Tally,
} from '../src/testing/index.js';
import { chatInFrames } from './simulation.js';

const TRACES = join(import.meta.dirname, 'traces');

const commands = Object.fromEntries(Object.keys(chatInFrames.application.commands).map((name) => [name, 10]));
const schedules = scheduleArbitrary({ commands, faults: FAULTS, steps: 300, replicas: REPLICAS });

describe('a run', () => {
  it('[HA7] that once broke a law is kept, and holds', async () => {
    const traces = readTraces(TRACES);
    expect(traces.length).toBeGreaterThan(0);
    for (const { file, trace } of traces) {
      expect(trace.guards, file).toBeDefined();
      expect(await replay(chatInFrames, trace), file).toBeUndefined();
    }
  });

  it('[HA3] of one schedule says and reads the same each time, whatever ran between', () => {
    const numRuns = scale(30, 3);
    const print = (schedule: Schedule): string =>
      runSchedule(chatInFrames, schedule, { tally: new Tally() }).fingerprint;
    const sample = fc.sample(schedules, { seed: SEED, numRuns });
    const first = sample.map(print);
    expect(new Set(first).size).toBe(first.length);
    expect(sample.map(print).reverse()).toEqual([...first].reverse());
    expect(fc.sample(schedules, { seed: SEED, numRuns })).toEqual(sample);
  });

  it('[HA2] of any sub-list of its steps is a run, and of its JSON the same run', () => {
    const [schedule] = fc.sample(schedules, { seed: SEED, numRuns: 1 }) as [Schedule];
    const print = (steps: Schedule['steps']): string =>
      runSchedule(chatInFrames, { ...schedule, steps }, { tally: new Tally() }).fingerprint;
    expect(print(JSON.parse(JSON.stringify(schedule.steps)) as Schedule['steps'])).toBe(
      print(schedule.steps),
    );
    for (const keep of [2, 3, 5]) {
      expect(print(schedule.steps.filter((_, at) => at % keep === 0))).not.toBe(print(schedule.steps));
    }
  });
});
