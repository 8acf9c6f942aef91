import type { Json, JsonObject } from '@chatdoc/schema';
import { readDocumentRows } from '../conversations/element-rows.js';
import { MediaFilter } from '../conversations/media.js';
import { NodeRows } from '../conversations/same-node.js';
import type { End, Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { readSeconds } from '../source/dates.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';
import { splitDetails } from './details.js';

const LAYOUT = {
  lists: new Set(['conversations', 'chats']),
  messages: [
    ['chat', 'history', 'messages'],
    ['chat', 'messages'],
    ['history', 'messages'],
  ],
};

/** Reads an Open WebUI export: a list of chats, or one. */
export function readOpenWebui(bytes: Uint8Array): Reading {
  const { rows, conversations, others } = readDocumentRows(bytes, LAYOUT);
  const draft = new PlanDraft();
  const homes = new Map<string, Home>();
  const users = new Map<string, string>();
  const nodes = new NodeRows(draft);
  const places = new Map<SourceRow, { readonly home: string; readonly before: string | undefined }>();
  for (const { own, messages } of conversations) {
    const chat = isJsonObject(own.value) ? own.value : {};
    const key = readName(chat['id']) ?? `at ${String(chat['created_at'] ?? readName(chat['title']) ?? '')}`;
    homes.set(key, readHome(key, chat, own, homes.get(key)));
    users.set(key, readName(chat['user_id']) ?? 'user');
    if (!own.exact) draft.keepText(own, 'exact_text');
    let before: string | undefined;
    for (const [index, message] of messages.entries()) {
      const { value } = message;
      if (!isJsonObject(value)) {
        draft.report(message, 'not_a_row', 'the message is not an object');
        draft.setAside(message, 'not_a_row');
        continue;
      }
      const id = `${key}/${readName(value['id']) ?? message.key ?? `message ${index + 1}`}`;
      places.set(message, { home: key, before });
      nodes.add(id, message);
      before = id;
    }
  }
  for (const row of others) draft.setAside(row, 'not_a_conversation');
  const spoken: Spoken[] = [];
  for (const [key, row] of nodes.entries()) {
    const place = places.get(row);
    const { value } = row;
    if (place === undefined || !isJsonObject(value)) continue;
    const { home, before } = place;
    const role = value['role'];
    if (role === 'system')
      draft.setAside(row, 'hidden', readTime(value) ?? 0, new MediaFilter().strip(value));
    else spoken.push(readNode(key, home, before, users.get(home) ?? 'user', row, value));
  }
  const writer = new ConversationWriter(draft, 'open-webui', { isLinear: false });
  writer.write(spoken, [...homes.values()]);
  const identity = writer.identity();
  return { rows, draft, ...(identity === undefined ? {} : { identity }) };
}

const HOME_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'user_id',
  'title',
  'created_at',
  'archived',
  'pinned',
  'chat',
]);
const CHAT_FIELDS: ReadonlySet<string> = new Set(['title', 'messages']);

function readHome(key: string, chat: JsonObject, row: SourceRow, before: Home | undefined): Home {
  const inner = isJsonObject(chat['chat']) ? chat['chat'] : {};
  const { title, created_at, updated_at, archived, pinned, user_id } = chat;
  const time = readSeconds(created_at)?.time ?? readSeconds(inner['timestamp'])?.time;
  const legacy = { ...omitKeys(chat, HOME_FIELDS), ...omitKeys(inner, CHAT_FIELDS) };
  const { models } = inner;
  const model = isJsonArray(models) ? readName(models[0]) : undefined;
  return {
    key,
    purpose: 'chat',
    time,
    creator: readName(user_id) ?? 'user',
    name: readName(title) ?? readName(inner['title']),
    updated: readSeconds(updated_at)?.time ?? time,
    config: {
      ...(pinned === true ? { pin: true } : {}),
      ...(archived === true ? { archived: true } : {}),
      ...(model === undefined ? {} : { acp_config: { model } }),
    },
    ...(Object.keys(legacy).length === 0 ? {} : { legacy: new MediaFilter().stripMembers(legacy) }),
    rows: [...(before?.rows ?? []), row],
  };
}

function readTime({ timestamp }: JsonObject): number | undefined {
  return readSeconds(timestamp)?.time;
}

