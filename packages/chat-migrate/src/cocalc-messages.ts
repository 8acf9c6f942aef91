import {
  type AnnotationEntry,
  deriveUlid,
  formatDate,
  type Json,
  type JsonObject,
  type RevisionEntry,
} from '@chatdoc/schema';
import { readAnchor } from './cocalc-config.js';
import { readVersions, type Version } from './cocalc-rows.js';
import { compareText } from './code-unit-order.js';
import { readDate } from './dates.js';
import { canonicalText, isJsonObject, readName } from './json-value.js';
import { UNKNOWN_SENDER } from './reading.js';
import type { SourceRow } from './source-rows.js';

/** A message row, as far as it can be read without looking at another. */
export interface CocalcMessage {
  readonly source: SourceRow;
  readonly row: JsonObject;
  /** Undefined where the row has no usable date. */
  readonly time: number | undefined;
  readonly sender_id: string;
  /** Of a row that names its sender in the display-name column of 2013. */
  readonly isNamedByColumn: boolean;
  /** Oldest first. Empty where nobody knows what it said. */
  readonly versions: readonly Version[];
  readonly isDamaged: boolean;
  /** The blank message that holds the anchor of its thread: it was never shown. */
  readonly isPlaceholder: boolean;
  /** The date of the root that it replies to; NaN where that is no date. */
  readonly replyTime: number | undefined;
  /** Identities of the 2026 dialects. */
  readonly legacyId: string | undefined;
  readonly legacyThreadId: string | undefined;
  readonly message_id: string;
}

/**
 * Reads message rows and gives each its id: a hash of what never changes about it (date, sender, event, oldest
 * content; or the id that it has). Only rows equal in all of these are counted, in the order of their text, so
 * that neither the order of the file nor an edit of another row moves an id.
 */
export function readCocalcMessages(sources: readonly SourceRow[]): readonly CocalcMessage[] {
  const byIdentity = new Map<string, Omit<CocalcMessage, 'message_id'>[]>();
  for (const source of sources) {
    if (!isJsonObject(source.value)) continue;
    const message = readMessage(source, source.value);
    const identity = JSON.stringify(readIdentity(message));
    const group = byIdentity.get(identity);
    if (group === undefined) byIdentity.set(identity, [message]);
    else group.push(message);
  }
  const messages: CocalcMessage[] = [];
  for (const group of byIdentity.values()) {
    group.sort((a, b) => compareText(a.source.text, b.source.text));
    for (const [ordinal, message] of group.entries()) {
      const [tag, ...identity] = readIdentity(message);
      if (ordinal > 0) identity.push(ordinal);
      messages.push({ ...message, message_id: deriveUlid(message.time ?? 0, tag, ...identity) });
    }
  }
  return messages.sort((a, b) => a.source.row - b.source.row);
}

function readMessage(source: SourceRow, row: JsonObject): Omit<CocalcMessage, 'message_id'> {
  const sender = readName(row['sender_id']);
  // The display name stands in for a sender in 2013 only: later, `name` is the title of a thread.
  const name = sender === undefined && row['mesg'] !== undefined ? readName(row['name']) : undefined;
  const reply = row['reply_to'];
  const isReply = reply !== undefined && reply !== null && reply !== '';
  const { versions, isDamaged } = readVersions(row);
  const isBlank = versions.every(({ content }) => content.trim() === '');
  return {
    source,
    row,
    time: readDate(row['date'])?.time,
    sender_id: sender ?? name ?? UNKNOWN_SENDER,
    isNamedByColumn: name !== undefined,
    versions,
    isDamaged,
    isPlaceholder: isBlank && readAnchor(row) !== undefined,
    replyTime: isReply ? (readDate(reply)?.time ?? Number.NaN) : undefined,
    legacyId: readName(row['message_id']),
    legacyThreadId: readName(row['thread_id']),
  };
}

function readIdentity(message: Omit<CocalcMessage, 'message_id'>): [string, ...(string | number)[]] {
  const { time = 0, sender_id, versions, legacyId } = message;
  if (legacyId !== undefined) return ['legacy_message_id', legacyId];
  return ['legacy_message', time, sender_id, 'chat', versions[0]?.content ?? ''];
}

/**
 * The later versions, each replacing the one before it. An id depends on the versions up to its own and on
 * nothing after them, so a newer revision of the file only adds.
 */
