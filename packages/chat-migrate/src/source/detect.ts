import { isUlid, type Json } from '@chatdoc/schema';
import { entrySchemas } from '@chatdoc/schema/internal';
import { isRelationalTable } from '../tables/relational.js';
import { findDelimiter, listColumns, plainColumns, type TableTest } from '../tables/rows.js';
import { isTaskTable } from '../tables/tasks.js';
import { isJsonArray, isJsonObject, parseJson } from './json-value.js';
import { decodeBytes } from './rows.js';

export type LegacyFormat = 'cocalc' | 'jupyter' | 'relational' | 'tasks' | 'chatdoc' | 'empty' | 'unknown';

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
  for (const columns of listColumns(value)) {
    const table = detectTable(columns);
    if (table !== undefined) return table;
  }
  if (!isJsonObject(value)) {
    return unknown(
      'it is JSON, but neither an object nor lines of objects: convert it to one of the known formats',
    );
  }
  const messages = value['messages'];
  if (isJsonArray(messages) || isJsonObject(messages)) {
    return { format: 'jupyter', reason: 'one JSON object with messages' };
  }
  if (isJsonObject(value['users']) && isJsonObject(value['metadata'])) {
    return { format: 'jupyter', reason: 'one JSON object with users and metadata' };
  }
  return unknown('it is one JSON object without messages and without an event: not a known chat');
}

function detectLines(text: string): Detected {
  // Before the lines: those of a torn JSON document can look like rows.
  if (JUPYTER_START.test(text)) {
    return unknown(
      'it begins like a jupyter-chat document, but its JSON is damaged or cut off: restore a whole copy, and do not save this one from an editor',
    );
  }
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
      const table = detectTable(plainColumns(value));
      if (table !== undefined) return table;
    }
  }
  const table = TABLES.find(([, isTable]) => findDelimiter(text, isTable) !== undefined);
  if (table !== undefined) return { format: table[0], reason: table[2] };
  return unknown(
    'it is neither JSON nor lines of JSON with a chat row: check that it is a chat file and not damaged',
  );
}

function unknown(reason: string): Detected {
  return { format: 'unknown', reason };
}

const OWN_IDS = ['lane_id', 'id', 'thread_id', 'message_id', 'attempt'];

/** Whether a row is a line of a chatdoc document. Legacy rows have no such type, and their ids are not ULIDs. */
function isEntry(value: Readonly<Record<string, Json>>): boolean {
  const { type } = value;
  if (type === 'lane') return typeof value['lane_id'] === 'string';
  return (
    typeof type === 'string' && Object.hasOwn(entrySchemas, type) && OWN_IDS.some((key) => isUlid(value[key]))
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
