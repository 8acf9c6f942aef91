import { isUlid, type Json, type JsonObject } from '@chatdoc/schema';
import { findDefinition } from '@chatdoc/schema/internal';
import { detectDocument, detectLine, type ImportFormat } from '../conversations/formats.js';
import { isMessageTable, isModelMessage } from '../messages/columns.js';
import { isRelationalTable } from '../tables/relational.js';
import { findDelimiter, listColumns, plainColumns, type TableTest } from '../tables/rows.js';
import { isTaskTable } from '../tables/tasks.js';
import { isJsonArray, isJsonObject, parseJson } from './json-value.js';
import { refuseBytes, refuseUnknown, refuseValue } from './refusals.js';
import { decodeBytes } from './rows.js';

export type LegacyFormat =
  | 'cocalc'
  | 'jupyter'
  | 'relational'
  | 'tasks'
  | ImportFormat
  | 'chatdoc'
  | 'empty'
  | 'unknown';

export interface Detected {
  readonly format: LegacyFormat;
  /** The evidence; of an unknown file, what to do. Has none of its content. */
  readonly reason: string;
}

/** How a document begins that nothing but jupyter-chat writes. */
export const JUPYTER_START: RegExp = /^\{\s*"(?:messages|users|attachments|metadata)"\s*:/;
const COCALC_EVENTS: ReadonlySet<string> = new Set(['chat', 'draft', 'start_video', 'stop_video']);

/** Which family of chats a file belongs to, by its content alone: names and extensions lie. Never throws. */
export function detectFormat(bytes: Uint8Array): Detected {
  const refused = refuseBytes(bytes);
  if (refused !== undefined) return { format: 'unknown', reason: refused };
  const text = decodeBytes(bytes).trim();
  if (text === '')
    return { format: 'empty', reason: 'the file is empty: a chat in which nobody has written' };
  const whole = parseJson(text);
  return whole === undefined ? detectLines(text) : detectValue(whole.value);
}

/** Tables that hold chats, and the test of each. */
const TABLES: readonly (readonly [format: LegacyFormat, isTable: TableTest, reason: string])[] = [
  ['relational', isRelationalTable, 'a table of threads, each with the row of its root prompt'],
  ['tasks', isTaskTable, 'a table of messages, each with its task and role'],
  ['messages', isMessageTable, 'a table of messages, each with its conversation'],
];

function detectTable(columns: ReadonlySet<string>): Detected | undefined {
  const found = TABLES.find(([, isTable]) => isTable(columns));
  return found && { format: found[0], reason: found[2] };
}

/** As `detectFormat`, of one JSON value; of its lists no more than the first object matters. */
export function detectValue(value: Json): Detected {
  if (isJsonObject(value)) {
    if (isEntry(value)) return { format: 'chatdoc', reason: 'its one line is an entry' };
    // A side chat with a single row is one JSON object too.
    if (isCocalcRow(value)) return { format: 'cocalc', reason: 'its one line is a chat row' };
  }
  const imported = detectDocument(value) ?? (isJsonObject(value) ? detectLine(value) : undefined);
  if (imported !== undefined) return imported;
  for (const columns of listColumns(value)) {
    const table = detectTable(columns);
    if (table !== undefined) return table;
  }
  if (isRequest(value)) return { format: 'messages', reason: 'messages with roles, as models are asked' };
  const refused = isJsonObject(value) && isJupyterDocument(value) ? undefined : refuseValue(value);
  if (refused !== undefined) return { format: 'unknown', reason: refused };
  if (!isJsonObject(value)) return unknown('it is JSON, but neither an object nor lines of objects');
  if (isJupyterDocument(value)) return { format: 'jupyter', reason: 'one JSON object with chat messages' };
  return unknown('it is one JSON object without chat messages and without an event');
}

/** Whether a document is a request to a model, or the state of a program that makes them. */
function isRequest(value: Json): boolean {
  if (!isJsonObject(value)) return false;
  const { messages } = value;
  return isJsonArray(messages) && messages.some((one) => isJsonObject(one) && isModelMessage(one));
}

const JUPYTER_MEMBERS: ReadonlySet<string> = new Set(['messages', 'users', 'attachments', 'metadata']);

/** Whether an object is a jupyter-chat document: by its messages, or by having no other members. */
function isJupyterDocument(value: JsonObject): boolean {
  const { messages, users, metadata } = value;
  const list = isJsonObject(messages)
    ? Object.values(messages)
    : isJsonArray(messages)
      ? messages
      : undefined;
  if (list === undefined) return isJsonObject(users) && isJsonObject(metadata);
  if (list.length > 0) return list.some(isJupyterMessage);
  return Object.keys(value).every((key) => JUPYTER_MEMBERS.has(key));
}

/** Whether a value has what every message of jupyter-chat has, and no other program's. */
export function isJupyterMessage(value: Json): boolean {
  if (!isJsonObject(value)) return false;
  const { body, mime_model, time, type, sender } = value;
  const hasText = typeof body === 'string' || isJsonObject(body) || isJsonObject(mime_model);
  return hasText && (time !== undefined || type === 'msg' || sender !== undefined);
}

function detectLines(text: string): Detected {
  // Before the lines: those of a torn JSON document can look like rows.
  if (JUPYTER_START.test(text)) {
    return unknown(
      'it begins like a jupyter-chat document, but its JSON is damaged or cut off: restore a whole copy, and do not save this one from an editor',
    );
  }
  let refused: string | undefined;
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const line = text.slice(start, end).trim();
    start = end + 1;
    if (line === '') continue;
    const value = parseJson(line)?.value;
    if (isJsonObject(value)) {
      // Lines under no lane come first in an export, before any header.
      if (isEntry(value)) return { format: 'chatdoc', reason: 'lines of entries' };
      if (isCocalcRow(value)) return { format: 'cocalc', reason: 'lines of JSON with chat rows' };
      const imported = detectLine(value);
      if (imported !== undefined) return imported;
      const table = detectTable(plainColumns(value));
      if (table !== undefined) return table;
      refused ??= refuseValue(value);
    }
  }
  const table = TABLES.find(([, isTable]) => findDelimiter(text, isTable) !== undefined);
  if (table !== undefined) return { format: table[0], reason: table[2] };
  if (refused !== undefined) return { format: 'unknown', reason: refused };
  return unknown(
    'it is neither JSON nor lines of JSON with a chat row: check that it is a chat file and not damaged',
  );
}

