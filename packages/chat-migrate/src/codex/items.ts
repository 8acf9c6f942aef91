import type { Json, JsonObject } from '@chatdoc/schema';
import { MediaFilter } from '../conversations/media.js';
import type { CallResult, Piece } from '../conversations/spoken.js';
import { isJsonArray, isJsonObject, omitKeys, readName } from '../source/json-value.js';

/** How a prompt begins that the agent's own program has written. */
const INJECTED =
  /^\s*(?:<(?:environment_context|user_instructions|permissions instructions|turn_aborted|collaboration_mode|skill|apps_instructions|plugins_instructions|user_shell_command|subagent_notification)\b|# AGENTS\.md)/;
const REQUEST = /^[\s\S]*?## My request for Codex:\s*/;

export function isInjected(text: string): boolean {
  return INJECTED.test(text);
}

/** A prompt without what the editor put before it. */
export function cutContext(text: string): string {
  return text.startsWith('# Context from my IDE') ? text.replace(REQUEST, '') : text;
}

/** The words of a message, a summary or a content. */
export function joinTexts(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!isJsonArray(content)) return '';
  return content.flatMap((part) => (isJsonObject(part) ? (readName(part['text']) ?? []) : [])).join('\n\n');
}

/** An item of the model as a part, or the result of one. Undefined where it is neither. */
export function createItem(key: string, item: JsonObject): Piece | CallResult | undefined {
  const type = readName(item['type']) ?? '';
  switch (type) {
    case 'message':
      return item['role'] === 'assistant' ? createText(key, 'text', joinTexts(item['content'])) : undefined;
    case 'reasoning': {
      const summary = joinTexts(item['summary']);
      return createText(key, 'reasoning', summary === '' ? joinTexts(item['content']) : summary);
    }
    case 'function_call':
      return createCall(key, item, readName(item['name']) ?? 'function', readJson(item['arguments']));
    case 'custom_tool_call':
      return createCall(key, item, readName(item['name']) ?? 'tool', item['input']);
    case 'local_shell_call':
      return createCall(key, item, 'local_shell', item['action']);
    case 'web_search_call':
      return { ...createCall(key, item, 'web_search', item['action']), ...readState(item) };
    case 'tool_search_call':
      return createCall(key, item, 'tool_search', item['arguments'] ?? item['query']);
    case 'image_generation_call': {
      const { result } = item;
      const output =
        result === undefined || result === null ? {} : { output: new MediaFilter().strip(result) };
      return {
        ...createCall(key, item, 'image_generation', item['revised_prompt']),
        ...readState(item),
        ...output,
      };
    }
    default:
      return type.endsWith('_call_output') || type === 'tool_search_output' ? createOutput(item) : undefined;
  }
}

function createText(key: string, kind: 'text' | 'reasoning', text: string): Piece | undefined {
  return text === '' ? undefined : { kind, key, text };
}

function createCall(key: string, item: JsonObject, title: string, input: Json | undefined): Piece {
  return {
    kind: 'tool_call',
    key,
    part_id: readName(item['call_id']) ?? readName(item['id']) ?? key,
    title,
    ...(input === undefined || input === null ? {} : { input: new MediaFilter().strip(input) }),
  };
}

function readState({ status }: JsonObject): { readonly state?: 'completed' | 'failed' } {
  if (status === 'completed') return { state: 'completed' };
  return status === 'failed' ? { state: 'failed' } : {};
}

function createOutput(item: JsonObject): CallResult {
  const call = readName(item['call_id']);
  const { output } = item;
  const parsed = readJson(output);
  const body = isJsonObject(parsed) ? parsed : undefined;
  const given = isJsonObject(output)
    ? (output['content'] ?? output)
    : body !== undefined
      ? (body['output'] ?? body)
      : output;
  return {
    kind: 'result',
    ...(call === undefined ? {} : { call }),
    output: new MediaFilter().strip(given ?? item['tools'] ?? null),
    isFailed: isFailure(isJsonObject(output) ? output : body),
  };
}

function isFailure(body: JsonObject | undefined): boolean {
  if (body === undefined) return false;
  const { metadata, success } = body;
  const code = isJsonObject(metadata) ? metadata['exit_code'] : undefined;
  return success === false || (typeof code === 'number' && code !== 0);
}

function readJson(text: Json | undefined): Json | undefined {
  if (typeof text !== 'string' || !/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const ENDS: ReadonlyMap<string, string> = new Map([
  ['exec_command_end', 'exec_command'],
  ['patch_apply_end', 'apply_patch'],
  ['mcp_tool_call_end', 'mcp'],
]);

/** The result of a call that an event repeats. Undefined of other events. */
export function createEventResult(event: JsonObject): CallResult | undefined {
  const title = ENDS.get(readName(event['type']) ?? '');
  const call = readName(event['call_id']);
  if (title === undefined || call === undefined) return undefined;
  const { aggregated_output, stdout, stderr, exit_code, success, result } = event;
  const words =
    readName(aggregated_output) ?? [stdout, stderr].flatMap((text) => readName(text) ?? []).join('\n');
  return {
    kind: 'result',
    call,
    title,
    output: words === '' ? new MediaFilter().strip(result ?? exit_code ?? '') : words,
    isFailed: success === false || (typeof exit_code === 'number' && exit_code !== 0),
  };
}

/** Pictures of a prompt. */
export function createImages(key: string, event: JsonObject): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const field of ['images', 'local_images'] as const) {
    const list = event[field];
    for (const [index, image] of (isJsonArray(list) ? list : []).entries()) {
      if (typeof image !== 'string') continue;
      const id = `${field}-${index + 1}`;
      const data = new MediaFilter().strip(image);
      const type = isJsonObject(data) ? readName(data['type']) : undefined;
      const file = isJsonObject(data) ? data : { path: image };
      pieces.push({ kind: 'file', key: `${key}/${id}`, part_id: id, title: type ?? image, data: file });
    }
  }
  return pieces;
}

const READ_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'role',
  'content',
  'summary',
  'name',
  'arguments',
  'input',
  'call_id',
  'output',
  'action',
]);

/** Fields of an item that its part does not have. */
export function readOtherFields(item: JsonObject): JsonObject | undefined {
  const rest = omitKeys(item, READ_FIELDS);
  if (rest === undefined) return undefined;
  const kept = Object.entries(rest).filter(([, value]) => value !== null && value !== 'completed');
  return kept.length === 0 ? undefined : new MediaFilter().stripMembers(Object.fromEntries(kept));
}
