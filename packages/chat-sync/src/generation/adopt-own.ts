import { type Chat, type Environment, type LaneEntry, openChat, systemEnvironment } from '@chatdoc/schema';
import {
  blankLine,
  ChatOrigin,
  clockOf,
  createLaneText,
  drawClient,
  encodeLine,
  formatUlid,
  isPrivateKind,
  joinSections,
  KIND,
  keyOfLine,
  type LaneMap,
} from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { kindOf, readCopy } from './copy.js';
import { restampLines } from './restamp.js';

export interface AdoptOwnOptions {
  /** A fresh copy of the document, and the chat in it. */
  readonly doc: Y.Doc;
  readonly chat: Chat;
  /** The chat that was refused, or is of an older generation. */
  readonly stale: Chat;
  /** The user whose lines are taken: of lanes whose header names this user, or nobody where undefined. */
  readonly user_id: string | undefined;
  /** Name of the chat's root. Defaults to `chat`. */
  readonly root?: string;
  /**
   * Gives entries that were stamped by a clock ahead of this one new ids and times, the same in every reference to
   * them. Defaults to false: their lines come as they are.
   */
  readonly restamp?: boolean;
  readonly environment?: Environment;
}

export interface AdoptedOwn {
  /** Lines that were written. */
  readonly lines: number;
  /** Entries among them that have a new id. */
  readonly restamped: number;
  /** Lines that `chat` lacks and that are not the user's to write: of others, imported, or unreadable. They are still in `stale`. */
  readonly left: number;
}

/** A lane that is longer is cut, as writers do. */
const MAX_LINES = 256;
const MAX_LENGTH = 64 * 1024;

/**
 * Takes over what a person wrote in a copy that a gated server has refused, or that is of an older generation: in
 * lanes of this process, under the writer ids that the lines were written with, so that the gate takes them as it
 * takes any line of this person. What `chat` holds already is not written again. Text that is redacted on either side
 * comes blank. Idempotent. O(both documents).
 */
export function adoptOwn(options: AdoptOwnOptions): AdoptedOwn {
  const { chat, stale, user_id, restamp = false, environment = systemEnvironment } = options;
  // In a document of its own, so that what one side has redacted is blanked before it comes near the other.
  const union = openChat(new Y.Doc());
  for (const side of [chat, stale]) union.importJSONL(side.toJSONL());
  const known = new Known(chat);
  const missing: Group[] = [];
  let left = 0;
  for (const { lane, isFolded, lines } of readCopy(union)) {
    const lacking = lines.filter((line) => known.lacks(line));
    const isOwn = lane !== undefined && isFolded && lane.user_id === user_id;
    const own = isOwn ? lacking.filter((line) => isOwnKind(kindOf(line))) : [];
    left += lacking.length - own.length;
    if (lane !== undefined && own.length > 0) missing.push({ lane, lines: own });
  }
  const all = missing.flatMap(({ lines }) => lines);
  const { renamed, rename } = restamp
    ? restampLines(all, known.lines(), environment.now())
    : { renamed: 0, rename: undefined };
  const groups = rename === undefined ? missing : renameAll(missing, rename, known);
  const lines = writeLanes(mergeWriters(groups), options);
  return { lines, restamped: lines === 0 ? 0 : renamed, left };
}

/** Lines under one header. */
interface Group {
  readonly lane: LaneEntry;
  readonly lines: readonly string[];
}

function renameAll(groups: readonly Group[], rename: (line: string) => string, known: Known): Group[] {
  return groups.map(({ lane, lines }) => ({
    lane,
    lines: lines.map(rename).filter((line) => known.lacks(line)),
  }));
}

/** The lines of each writer, each once, cut as writers cut their lanes. */
function mergeWriters(groups: readonly Group[]): Group[] {
  const byWriter = new Map<string, { readonly lane: LaneEntry; readonly lines: Set<string> }>();
  for (const { lane, lines } of groups) {
    const group = byWriter.get(lane.writer_id) ?? { lane, lines: new Set<string>() };
    byWriter.set(lane.writer_id, group);
    for (const line of lines) group.lines.add(line);
  }
  return [...byWriter.values()].flatMap(({ lane, lines }) =>
    cutLanes([...lines]).map((cut) => ({ lane, lines: cut })),
  );
}

/** What a chat holds, whatever lane it is in. */
class Known {
  readonly #lines = new Set<string>();
  /** As redactions leave them. */
  readonly #blank = new Set<string>();
  /** By entry, the longest line; of one that was cut, only while no whole one is there. */
  readonly #best = new Map<string, string>();

  constructor(chat: Chat) {
    for (const { lines } of readCopy(chat)) for (const line of lines) this.#add(line);
  }

  #add(line: string): void {
    this.#lines.add(line);
    if (isPrivateKind(kindOf(line))) this.#blank.add(blankLine(line));
    const key = keyOfLine(line);
    if (key === undefined) return;
    const best = this.#best.get(key);
    if (best === undefined || isBetter(line, best)) this.#best.set(key, line);
  }

  lacks(line: string): boolean {
    // Or it is there, and a redaction that comes with it blanks it.
    if (this.#lines.has(line) || this.#blank.has(line)) return false;
    const best = this.#best.get(keyOfLine(line) ?? '');
    return best === undefined || !line.endsWith(CUT) || isBetter(line, best);
  }

  lines(): Iterable<string> {
    return this.#lines;
  }
}

const CUT = ',"cut":true}';

function isBetter(line: string, best: string): boolean {
  return best.endsWith(CUT) && (!line.endsWith(CUT) || line.length > best.length);
}

/** Kinds that a gate takes from anybody who may write at all. */
function isOwnKind(kind: number): boolean {
  const others: readonly number[] = [KIND.bad, KIND.unknown, KIND.lane, KIND.document, KIND.legacy_row];
  return !others.includes(kind);
}

/** In one update: a gate takes a redaction only with the message, or after it. */
function writeLanes(
  groups: readonly Group[],
  { doc, chat, root = 'chat', environment = systemEnvironment }: AdoptOwnOptions,
): number {
  if (groups.length === 0) return 0;
  const map = doc.getMap(root) as LaneMap;
  const client = drawClient(environment, (taken) => clockOf(doc, taken) > 0 || taken === doc.clientID);
  let written = 0;
  doc.transact((transaction) => {
    for (const { lane, lines } of groups) {
      const lane_id = formatUlid(environment.now(), environment.random(10));
      const header = encodeLine({ ...lane, lane_id, generation: chat.generation });
      createLaneText(transaction, map, lane_id, client, joinSections([{ header, lines: [...lines] }]));
      written += lines.length;
    }
  }, new ChatOrigin('adoptOwn'));
  return written;
}

function cutLanes(lines: readonly string[]): string[][] {
  const lanes: string[][] = [];
  let length = MAX_LENGTH;
  for (const line of lines) {
    if (length >= MAX_LENGTH || (lanes.at(-1)?.length ?? 0) >= MAX_LINES) {
      lanes.push([]);
      length = 0;
    }
    lanes.at(-1)?.push(line);
    length += line.length;
  }
  return lanes;
}
