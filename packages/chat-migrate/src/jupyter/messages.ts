import type { Json, JsonObject } from '@chatdoc/schema';
import { compareText, type PartEntry } from '@chatdoc/schema/internal';
import { deriveId, withMicros } from '../plan/derive-id.js';
import { derivePartNumber } from '../plan/part-number.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { readSeconds } from '../source/dates.js';
import { canonicalText, isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import type { JupyterRow } from './document.js';

export interface JupyterMessage {
  readonly source: JupyterRow;
  readonly row: JsonObject;
  readonly message_id: string;
  /** Milliseconds; undefined where the message has no usable time. */
  readonly time: number | undefined;
  readonly sender_id: string;
  /** The text of the body, or the one that a reader would be shown instead of a blank one. */
  readonly content: string;
  readonly isEdited: boolean;
  readonly isDeleted: boolean;
  /**
   * By a bot that may still be writing, which nothing in the file shows. Its line is cut, so that the whole one of a later
   * revision of the file beats it.
   */
  readonly isUnfinished: boolean;
  /** Facts that never change and have no field: its own id, its time to the last digit. */
  readonly fixed: JsonObject | undefined;
}

interface Draft extends Omit<JupyterMessage, 'message_id' | 'isUnfinished' | 'content'> {
  message_id: string;
  content: string;
  isUnfinished: boolean;
  readonly micros: number;
  readonly identity: readonly string[];
}

/**
 * Reads messages in the order of the list; those of a map, which has none, by time. An id comes from the chat, the
 * message's own id and its time. Different messages under one id are counted in the order of their text.
 */
export function readJupyterMessages(
  sources: readonly JupyterRow[],
  chatId: string,
  bots: ReadonlySet<string>,
): readonly JupyterMessage[] {
  const drafts: Draft[] = [];
  for (const source of sources) {
    const { value } = source;
    if (isJsonObject(value)) drafts.push(readMessage(source, value, chatId));
  }
  markUnfinished(drafts, bots);
  if (!areTimesRising(drafts)) countTwins(drafts);
  const isMap = sources.every(({ key }) => key !== undefined);
  return isMap ? drafts.sort((a, b) => compareText(a.message_id, b.message_id)) : drafts;
}

/** Bots by name: until 2025 a user had no flag for it. */
const BOT = /::|\b(?:bot|assistant|agent|persona|jupyternaut|chatgpt|gpt|claude|codex|gemini)\b/i;
/** Text that a bot shows before its first word. */
const WAITING = /^\W*(?:robot\W+)?(?:thinking|generating|working|processing)\b.{0,60}(?:\.\.\.|\u2026)\W*$/is;
const RUNNING: ReadonlySet<string> = new Set(['in_progress', 'pending']);

function markUnfinished(drafts: readonly Draft[], bots: ReadonlySet<string>): void {
  const last = drafts.reduce((latest, { time = 0 }) => Math.max(latest, time), 0);
  for (const draft of drafts) {
    const { sender_id, time = 0, content, row, isEdited, isDeleted } = draft;
    if (isEdited || isDeleted || !(bots.has(sender_id) || BOT.test(sender_id))) continue;
    const isRunning = readToolCalls(row).some(
      (call) => isJsonObject(call) && RUNNING.has(readName(call['status']) ?? ''),
    );
    const isWaiting = WAITING.test(content);
    draft.isUnfinished = time === last || isRunning || isWaiting;
    // Not a beginning of the answer: of two cut lines the longer shows, and this text must not. It is kept as a column.
    if (isWaiting) draft.content = '';
  }
}

/** Whether no two can have one id: it has their microseconds. */
function areTimesRising(drafts: readonly Draft[]): boolean {
  let latest = -1;
  for (const { time = 0, micros } of drafts) {
    const at = time * 1000 + micros;
    if (at <= latest) return false;
    latest = at;
  }
  return true;
}

function countTwins(drafts: readonly Draft[]): void {
  // Equal ids have equal inputs.
  const firsts = new Map<string, Draft>();
  const twins = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const { message_id } = draft;
    const first = firsts.get(message_id);
    const same = twins.get(message_id);
    if (first === undefined) firsts.set(message_id, draft);
    else if (same === undefined) twins.set(message_id, [first, draft]);
    else same.push(draft);
  }
  for (const same of twins.values()) {
    const keyed = same.map((draft) => ({ draft, text: draft.source.text }));
    keyed.sort((a, b) => compareText(a.text, b.text));
    for (const [ordinal, { draft }] of keyed.entries()) {
      if (ordinal === 0) continue;
      draft.message_id = deriveMessageId(draft, ordinal);
    }
  }
}

