import type { Json, JsonObject } from '@chatdoc/schema';
import { describeOmitted, MediaFilter } from '../conversations/media.js';
import type { CallResult, Piece } from '../conversations/spoken.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';
import { isResult } from './prompts.js';

/** The blocks of a line as parts of its message. */
export function createPieces(key: string, blocks: readonly JsonObject[]): readonly (Piece | CallResult)[] {
  return blocks.flatMap((block, index) => createPiece(`${key}/${index}`, block));
}

function createPiece(key: string, block: JsonObject): readonly (Piece | CallResult)[] {
  const { type } = block;
  if (isResult(type)) return [createResult(block)];
  switch (type) {
    case 'text': {
      const text = readName(block['text']);
      return text === undefined ? [] : [{ kind: 'text', key, text }];
    }
    case 'thinking': {
      const text = readName(block['thinking']);
      return text === undefined ? [] : [{ kind: 'reasoning', key, text }];
    }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      const input = block['input'];
      const call: Piece = {
        kind: 'tool_call',
        key,
        part_id: readName(block['id']) ?? key,
        title: readName(block['name']) ?? 'tool',
        ...(input === undefined ? {} : { input: new MediaFilter().strip(input) }),
      };
      return [call];
    }
    case 'image':
    case 'document':
      return [createFile(key, block)];
    default:
      return [];
  }
}

function createResult(block: JsonObject): CallResult {
  const call = readName(block['tool_use_id']);
  return {
    kind: 'result',
    ...(call === undefined ? {} : { call }),
    output: new MediaFilter().strip(block['content'] ?? null),
    isFailed: block['is_error'] === true,
  };
}

/** A picture or a document: its type, size and hash; the backup of the source has the bytes. */
export function createFile(key: string, block: JsonObject): Piece {
  const source = isJsonObject(block['source']) ? block['source'] : {};
  const type = readName(source['media_type']) ?? String(block['type']);
  const title = readName(block['title']) ?? readName(block['filename']) ?? type;
  const { data } = source;
  const isText = source['type'] === 'text';
  return {
    kind: 'file',
    key,
    part_id: key,
    title,
    data:
      typeof data === 'string' && !isText
        ? describeOmitted(data, type)
        : new MediaFilter().strip(omitKeys(source, TEXT) ?? {}),
    ...(isText && typeof data === 'string' ? { text: data } : {}),
  };
}

const TEXT: ReadonlySet<string> = new Set(['data']);
const READ_TYPES: ReadonlySet<Json | undefined> = new Set([
  'text',
  'thinking',
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
  'image',
  'document',
]);
const READ_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'text',
  'thinking',
  'id',
  'name',
  'input',
  'tool_use_id',
  'content',
  'is_error',
  'source',
  'title',
]);

/** Fields of blocks that their parts do not have. */
export function readOtherBlocks(content: Json | undefined): readonly JsonObject[] {
  if (!isJsonArray(content)) return [];
  return content.flatMap((block, index): JsonObject[] => {
    if (!isJsonObject(block)) return [{ block: index, value: block }];
    const isRead = READ_TYPES.has(block['type']) || isResult(block['type']);
    const rest = isRead ? omitKeys(block, READ_FIELDS) : block;
    return rest === undefined ? [] : [{ block: index, ...rest }];
  });
}
