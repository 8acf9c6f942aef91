import { formatDate, type Json, type JsonObject } from '@chatdoc/schema';
import { type AnnotationEntry, compareText, type RevisionEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { CUT } from '../plan/long-content.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { readCanonicalDate, readDate } from '../source/dates.js';
import { canonicalText, isJsonObject, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';
import { isAnswerRow, isModel, isUnfinishedRow, readAnswerAuthor } from './answers.js';
import { readAnchor } from './config.js';
import { isDerivedName } from './derived-name.js';
import { isBlank, readVersions, type Version } from './rows.js';

/** A message row, as far as it can be read without looking at another. */
export interface CocalcMessage {
  readonly source: SourceRow;
  /** Empty of a message whose other fields have all that its row has. */
  readonly row: JsonObject;
  /** Undefined where the row has no usable date. */
  readonly time: number | undefined;
  /** Whether the date names no zone. */
  readonly assumedUtc: boolean;
  readonly sender_id: string;
  /** The sender in its row: of an answer that another model wrote again, that one. */
  readonly row_sender: string;
  /** Of a row that names its sender in the display-name column of 2013. */
  readonly isNamedByColumn: boolean;
  /** Oldest first. Empty where nobody knows the text, and once its entries are written. */
  versions: readonly Version[];
  /** As a document writes it. */
  readonly date: string;
  readonly isDamaged: boolean;
  /** By a model or an agent: no text of it is part of an id. */
  readonly isAnswer: boolean;
  /** An answer whose newest version is not its last: that version is written as a cut line, which the last one beats. */
  readonly isUnfinished: boolean;
  /** The blank message that holds the anchor of its thread, or the origin of a fork: it was never shown. */
  readonly isPlaceholder: boolean;
  /** The date of the root that it replies to; NaN where that is not a date. */
  readonly replyTime: number | undefined;
  /** Identities of the 2026 dialects. */
  readonly legacyId: string | undefined;
  readonly legacyThreadId: string | undefined;
  readonly message_id: string;
}

/**
 * Reads message rows and derives the id of each: a hash of what never changes about it (date, sender, event, oldest
 * content; or the id that it has). Only rows equal in all of these are counted, in the order of their text, so
 * that neither the order of the file nor an edit of another row moves an id.
 */
export class CocalcMessages {
  readonly #messages: CocalcMessage[] = [];

  /** Returns whether the message has all that its row has: the row can be released. */
  add(source: SourceRow, row: JsonObject): boolean {
    const message = readMessage(source, row);
    this.#messages.push(message);
    return message.row === NO_ROW;
  }

  /** In the order in which they were added. */
  finish(): readonly CocalcMessage[] {
    if (!areTimesRising(this.#messages)) countAllTwins(this.#messages);
    return this.#messages;
  }
}

/** Whether no two of them can have one id: it has their time, or is that of the row. */
function areTimesRising(messages: readonly CocalcMessage[]): boolean {
  let latest = -1;
  for (const { time = -1, legacyId } of messages) {
    if (time <= latest || legacyId !== undefined) return false;
    latest = time;
  }
  return true;
}

function countAllTwins(messages: CocalcMessage[]): void {
  const places = new Map<string, number>();
  const twins = new Map<string, number[]>();
  for (const [place, { legacyId, message_id }] of messages.entries()) {
    // Equal ids have equal inputs; but one that the row has counts at any date.
    const identity = legacyId === undefined ? message_id : ` ${legacyId}`;
    const first = places.get(identity);
    const same = twins.get(identity);
    if (first === undefined) places.set(identity, place);
    else if (same === undefined) twins.set(identity, [first, place]);
    else same.push(place);
  }
  for (const same of twins.values()) countTwins(messages, same);
}

function countTwins(messages: CocalcMessage[], places: readonly number[]): void {
  const keyed = places.flatMap((place) => {
    const message = messages[place];
    return message === undefined ? [] : [{ place, message, text: message.source.text }];
  });
  keyed.sort((a, b) => compareText(a.text, b.text));
  for (const [ordinal, { place, message }] of keyed.entries()) {
    if (ordinal === 0) continue;
    messages[place] = { ...message, message_id: deriveMessageId(message, ordinal) };
  }
}

function readMessage(source: SourceRow, row: JsonObject): CocalcMessage {
  const isAnswer = isAnswerRow(row);
  const sender = (isAnswer ? readAnswerAuthor(row) : undefined) ?? readName(row['sender_id']);
  // The display name replaces a sender in 2013 only: later, `name` is the title of a thread.
  const name = sender === undefined && row['mesg'] !== undefined ? readName(row['name']) : undefined;
  const reply = row['reply_to'];
  const isReply = reply !== undefined && reply !== null && reply !== '';
  const { versions, isDamaged } = readVersions(row);
  const date = readDate(row['date']);
  const legacyId = readName(row['message_id']);
  const message = {
    source,
    row,
    time: date?.time,
    date: readMessageDate(row, date?.time),
    assumedUtc: date?.assumedUtc === true,
    sender_id: sender ?? name ?? UNKNOWN_SENDER,
    row_sender: readName(row['sender_id']) ?? UNKNOWN_SENDER,
    isNamedByColumn: name !== undefined,
    versions,
    isDamaged,
    isAnswer,
    isUnfinished: isAnswer && versions.length > 0 && isUnfinishedRow(row),
    isPlaceholder: isBlank(versions) && (readAnchor(row) !== undefined || isFork(row)),
    replyTime: isReply ? (readDate(reply)?.time ?? Number.NaN) : undefined,
    legacyId: legacyId === undefined || isDerivedName(legacyId, date?.time) ? undefined : legacyId,
    legacyThreadId: readName(row['thread_id']),
    message_id: '',
  };
  message.message_id = deriveMessageId(message, 0);
  if (isBare(message)) message.row = NO_ROW;
  return message;
}

/** Whether the row begins a thread that goes on from another: its text, which is blank, was never shown. */
export function isFork(row: JsonObject): boolean {
  return readDate(row['forked_from_root_date']) !== undefined;
}

const NO_ROW: JsonObject = {};
const NONE: readonly never[] = [];
const NO_COLUMNS: ReadonlySet<string> = new Set();

/** Whether the other fields of a message have all that its row has, as of nearly every message. */
function isBare(message: CocalcMessage): boolean {
  const { source, row, sender_id, date, isPlaceholder, isDamaged } = message;
  if (!source.exact || isPlaceholder || isDamaged || hasFeedback(row)) return false;
  if (row['date'] !== date || row['sender_id'] !== sender_id) return false;
  // Settings are among them: those are not columns of a message.
  return readOtherColumns(message, NO_COLUMNS) === undefined && readName(row['message_id']) === undefined;
}

function readMessageDate({ date }: JsonObject, time = 0): string {
  return typeof date === 'string' && readCanonicalDate(date) >= 0 ? date : formatDate(time);
}

function deriveMessageId(
  { time = 0, sender_id, legacyId, versions, isAnswer }: CocalcMessage,
  ordinal: number,
): string {
  const counted = ordinal > 0 ? [ordinal] : [];
  if (legacyId !== undefined) return deriveId(time, 'legacy_message_id', legacyId, ...counted);
  if (isAnswer) return deriveId(time, 'legacy_answer', time, sender_id, ...counted);
  return deriveId(time, 'legacy_message', time, sender_id, 'chat', versions[0]?.content ?? '', ...counted);
}

/**
 * The later versions, each replacing the one before it. An id depends on the versions up to its own and on
 * nothing after them, so a newer revision of the file only adds.
 */
export function createRevisions(message: CocalcMessage): readonly RevisionEntry[] {
  const { message_id, sender_id, versions, isAnswer, isUnfinished } = message;
  if (versions.length < 2) return NONE;
  const start = message.time ?? 0;
  const revisions: RevisionEntry[] = [];
  let stamp = start;
  for (const [index, version] of versions.entries()) {
    if (index === 0) continue;
    const { content, author_id = sender_id, time = start, legacy } = version;
    // Strictly rising: the order of the array holds even where clocks disagree.
    const before = revisions.at(-1)?.id;
    const isModels = isAnswer && isModel(author_id);
    stamp = isModels ? stamp + 1 : Math.max(time, stamp + 1);
    const hashed = [message_id, before ?? '', author_id, time, content];
    const isCut = isUnfinished && index === versions.length - 1;
    revisions.push({
      type: 'revision',
      // A further answer is written over, date and author included, until it is final: it is known by its place.
      id: isModels
        ? deriveId(stamp, 'legacy_answer_revision', message_id, before ?? '')
        : deriveId(stamp, 'legacy_revision', ...hashed),
      message_id,
      ...(before === undefined ? {} : { replaces: [before] }),
      author_id,
      date: formatDate(time),
      // Deleting a message was editing it to nothing.
      ...(content.trim() === '' ? { deleted: true } : {}),
      ...(legacy === undefined ? {} : { legacy }),
      content,
      ...(isCut ? CUT : {}),
    });
  }
  return revisions;
}

/** Thumbs up and down, one per person. */
export function createFeedback(message: CocalcMessage): readonly AnnotationEntry[] {
  const feedback = message.row['feedback'];
  if (!isJsonObject(feedback)) return NONE;
  const { message_id, time = 0 } = message;
  return Object.entries(feedback)
    .filter(([, value]) => typeof value === 'string')
    .map(([user_id, value]) => ({
      type: 'annotation',
      id: deriveId(time, 'legacy_feedback', message_id, user_id, canonicalText(value) ?? ''),
      message_id,
      user_id,
      key: 'feedback',
      value,
    }));
}

function hasFeedback({ feedback }: JsonObject): boolean {
  return isJsonObject(feedback) && isFilledObject(feedback);
}

/** Columns that the entries of a message have, or that mean nothing. */
const SAID: ReadonlySet<string> = new Set([...['event', 'message_id', 'thread_id', 'schema_version']]);

/** The facts of a message that never change and have no field: they are on its line. */
export function readFixedColumns(message: CocalcMessage): JsonObject | undefined {
  const { row, date, versions, sender_id, isAnswer, isNamedByColumn, legacyId, legacyThreadId, time } =
    message;
  const fixed: Record<string, Json> = {};
  if (legacyId !== undefined) fixed['message_id'] = legacyId;
  if (legacyThreadId !== undefined && legacyId !== undefined) fixed['thread_id'] = legacyThreadId;
  const written = row['date'];
  if (written !== undefined && written !== date) fixed['date'] = written;
  if (isNamedByColumn && row['color'] !== undefined) fixed['color'] = row['color'];
  const sender = row['sender_id'];
  if (sender !== undefined && sender !== sender_id && !isAnswer) fixed['sender_id'] = sender;
  const first = versions[0];
  // Of a model's answer that a person asked to write again, and of rows that two people share.
  if (first?.author_id !== undefined && first.author_id !== sender_id) fixed['author_id'] = first.author_id;
  if (first?.time !== undefined && first.time !== time) fixed['first_date'] = first.time;
  if (first?.legacy !== undefined) fixed['history'] = first.legacy;
  return isFilledObject(fixed) ? fixed : undefined;
}

function isFilledObject(value: JsonObject): boolean {
  for (const _ in value) return true;
  return false;
}

/** The columns left over once `taken` went into entries: kept beside the message. */
export function readOtherColumns(message: CocalcMessage, taken: ReadonlySet<string>): JsonObject | undefined {
  let rest: [string, Json][] | undefined;
  for (const column in message.row) {
    const value = message.row[column] as Json;
    if (value === null || SAID.has(column) || taken.has(column) || isSaid(column, value, message)) continue;
    if (rest === undefined) rest = [[column, value]];
    else rest.push([column, value]);
  }
  return rest === undefined ? undefined : Object.fromEntries(rest);
}

function isSaid(column: string, value: Json, message: CocalcMessage): boolean {
  switch (column) {
    case 'date':
      return true;
    case 'sender_id':
      // Of an answer that another model was asked for, it changes.
      return !message.isAnswer || value === message.sender_id;
    case 'history':
      return !message.isDamaged;
    case 'payload':
    case 'mesg':
      return isPlainContent(value, message);
    case 'name':
    case 'color':
      return message.isNamedByColumn;
    case 'editing':
    case 'folding':
    case 'feedback':
      return !isFilled(value, column);
    case 'generating':
      return value === false;
    case 'reply_to':
      // The thread has it, to the millisecond.
      return message.replyTime !== undefined && !Number.isNaN(message.replyTime);
    default:
      return false;
  }
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
