import { createHead, readHead } from '../entry/head.js';
import { closeLine, healBlanks } from '../entry/line.js';
import { KIND } from '../entry/table.js';
import { type LaneText, readLaneText } from './structs.js';

/** The lines of one lane in one text, under their header. */
export interface Section {
  /** Empty for lines above the first header of the text. */
  readonly laneId: string;
  readonly header: string;
  readonly lines: string[];
}

/** The lines of a text as they count: blanks healed, an open last line closed as cut, or as it is. */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() as string;
  const healed = lines.map(healBlanks);
  if (last !== '') healed.push(closeLine(last) ?? last);
  return healed;
}

export function readSections(lane: LaneText): Section[] {
  return groupLines(splitLines(readLaneText(lane)));
}

/** Lines by the nearest header above them. */
export function groupLines(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let current: Section | undefined;
  for (const line of lines) {
    const laneId = readLaneId(line);
    if (laneId !== undefined || current === undefined) {
      current = { laneId: laneId ?? '', header: laneId === undefined ? '' : line, lines: [] };
      sections.push(current);
      if (laneId !== undefined) continue;
    }
    current.lines.push(line);
  }
  return sections;
}

/** JSONL of the sections, each line under its header. */
export function joinSections(sections: readonly Pick<Section, 'header' | 'lines'>[]): string {
  let jsonl = '';
  for (const { header, lines } of sections) {
    if (header !== '') jsonl += `${header}\n`;
    for (const line of lines) jsonl += `${line}\n`;
  }
  return jsonl;
}

const head = createHead();

/** The lane that a header line opens; undefined for any other line. */
function readLaneId(line: string): string | undefined {
  readHead(line, 0, line.length, head);
  return head.kind === KIND.lane ? line.substring(head.own, head.own + 26) : undefined;
}
