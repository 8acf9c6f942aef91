import { deriveId, hashOfId } from './derive-id.js';

/**
 * A number for a part that depends on nothing but the part: place among its siblings, then `rank` (0 … 7), then a hash
 * of its content. Two revisions of a file that have a part differently must not give one number to both.
 */
export function derivePartNumber(
  kind: 'text' | 'tool_call' | 'file',
  index: number,
  rank: number,
  content: string,
): number {
  const place = PART_ORDER.indexOf(kind) * MAX_SIBLINGS + Math.min(index, MAX_SIBLINGS - 1);
  return (place * RANKS + rank) * HASHES + hashOfId(deriveId(0, 'legacy_part', kind, content)) + 1;
}

const PART_ORDER = ['text', 'tool_call', 'file'] as const;
const MAX_SIBLINGS = 2 ** 17;
const RANKS = 8;
const HASHES = 2 ** 30;
