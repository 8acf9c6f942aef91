import type { Json, JsonObject } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';
import { isJsonObject, readName } from '../source/json-value.js';
import type { LineRow } from '../source/rows.js';

/** A line of a rollout, of any era. */
export interface RolloutLine {
  readonly row: LineRow;
  /** `session_meta`, `turn_context`, `response_item`, `event_msg`, `compacted`, or a newer one. */
  readonly type: string;
  readonly payload: JsonObject;
  readonly time: number | undefined;
}

const TYPES: ReadonlySet<string> = new Set([
  'session_meta',
  'turn_context',
  'response_item',
  'event_msg',
  'compacted',
  'world_state',
  'inter_agent_communication',
]);

const BARE_ITEMS: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'local_shell_call',
  'web_search_call',
]);

/** Until September 2025 lines were items themselves, and the first was the head of the file. */
export function readRolloutLine(row: LineRow, value: JsonObject): RolloutLine {
  const { type, payload, timestamp } = value;
  const time = readDate(timestamp)?.time;
  if (isJsonObject(payload)) return { row, type: readName(type) ?? '', payload, time };
  if (isBareHead(value)) return { row, type: 'session_meta', payload: value, time };
  if (BARE_ITEMS.has(readName(type) ?? '')) return { row, type: 'response_item', payload: value, time };
  return { row, type: '', payload: value, time };
}

function isBareHead({ id, timestamp, type, record_type }: JsonObject): boolean {
  return (
    typeof id === 'string' && typeof timestamp === 'string' && type === undefined && record_type === undefined
  );
}

export function isRolloutLine(value: JsonObject): boolean {
  if (isJsonObject(value['payload']) && TYPES.has(asText(value['type']))) return true;
  if (isBareHead(value) && value['instructions'] !== undefined) return true;
  return value['record_type'] === 'state';
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

const UUID7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/;

/** The time in a UUID of version 7, as sessions and turns have since October 2025. */
export function timeOfUuid(id: string | undefined): number | undefined {
  const match = id === undefined ? null : UUID7.exec(id);
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16);
}
