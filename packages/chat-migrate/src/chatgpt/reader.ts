import type { Json, JsonObject } from '@chatdoc/schema';
import { readDocumentRows } from '../conversations/element-rows.js';
import { isMedia, MediaFilter } from '../conversations/media.js';
import { NodeRows } from '../conversations/same-node.js';
import type { CallResult, End, Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { readSeconds } from '../source/dates.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';

const LAYOUT = { lists: new Set(['conversations']), messages: [['mapping']] };

/** Reads a ChatGPT export: a list of conversations, or one. */
export function readChatgpt(bytes: Uint8Array): Reading {
  const { rows, conversations, others } = readDocumentRows(bytes, LAYOUT);
  const draft = new PlanDraft();
  const nodes = new NodeRows(draft);
  const homes = new Map<string, Home>();
  for (const { own, messages } of conversations) {
    const conversation = isJsonObject(own.value) ? own.value : {};
    const key = readConversationId(conversation);
    homes.set(key, readHome(key, conversation, own, homes.get(key)));
    for (const message of messages) nodes.add(`${key}/${message.key ?? ''}`, message);
  }
  for (const row of others) draft.setAside(row, 'not_a_conversation');
  const writer = new ConversationWriter(draft, 'chatgpt', { isLinear: false });
  const spoken = readNodes([...nodes.entries()], draft);
  for (const home of homes.values()) settleHome(home, draft);
  writer.write(spoken, [...homes.values()]);
  const identity = writer.identity();
  return { rows, draft, ...(identity === undefined ? {} : { identity }) };
}

function settleHome(home: Home, draft: PlanDraft): void {
  for (const row of home.rows) if (!row.exact) draft.keepText(row, 'exact_text');
}

function readConversationId(conversation: JsonObject): string {
  const { id, conversation_id, create_time } = conversation;
  return readName(conversation_id) ?? readName(id) ?? `at ${String(create_time ?? 0)}`;
}

const HOME_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'conversation_id',
  'title',
  'create_time',
  'mapping',
  'is_archived',
]);

function readHome(key: string, conversation: JsonObject, row: SourceRow, before: Home | undefined): Home {
  const { title, create_time, update_time, is_archived, is_starred } = conversation;
  const time = readSeconds(create_time)?.time;
  const legacy = omitKeys(conversation, HOME_FIELDS);
  const config = {
    ...(typeof is_archived === 'boolean' && is_archived ? { archived: true } : {}),
    ...(is_starred === true ? { pin: true } : {}),
  };
  return {
    key,
    purpose: 'chat',
    time,
    creator: 'user',
    name: readName(title),
    updated: readSeconds(update_time)?.time ?? time,
    config,
    ...(legacy === undefined ? {} : { legacy: new MediaFilter().stripMembers(legacy) }),
    rows: [...(before?.rows ?? []), row],
  };
}

interface Node {
  readonly key: string;
  readonly home: string;
  readonly row: SourceRow;
  readonly node: JsonObject;
  readonly message: JsonObject | undefined;
  readonly parent: string | undefined;
}

function readNodes(entries: readonly (readonly [string, SourceRow])[], draft: PlanDraft): readonly Spoken[] {
  const nodes = new Map<string, Node>();
  for (const [key, row] of entries) {
    const { value } = row;
    if (!isJsonObject(value)) {
      draft.report(row, 'not_a_row', 'the node is not an object');
      draft.setAside(row, 'not_a_row');
      continue;
    }
    const home = key.slice(0, key.length - (row.key ?? '').length - 1);
    const parent = readName(value['parent']);
    const message = isJsonObject(value['message']) ? value['message'] : undefined;
    nodes.set(key, { key, home, row, node: value, message, parent: parent && `${home}/${parent}` });
  }
  const hidden = new Set([...nodes.values()].filter(isHidden).map(({ key }) => key));
  const spoken: Spoken[] = [];
  for (const node of nodes.values()) {
    const { row, message } = node;
    if (message === undefined || hidden.has(node.key)) {
      const time = readSeconds(message?.['create_time'])?.time;
      draft.setAside(
        row,
        message === undefined ? 'no_message' : 'hidden',
        time ?? 0,
        new MediaFilter().strip(node.node),
      );
      continue;
    }
    spoken.push(readSpoken(node, message, findParent(node, nodes, hidden)));
  }
  return spoken;
}

