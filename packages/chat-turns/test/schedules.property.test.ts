import { describe, expect, it } from 'vitest';
import { createParts } from '../../../tools/parts.js';
import { Suite } from './schedules.js';
import { scale } from './world.js';

const { test, all } = createParts();
/** Of 14,000 with those of processes whose clocks differ; CHATDOC_RUNS=4.3 makes the goal of 60,000 of both. */
const SCHEDULES = 4_000;
const QUICK = 100;

describe('random schedules', () => {
  const suite = new Suite({ skewed: false });

  test('[RS1] [RS2] [RS3] [RS4] [RS5] [RS7] hold at every step of every schedule', async () => {
    await suite.run(SCHEDULES, QUICK);
    expect(suite.schedules).toBe(scale(SCHEDULES, QUICK));
  });

  it('[RS6] each kind of fault has happened', async () => {
    await all();
    suite.expectMet();
  });
});
