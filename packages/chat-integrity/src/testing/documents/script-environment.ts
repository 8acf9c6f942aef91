import type { Environment } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';

export const SCRIPT_START: number = Date.UTC(2026, 10, 21, 12);

/**
 * The same clock and bytes for the same seed and calls. The clock begins at `SCRIPT_START`, and goes on by `step`
 * milliseconds with each call of either.
 */
export function createScriptEnvironment(seed: number | string, step: number): Environment {
  let calls = 0;
  return {
    now: () => {
      calls += 1;
      return SCRIPT_START + calls * step;
    },
    random: (bytes) => {
      calls += 1;
      return hashBytes(seed, calls, bytes);
    },
  };
}

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The hash behind a derived id, eight bits of each two of its last sixteen digits. */
function hashBytes(seed: number | string, call: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let hash = '';
  for (let at = 0; at < length; at += 1) {
    if (at % 8 === 0) hash = deriveUlid(0, 'script bytes', seed, call, at).slice(10);
    const pair = (at % 8) * 2;
    bytes[at] = DIGITS.indexOf(hash.charAt(pair)) * 32 + DIGITS.indexOf(hash.charAt(pair + 1));
  }
  return bytes;
}
