import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectPlan, readFixture } from './helpers/plans.js';

const FIXTURES = readdirSync(new URL('fixtures', import.meta.url))
  .filter((name) => name.endsWith('.chat'))
  .sort();

// Never regenerated: a line that changes here is a chat that two machines migrate differently.
describe('PL plan of the golden files', () => {
  it.each(FIXTURES)('[PL2] %s has the plan that it always had', (name) => {
    const expected = new TextDecoder().decode(readFixture(name.replace('.chat', '.expected.jsonl')));
    expect(expectPlan(readFixture(name)).jsonl).toBe(expected);
  });
});
