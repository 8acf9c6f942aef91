import type { Chat } from '@chatdoc/schema';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** One line of a copy, and where it stands. A header stands under itself. */
export interface CopiedLine {
  readonly header: string;
  readonly line: string;
}

/** By lane id, empty for lines under no header; then by digest of the line, in order. */
export type CopiedLanes = ReadonlyMap<string, ReadonlyMap<string, CopiedLine>>;

const HEADER = /^\{"type":"lane","lane_id":"([0-7][0-9A-HJKMNP-TV-Z]{25})"/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * The lines of `chat.toJSONL()` by lane, each under its digest. Half a character is read as U+FFFD, which is
 * what another replica gets of it. O(document).
 */
export function readLanes(chat: Chat): CopiedLanes {
  const lanes = new Map<string, Map<string, CopiedLine>>();
  let header = '';
  let laneId = '';
  const lines = chat.toJSONL().replace(LONE_SURROGATE, '\ufffd').split('\n');
  lines.pop();
  for (const line of lines) {
    const opened = HEADER.exec(line)?.[1];
    if (opened !== undefined) {
      header = line;
      laneId = opened;
    }
    const lane = lanes.get(laneId) ?? new Map<string, CopiedLine>();
    lanes.set(laneId, lane);
    const digest = digestText(line);
    if (!lane.has(digest)) lane.set(digest, { header, line });
  }
  return new Map(
    [...lanes].sort(compareKeys).map(([id, lane]) => [id, new Map([...lane].sort(compareKeys))]),
  );
}

/** Of what a lane holds, wherever it stands. */
export function digestLane(lane: ReadonlyMap<string, CopiedLine>): string {
  return digestText([...lane.keys()].join('\n'));
}

/** 128 bits of SHA-256, in hex. */
export function digestText(text: string): string {
  return digestBytes(new TextEncoder().encode(text)).slice(0, DIGEST_LENGTH);
}

export function digestBytes(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

export const DIGEST_LENGTH = 32;

/** JSONL of these lines, each under its header, those under none first. */
export function joinLines(lines: readonly CopiedLine[]): string {
  const byHeader = new Map<string, string[]>([['', []]]);
  for (const { header, line } of lines) {
    const group = byHeader.get(header) ?? [];
    byHeader.set(header, group);
    if (line !== header) group.push(line);
  }
  let jsonl = '';
  for (const [header, group] of byHeader) {
    if (header !== '') jsonl += `${header}\n`;
    for (const line of group) jsonl += `${line}\n`;
  }
  return jsonl;
}

/**
 * Writes what of `jsonl` the chat lacks. A header of the chat's own stands behind it and adds nothing: the
 * import refuses a text without any header, and reads one whose lines all end with a carriage return as text of
 * a tool that adds them.
 */
export function importLines(chat: Chat, jsonl: string): ReturnType<Chat['importJSONL']> {
  const anchor = chat
    .toJSONL()
    .split('\n')
    .find((line) => HEADER.test(line) && !line.endsWith('\r'));
  return chat.importJSONL(anchor === undefined ? jsonl : `${jsonl}${anchor}\n`);
}

function compareKeys([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