function unknown(reason: string): Detected {
  return { format: 'unknown', reason: refuseUnknown(reason) };
}

const OWN_IDS = ['lane_id', 'id', 'thread_id', 'message_id', 'attempt'];

/** Whether a row is a line of a chatdoc document. Legacy rows have no such type, and their ids are not ULIDs. */
function isEntry(value: Readonly<Record<string, Json>>): boolean {
  const { type } = value;
  if (type === 'lane') return typeof value['lane_id'] === 'string';
  return (
    typeof type === 'string' &&
    findDefinition(type) !== undefined &&
    OWN_IDS.some((key) => isUlid(value[key]))
  );
}

/** Whether a row could only be of a CoCalc chat, of any generation. */
function isCocalcRow(value: Readonly<Record<string, Json>>): boolean {
  const { event, mesg, sender_id, date, message_id, thread_id, session_id, msg_event } = value;
  if (typeof event === 'string') {
    if (COCALC_EVENTS.has(event) || event.startsWith('chat-thread')) return true;
    if (session_id !== undefined && msg_event !== undefined) return true;
  }
  if (mesg !== undefined && date !== undefined) return true;
  if (typeof sender_id === 'string' && date !== undefined) return true;
  return typeof message_id === 'string' && typeof thread_id === 'string';
}
