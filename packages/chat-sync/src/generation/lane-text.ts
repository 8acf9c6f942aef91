import { entrySchemas, isUlid, type LaneEntry, parseLine, SCHEMA_VERSION } from '@chatdoc/schema';

/** One lane of a copy, as `toJSONL` writes it. */
export interface LaneText {
  /** The header, verbatim; empty for lines that stand under none. */
  readonly header: string;
  /** Undefined where there is no header, or one that fails its schema. */
  readonly lane: LaneEntry | undefined;
  readonly lines: readonly string[];
}

const START = '{"type":"lane","lane_id":"';

export function parseLanes(jsonl: string): LaneText[] {
  const lanes: { header: string; lane: LaneEntry | undefined; lines: string[] }[] = [];
  for (const line of jsonl.split('\n')) {
    if (line === '') continue;
    const isHeader = line.startsWith(START) && isUlid(line.slice(START.length, START.length + 26));
    if (isHeader || lanes.length === 0) {
      lanes.push({ header: isHeader ? line : '', lane: isHeader ? readLane(line) : undefined, lines: [] });
      if (isHeader) continue;
    }
    lanes.at(-1)?.lines.push(line);
  }
  return lanes;
}

export function joinLanes(lanes: readonly Pick<LaneText, 'header' | 'lines'>[]): string {
  let jsonl = '';
  for (const { header, lines } of lanes) {
    if (header !== '') jsonl += `${header}\n`;
    for (const line of lines) jsonl += `${line}\n`;
  }
  return jsonl;
}

/** Whether what stands under this header is folded. */
export function isFolded({ lane }: LaneText): boolean {
  return lane !== undefined && lane.min_reader <= SCHEMA_VERSION && lane.rolled_back === undefined;
}

/** The header that a line is; undefined for a line that is none, or one that fails its schema. */
export function readLane(line: string): LaneEntry | undefined {
  const parsed = parseLine(line);
  const lane = parsed.ok ? entrySchemas.lane.safeParse(parsed.body) : undefined;
  return lane?.success === true ? (lane.data as unknown as LaneEntry) : undefined;
}
