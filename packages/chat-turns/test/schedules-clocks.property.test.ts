import { describe, expect, it } from 'vitest';
import { createParts } from '../../../tools/parts.js';
import { Suite } from './schedules.js';
import { scale } from './world.js';

const { test, all } = createParts();
/** The goal of those whose clocks differ. */
const SCHEDULES = 10_000;
const QUICK = 150;

describe('random schedules of processes whose clocks are up to two days apart', () => {
  const suite = new Suite({ skewed: true });

  test('[RS1] [RS2] [RS3] [RS4] [RS5] [RS7] hold at every step of every schedule', async () => {
    await suite.run(SCHEDULES, QUICK);
    expect(suite.schedules).toBe(scale(SCHEDULES, QUICK));
  });

  it('[RS6] each kind of fault has happened', async () => {
    await all();
    suite.expectMet();
  });
});
