import {
  type Chat,
  ChatDocError,
  type ChatOptions,
  type LaneEntry,
  openChat,
  type Rollback,
  SCHEMA_VERSION,
  timeOfUlid,
} from '@chatdoc/schema';
import { deriveUlid, encodeLine, joinSections, KIND, readHeader } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { type Copy, kindOf, readCopy } from './copy.js';
import { findSuperseded } from './superseded.js';

/**
 * A generation is another Y.Doc. No lane is ever deleted from a live document: what an offline replica adds to it
 * later would die without an error. So compaction, and going back to a backup, write a new document, and a replica
 * of an older generation is read, never applied.
 */
export interface NextGeneration {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly generation: number;
  /** Lines that were left out, see `findSuperseded`. */
  readonly dropped: number;
}

export interface NextOptions extends Omit<ChatOptions, 'generation' | 'readOnly'> {
  /** Of the new document; must be greater than that of the old one. */
  readonly generation: number;
}

/**
 * The chat in a new document: every lane under its own header, written by one client; redacted text, foreign
 * text and what Yjs kept of the past are gone. It reads the same: `foldDigest()` is equal. Two that compact equal
 * chats make byte-equal documents.
 */
export function compactChat(chat: Chat, options: NextOptions): NextGeneration {
  const copies = readCopy(chat);
  const superseded = findSuperseded(chat, copies);
  const kept = copies.map(({ header, lines }) => ({
    header,
    lines: superseded.size === 0 ? lines : lines.filter((line) => !superseded.has(line)),
  }));
  const text = joinSections(kept.filter(({ header, lines }) => header !== '' || lines.length > 0));
  return { ...createGeneration(text, options), dropped: superseded.size };
}

function createGeneration(text: string, options: NextOptions): Omit<NextGeneration, 'dropped'> {
  const doc = new Y.Doc();
  const chat = openChat(doc, options);
  const imported = chat.importJSONL(text);
  // Lines without any lane: damage, which stays in the old file.
  if (!imported.ok) throw new ChatDocError(imported.code, 'chat', 'the lines of this chat stand in no lane');
  return { doc, chat, generation: options.generation };
}

export interface RollbackOptions extends NextOptions {
  readonly doc_id: string;
  /** Generation of the backup that is restored. */
  readonly from: number;
  /** Generation of the document that is given up. */
  readonly to: number;
}

/**
 * The chat of a backup as a new document. What replicas of the generations `from` to `to` have more than the
 * backup is hidden when it comes back with `adoptStale`: kept, listed, and shown again by `adoptRolledBack`.
 */
export function rollBackChat(backup: Chat, options: RollbackOptions): NextGeneration {
  const { doc_id, from, to, generation } = options;
  if (!(from <= to && to < generation)) {
    throw new ChatDocError('invalid_argument', 'generation', 'expected from ≤ to < generation');
  }
  const rolled_back: Rollback = { from, to };
  const id = deriveUlid(0, 'rollback', doc_id, generation, from, to);
  const header: LaneEntry = {
    type: 'lane',
    lane_id: deriveUlid(0, 'rollback lane', doc_id, generation, from, to),
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation,
    writer_id: id,
  };
  const said = encodeLine({ type: 'document', id, doc_id, rolled_back });
  const text = `${backup.toJSONL()}${encodeLine(header)}\n${said}\n`;
  return { ...createGeneration(text, options), dropped: 0 };
}

export interface Adopted {
  /** Lines that were written. */
  readonly lines: number;
  /** Those of them that are hidden, because their generation was rolled back. */
  readonly hidden: number;
}

/**
 * Takes over what a replica of an older generation has more: its lines, never its structs. Text that is redacted
 * on either side comes blank. Idempotent.
 */
