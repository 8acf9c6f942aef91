import { expect, it } from 'vitest';
import { runProcesses } from '../processes/run.js';
import { scale } from './world.js';

/** T7. `CHATDOC_RUNS=60` makes an hour of it. */
const SECONDS = scale(60);

it(
  '[RC6] [RS1] T7: real processes, one of them killed every few seconds, lose nothing and leave no turn stuck',
  async () => {
    const { broken, counts } = await runProcesses(SECONDS);
    process.stdout.write(
      `${Object.entries(counts)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}\n`,
    );
    expect(broken).toEqual([]);
    // Each kind of fault has happened.
    for (const name of [
      'kills of the hub',
      'kills of backends',
      'kills of viewers',
      'stops',
      'turns interrupted',
    ]) {
      expect(counts[name], name).toBeGreaterThan(0);
    }
  },
  SECONDS * 1_000 + 360_000,
);
