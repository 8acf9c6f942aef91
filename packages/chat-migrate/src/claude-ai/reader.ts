import type { Json, JsonObject } from '@chatdoc/schema';
import { readDocumentRows } from '../conversations/element-rows.js';
import { MediaFilter } from '../conversations/media.js';
import { NodeRows } from '../conversations/same-node.js';
import type { CallResult, Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { readDate } from '../source/dates.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';

const LAYOUT = { lists: new Set(['conversations']), messages: [['chat_messages']] };
/** The parent of a first message. */
const ROOT = '00000000-0000-4000-8000-000000000000';

/** Reads a Claude.ai export: a list of conversations, or one. */
export function readClaudeAi(bytes: Uint8Array): Reading {
  const { rows, conversations, others } = readDocumentRows(bytes, LAYOUT);
  const draft = new PlanDraft();
  const homes = new Map<string, Home>();
  const nodes = new NodeRows(draft);
  const places = new Map<SourceRow, { readonly home: string; readonly before: string | undefined }>();
  for (const { own, messages } of conversations) {
    const conversation = isJsonObject(own.value) ? own.value : {};
    const key = readName(conversation['uuid']) ?? `at ${String(conversation['created_at'] ?? '')}`;
    homes.set(key, readHome(key, conversation, own, homes.get(key)));
    if (!own.exact) draft.keepText(own, 'exact_text');
    let before: string | undefined;
    for (const [index, message] of messages.entries()) {
      const { value } = message;
      if (!isJsonObject(value)) {
        draft.report(message, 'not_a_row', 'the message is not an object');
        draft.setAside(message, 'not_a_row');
        continue;
      }
      const id = `${key}/${readName(value['uuid']) ?? `message ${index + 1}`}`;
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
    if (place !== undefined && isJsonObject(value))
      spoken.push(readMessage(key, place.home, place.before, row, value));
  }
  const writer = new ConversationWriter(draft, 'claude-ai', { isLinear: false });
  writer.write(spoken, [...homes.values()]);
  const identity = writer.identity();
  return { rows, draft, ...(identity === undefined ? {} : { identity }) };
}

const HOME_FIELDS: ReadonlySet<string> = new Set([
  'uuid',
  'name',
  'created_at',
  'chat_messages',
  'account',
  'is_starred',
]);

function readHome(key: string, conversation: JsonObject, row: SourceRow, before: Home | undefined): Home {
  const { name, created_at, updated_at, is_starred, model } = conversation;
  const time = readDate(cutMicros(created_at))?.time;
  const legacy = omitKeys(conversation, HOME_FIELDS);
  return {
    key,
    purpose: 'chat',
    time,
    creator: 'human',
    name: readName(name),
    updated: readDate(cutMicros(updated_at))?.time ?? time,
    config: {
      ...(is_starred === true ? { pin: true } : {}),
      ...(typeof model === 'string' ? { acp_config: { model } } : {}),
    },
    ...(legacy === undefined ? {} : { legacy: new MediaFilter().stripMembers(legacy) }),
    rows: [...(before?.rows ?? []), row],
  };
}

/** Times have microseconds: what is finer than a millisecond is not kept. */
function cutMicros(value: Json | undefined): Json | undefined {
  return typeof value === 'string' ? value.replace(/(\.\d{3})\d+/, '$1') : value;
}

function readMessage(
  key: string,
  home: string,
  before: string | undefined,
  row: SourceRow,
  value: JsonObject,
): Spoken {
  const { sender, created_at, parent_message_uuid } = value;
  const by = sender === 'human' ? 'person' : 'model';
  const id = key.slice(home.length + 1);
  const given = readName(parent_message_uuid);
  const parent = given === undefined ? before : given === ROOT ? undefined : `${home}/${given}`;
  const isStopped = value['stop_reason'] === 'user_canceled' || value['truncated'] === true;
  const rest = readRest(value);
  return {
    row,
    key,
    parent,
    by,
    home,
    time: readDate(cutMicros(created_at))?.time,
    sender_id: by === 'person' ? 'human' : (readName(value['model']) ?? 'assistant'),
    ...(by === 'person' ? { text: readText(value) } : {}),
    pieces: [...(by === 'person' ? [] : createPieces(id, value)), ...createFiles(id, value)],
    end: by === 'person' ? undefined : isStopped ? 'stopped' : 'stop',
    legacy: { id, ...(given === undefined ? {} : { parent: given }) },
    ...(rest === undefined ? {} : { rest }),
  };
}

function listBlocks({ content }: JsonObject): readonly JsonObject[] {
  return isJsonArray(content) ? content.filter(isJsonObject) : [];
}

/** With blocks, `text` is a worse copy of them. */
function readText(value: JsonObject): string {
  const texts = listBlocks(value).flatMap(({ type, text }) =>
    type === 'text' && typeof text === 'string' ? [text] : [],
  );
  if (texts.length > 0) return texts.join('\n\n');
  return listBlocks(value).length === 0 ? (readName(value['text']) ?? '') : '';
}

function createPieces(id: string, value: JsonObject): readonly (Piece | CallResult)[] {
  const blocks = listBlocks(value);
  if (blocks.length === 0) {
    const text = readName(value['text']);
    return text === undefined ? [] : [{ kind: 'text', key: id, text }];
  }
  return blocks.flatMap((block, index) => createPiece(`${id}/${index}`, block));
}

function createPiece(key: string, block: JsonObject): readonly (Piece | CallResult)[] {
  const name = readName(block['name']);
  switch (block['type']) {
    case 'text':
      return typeof block['text'] === 'string' && block['text'] !== ''
        ? [{ kind: 'text', key, text: block['text'] }]
        : [];
    case 'thinking':
      return typeof block['thinking'] === 'string'
        ? [{ kind: 'reasoning', key, text: block['thinking'] }]
        : [];
    case 'tool_use': {
      const call: Piece = {
        kind: 'tool_call',
        key,
        part_id: readName(block['id']) ?? key,
        ...(name === undefined ? {} : { title: name }),
        ...(block['input'] === undefined ? {} : { input: new MediaFilter().strip(block['input']) }),
      };
      return [call, ...createArtifact(key, name, block['input'])];
    }
    case 'tool_result': {
      const call = readName(block['tool_use_id']);
      return [
        {
          kind: 'result',
          ...(call === undefined ? {} : { call }),
          ...(name === undefined ? {} : { title: name }),
          output: new MediaFilter().strip(block['content'] ?? null),
          isFailed: block['is_error'] === true,
        },
      ];
    }
    default:
      return [];
  }
}

/** The document that a call for an artifact has written. */
function createArtifact(key: string, name: string | undefined, input: Json | undefined): readonly Piece[] {
  if (name !== 'artifacts' || !isJsonObject(input) || typeof input['content'] !== 'string') return [];
  const { content, title, id, type, language } = input;
  return [
    {
      kind: 'file',
      key: `${key}/file`,
      part_id: readName(id) ?? `${key}/file`,
      title: readName(title) ?? readName(id) ?? 'artifact',
      text: content,
      data: { ...(type === undefined ? {} : { type }), ...(language === undefined ? {} : { language }) },
    },
  ];
}

/** Pasted documents with their text, and uploads by their names. */
function createFiles(id: string, { attachments, files }: JsonObject): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const [index, file] of (isJsonArray(attachments) ? attachments : []).entries()) {
    if (!isJsonObject(file)) continue;
    const { extracted_content, file_name } = file;
    const title = readName(file_name) ?? `attachment-${index + 1}`;
    const data = omitKeys(file, ATTACHMENT_TEXT);
    pieces.push({
      kind: 'file',
      key: `${id}/attachment-${index}`,
      part_id: readName(file['id']) ?? `attachment-${index + 1}`,
      title,
      ...(data === undefined ? {} : { data: new MediaFilter().stripMembers(data) }),
      ...(typeof extracted_content === 'string' ? { text: extracted_content } : {}),
    });
  }
  for (const [index, file] of (isJsonArray(files) ? files : []).entries()) {
    if (!isJsonObject(file)) continue;
    const part_id = readName(file['file_uuid']) ?? `file-${index + 1}`;
    const title = readName(file['file_name']) ?? part_id;
    pieces.push({
      kind: 'file',
      key: `${id}/file-${index}`,
      part_id,
      title,
      data: new MediaFilter().stripMembers(file),
    });
  }
  return pieces;
}