export function createRevisions(message: CocalcMessage): RevisionEntry[] {
  const { message_id, sender_id, versions } = message;
  const start = message.time ?? 0;
  const revisions: RevisionEntry[] = [];
  let stamp = start;
  for (const [index, version] of versions.entries()) {
    if (index === 0) continue;
    const { content, author_id = sender_id, time = start, legacy } = version;
    // Strictly rising: the order of the array holds even where clocks disagree.
    stamp = Math.max(time, stamp + 1);
    const before = revisions.at(-1)?.id;
    const hashed = [message_id, before ?? '', author_id, time, content];
    revisions.push({
      type: 'revision',
      id: deriveUlid(stamp, 'legacy_revision', ...hashed),
      message_id,
      ...(before === undefined ? {} : { replaces: [before] }),
      author_id,
      date: formatDate(time),
      // Deleting a message was editing it to nothing.
      ...(content.trim() === '' ? { deleted: true } : {}),
      ...(legacy === undefined ? {} : { legacy }),
      content,
    });
  }
  return revisions;
}

/** Thumbs up and down, one per person. */
export function createFeedback(message: CocalcMessage): AnnotationEntry[] {
  const feedback = message.row['feedback'];
  if (!isJsonObject(feedback)) return [];
  const { message_id, time = 0 } = message;
  return Object.entries(feedback)
    .filter(([, value]) => typeof value === 'string')
    .map(([user_id, value]) => ({
      type: 'annotation',
      id: deriveUlid(time, 'legacy_feedback', message_id, user_id, canonicalText(value) ?? ''),
      message_id,
      user_id,
      key: 'feedback',
      value,
    }));
}

/** Columns that the entries of a message say, or that say nothing. */
const SAID: ReadonlySet<string> = new Set([
  ...['event', 'sender_id', 'message_id', 'thread_id', 'schema_version'],
]);

/** What never changes about a message and has no field: it rides on the message line. */
export function readFixedColumns(message: CocalcMessage, date: string): JsonObject | undefined {
  const { row, versions, sender_id, isNamedByColumn, legacyId, legacyThreadId, time } = message;
  const fixed: Record<string, Json> = {};
  if (legacyId !== undefined) fixed['message_id'] = legacyId;
  if (legacyThreadId !== undefined) fixed['thread_id'] = legacyThreadId;
  const written = row['date'];
  if (written !== undefined && written !== date) fixed['date'] = written;
  if (isNamedByColumn && row['color'] !== undefined) fixed['color'] = row['color'];
  const sender = row['sender_id'];
  if (sender !== undefined && sender !== sender_id) fixed['sender_id'] = sender;
  const first = versions[0];
  // Of a model's answer that a person asked to write again, and of rows that two people share.
  if (first?.author_id !== undefined && first.author_id !== sender_id) fixed['author_id'] = first.author_id;
  if (first?.time !== undefined && first.time !== time) fixed['first_date'] = first.time;
  if (first?.legacy !== undefined) fixed['history'] = first.legacy;
  return Object.keys(fixed).length === 0 ? undefined : fixed;
}

/** The columns left over once `taken` went into entries: kept beside the message. */
export function readOtherColumns(message: CocalcMessage, taken: ReadonlySet<string>): JsonObject | undefined {
  const { row, isDamaged, isNamedByColumn } = message;
  const rest = Object.entries(row).filter(([column, value]) => {
    if (SAID.has(column) || taken.has(column) || value === null) return false;
    switch (column) {
      case 'date':
        return false;
      case 'history':
        return isDamaged;
      case 'payload':
      case 'mesg':
        return !isPlainContent(value, message);
      case 'name':
      case 'color':
        return !isNamedByColumn;
      case 'editing':
      case 'folding':
      case 'feedback':
        return isFilled(value, column);
      case 'generating':
        return value !== false;
      case 'reply_to':
        // The thread says it, to the millisecond.
        return message.replyTime === undefined || Number.isNaN(message.replyTime);
      default:
        return true;
    }
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

function isPlainContent(value: Json, { versions }: CocalcMessage): boolean {
  const shown = (text: Json | undefined): boolean => versions.some(({ content }) => content === text);
  if (!isJsonObject(value)) return shown(value);
  const { content, event = 'chat' } = value;
  return (
    shown(content) &&
    event === 'chat' &&
    Object.keys(value).every((key) => key === 'content' || key === 'event')
  );
}

function isFilled(value: Json, column: string): boolean {
  if (typeof value !== 'object' || value === null) return true;
  // Strings of feedback are annotations.
  return Object.values(value).some(
    (entry) => entry !== null && (column !== 'feedback' || typeof entry !== 'string'),
  );
}
