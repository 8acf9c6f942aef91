import { expect, it } from 'vitest';
import { isQuick } from '../../../tools/amounts.js';
import { runProcesses } from '../processes/run.js';
import { scale } from './world.js';

/**
 * T7. Three seconds each, and one of each process or of all at once; `CHATDOC_RUNS=60` makes an hour of it. The quick
 * run kills one of each role and all at once, one after the other without delay.
 */
const KILLS = scale(20, 4);
const PACE = isQuick ? 0.3 : 1;

it('[RC6] [RS1] T7: real processes, one of them killed every few seconds, lose nothing and leave no turn stuck', async () => {
  const { broken, counts } = await runProcesses(KILLS, PACE);
  process.stdout.write(
    `${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}\n`,
  );
  expect(broken).toEqual([]);
  // Each kind of fault has happened.
  for (const name of ['kills of the hub', 'kills of backends', 'kills of viewers']) {
    expect(counts[name], name).toBeGreaterThan(0);
  }
  // Of four now and then none falls into a turn.
  if (KILLS < 20) return;
  for (const name of ['stops', 'turns interrupted']) expect(counts[name], name).toBeGreaterThan(0);
});
