import type { Json, JsonObject } from '@chatdoc/schema';
import { type MessageRow, readDocumentRows } from '../conversations/element-rows.js';
import { MediaFilter } from '../conversations/media.js';
import { NodeRows } from '../conversations/same-node.js';
import type { End, Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { readDate } from '../source/dates.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';

const LAYOUT = {
  lists: new Set(['conversations']),
  messages: [['messages'], ['messagesTree']],
  nested: 'children',
};
const ROOT = '00000000-0000-0000-0000-000000000000';

/** Reads a LibreChat export of one conversation, flat or as a tree. */
export function readLibrechat(bytes: Uint8Array): Reading {
  const { rows, conversations, others } = readDocumentRows(bytes, LAYOUT);
  const draft = new PlanDraft();
  const homes: Home[] = [];
  const nodes = new NodeRows<MessageRow>(draft);
  const ids = new Map<SourceRow, { readonly home: string; readonly id: string }>();
  for (const { own, messages } of conversations) {
    const conversation = isJsonObject(own.value) ? own.value : {};
    const home = readName(conversation['conversationId']) ?? 'conversation';
    homes.push(readHome(home, conversation, own));
    if (!own.exact) draft.keepText(own, 'exact_text');
    for (const [index, message] of messages.entries()) {
      const { value } = message;
      if (!isJsonObject(value)) {
        draft.report(message, 'not_a_row', 'the message is not an object');
        draft.setAside(message, 'not_a_row');
        continue;
      }
      const id = readName(value['messageId']) ?? `message ${index + 1}`;
      ids.set(message, { home, id });
      nodes.add(`${home}/${id}`, message);
    }
  }
  for (const row of others) draft.setAside(row, 'not_a_conversation');
  const spoken: Spoken[] = [];
  for (const [key, row] of nodes.entries()) {
    const { value } = row;
    const place = ids.get(row);
    if (place === undefined || !isJsonObject(value)) continue;
    const above = row.above === undefined ? undefined : ids.get(row.above)?.id;
    spoken.push(readMessage(key, place.home, above, row, value));
  }
  const writer = new ConversationWriter(draft, 'librechat', { isLinear: false });
  writer.write(spoken, homes);
  const identity = writer.identity();
  return { rows, draft, ...(identity === undefined ? {} : { identity }) };
}

const HOME_FIELDS: ReadonlySet<string> = new Set([
  'conversationId',
  'title',
  'messages',
  'messagesTree',
  'exportAt',
]);

function readHome(key: string, conversation: JsonObject, row: SourceRow): Home {
  const { title, options } = conversation;
  const legacy = omitKeys(conversation, HOME_FIELDS);
  const model = isJsonObject(options) ? readName(options['model']) : undefined;
  return {
    key,
    purpose: 'chat',
    name: readName(title),
    config: model === undefined ? {} : { acp_config: { model } },
    ...(legacy === undefined ? {} : { legacy: new MediaFilter().stripMembers(legacy) }),
    rows: [row],
  };
}

function readMessage(
  key: string,
  home: string,
  above: string | undefined,
  row: SourceRow,
  value: JsonObject,
): Spoken {
  const { isCreatedByUser, parentMessageId, createdAt, sender, model } = value;
  const by = isCreatedByUser === true ? 'person' : 'model';
  const id = key.slice(home.length + 1);
  const given = readName(parentMessageId) ?? above;
  const rest = readRest(value);
  const end = by === 'model' ? readEnd(value) : undefined;
  const name = readName(sender);
  return {
    row,
    key,
    parent: given === undefined || given === ROOT ? undefined : `${home}/${given}`,
    by,
    home,
    time: readDate(createdAt)?.time,
    sender_id: by === 'person' ? (name ?? 'User') : (readName(model) ?? name ?? 'assistant'),
    ...(by === 'person' ? { text: readText(value) } : {}),
    pieces: [
      ...(by === 'model' ? createPieces(id, value, end === undefined) : []),
      ...createFiles(id, value),
    ],
    end,
    ...(end === 'error' ? { error: readError(value) } : {}),
    legacy: { id, ...(given === undefined || given === ROOT ? {} : { parent: given }) },
    ...(rest === undefined ? {} : { rest }),
  };
}

function readEnd(value: JsonObject): End | undefined {
  if (value['error'] === true || listBlocks(value).some(({ type }) => type === 'error')) return 'error';
  return value['unfinished'] === true ? undefined : 'stop';
}

function readError(value: JsonObject): JsonObject {
  const block = listBlocks(value).find(({ type }) => type === 'error');
  return { message: readName(block?.['error']) ?? readName(value['text']) ?? 'error' };
}

function listBlocks({ content }: JsonObject): readonly JsonObject[] {
  return isJsonArray(content) ? content.filter(isJsonObject) : [];
}

function readText(value: JsonObject): string {
  const texts = listBlocks(value).flatMap((block) =>
    block['type'] === 'text' ? readBlockText(block['text']) : [],
  );
  return texts.length > 0 ? texts.join('\n\n') : (readName(value['text']) ?? '');
}

/** A text, or `{value}`. */
function readBlockText(text: Json | undefined): string {
  return readName(isJsonObject(text) ? text['value'] : text) ?? '';
}

function createPieces(id: string, value: JsonObject, isOpen: boolean): readonly Piece[] {
  const blocks = listBlocks(value);
  const pieces = blocks.flatMap((block, index) => createPiece(`${id}/${index}`, block));
  const text = readName(value['text']);
  if (blocks.length === 0 && text !== undefined) pieces.push({ kind: 'text', key: id, text });
  const last = pieces.at(-1);
  return isOpen && last?.kind === 'text' ? [...pieces.slice(0, -1), { ...last, isOpen }] : pieces;
}

function createPiece(key: string, block: JsonObject): readonly Piece[] {
  switch (block['type']) {
    case 'text': {
      const text = readBlockText(block['text']);
      return text === '' ? [] : [{ kind: 'text', key, text }];
    }
    case 'think': {
      const text = readBlockText(block['think']);
      return text === '' ? [] : [{ kind: 'reasoning', key, text }];
    }
    case 'tool_call':
      return isJsonObject(block['tool_call']) ? [createCall(key, block['tool_call'])] : [];
    case 'image_file': {
      const file = isJsonObject(block['image_file']) ? block['image_file'] : {};
      const title = readName(file['filename']) ?? readName(file['file_id']) ?? 'image';
      return [{ kind: 'file', key, part_id: key, title, data: new MediaFilter().stripMembers(file) }];
    }
    default:
      return [];
  }
}

function createCall(key: string, call: JsonObject): Piece {
  const { id, name, args, output } = call;
  const hasOutput = output !== undefined && output !== null && output !== '';
  return {
    kind: 'tool_call',
    key,
    part_id: readName(id) ?? key,
    title: readName(name) ?? 'tool',
    ...(args === undefined ? {} : { input: new MediaFilter().strip(readArguments(args)) }),
    ...(hasOutput ? { output: new MediaFilter().strip(output) } : {}),
    ...(hasOutput || call['progress'] === 1 ? { state: 'completed' } : {}),
  };
}

function readArguments(args: Json): Json {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args) as Json;
  } catch {
    return args;
  }
}

