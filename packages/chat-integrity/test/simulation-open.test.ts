import { describe, expect, it } from 'vitest';
import { chatInTheOpen, findRare, OPEN_FAULTS, simulate } from './simulation.js';

describe('the chat over bare y-protocols, around a server', () => {
  it('[HA10] keeps every law under every fault but damage, against which there is no checksum', () => {
    // What a process said and lost before it was flushed may be pending elsewhere for ever: Yjs keeps it so.
    const without = ['converges within two rounds'] as const;
    const amounts = simulate(chatInTheOpen, OPEN_FAULTS, { file: 3, runs: 150, steps: 300 }, { without });
    expect(
      findRare(
        amounts,
        OPEN_FAULTS.map((name) => `fault ${name}`),
        500,
      ),
    ).toEqual([]);
  });
});