// The list is in the order of microseconds, and so are the ids.
function deriveMessageId({ time = 0, micros, identity }: Draft, ordinal: number): string {
  const [tag = '', ...parts] = identity;
  return withMicros(deriveId(time, tag, ...parts, ...(ordinal === 0 ? [] : [ordinal])), micros);
}

function readMessage(source: JupyterRow, row: JsonObject, chatId: string): Draft {
  const seconds = readSeconds(row['time']);
  const sender_id = readSender(row['sender']);
  const id = readName(row['id']) ?? source.key;
  const isDeleted = row['deleted'] === true;
  const content = readContent(row);
  const identity =
    id === undefined
      ? (['jupyter_message_without_id', chatId, sender_id, content] as const)
      : (['jupyter_message', chatId, id] as const);
  const fixed: Record<string, Json> = {};
  if (id !== undefined) fixed['id'] = id;
  if (row['time'] !== undefined) fixed['time'] = row['time'];
  const draft = {
    source,
    row,
    time: seconds?.time,
    micros: seconds?.micros ?? 0,
    sender_id,
    content,
    isEdited: row['edited'] === true,
    isDeleted,
    isUnfinished: false,
    identity,
    fixed: Object.keys(fixed).length === 0 ? undefined : fixed,
    message_id: '',
  };
  draft.message_id = deriveMessageId(draft, 0);
  return draft;
}

/** The key of a user; in files of April 2024 the user is in the message itself. */
function readSender(sender: Json | undefined): string {
  if (!isJsonObject(sender)) return readName(sender) ?? UNKNOWN_SENDER;
  const { username, id, name } = sender;
  return readName(username) ?? readName(id) ?? readName(name) ?? UNKNOWN_SENDER;
}

function readContent({ body, mime_model }: JsonObject): string {
  const text = typeof body === 'string' ? body : readBundle(body);
  if (text !== undefined && text.trim() !== '') return text;
  // A MIME model is shown instead of the body.
  return readBundle(mime_model) ?? text ?? '';
}

const TEXT_TYPES = ['text/markdown', 'text/plain'];

/** The text of a MIME bundle, bare or under `data`: markdown, else plain, else the first text of any type. */
function readBundle(value: Json | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const data = isJsonObject(value['data']) ? value['data'] : value;
  for (const type of [...TEXT_TYPES, ...Object.keys(data).sort()]) {
    const text = joinLines(data[type]);
    if (text !== undefined && text.trim() !== '') return text;
  }
  return undefined;
}

function joinLines(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const isLines = isJsonArray(value) && value.every((line) => typeof line === 'string');
  return isLines ? value.join('') : undefined;
}

const TOOL_CALL_KEYS: ReadonlySet<string> = new Set([
  'tool_call_id',
  'title',
  'status',
  'raw_input',
  'raw_output',
]);
/** A call that has gone on counts for more than what it was when the file was saved earlier. */
const FINISHED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** The tool calls of an agent's message, as parts of it. */
export function createToolCalls({ row, message_id }: JupyterMessage): readonly PartEntry[] {
  return readToolCalls(row).flatMap((call, index) => {
    if (!isJsonObject(call)) return [];
    const { tool_call_id, title, status, raw_input, raw_output } = call;
    const data = omitKeys(call, TOOL_CALL_KEYS);
    const state = readName(status);
    const rank = state === undefined ? 0 : FINISHED.has(state) ? 3 : state === 'in_progress' ? 2 : 1;
    const part: PartEntry = {
      type: 'part',
      attempt: message_id,
      n: derivePartNumber('tool_call', index, rank, canonicalText(call) ?? ''),
      kind: 'tool_call',
      part_id: readName(tool_call_id) ?? `call-${index + 1}`,
      ...(state === undefined ? {} : { state }),
      ...(typeof title === 'string' ? { title } : {}),
      ...(raw_input === undefined ? {} : { input: raw_input }),
      ...(raw_output === undefined ? {} : { output: raw_output }),
      ...(data === undefined ? {} : { data }),
    };
    return [part];
  });
}

