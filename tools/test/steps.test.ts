import { expect, it } from 'vitest';
import { createCounter } from '../counter.js';
import { createParts } from '../parts.js';
import { countSteps } from '../steps.js';

const add = (sum: number, at: number): number => sum + at;

function loop(times: number): number {
  let sum = 0;
  for (let at = 0; at < times; at += 1) sum = add(sum, at);
  return sum;
}

it('steps grow as the work does, and are the same each time', () => {
  // Also of what is compiled and optimized already.
  loop(100_000);
  const [once, again, ten] = [1000, 1000, 10_000].map((times) => countSteps(() => void loop(times)));
  expect(once).toBeGreaterThan(1000);
  expect(again).toBe(once);
  expect((ten ?? 0) / (once ?? 1)).toBeGreaterThan(9);
  expect((ten ?? 0) / (once ?? 1)).toBeLessThan(11);
});

const next = createCounter(5);
const shared = next();

it('a counter begins anew in each test, behind what all share', () => {
  expect([shared, next(), next()]).toEqual([6, 7, 8]);
});

it('in this one, too', () => {
  expect([next(), next()]).toEqual([7, 8]);
});

const { test, all } = createParts();
let met = 0;

test('a part does its work once', () => {
  met += 1;
});

it('a test about the parts does what was not done', async () => {
  await all();
  await all();
  expect(met).toBe(1);
});
