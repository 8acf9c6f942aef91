import type * as Y from 'yjs';
import { keyOfLine } from '../entry/head.js';
import { closeLine, parseLine } from '../entry/line.js';
import { deriveUlid, timeOfUlid } from '../entry/ulid.js';
import { hashText, toHex } from '../host/sha256.js';
import { compareText } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import { groupLines, readSections, type Section } from './sections.js';
import { clockOf, createLaneText, type LaneMap } from './structs.js';

/** An import is cut into texts of about this many code units: what a redaction reads again stays small. */
const TEXT_LENGTH = 256 * 1024;

/** Every lane in order under its own header, verbatim; lines under none come first. */
export function writeJSONL(index: EntryIndex): string {
  const runs = new Map<
    string,
    { readonly section: Section; readonly client: number; readonly clock: number }[]
  >();
  for (const { lane } of index.texts()) {
    for (const section of readSections(lane)) {
      const name = `${section.laneId}${section.header}`;
      const group = runs.get(name);
      const run = { section, client: lane.client, clock: lane.clock };
      if (group === undefined) runs.set(name, [run]);
      else group.push(run);
    }
  }
  const lanes = [...runs.values()].map((group) => mergeRuns(group));
  lanes.sort((a, b) => compareText(a.laneId, b.laneId) || compareText(a.header, b.header));
  const shadowed = findShadowed(lanes);
  let jsonl = '';
  for (const lane of lanes) {
    if (lane.header !== '') jsonl += `${lane.header}\n`;
    for (const line of lane.lines) if (!shadowed.has(`${lane.laneId} ${line}`)) jsonl += `${line}\n`;
  }
  return jsonl;
}

/**
 * The lines of one lane that may be in several texts: those of one client in clock order, the longest such
 * run first, then what the others have more. The same whatever the clientIDs are.
 */
function mergeRuns(
  runs: readonly { readonly section: Section; readonly client: number; readonly clock: number }[],
): Section {
  const byClient = new Map<number, string[]>();
  for (const { section, client } of [...runs].sort((a, b) => a.clock - b.clock)) {
    const lines = byClient.get(client);
    if (lines === undefined) byClient.set(client, [...section.lines]);
    else for (const line of section.lines) lines.push(line);
  }
  const first = (runs[0] as (typeof runs)[number]).section;
  const sequences = [...byClient.values()];
  if (sequences.length > 1) {
    sequences.sort((a, b) => b.length - a.length || compareText(a.join('\n'), b.join('\n')));
  }
  const lines = new Set<string>();
  for (const sequence of sequences) for (const line of sequence) lines.add(line);
  return { laneId: first.laneId, header: first.header, lines: [...lines] };
}

const CUT = ',"cut":true}';

/** Cut lines that their own lane holds longer or whole. */
function findShadowed(lanes: readonly Section[]): ReadonlySet<string> {
  const shadowed = new Set<string>();
  for (const lane of lanes) {
    const cuts = lane.lines.filter((line) => line.endsWith(CUT));
    if (cuts.length === 0) continue;
    const best = new Map<string, string>();
    for (const cut of cuts) best.set(keyOfLine(cut) ?? cut, '');
    for (const line of lane.lines) {
      const key = keyOfLine(line);
      const known = key === undefined ? undefined : best.get(key);
      // What is quarantined outranks nothing.
      if (key === undefined || known === undefined || !parseLine(line).ok) continue;
      const isBetter =
        known === '' || (known.endsWith(CUT) && (!line.endsWith(CUT) || line.length > known.length));
      if (isBetter) best.set(key, line);
    }
    for (const cut of cuts)
      if ((best.get(keyOfLine(cut) ?? cut) ?? cut) !== cut) shadowed.add(`${lane.laneId} ${cut}`);
  }
  return shadowed;
}

/** The sections of a text to import; a torn last line is closed as cut, or kept as it is. */
export function parseJSONL(text: string): Section[] {
  // A file that went through a tool which ends all lines so; in a lane a carriage return ends none.
  const isCrlf = text.includes('\r\n') && !/(?:^|[^\r])\n/.test(text);
  const lines = (isCrlf ? text.replaceAll('\r\n', '\n') : text).split('\n');
  const last = lines.pop() as string;
  if (last !== '') lines.push(closeLine(last) ?? last);
  return groupLines(lines);
}

/** The part of `sections` that the document does not hold: lines under their header, lanes that it has never seen. */
export function findMissing(index: EntryIndex, sections: readonly Section[]): Section[] {
  const present = new Map<string, Set<string>>(sections.map(({ header }) => [header, new Set<string>()]));
  const known = new Set<string>();
  for (const { lane } of index.texts()) {
    for (const { header, lines } of readSections(lane)) {
      const held = present.get(header);
      if (held === undefined) continue;
      known.add(header);
      for (const line of lines) held.add(line);
    }
  }
  const missing: Section[] = [];
  for (const section of sections) {
    const { header } = section;
    const lines = section.lines.filter((line) => present.get(header)?.has(line) !== true);
    if (lines.length > 0 || (!known.has(header) && header !== '')) missing.push({ ...section, lines });
  }
  return missing;
}

/** Texts to set, each with whole lines under their own header. */
function cutTexts(sections: readonly Section[]): string[] {
  const texts: string[] = [];
  let text = '';
  for (const { header, lines } of sections) {
    const head = header === '' ? '' : `${header}\n`;
    if (text.length + head.length > TEXT_LENGTH) {
      texts.push(text);
      text = '';
    }
    text += head;
    for (const line of lines) {
      if (text.length > TEXT_LENGTH) {
        texts.push(text);
        text = head;
      }
      text += `${line}\n`;
    }
  }
  if (text !== '') texts.push(text);
  return texts;
}

export interface ImportPlan {
  readonly client: number;
  readonly texts: readonly { readonly key: string; readonly text: string }[];
}

/**
 * Keys and clientID come from the text alone, so that two replicas that import it separately write the same
 * structs. `tag` distinguishes imports from re-hosted lanes.
 */
export function planImport(tag: string, sections: readonly Section[]): ImportPlan {
  const texts = cutTexts(sections);
  const bytes = hashText(`${tag}\n${texts.join('\0')}`);
  const client = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const first = sections.find((section) => section.laneId !== '');
  const time = first === undefined ? 0 : timeOfUlid(first.laneId);
  const name = toHex(bytes.subarray(4));
  return { client, texts: texts.map((text, i) => ({ key: deriveUlid(time, tag, name, i), text })) };
}

/** Whether nothing else has ever been written under the plan's clientID or keys. */
export function isFree(map: LaneMap, plan: ImportPlan): boolean {
  const doc = map.doc as Y.Doc;
  return clockOf(doc, plan.client) === 0 && plan.texts.every(({ key }) => !map.has(key));
}

export function applyImport(transaction: Y.Transaction, map: LaneMap, plan: ImportPlan): void {
  for (const { key, text } of plan.texts) createLaneText(transaction, map, key, plan.client, text);
}
