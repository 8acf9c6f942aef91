import type { Json, JsonObject } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';
import { isJsonArray, isJsonObject, readName } from '../source/json-value.js';

/** Kinds of rows of a CoCalc chat. Only the first four become records. */
export type CocalcRowKind =
  | 'message'
  | 'thread'
  | 'thread_config'
  | 'thread_state'
  | 'draft'
  | 'video'
  /** A link to a video room that was posted by itself. */
  | 'video_chat'
  | 'agent'
  /** A row left behind by a look-up by date alone, after its row had gone. */
  | 'partial'
  | 'unknown_event';

/** Rows are classified one by one: a chat used from 2014 to 2026 holds every dialect. */
export function classifyCocalcRow(row: JsonObject): CocalcRowKind {
  const { event, mesg } = row;
  switch (event) {
    case undefined:
    case null:
      if (mesg !== undefined) return classifyMesg(mesg);
      return isMessageWithoutEvent(row) ? 'message' : 'partial';
    case 'chat':
      return classifyChat(row);
    case 'draft':
      return 'draft';
    case 'start_video':
    case 'stop_video':
      return 'video';
    case 'chat-thread':
      return 'thread';
    case 'chat-thread-config':
      return 'thread_config';
    case 'chat-thread-state':
      return 'thread_state';
    default:
      return row['session_id'] !== undefined || row['msg_event'] !== undefined ? 'agent' : 'unknown_event';
  }
}

function classifyMesg(mesg: Json): CocalcRowKind {
  if (typeof mesg === 'string') return 'message';
  if (!isJsonObject(mesg)) return 'unknown_event';
  const { event, content } = mesg;
  return (event === undefined || event === 'chat') && typeof content === 'string'
    ? 'message'
    : 'unknown_event';
}

function classifyChat(row: JsonObject): CocalcRowKind {
  const video = row['video_chat'];
  if (isJsonObject(video) && video['is_video_chat'] === true) return 'video_chat';
  const isNamed = readName(row['sender_id']) !== undefined || readName(row['message_id']) !== undefined;
  return isNamed || hasText(row) ? 'message' : 'partial';
}

// A whole key and a text: somebody's words, and the event is lost.
function isMessageWithoutEvent(row: JsonObject): boolean {
  return readName(row['sender_id']) !== undefined && readDate(row['date']) !== undefined && hasText(row);
}

function hasText(row: JsonObject): boolean {
  if (readPlainText(row) !== undefined) return true;
  const history = row['history'];
  return (
    isJsonArray(history) && history.some((version) => isJsonObject(version) && isText(version['content']))
  );
}

/** A character that `trim` leaves. */
const INK = /\S/;

function isText(value: Json | undefined): boolean {
  return typeof value === 'string' && INK.test(value);
}

/** The text of a row from before there was a history (2013 to 2016). */
function readPlainText(row: JsonObject): string | undefined {
  for (const column of ['payload', 'mesg'] as const) {
    const value = row[column];
    if (typeof value === 'string') return value;
    if (isJsonObject(value)) {
      const { content } = value;
      if (typeof content === 'string') return content;
    }
  }
  return undefined;
}

export interface Version {
  /** Absent where the version names nobody. */
  readonly author_id?: string | undefined;
  readonly time?: number | undefined;
  readonly content: string;
  /** Its other members. */
  readonly legacy?: JsonObject | undefined;
}

export interface Versions {
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** Whether the history has an element that is not a version. */
  readonly isDamaged: boolean;
}

/**
 * Every version of a message: the history, which the file has newest first, or else the text of its time. Their
 * order is that of the array, for their dates come from many clocks.
 */
export function readVersions(row: JsonObject): Versions {
  const history = row['history'];
  const versions: Version[] = [];
  let isDamaged = history !== undefined && history !== null && !isJsonArray(history);
  if (isJsonArray(history)) {
    for (let index = history.length - 1; index >= 0; index -= 1) {
      const version = readVersion(history[index] as Json);
      if (version === undefined) isDamaged = true;
      else versions.push(version);
    }
  }
  // A history that is blank throughout beside a text: the migration of 2026 lost that text from sight.
  if (isBlank(versions)) {
    const plain = readPlainText(row);
    if (plain !== undefined && (versions.length === 0 || plain.trim() !== '')) {
      versions.unshift({ content: plain });
    }
  }
  return { versions, isDamaged };
}

/** Whether no version has a text. */
export function isBlank(versions: readonly Version[]): boolean {
  return versions.every(({ content }) => !isText(content));
}

function readVersion(value: Json): Version | undefined {
  if (typeof value === 'string') return { content: value };
  if (!isJsonObject(value)) return undefined;
  const { content, date, author_id } = value;
  if (typeof content !== 'string') return undefined;
  const author = readName(author_id);
  const time = readDate(date)?.time;
  return { content, author_id: author, time, legacy: readRest(value, author, time) };
}

function readRest(
  version: JsonObject,
  author: string | undefined,
  time: number | undefined,
): JsonObject | undefined {
  let rest: [string, Json][] | undefined;
  for (const key in version) {
    const isRead =
      key === 'date' ? time !== undefined : key === 'author_id' ? author !== undefined : key === 'content';
    if (isRead) continue;
    rest ??= [];
    rest.push([key, version[key] as Json]);
  }
  return rest && Object.fromEntries(rest);
}