const ATTACHMENT_TEXT: ReadonlySet<string> = new Set(['extracted_content']);
const FIELDS: ReadonlySet<string> = new Set([
  'uuid',
  'sender',
  'text',
  'content',
  'created_at',
  'attachments',
  'files',
  'parent_message_uuid',
]);
const READ_BLOCKS: ReadonlySet<Json | undefined> = new Set(['text', 'thinking', 'tool_use', 'tool_result']);

/** Columns that the entries do not have; of blocks, those of other types whole and citations. */
function readRest(value: JsonObject): JsonObject | undefined {
  const columns: Record<string, Json> = { ...omitKeys(value, FIELDS) };
  if (columns['updated_at'] === value['created_at']) delete columns['updated_at'];
  const blocks = listBlocks(value).flatMap((block, index): JsonObject[] => {
    const { type } = block;
    const rest = READ_BLOCKS.has(type) ? omitKeys(block, BLOCK_FIELDS) : block;
    const kept = rest && dropEmpty(rest);
    return kept === undefined ? [] : [{ block: index, ...kept }];
  });
  if (blocks.length > 0) columns['content'] = blocks;
  const text = value['text'];
  if (listBlocks(value).length > 0 && typeof text === 'string' && text !== readText(value))
    columns['text'] = text;
  return Object.keys(columns).length === 0 ? undefined : new MediaFilter().stripMembers(columns);
}

const BLOCK_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'text',
  'thinking',
  'id',
  'name',
  'input',
  'tool_use_id',
  'is_error',
]);

function dropEmpty(value: JsonObject): JsonObject | undefined {
  const kept = Object.entries(value).filter(([name, child]) => {
    if (name === 'content' && value['type'] === undefined) return false;
    return child !== null && child !== false && !(isJsonArray(child) && child.length === 0);
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