function createFiles(id: string, { files }: JsonObject): readonly Piece[] {
  if (!isJsonArray(files)) return [];
  return files.filter(isJsonObject).map((file, index) => {
    const part_id = readName(file['file_id']) ?? `file-${index + 1}`;
    const title = readName(file['filename']) ?? readName(file['type']) ?? part_id;
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
  'messageId',
  'conversationId',
  'parentMessageId',
  'sender',
  'isCreatedByUser',
  'createdAt',
  'model',
  'text',
  'content',
  'files',
  'children',
  'error',
  'unfinished',
]);
const READ_BLOCKS: ReadonlySet<Json | undefined> = new Set([
  'text',
  'think',
  'tool_call',
  'image_file',
  'error',
]);

function readRest(value: JsonObject): JsonObject | undefined {
  const rest: Record<string, Json> = { ...omitKeys(value, FIELDS) };
  const blocks = listBlocks(value).filter(({ type }) => !READ_BLOCKS.has(type));
  if (blocks.length > 0) rest['content'] = blocks;
  const { text } = value;
  if (listBlocks(value).length > 0 && typeof text === 'string' && text !== '' && text !== readText(value))
    rest['text'] = text;
  if (readName(value['sender']) !== undefined && value['isCreatedByUser'] !== true)
    rest['sender'] = value['sender'] ?? null;
  return Object.keys(rest).length === 0 ? undefined : new MediaFilter().stripMembers(rest);
}
