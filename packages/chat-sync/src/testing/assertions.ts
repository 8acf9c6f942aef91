/** Without a test framework, so that any can run the suites. Messages name ids, codes and lengths, never content. */

export function assertTrue(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected ${what}`);
}

/** Compares as JSON. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  assertTrue(got === wanted, `${what} to be ${wanted}, got ${got}`);
}

export function assertBytes(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[],
  what: string,
): void {
  assertEqual(actual.length, expected.length, `the number of ${what}`);
  const differs = actual.findIndex((bytes, at) => !isSameBytes(bytes, expected[at] as Uint8Array));
  assertEqual(differs, -1, `the first of the ${what} that differs`);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function assertOk<T extends { readonly ok: boolean }>(
  result: T,
  what: string,
): asserts result is Extract<T, { readonly ok: true }> {
  assertTrue(
    result.ok,
    `${what} to succeed, got ${(result as { readonly code?: string }).code ?? 'no code'}`,
  );
}

export function assertFault(
  result: { readonly ok: boolean; readonly code?: string },
  code: string,
  what: string,
): void {
  assertEqual(result.ok ? 'ok' : result.code, code, what);
}