function readToolCalls({ metadata }: JsonObject): readonly Json[] {
  const calls = isJsonObject(metadata) ? metadata['tool_calls'] : undefined;
  return isJsonArray(calls) ? calls : [];
}

export interface ReadFiles {
  readonly parts: readonly { readonly id: string; readonly part: PartEntry }[];
  /** Attachments that the file names and does not hold. */
  readonly missing: readonly Json[];
}

/** The attachments of a message, as parts of it. */
export function createFiles(
  { row, message_id }: JupyterMessage,
  find: (id: string) => Json | undefined,
): ReadFiles {
  const attachments = row['attachments'];
  const parts: { id: string; part: PartEntry }[] = [];
  const missing: Json[] = [];
  for (const [index, given] of (isJsonArray(attachments) ? attachments : []).entries()) {
    // Since August 2026 clients may write the attachment itself.
    const data = typeof given === 'string' ? find(given) : given;
    if (!isJsonObject(data)) {
      missing.push(given);
      continue;
    }
    const id = typeof given === 'string' ? given : `file-${index + 1}`;
    const path = data['value'];
    const part: PartEntry = {
      type: 'part',
      attempt: message_id,
      n: derivePartNumber('file', index, 0, `${id} ${canonicalText(data) ?? ''}`),
      kind: 'file',
      part_id: id,
      ...(typeof path === 'string' ? { title: path } : {}),
      data,
    };
    parts.push({ id, part });
  }
  return { parts, missing };
}

const TOOL_CALLS: ReadonlySet<string> = new Set(['tool_calls']);

/** The columns of a message that its entries do not have: kept beside it. */
export function readOtherColumns(message: JupyterMessage, missing: readonly Json[]): JsonObject | undefined {
  const { row, content } = message;
  const rest: [string, Json][] = [];
  for (const [column, value] of Object.entries(row)) {
    const kept = readColumn(column, value, content, missing, message);
    if (kept !== undefined && kept !== null) rest.push([column, kept]);
  }
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

function readColumn(
  column: string,
  value: Json,
  content: string,
  missing: readonly Json[],
  { row }: JupyterMessage,
): Json | undefined {
  switch (column) {
    case 'id':
      return typeof value === 'string' ? undefined : value;
    case 'time':
    case 'sender':
      return column === 'sender' && typeof value !== 'string' && !isJsonObject(value) ? value : undefined;
    case 'body':
      return value === content || value === '' ? undefined : value;
    case 'type':
      return value === 'msg' ? undefined : value;
    case 'raw_time':
      return value === true ? value : undefined;
    case 'deleted':
    case 'edited':
      return typeof value === 'boolean' ? undefined : value;
    case 'mentions':
      return isJsonArray(value) && value.length === 0 ? undefined : value;
    case 'attachments':
      if (!isJsonArray(value)) return value;
      return missing.length === 0 ? undefined : missing;
    case 'metadata':
      return isJsonObject(value) ? readMetadata(value, row) : value;
    default:
      return value;
  }
}

function readMetadata(metadata: JsonObject, row: JsonObject): Json | undefined {
  const isRead =
    readToolCalls(row).every((call) => isJsonObject(call)) && isJsonArray(metadata['tool_calls']);
  return isRead ? omitKeys(metadata, TOOL_CALLS) : Object.keys(metadata).length === 0 ? undefined : metadata;
}
