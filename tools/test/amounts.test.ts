import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

async function load(amount: string): Promise<typeof import('../amounts.js')> {
  vi.stubEnv('CHATDOC_RUNS', amount);
  vi.resetModules();
  return await import('../amounts.js');
}

beforeEach(() => {
  vi.stubEnv('CHATDOC_SEED', '7');
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

const all = Array.from({ length: 100 }, (_, index) => index);

describe('amounts', () => {
  it('are a tenth in a quick run, at least five, or what the test says', async () => {
    const { isMore, isQuick, mayMiss, runs, scale, thin } = await load('');
    expect([scale(1000), scale(33), scale(20), scale(3)]).toEqual([100, 4 + 1, 5, 3]);
    expect([scale(1000, 7), scale(10, 40)]).toEqual([7, 40]);
    expect(runs(300, 60)).toEqual({ seed: 7, numRuns: 60 });
    expect(thin(all)).toEqual([0, 11, 22, 33, 44, 55, 66, 77, 88, 99]);
    expect(thin([1, 2, 3])).toEqual([1, 3]);
    expect(thin(all, 50)).toEqual([0, 50, 99]);
    expect(mayMiss(40)).toBe(5);
    expect([isQuick, isMore]).toEqual([true, false]);
  });

  it('are those of the tests in a deep run, and multiples of them', async () => {
    for (const [amount, factor] of [
      ['deep', 1],
      ['1', 1],
      ['3', 3],
      ['0.5', 0.5],
    ] as const) {
      const { isMore, isQuick, mayMiss, runs, scale, thin } = await load(amount);
      expect([scale(1000), scale(1000, 7), scale(3)]).toEqual([
        1000 * factor,
        1000 * factor,
        Math.ceil(3 * factor),
      ]);
      expect(runs(300, 60).numRuns).toBe(300 * factor);
      expect([thin(all), thin(all, 50)]).toEqual([all, all]);
      expect(mayMiss(40)).toBe(0);
      expect([isQuick, isMore]).toEqual([false, factor > 1]);
    }
  });

  it('that are none are refused', async () => {
    for (const amount of ['quick', '0', '-1']) await expect(load(amount)).rejects.toThrow('CHATDOC_RUNS');
  });
});