/** The nearest node above that is shown; the name of one that is not there, where the way ends. */
function findParent(
  node: Node,
  nodes: ReadonlyMap<string, Node>,
  hidden: ReadonlySet<string>,
): string | undefined {
  const seen = new Set([node.key]);
  for (let at = node.parent; at !== undefined; ) {
    const above = nodes.get(at);
    if (above === undefined || (above.message !== undefined && !hidden.has(at))) return at;
    if (seen.has(at)) return at;
    seen.add(at);
    at = above.parent;
  }
  return undefined;
}

const HIDDEN_TYPES: ReadonlySet<string> = new Set([
  'user_editable_context',
  'model_editable_context',
  'reasoning_recap',
]);

function isHidden({ message }: Node): boolean {
  if (message === undefined) return false;
  const { content, metadata, weight } = message;
  if (isJsonObject(metadata) && metadata['is_visually_hidden_from_conversation'] === true) return true;
  const role = readRole(message);
  if (role !== 'user' && role !== 'assistant' && role !== 'tool') return true;
  if (!isJsonObject(content)) return true;
  if (HIDDEN_TYPES.has(readName(content['content_type']) ?? '')) return true;
  const isBlank = readText(content).trim() === '' && listFiles(content).length === 0;
  return isBlank && (weight === 0 || (role === 'user' && content['content_type'] === 'text' && weight !== 1));
}

function readRole({ author }: JsonObject): string {
  return isJsonObject(author) ? (readName(author['role']) ?? '') : '';
}

function readSpoken({ key, home, row, node }: Node, message: JsonObject, parent: string | undefined): Spoken {
  const role = readRole(message);
  const content = isJsonObject(message['content']) ? message['content'] : {};
  const metadata = isJsonObject(message['metadata']) ? message['metadata'] : {};
  const time = readSeconds(message['create_time'])?.time;
  const by = role === 'user' ? 'person' : 'model';
  const author = isJsonObject(message['author']) ? readName(message['author']['name']) : undefined;
  const sender_id =
    by === 'person'
      ? (author ?? 'user')
      : (readName(metadata['model_slug']) ?? (role === 'tool' ? 'assistant' : role));
  const facts = {
    id: row.key ?? '',
    ...(typeof node['parent'] === 'string' ? { parent: node['parent'] } : {}),
  };
  const rest = readRest(node, message, content);
  return {
    row,
    key,
    parent,
    by,
    home,
    time,
    sender_id,
    ...(by === 'person' ? { text: readText(content) } : {}),
    pieces:
      by === 'person' ? createFiles(key, content, metadata) : createPieces(key, message, content, metadata),
    end: by === 'model' ? readEnd(message, role) : undefined,
    legacy: facts,
    ...(rest === undefined ? {} : { rest }),
  };
}

function readEnd(message: JsonObject, role: string): End | undefined {
  const { status, end_turn, recipient } = message;
  if (status === 'error') return 'error';
  if (status !== 'finished_successfully' || role === 'tool' || end_turn === false) return undefined;
  const isCall = typeof recipient === 'string' && recipient !== 'all';
  return isCall ? undefined : 'stop';
}

function createPieces(
  key: string,
  message: JsonObject,
  content: JsonObject,
  metadata: JsonObject,
): readonly (Piece | CallResult)[] {
  const { recipient, author, status } = message;
  const type = readName(content['content_type']) ?? '';
  const text = readText(content);
  const files = createFiles(key, content, metadata);
  if (readRole(message) === 'tool') {
    const title = isJsonObject(author) ? readName(author['name']) : undefined;
    const result: CallResult = {
      kind: 'result',
      ...(title === undefined ? {} : { title }),
      output: text === '' ? new MediaFilter().strip(content) : text,
      isFailed: type === 'system_error' || status === 'error',
    };
    return [result, ...files];
  }
  if (type === 'thoughts') return createThoughts(key, content);
  if (typeof recipient === 'string' && recipient !== 'all')
    return [{ kind: 'tool_call', key, part_id: key, title: recipient, input: readInput(text) }];
  const isOpen = status === 'in_progress';
  return [
    ...(text === '' ? [] : [{ kind: 'text' as const, key, text, ...(isOpen ? { isOpen } : {}) }]),
    ...files,
  ];
}

