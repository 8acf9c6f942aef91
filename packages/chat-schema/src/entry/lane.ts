import { defineEntry, type EntryDefinition } from './define.js';
import { anyText, count, id, name, number, optional } from './field.js';

export interface LaneEntry {
  readonly type: 'lane';
  readonly lane_id: string;
  readonly schema_version: number;
  readonly min_reader: number;
  readonly generation: number;
  readonly writer_id: string;
  readonly user_id?: string | undefined;
  /** The entries below were rolled back: the header, verbatim, of the lane that they were in. */
  readonly rolled_back?: string | undefined;
}

export const lane: EntryDefinition<LaneEntry> = defineEntry<LaneEntry>()(
  'lane',
  {
    lane_id: id,
    schema_version: number,
    min_reader: number,
    generation: count,
    writer_id: id,
    user_id: optional(name),
    rolled_back: optional(anyText),
  },
  { head: { own: 'lane_id', about: [] } },
);
