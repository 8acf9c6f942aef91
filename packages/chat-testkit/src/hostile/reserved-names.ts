import fc from 'fast-check';

/** Names that mean something on every object: a reader that copies them by assignment changes a prototype. */
export const RESERVED_NAMES: readonly string[] = [
  ...new Set(['__proto__', 'constructor', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)]),
];

/** The one of them that no line may hold as a key: it quarantines the line. */
export const FORBIDDEN_NAME = '__proto__';

/**
 * JSON text of an object whose keys, at up to four levels, are reserved names; `__proto__` only if asked for. Text,
 * because an object literal with a `__proto__` sets a prototype: `JSON.parse` gives it as a key.
 */
export function reservedObjects({
  forbidden = false,
}: {
  readonly forbidden?: boolean;
} = {}): fc.Arbitrary<string> {
  const names = RESERVED_NAMES.filter((name) => forbidden || name !== FORBIDDEN_NAME);
  const leaf = fc.constantFrom(
    'null',
    'true',
    '0',
    '"polluted"',
    '[]',
    '{}',
    '"__proto__"',
    '["constructor"]',
  );
  const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
    object: fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('value')), {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 4,
      })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
    value: fc.oneof({ maxDepth: 3, depthIdentifier: 'reserved' }, leaf, tie('object')),
  }));
  return object;
}
