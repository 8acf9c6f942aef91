import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayMiss } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { FoldLedger } from './laws.js';
import { honestSchedule, parameters } from './schedule.js';
import { readRegressions, runChecked, Sightings } from './schedule-check.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const sightings = new Sightings();

describe('convergence', () => {
  for (const { name, guards, schedule } of readRegressions()) {
    it(`[FD1] regression ${name}: ${guards}`, () => {
      runChecked(schedule, ledger, new Sightings());
    });
  }

  test('[FD1] any order, grouping and duplication of updates reads the same everywhere, after each step', () => {
    fc.assert(
      fc.property(honestSchedule(), (schedule) => {
        runChecked(schedule, ledger, sightings);
      }),
      parameters(40, 6),
    );
  });

  it('[FD1] the schedules above met what they are about', async () => {
    await all();
    const missing = sightings.missing(
      ...[
        'step crash',
        'step copy',
        'step deliver',
        'step sync',
        'step redact',
        'step append',
        'step finish',
      ],
      ...[
        'messages',
        'conflicts',
        'open lines',
        'redactions',
        'revisions',
        'alternates',
        'cut parts',
        'waiting',
      ],
      ...['open attempts', 'settled attempts', 'interrupted attempts', 'stop requests', 'retried attempts'],
      ...['queued prompts', 'slots', 'forks', 'read marks', 'deleted messages', 'replies', 'deletions'],
      ...[
        'state idle',
        'state running',
        'state interrupted',
        'state queued',
        'state error',
        'state complete',
      ],
    );
    expect(missing.length, missing.join()).toBeLessThanOrEqual(mayMiss(40));
  });
});
