import { expect, it } from 'vitest';
import { runProcesses } from '../processes/run.js';
import { scale } from './world.js';

/** T7. Three seconds each, and one of each process or of all at once; `CHATDOC_RUNS=60` makes an hour of it. */
const KILLS = scale(20, 6);

it('[RC6] [RS1] T7: real processes, one of them killed every few seconds, lose nothing and leave no turn stuck', async () => {
  const { broken, counts } = await runProcesses(KILLS);
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
  // Of six now and then none falls into a turn.
  if (KILLS < 20) return;
  for (const name of ['stops', 'turns interrupted']) expect(counts[name], name).toBeGreaterThan(0);
});
