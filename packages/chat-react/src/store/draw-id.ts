import type { Environment } from '@chatdoc/schema';

/** A fresh id of 128 bits, for calls that are idempotent by an id of the caller. */
export function drawId(environment: Pick<Environment, 'random'>): string {
  return Array.from(environment.random(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
