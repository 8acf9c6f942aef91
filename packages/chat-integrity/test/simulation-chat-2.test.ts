import { describe, expect, it } from 'vitest';
import { FRAME_MARKS } from '../../chat-testkit/src/index.js';
import { FAULTS } from '../src/testing/index.js';
import { chatInFrames, findRare, simulate } from './simulation.js';

// In two files, so that two workers share it. CHATDOC_RUNS=3.2 gives the goal of 1,000,000 steps.
const AMOUNT = { file: 2, runs: 400, quick: 4, steps: 533 };

describe('the chat, in frames, under all faults at once', () => {
  it('[HA10] [HA11] keeps every law after every step, comes to one state in two rounds, and has met every case', () => {
    const amounts = simulate(chatInFrames, FAULTS, AMOUNT);
    // In a quick run the other file looks at what was met.
    if (amounts.runs < 10) return;
    expect(amounts.steps / amounts.runs).toBeGreaterThan(350);
    // Of the whole, each kind of fault at least 500 times, each command 5,000 times.
    expect(
      findRare(
        amounts,
        FAULTS.map((name) => `fault ${name}`),
        500,
      ),
    ).toEqual([]);
    const commands = Object.keys(chatInFrames.application.commands).map((name) => `command ${name}`);
    expect(findRare(amounts, commands, 5000)).toEqual([]);
    const marks = [...(chatInFrames.application.marks ?? []), ...FRAME_MARKS];
    const missing = amounts.tally.missing(marks);
    expect(marks.length - missing.length).toBeGreaterThanOrEqual(40);
    if (amounts.runs >= 1000) expect(missing).toEqual([]);
  });
});
