import type { Json, JsonObject } from '@chatdoc/schema';
import type { TurnEvent } from '../agent.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The event of an ACP `session/update`; undefined for what is not part of an answer, and for kinds of a later
 * protocol. Nothing about an update is taken on trust.
 */
export function readUpdate(update: unknown): TurnEvent | undefined {
  if (!isObject(update)) return undefined;
  switch (update['sessionUpdate']) {
    case 'agent_message_chunk':
      return readContent(update['content'], 'text');
    case 'agent_thought_chunk':
      return readContent(update['content'], 'reasoning');
    case 'tool_call':
    case 'tool_call_update':
      return readToolCall(update);
    case 'plan':
      return Array.isArray(update['entries']) ? { type: 'plan', data: update['entries'] as Json } : undefined;
    case 'usage_update': {
      const { sessionUpdate: _, _meta: __, ...usage } = update;
      return { type: 'usage', usage: usage as JsonObject };
    }
    default:
      return undefined;
  }
}

function readContent(content: unknown, type: 'text' | 'reasoning'): TurnEvent | undefined {
  if (!isObject(content)) return undefined;
  if (content['type'] !== 'text') return { type: 'file', data: content as JsonObject };
  return typeof content['text'] === 'string' ? { type, text: content['text'] } : undefined;
}

function readToolCall(update: Fields): TurnEvent | undefined {
  const { toolCallId, title, status, rawInput, rawOutput, content } = update;
  if (typeof toolCallId !== 'string') return undefined;
  const output = rawOutput ?? content ?? undefined;
  const data = readToolData(update);
  return {
    type: 'tool_call',
    part_id: toolCallId,
    ...(typeof status === 'string' && { state: status }),
    ...(typeof title === 'string' && { title }),
    ...(rawInput !== undefined && { input: rawInput as Json }),
    ...(output !== undefined && { output: output as Json }),
    ...(data !== undefined && { data }),
  };
}

/** Kind and places of a call, and its content where that is not the output: diffs and terminals. */
function readToolData({ kind, locations, content, rawOutput }: Fields): JsonObject | undefined {
  const data = {
    ...(typeof kind === 'string' && { kind }),
    ...(Array.isArray(locations) && { locations: locations as Json }),
    ...(Array.isArray(content) && rawOutput !== undefined && { content: content as Json }),
  };
  return Object.keys(data).length === 0 ? undefined : data;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
