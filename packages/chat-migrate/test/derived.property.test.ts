import { formatDate } from '@chatdoc/schema';
import { deriveUlid, Escaper } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { deriveId, LinesId, withMicros } from '../src/plan/derive-id.js';
import { writeEntry } from '../src/plan/written-entry.js';
import { readCanonicalDate, readDate } from '../src/source/dates.js';
import { toBytes } from './helpers/plans.js';

// Short cuts, each compared with the long way.
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');
const times = fc.integer({ min: 0, max: LAST_TIME });
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '"', '\n', '\\', '\u0007', 'é', '漢', '😀', '\ud800'),
    maxLength: 80,
  }),
);

describe('PL plan, short cuts', () => {
  it('[PL2] an id is the one that the schema derives', () => {
    fc.assert(
      fc.property(times, fc.array(fc.oneof(texts, fc.nat()), { maxLength: 4 }), (time, parts) => {
        expect(deriveId(time, 'a_tag', ...parts)).toBe(deriveUlid(time, 'a_tag', ...parts));
      }),
      runs(500),
    );
  });

  it('[PL2] the id of the lane does not depend on how its lines are grouped', () => {
    const lines = fc.array(fc.jsonValue().map((value) => `${new Escaper().escape(JSON.stringify(value))}\n`));
    fc.assert(
      fc.property(lines, fc.nat(20), (all, cut) => {
        const hash = new LinesId('legacy_lane', 2);
        for (const line of all.slice(0, cut)) hash.add(toBytes(line));
        hash.add(toBytes(all.slice(cut).join('')));
        expect(hash.derive(5)).toBe(deriveUlid(5, 'legacy_lane', 2, all.join('')));
      }),
      runs(200),
    );
  });

  it('[RW9] a date in the form of a document reads as any other does', () => {
    fc.assert(
      fc.property(times, fc.nat(23), fc.constantFrom('0', '9', 'x', '-', 'T'), (time, at, letter) => {
        const date = formatDate(time);
        expect([time, -1]).toContain(readCanonicalDate(date));
        expect(readDate(date)?.time).toBe(time);
        const damaged = date.slice(0, at) + letter + date.slice(at + 1);
        const canonical = readCanonicalDate(damaged);
        if (canonical >= 0) expect(formatDate(canonical)).toBe(damaged);
      }),
      runs(1000),
    );
  });

  it('[RW16] ids with microseconds are in their order', () => {
    fc.assert(
      fc.property(times, fc.nat(999), fc.nat(999), texts, (time, a, b, text) => {
        const [first, second] = [a, b].map((micros) => withMicros(deriveId(time, 'a_tag', text), micros));
        expect(Math.sign(a - b)).toBe((first ?? '') < (second ?? '') ? -1 : first === second ? 0 : 1);
      }),
      runs(200),
    );
  });

  it('[PL1] an entry is written as the schema writes it, or not at all', () => {
    const id = deriveUlid(0, 'x');
    const row = (depth: number): unknown => (depth === 0 ? { 10: 1, 9: 2, b: 'é', a: -0 } : [row(depth - 1)]);
    const entry = (value: unknown) => ({ type: 'legacy_row', id, reason: 'r', row: value }) as never;
    expect(writeEntry(entry(row(3)))?.line).toContain('{"9":2,"10":1,"a":0,"b":"é"}');
    expect(writeEntry(entry(row(30)))).toBeDefined();
    expect(writeEntry(entry(row(31)))).toBeUndefined();
    expect(writeEntry(entry(JSON.parse('{"__proto__":1}')))).toBeUndefined();
    expect(writeEntry(entry({ n: Number.POSITIVE_INFINITY }))).toBeUndefined();
    expect(writeEntry({ type: 'legacy_row', id: 'no id', row: 1 })).toBeUndefined();
    expect(writeEntry({ type: 'legacy_row', id, reason: 'x'.repeat(4097), row: 1 })).toBeUndefined();
    expect(writeEntry({ type: 'legacy_row', id, row: 'x'.repeat(5 * 1024 * 1024) })).toBeUndefined();
  });
});
