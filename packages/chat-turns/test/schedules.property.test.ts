import { describe, expect, it } from 'vitest';
import { Suite } from './schedules.js';

/** With those of `schedules-clocks.property.test.ts` the 60,000 of a full run. */
const SCHEDULES = 30_000;

describe('random schedules', () => {
  const suite = new Suite({ skewed: false });

  it('[RS1] [RS2] [RS3] [RS4] [RS5] [RS7] hold at every step of every schedule', async () => {
    await suite.run(SCHEDULES);
    expect(suite.schedules).toBeGreaterThanOrEqual(1);
  }, 3_600_000);

  it('[RS6] each kind of fault has happened', () => {
    suite.expectMet();
  });
});
