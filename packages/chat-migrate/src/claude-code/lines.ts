import type { Json, JsonObject } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';
import { isJsonObject, readName } from '../source/json-value.js';
import type { LineRow } from '../source/rows.js';

/** A line of a session, by its envelope. The row holds its value no longer than it is needed. */
export interface LogLine {
  readonly row: LineRow;
  readonly type: string;
  readonly uuid: string | undefined;
  /** Identity: of a marked copy, the line that it was copied from. */
  readonly key: string | undefined;
  /** Whether it is marked as a copy. */
  readonly isCopy: boolean;
  /** The session of the line, and of a marked copy that of the original. */
  readonly session: string;
  readonly origin: string;
  readonly agent: string | undefined;
  readonly isSidechain: boolean;
  readonly parent: string | undefined;
  readonly time: number | undefined;
  readonly isBoundary: boolean;
}

export function readLogLine(row: LineRow, value: JsonObject): LogLine {
  const {
    type,
    uuid,
    sessionId,
    agentId,
    isSidechain,
    parentUuid,
    logicalParentUuid,
    forkedFrom,
    timestamp,
    subtype,
  } = value;
  const fork = isJsonObject(forkedFrom) ? forkedFrom : undefined;
  const id = readName(uuid);
  const session = readName(sessionId) ?? '';
  const isBoundary = type === 'system' && typeof subtype === 'string' && subtype.endsWith('compact_boundary');
  return {
    row,
    type: readName(type) ?? '',
    uuid: id,
    key: id && (readName(fork?.['messageUuid']) ?? id),
    isCopy: fork !== undefined,
    session,
    origin: readName(fork?.['sessionId']) ?? session,
    agent: readName(agentId),
    isSidechain: isSidechain === true,
    parent: readName(parentUuid) ?? (isBoundary ? readName(logicalParentUuid) : undefined),
    time: readDate(timestamp)?.time,
    isBoundary,
  };
}

const TYPES: ReadonlySet<string> = new Set([
  'user',
  'assistant',
  'system',
  'summary',
  'custom-title',
  'agent-name',
  'ai-title',
  'attachment',
  'queue-operation',
  'progress',
  'file-history-snapshot',
  'file-history-delta',
  'permission-mode',
  'mode',
  'last-prompt',
]);

/** Whether a line is of a session. Its `type` alone is not enough. */
export function isLogLine({ sessionId, uuid, parentUuid, type }: JsonObject): boolean {
  if (typeof sessionId !== 'string') return false;
  return (typeof uuid === 'string' && parentUuid !== undefined) || TYPES.has(asText(type));
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
