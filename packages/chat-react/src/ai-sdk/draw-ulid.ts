import type { Environment } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';

/** A fresh ULID, for ids outside of the document. */
export function drawUlid(environment: Environment): string {
  return formatUlid(environment.now(), environment.random(10));
}
