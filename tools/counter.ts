import { TestRunner } from 'vitest';

/**
 * Counts up from `start`, and anew in each test: what a test makes does not depend on the tests before it, nor on the
 * files that had this module before its own. What is made outside of tests is shared by them, and has numbers of its own.
 */
export function createCounter(start: number): () => number {
  let shared = start;
  let count = start;
  let counted: unknown;
  return () => {
    const test = TestRunner.getCurrentTest();
    if (test === undefined) {
      shared += 1;
      return shared;
    }
    if (test !== counted) {
      counted = test;
      count = shared;
    }
    count += 1;
    return count;
  };
}
