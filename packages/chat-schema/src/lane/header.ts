import { readLaneId } from '../entry/head.js';
import type { LaneEntry } from '../entry/lane.js';
import { SCHEMA_VERSION } from '../entry/limits.js';
import { healBlanks, parseLine } from '../entry/line.js';
import { definitionOf } from '../entry/table.js';

/** A `lane` line in its place. Copies of one lane have one header each. */
export interface Header {
  /** Null where the line fails its schema: what follows is quarantined. */
  readonly lane: LaneEntry | null;
  /** The header as a list of one, empty for null: what most entries are under. */
  readonly lanes: readonly LaneEntry[];
  /** `min_reader` is above ours, or the lane was rolled back: not folded. */
  readonly hidden: boolean;
}

/** A line whose head is that of a lane, as it counts; any other line gives none. */
export function readHeader(line: string): Header {
  const parsed = parseLine(healBlanks(line));
  if (!parsed.ok || !definitionOf('lane').body.fits(parsed.body)) {
    return { lane: null, lanes: [], hidden: false };
  }
  const lane = parsed.body as unknown as LaneEntry;
  // The head names the lane; a second `lane_id` behind it must not.
  const hidden = lane.min_reader > SCHEMA_VERSION || lane.rolled_back !== undefined;
  const named = { ...lane, lane_id: readLaneId(line) };
  return { lane: named, lanes: [named], hidden };
}
