import {
  formatDate,
  type Json,
  type JsonObject,
  type ThreadConfigFields,
  type ThreadStateName,
} from '@chatdoc/schema';
import { THREAD_STATES, type ThreadConfigEntry, type ThreadStateEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { readDate } from '../source/dates.js';
import { canonicalText, isJsonArray, isJsonObject, readName } from '../source/json-value.js';

const NAMES = ['name', 'thread_color', 'thread_icon', 'thread_image', 'agent_kind'] as const;
const FLAGS = ['pin', 'archived'] as const;
const OBJECTS = ['acp_config', 'anchor', 'resolved'] as const;

export interface ReadConfig {
  readonly fields: ThreadConfigFields;
  /** The columns that the fields have. */
  readonly taken: ReadonlySet<string>;
}

/** The settings of a thread on a row, be it the root message (until 2026) or a row of their own. */
export function readConfig(row: JsonObject): ReadConfig {
  if (!hasSettings(row)) return NO_CONFIG;
  const fields: Record<string, Json> = {};
  const taken = new Set<string>();
  const take = (field: string, value: Json | undefined, ...columns: string[]): void => {
    if (value === undefined) return;
    fields[field] = value;
    for (const column of columns) taken.add(column);
  };
  for (const name of NAMES) {
    const value = row[name];
    if (typeof value === 'string') take(name, value === '' ? null : value, name);
  }
  for (const flag of FLAGS) take(flag, readFlag(row[flag]), flag);
  for (const name of OBJECTS) if (isJsonObject(row[name])) take(name, row[name], name);
  take('anchor', readAnchor(row), 'id', 'cell_id', 'path');
  return { fields, taken };
}

const COLUMNS: ReadonlySet<string> = new Set([...NAMES, ...FLAGS, ...OBJECTS, 'id', 'cell_id', 'path']);
const NO_CONFIG: ReadConfig = { fields: {}, taken: new Set() };

/** Whether a column of the row could be a setting. */
function hasSettings(row: JsonObject): boolean {
  for (const column in row) if (COLUMNS.has(column)) return true;
  return false;
}

function readFlag(value: Json | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 1 || value === '1') return true;
  if (value === 'false' || value === 0 || value === '0') return false;
  return undefined;
}

/** The anchor of a thread: `cell_id` for two weeks of April 2026, `id` and `path` since. */
export function readAnchor({ id, cell_id, path }: JsonObject): JsonObject | undefined {
  const anchor = readName(id) ?? readName(cell_id);
  if (anchor === undefined) return undefined;
  const extra = { ...(typeof path === 'string' ? { path } : {}) };
  return cell_id !== undefined && id !== undefined && cell_id !== id
    ? { id: anchor, cell_id, ...extra }
    : { id: anchor, ...extra };
}

/** Under an id that hashes its content: a setting that changes between two revisions is two entries. */
export function createConfig(
  thread_id: string,
  time: number,
  updatedBy: string,
  fields: ThreadConfigFields,
  legacy?: JsonObject,
): ThreadConfigEntry {
  const body = { ...fields, ...(legacy === undefined ? {} : { legacy }) };
  const text = canonicalText(body as JsonObject) ?? '';
  return {
    ...body,
    type: 'thread_config',
    id: deriveId(time, 'legacy_config', thread_id, updatedBy, text),
    thread_id,
    updated_at: formatDate(time),
    updated_by: updatedBy,
  };
}

const CONFIG_ENVELOPE = [
  'event',
  'sender_id',
  'date',
  'thread_id',
  'updated_at',
  'updated_by',
  'schema_version',
];

/** A settings row of 2026. */
export function createConfigOfRow(thread_id: string, row: JsonObject): ThreadConfigEntry {
  const { fields, taken } = readConfig(row);
  const said = new Set([...CONFIG_ENVELOPE, ...taken]);
  const rest = Object.entries(row).filter(([column, value]) => !said.has(column) && value !== null);
  const time = readDate(row['updated_at'])?.time ?? readDate(row['date'])?.time ?? 0;
  const author = readName(row['updated_by']) ?? UNKNOWN_SENDER;
  const legacy = rest.length === 0 ? undefined : (Object.fromEntries(rest) as JsonObject);
  return createConfig(thread_id, time, author, fields, legacy);
}

/** Whether the row has the key that its readers prefer. */
export function isCanonicalConfig(row: JsonObject): boolean {
  return row['sender_id'] === `__thread_config__:${String(row['thread_id'])}`;
}

/** How many messages of the thread are in an archive beside the file. */
export function readArchivedCount(row: JsonObject): number {
  const count = row['archived_chat_rows'];
  return typeof count === 'number' && count > 0 ? count : 0;
}

/** The state in a row of 2026, or undefined. In a file at rest nothing runs: a state that runs is interrupted. */
export function createStateOfRow(
  thread_id: string,
  row: JsonObject,
  active: string | undefined,
): ThreadStateEntry | undefined {
  const given = row['state'];
  const known = THREAD_STATES.find((state) => state === given);
  if (known === undefined) return undefined;
  const state: ThreadStateName = known === 'running' || known === 'queued' ? 'interrupted' : known;
  const time = readDate(row['updated_at'])?.time ?? readDate(row['date'])?.time ?? 0;
  return {
    type: 'thread_state',
    id: deriveId(time, 'legacy_state', thread_id, state, active ?? ''),
    thread_id,
    ...(active === undefined ? {} : { active_message_id: active }),
    state,
    updated_at: formatDate(time),
  };
}

/** The greatest time that a row mentions: settings on a message row have no date of their own. */
export function readLatestTime(row: JsonObject): number {
  const { date, history, resolved } = row;
  const dates: (Json | undefined)[] = [date];
  if (isJsonArray(history))
    for (const version of history) if (isJsonObject(version)) dates.push(version['date']);
  if (isJsonObject(resolved)) dates.push(resolved['at']);
  for (const column of Object.keys(row)) if (column.startsWith('lastread-')) dates.push(row[column]);
  return dates.reduce<number>((latest, value) => Math.max(latest, readDate(value)?.time ?? 0), 0);
}