export function adoptStale(chat: Chat, stale: Chat, staleGeneration: number): Adopted {
  // In a document of its own, so that what one side has redacted is blanked before it comes near the other.
  const union = openChat(new Y.Doc());
  for (const side of [chat, stale]) union.importJSONL(side.toJSONL());
  const copies = readCopy(union);
  const isTakenBack = chat
    .rollbacks()
    .some(({ from, to }) => from <= staleGeneration && staleGeneration <= to);
  // First, so that what they blank here is the same line as there.
  const redacted = isTakenBack ? 0 : importLines(chat, copies.map(keepRedactions));
  const present = presentLines(chat, isTakenBack);
  // What is hidden may be shown again in part: then nothing of it is superseded by the rest.
  const superseded = isTakenBack ? new Set<string>() : findSuperseded(union, copies);
  const missing: Lines[] = [];
  let hidden = 0;
  for (const { lane, header, lines: all } of copies) {
    const known = present.get(lane?.lane_id ?? '');
    const lines = all.filter((line) => known?.has(line) !== true && !superseded.has(line));
    if (lines.length === 0 && (known !== undefined || header === '')) continue;
    if (isTakenBack && lane !== undefined && lane.rolled_back === undefined) {
      missing.push({ header: hideHeader(lane, header), lines });
      hidden += lines.length;
    } else missing.push({ header, lines });
  }
  return { lines: redacted + importLines(chat, missing), hidden };
}

type Lines = Pick<Copy, 'header' | 'lines'>;

function importLines(chat: Chat, copies: readonly Lines[]): number {
  const imported = chat.importJSONL(joinSections(copies));
  return imported.ok ? imported.lines : 0;
}

function keepRedactions({ header, isFolded, lines }: Copy): Lines {
  const redactions = isFolded ? lines.filter((line) => kindOf(line) === KIND.redaction) : [];
  return { header: redactions.length === 0 ? '' : header, lines: redactions };
}

/** By lane, what the chat holds. `withHidden`: a hidden lane's lines count for the lane from which they were taken. */
function presentLines(chat: Chat, withHidden: boolean): Map<string, Set<string>> {
  const present = new Map<string, Set<string>>();
  for (const { lane, lines } of readCopy(chat)) {
    const hidden = withHidden && lane?.rolled_back !== undefined ? originOf(lane.rolled_back) : undefined;
    for (const id of new Set([lane?.lane_id ?? '', hidden?.lane_id ?? lane?.lane_id ?? ''])) {
      const known = present.get(id) ?? new Set();
      present.set(id, known);
      for (const line of lines) known.add(line);
    }
  }
  return present;
}

function hideHeader(lane: LaneEntry, header: string): string {
  const { lane_id } = lane;
  return encodeLine({
    ...lane,
    lane_id: deriveUlid(timeOfUlid(lane_id), 'rolled back', lane_id),
    rolled_back: header,
  });
}

function originOf(header: string): LaneEntry | undefined {
  return kindOf(header) === KIND.lane ? (readHeader(header).lane ?? undefined) : undefined;
}

export interface RolledBackLane {
  /** As `report().rolled_back_lanes` names it. */
  readonly lane_id: string;
  /** The lane from which its lines were taken. */
  readonly origin_id: string;
  readonly user_id?: string;
  readonly lines: number;
  /** Whether all of them show again. */
  readonly adopted: boolean;
}

/** What was rolled back and came back, by lane id. */
export function listRolledBack(chat: Chat): readonly RolledBackLane[] {
  const copies = readCopy(chat);
  const visible = new Map<string, ReadonlySet<string>>();
  for (const { lane, lines } of copies) {
    if (lane !== undefined && lane.rolled_back === undefined) visible.set(lane.lane_id, new Set(lines));
  }
  const found: RolledBackLane[] = [];
  for (const { lane, lines } of copies) {
    if (lane?.rolled_back === undefined) continue;
    const origin_id = originOf(lane.rolled_back)?.lane_id ?? lane.lane_id;
    const shown = visible.get(origin_id);
    found.push({
      lane_id: lane.lane_id,
      origin_id,
      ...(lane.user_id !== undefined && { user_id: lane.user_id }),
      lines: lines.length,
      adopted: lines.every((line) => shown?.has(line) === true),
    });
  }
  return found;
}

/** Shows again what stands in a rolled-back lane: its lines, under their own header. Gives how many were written. */
export function adoptRolledBack(chat: Chat, laneId: string): number {
  const hidden = readCopy(chat).filter(({ lane }) => lane?.lane_id === laneId);
  let written = 0;
  for (const { lane, lines } of hidden) {
    if (lane?.rolled_back === undefined) continue;
    const imported = chat.importJSONL(joinSections([{ header: lane.rolled_back, lines }]));
    if (imported.ok) written += imported.lines;
  }
  if (hidden.every(({ lane }) => lane?.rolled_back === undefined)) {
    throw new ChatDocError('not_found', 'lane_id', 'no lane of that id was rolled back');
  }
  return written;
}