function readInput(text: string): Json {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function createThoughts(key: string, { thoughts, content }: JsonObject): readonly Piece[] {
  const list = isJsonArray(thoughts) ? thoughts : [content ?? ''];
  return list.map((thought, index) => {
    const words = isJsonObject(thought) ? [thought['summary'], thought['content']] : [thought];
    const text = words.filter((word) => typeof word === 'string' && word !== '').join('\n\n');
    return { kind: 'reasoning', key: `${key}/${index}`, text };
  });
}

/** The words of a content, whatever its type. */
function readText(content: JsonObject): string {
  const { parts, text, result, content: inner } = content;
  if (isJsonArray(parts)) {
    const words = parts.map((part) => (isJsonObject(part) ? part['text'] : part));
    return words.filter((part): part is string => typeof part === 'string' && !isMedia(part)).join('');
  }
  return [text, result, inner].find((value): value is string => typeof value === 'string') ?? '';
}

function listFiles({ parts }: JsonObject): readonly JsonObject[] {
  if (!isJsonArray(parts)) return [];
  return parts.filter(isJsonObject).filter(({ asset_pointer, content_type }) => {
    return (
      typeof asset_pointer === 'string' ||
      (typeof content_type === 'string' && content_type.endsWith('_pointer'))
    );
  });
}

/** Pictures and uploads: by the name that the attachments of the message give them. */
function createFiles(key: string, content: JsonObject, { attachments }: JsonObject): readonly Piece[] {
  const given = isJsonArray(attachments) ? attachments.filter(isJsonObject) : [];
  const named = new Map(given.map((file) => [readName(file['id']) ?? '', file]));
  const used = new Set<JsonObject>();
  const pieces: Piece[] = [];
  for (const [index, file] of listFiles(content).entries()) {
    const id = readName(file['asset_pointer'])?.replace(/^[a-z-]+:\/\//, '') ?? `file-${index + 1}`;
    const attachment = named.get(id);
    if (attachment !== undefined) used.add(attachment);
    const title = readName(attachment?.['name']) ?? id;
    const data = new MediaFilter().stripMembers({ ...attachment, ...file });
    pieces.push({ kind: 'file', key: `${key}/${id}`, part_id: id, title, data });
  }
  for (const [index, file] of given.entries()) {
    if (used.has(file)) continue;
    const id = readName(file['id']) ?? `attachment-${index + 1}`;
    const title = readName(file['name']) ?? id;
    pieces.push({
      kind: 'file',
      key: `${key}/${id}`,
      part_id: id,
      title,
      data: new MediaFilter().stripMembers(file),
    });
  }
  return pieces;
}

const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'author',
  'create_time',
  'content',
  'recipient',
  'end_turn',
  'status',
]);
const NODE_FIELDS: ReadonlySet<string> = new Set(['id', 'parent', 'children', 'message']);

/** Columns that the entries do not have. */
function readRest(node: JsonObject, message: JsonObject, content: JsonObject): JsonObject | undefined {
  const columns: Record<string, Json> = { ...omitKeys(node, NODE_FIELDS) };
  for (const [name, value] of Object.entries(omitKeys(message, MESSAGE_FIELDS) ?? {})) {
    const isPlain =
      value === null ||
      value === 'all' ||
      value === 1 ||
      (isJsonObject(value) && Object.keys(value).length === 0);
    if (!isPlain) columns[name] = value;
  }
  const { content_type: type } = content;
  const known = new Set(['content_type', 'parts', 'text', 'thoughts']);
  const more = omitKeys(content, known);
  if (typeof type === 'string' && type !== 'text') columns['content_type'] = type;
  if (more !== undefined) columns['content'] = more;
  const { parts } = content;
  const objects = isJsonArray(parts)
    ? parts.filter(isJsonObject).filter(({ text }) => typeof text !== 'string')
    : [];
  if (objects.length > listFiles(content).length) columns['parts'] = objects;
  return Object.keys(columns).length === 0 ? undefined : new MediaFilter().stripMembers(columns);
}
