import type { Json, JsonObject } from '@chatdoc/schema';
import { MediaFilter } from '../conversations/media.js';
import type { CallResult, Piece } from '../conversations/spoken.js';
import { isJsonArray, isJsonObject, parseJson, readName } from '../source/json-value.js';

const TYPES =
  /^(?:text|input_text|output_text|reasoning|file|image|image_url|source-url|source-document|step-start|dynamic-tool|tool-.+|tool_use|tool_result|data-.+|human|ai|thinking)$/;

/** A text that holds JSON of known parts, parsed; any other value as it is. */
export function readBody(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  const parsed = parseJson(value)?.value;
  const list = isJsonArray(parsed) ? parsed : [parsed];
  const isParts =
    list.length > 0 && list.every((part) => isJsonObject(part) && TYPES.test(readName(part['type']) ?? ''));
  return isParts ? parsed : value;
}

/** The words of a body: a text, `{content}`, `{data: {content}}`, `{text: {value}}`, or parts. */
export function joinTexts(body: Json | undefined): string {
  if (typeof body === 'string') return body;
  if (typeof body === 'number') return String(body);
  if (isJsonArray(body)) {
    return body
      .map((part) => (isText(part) ? joinTexts(part) : ''))
      .filter((text) => text !== '')
      .join('\n\n');
  }
  if (!isJsonObject(body)) return '';
  for (const key of ['text', 'value', 'content', 'data', 'parts']) {
    const text = joinTexts(body[key]);
    if (text !== '') return text;
  }
  return '';
}

function isText(part: Json): boolean {
  if (!isJsonObject(part)) return typeof part === 'string';
  const { type } = part;
  return type === undefined || type === 'text' || type === 'input_text' || type === 'output_text';
}

/** A body as parts of a message. */
export function createPieces(key: string, body: Json | undefined): readonly (Piece | CallResult)[] {
  const inner = isJsonObject(body) && isJsonArray(body['parts']) ? body['parts'] : body;
  if (!isJsonArray(inner)) {
    const text = joinTexts(inner);
    return text === '' ? [] : [{ kind: 'text', key, text }];
  }
  return inner.flatMap((part, index) => createPiece(`${key}/${index}`, part));
}

function createPiece(key: string, part: Json): readonly (Piece | CallResult)[] {
  if (!isJsonObject(part))
    return typeof part === 'string' && part !== '' ? [{ kind: 'text', key, text: part }] : [];
  const type = readName(part['type']) ?? 'text';
  if (type === 'reasoning' || type === 'thinking') {
    const text = readName(part['text']) ?? readName(part['reasoning']) ?? readName(part['thinking']);
    return text === undefined ? [] : [{ kind: 'reasoning', key, text }];
  }
  if (type === 'file' || type === 'image' || type === 'image_url') return [createFile(key, part)];
  if (type === 'tool-result' || type === 'tool_result') {
    const call = readName(part['toolCallId']) ?? readName(part['tool_use_id']);
    const output = new MediaFilter().strip(part['result'] ?? part['output'] ?? part['content'] ?? null);
    return [
      { kind: 'result', ...(call === undefined ? {} : { call }), output, isFailed: part['isError'] === true },
    ];
  }
  if (type === 'tool-invocation' && isJsonObject(part['toolInvocation']))
    return [createCall(key, type, part['toolInvocation'])];
  if (type === 'dynamic-tool' || type === 'tool_use' || type.startsWith('tool-'))
    return [createCall(key, type, part)];
  if (!isText(part)) return [];
  const text = joinTexts(part);
  return text === '' ? [] : [{ kind: 'text', key, text }];
}

function createCall(key: string, type: string, call: JsonObject): Piece {
  const { toolCallId, id, toolName, name, input, args, output, result, errorText, state } = call;
  const title = readName(toolName) ?? readName(name) ?? type.replace(/^tool-/, '');
  const given = input ?? args;
  const out = output ?? result ?? errorText;
  const isFailed = state === 'output-error' || errorText !== undefined;
  const isDone = isFailed || state === 'output-available' || state === 'result' || out !== undefined;
  return {
    kind: 'tool_call',
    key,
    part_id: readName(toolCallId) ?? readName(id) ?? key,
    title,
    ...(given === undefined ? {} : { input: new MediaFilter().strip(given) }),
    ...(out === undefined ? {} : { output: new MediaFilter().strip(out) }),
    ...(isDone ? { state: isFailed ? 'failed' : 'completed' } : {}),
  };
}

function createFile(key: string, part: JsonObject): Piece {
  const { filename, name, mediaType, contentType, mimeType, url, id } = part;
  const found = [filename, name, mediaType, contentType, mimeType]
    .map(readName)
    .find((word) => word !== undefined);
  const short = readName(url);
  const title = found ?? (short !== undefined && !short.startsWith('data:') ? short.slice(0, 200) : 'file');
  return {
    kind: 'file',
    key,
    part_id: readName(id) ?? key,
    title,
    data: new MediaFilter().stripMembers(part),
  };
}

/** Files in a column of their own. */
export function createAttachments(key: string, value: Json | undefined): readonly Piece[] {
  const list = typeof value === 'string' ? parseJson(value)?.value : value;
  if (!isJsonArray(list)) return [];
  return list.filter(isJsonObject).map((file, index) => createFile(`${key}/attachment-${index}`, file));
}

/** Calls in a column of their own, as models are asked with. */
export function createCalls(key: string, value: Json | undefined): readonly Piece[] {
  const list = typeof value === 'string' ? parseJson(value)?.value : value;
  if (!isJsonArray(list)) return [];
  return list.filter(isJsonObject).map((call, index) => {
    const inner = isJsonObject(call['function']) ? call['function'] : call;
    const given = inner['arguments'] ?? inner['args'] ?? inner['input'];
    const input = typeof given === 'string' ? (parseJson(given)?.value ?? given) : given;
    return createCall(`${key}/call-${index}`, 'tool', {
      ...(call['id'] === undefined ? {} : { id: call['id'] }),
      ...(inner['name'] === undefined ? {} : { name: inner['name'] }),
      ...(input === undefined ? {} : { input }),
    });
  });
}