function readNode(
  key: string,
  home: string,
  before: string | undefined,
  user: string,
  row: SourceRow,
  node: JsonObject,
): Spoken {
  const id = key.slice(home.length + 1);
  const by = node['role'] === 'user' ? 'person' : 'model';
  const { parentId } = node;
  const given = readName(parentId);
  const isLinear = !('parentId' in node);
  const parent = isLinear ? before : given && `${home}/${given}`;
  const rest = readRest(node);
  const end = by === 'model' ? readEnd(node) : undefined;
  const usage = readUsage(node);
  const rating = isJsonObject(node['annotation']) ? node['annotation'] : undefined;
  const text = readContent(node['content']);
  const model =
    readName(node['model']) ?? readName(node['modelName']) ?? readName(node['role']) ?? 'assistant';
  return {
    row,
    key,
    parent,
    by,
    home,
    time: readTime(node),
    sender_id: by === 'person' ? user : model,
    ...(by === 'person' ? { text } : {}),
    pieces: [...(by === 'model' ? createPieces(id, text, end === undefined) : []), ...createFiles(id, node)],
    end,
    ...(end === 'error' ? { error: readError(node) } : {}),
    ...(usage === undefined ? {} : { usage }),
    ...(rating === undefined ? {} : { feedback: rating }),
    legacy: { id, ...(given === undefined ? {} : { parent: given }) },
    ...(rest === undefined ? {} : { rest }),
  };
}

function readEnd({ done, error }: JsonObject): End | undefined {
  if (error !== undefined && error !== null && error !== false) return 'error';
  return done === false ? undefined : 'stop';
}

function readError({ error }: JsonObject): JsonObject {
  if (isJsonObject(error)) return error;
  return { message: typeof error === 'string' ? error : JSON.stringify(error) };
}

function readUsage({ usage, info }: JsonObject): JsonObject | undefined {
  const found = isJsonObject(usage) ? usage : isJsonObject(info) ? info : undefined;
  if (found === undefined) return undefined;
  const counts = Object.entries(found).filter(
    ([, value]) => typeof value === 'number' || isJsonObject(value),
  );
  return counts.length === 0 ? undefined : Object.fromEntries(counts);
}

function readContent(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!isJsonArray(content)) return '';
  return content
    .flatMap((part) =>
      isJsonObject(part) ? (readName(part['text']) ?? []) : typeof part === 'string' ? part : [],
    )
    .join('\n\n');
}

function createPieces(id: string, content: string, isOpen: boolean): readonly Piece[] {
  const { details, text } = splitDetails(content);
  const pieces = details.map<Piece>(({ type, summary, attributes, body }, index) => {
    const key = `${id}/${index}`;
    if (type === 'reasoning') return { kind: 'reasoning', key, text: body, data: { summary } };
    const output = attributes['result'];
    return {
      kind: 'tool_call',
      key,
      part_id: attributes['id'] ?? key,
      title: attributes['name'] ?? type,
      ...(attributes['arguments'] === undefined ? {} : { input: readJson(attributes['arguments']) }),
      ...(output === undefined ? {} : { output: readJson(output), state: 'completed' as const }),
    };
  });
  return text === '' ? pieces : [...pieces, { kind: 'text', key: id, text, ...(isOpen ? { isOpen } : {}) }];
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function createFiles(id: string, { files }: JsonObject): readonly Piece[] {
  if (!isJsonArray(files)) return [];
  return files.filter(isJsonObject).map((file, index) => {
    const inner = isJsonObject(file['file']) ? file['file'] : {};
    const part_id = readName(file['id']) ?? readName(inner['id']) ?? `file-${index + 1}`;
    const url = readName(file['url']);
    const name = readName(file['name']) ?? readName(inner['filename']);
    const title =
      name ??
      (url !== undefined && url.length < 200 && !url.startsWith('data:') ? url : readName(file['type'])) ??
      part_id;
    return {
      kind: 'file',
      key: `${id}/file-${index}`,
      part_id,
      title,
      data: new MediaFilter().stripMembers(file),
    };
  });
}

const FIELDS: ReadonlySet<string> = new Set([
  'id',
  'parentId',
  'childrenIds',
  'role',
  'content',
  'timestamp',
  'model',
  'modelName',
  'modelIdx',
  'done',
  'usage',
  'info',
  'files',
  'error',
  'annotation',
]);

function readRest(node: JsonObject): JsonObject | undefined {
  const rest: Record<string, Json> = { ...omitKeys(node, FIELDS) };
  if (typeof node['content'] !== 'string' && node['content'] !== undefined) rest['content'] = node['content'];
  if (isJsonObject(node['info'])) rest['info'] = node['info'];
  if (node['modelName'] !== undefined && node['modelName'] !== node['model'])
    rest['modelName'] = node['modelName'];
  return Object.keys(rest).length === 0 ? undefined : new MediaFilter().stripMembers(rest);
}
