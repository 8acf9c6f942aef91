import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entrySchemas } from '../../chat-testkit/src/oracle/entry-schemas.js';
import { assertEntry } from '../src/chat/transaction.js';
import { readEntry } from '../src/entry/read.js';
import { definitionOf, ENTRY_TYPES, type Entry, type EntryType } from '../src/entry/table.js';
import { ChatDocError } from '../src/index.js';
import { idAt } from './raw.js';
import { runs } from './world.js';

/** Values that fit some field, or nearly. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.nat(40).map((n) => idAt(n)),
  fc.nat(40).map((n) => idAt(n).toLowerCase()),
  fc.constantFrom('2026-11-21T00:00:00.000Z', '2026-11-21', 'chat', 'run', 'answer', 'idle', 'user', ''),
  fc.string({ maxLength: 8 }),
  fc.constantFrom(4_096, 4_097, 2_097_152, 2_097_153).map((length) => 'x'.repeat(length)),
  fc.constantFrom(0, 1, -1, 1.5, 2 ** 53, 2 ** 53 - 1, null, true, false, undefined),
  fc.array(
    fc.nat(9).map((n) => idAt(n)),
    { maxLength: 3 },
  ),
  fc.constant(Array.from({ length: 4_097 }, () => idAt(1))),
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({ root_id: fc.string(), owner_id: fc.string(), provider: fc.string(), number: fc.integer() }),
  fc.record({ thread_id: fc.nat(4).map((n) => idAt(n)) }),
);

const tries: readonly unknown[] = [
  undefined,
  idAt(1),
  'x',
  1,
  '2026-11-21T00:00:00.000Z',
  'chat',
  'idle',
  'user',
  {},
  { from: 0, to: 1 },
  { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 },
  true,
  'answer',
];

/** A body of the type with every field, each of which fits. */
function wholeBody(type: EntryType): Record<string, unknown> {
  const body: Record<string, unknown> = { type };
  const { keys, fields } = definitionOf(type);
  for (const key of keys) {
    body[key] = [...tries].reverse().find((value) => fields[key]?.fits(value));
  }
  return body;
}

/** A body that fits, but for a few of its fields, and with some unknown ones. */
const bodies: fc.Arbitrary<readonly [EntryType, Record<string, unknown>]> = fc
  .constantFrom(...ENTRY_TYPES)
  .chain((type) => {
    const keys = definitionOf(type).keys;
    const changes = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 4 })), values, {
      maxKeys: 3,
      noNullPrototype: true,
    });
    return fc.tuple(fc.constant(type), changes, fc.subarray([...keys], { maxLength: 3 }));
  })
  .map(([type, changes, left]) => {
    const body = { ...wholeBody(type), ...changes, type };
    for (const key of left) delete (body as Record<string, unknown>)[key];
    return [type, body] as const;
  });

describe('entry table', () => {
  it('[LN8] an entry type accepts what the specification does, and names the fields that do not fit', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(bodies, ([type, body]) => {
        const parsed = entrySchemas[type].safeParse(body);
        expect(definitionOf(type).body.fits(body)).toBe(parsed.success);
        if (parsed.success) accepted += 1;
        else refused += 1;
        if (type === 'lane') return;
        const { entry, problem } = readEntry(type, body);
        expect(problem === undefined).toBe(parsed.success);
        const bad = new Set(parsed.error?.issues.map((issue) => String(issue.path[0] ?? '')));
        const fitting = Object.entries(body).filter(([key]) => !bad.has(key) || key === 'type');
        expect(entry).toEqual(Object.fromEntries(fitting));
        if (bad.size > 0) expect(problem).toBe(`schema: ${[...bad].sort().join(', ')}`);
      }),
      runs(30_000),
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it('[LN8] a body with every field in place fits', () => {
    for (const type of ENTRY_TYPES) {
      expect(definitionOf(type).keys, type).toEqual(
        Object.keys(entrySchemas[type].shape).filter((key) => key !== 'type'),
      );
      expect(definitionOf(type).body.fits(wholeBody(type)), type).toBe(true);
    }
  });

  it('[LN8] an entry that does not fit is refused by the path of what is wrong, as the specification has it', () => {
    fc.assert(
      fc.property(bodies, ([type, body]) => {
        const { success, error } = entrySchemas[type].safeParse(body);
        if (success) return;
        const paths = error.issues.map(({ path }) => path.join('.'));
        try {
          assertEntry(body as unknown as Entry);
          expect.unreachable();
        } catch (thrown) {
          const { path } = thrown as ChatDocError;
          expect(thrown).toBeInstanceOf(ChatDocError);
          // Inside plain JSON our own path goes on to the very value.
          expect(
            paths.some((one) => path === one || path.startsWith(`${one}.`)),
            `${path}: ${paths}`,
          ).toBe(true);
        }
      }),
      runs(3_000),
    );
  });
});
