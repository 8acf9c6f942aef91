import { describe, expect, it } from 'vitest';
import { scale } from '../../../tools/amounts.js';
import { memoryHarness, storageConformance } from '../src/testing/index.js';

describe('the conformance suite over memory', () => {
  const cases = storageConformance(memoryHarness, { manyRows: scale(10_000) });

  for (const { rule, name, run } of cases) it(`[${rule}] ${name}`, run);

  it('[ST19] applies in full', () => {
    expect(cases.filter(({ applicable }) => !applicable)).toEqual([]);
  });
});
