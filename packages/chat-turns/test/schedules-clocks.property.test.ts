import { describe, expect, it } from 'vitest';
import { Suite } from './schedules.js';
import { runs } from './world.js';

/** The goal of those whose clocks differ. */
const SCHEDULES = 10_000;

describe('random schedules of processes whose clocks are up to two days apart', () => {
  const suite = new Suite({ skewed: true });

  it('[RS1] [RS2] [RS3] [RS4] [RS5] [RS7] hold at every step of every schedule', async () => {
    await suite.run(SCHEDULES);
    expect(suite.schedules).toBe(runs(SCHEDULES).numRuns);
  }, 3_600_000);

  it('[RS6] each kind of fault has happened', () => {
    suite.expectMet();
  });
});
