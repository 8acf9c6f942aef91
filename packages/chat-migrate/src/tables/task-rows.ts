import type { Json, JsonObject } from '@chatdoc/schema';
import { compareText } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { isJsonArray, isJsonObject, readName } from '../source/json-value.js';
import type { TableColumns } from './columns.js';

/** State of a message when its table was exported. */
type TaskRowState = 'complete' | 'stopped' | 'failed' | 'unfinished';

/** A row of a table of messages, by itself. */
export interface TaskRow {
  readonly columns: TableColumns;
  readonly taskId: string;
  readonly role: string;
  readonly id: string | undefined;
  /** The id that the client gave it, the same each time it tried. */
  readonly clientId: string | undefined;
  readonly promptId: string | undefined;
  readonly sequence: number | undefined;
  readonly time: number | undefined;
  readonly state: TaskRowState;
  readonly sender_id: string;
  readonly content: string;
  readonly error: JsonObject | undefined;
}

/** Plain names of the columns that may hold the text, best first. */
const TEXT_COLUMNS = ['content', 'text', 'body', 'message', 'parts'] as const;
const STATES: ReadonlyMap<string, TaskRowState> = new Map([
  ...['complete', 'completed', 'done', 'finished', 'success', 'sent'].map(
    (word) => [word, 'complete'] as const,
  ),
  ...['stopped', 'cancelled', 'canceled', 'aborted'].map((word) => [word, 'stopped'] as const),
  ...['failed', 'error', 'errored'].map((word) => [word, 'failed'] as const),
  ...['pending', 'streaming', 'queued', 'running', 'generating'].map((word) => [word, 'unfinished'] as const),
]);

/** Whether a table keeps the messages of tasks. */
export function isTaskTable(columns: ReadonlySet<string>): boolean {
  const hasText = TEXT_COLUMNS.some((column) => columns.has(column));
  return columns.has('taskid') && columns.has('role') && (hasText || columns.has('status'));
}

/** Undefined where the row names no task. */
export function readTaskRow(columns: TableColumns): TaskRow | undefined {
  const taskId = columns.id('taskid');
  if (taskId === undefined) return undefined;
  const role = columns.text('role')?.trim().toLowerCase() ?? '';
  const state = readState(columns) ?? 'complete';
  const author = columns.id('authorid', 'userid', 'senderid', 'accountid');
  const model = isAnswering(role) ? columns.text('model') : undefined;
  return {
    columns,
    taskId,
    role,
    id: columns.id('id', 'messageid', 'rowid'),
    clientId: columns.id('clientmessageid'),
    promptId: columns.id('promptmessageid'),
    sequence: columns.count('sequence', 'seq'),
    time: columns.time('createdat', 'creationtime')?.time,
    state,
    sender_id: author ?? model ?? (role === '' ? UNKNOWN_ROLE : role),
    content: readText(columns).text,
    error: state === 'failed' ? readError(columns) : undefined,
  };
}

const UNKNOWN_ROLE = '__unknown__';

export function isAsking(role: string): boolean {
  return role === 'user' || role === 'human';
}

export function isAnswering(role: string): boolean {
  return role === 'assistant' || role === 'agent' || role === 'model' || role === 'ai';
}

function readState(columns: TableColumns): TaskRowState | undefined {
  const given = columns.text('status', 'state');
  return given === undefined ? undefined : STATES.get(given.trim().toLowerCase());
}

/** The text of a row, and the column that has all of it. */
function readText(columns: TableColumns): { readonly text: string; readonly column?: string } {
  let blank: { readonly text: string; readonly column?: string } = { text: '' };
  for (const column of TEXT_COLUMNS) {
    const value = columns.value(column);
    const text = readContent(value);
    if (text === undefined) continue;
    const found = value === text ? { text, column } : { text };
    if (text.trim() !== '') return found;
    if (blank.text === '') blank = found;
  }
  return blank;
}

/** A text, or the texts of a list of parts. */
function readContent(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (isJsonArray(value)) {
    const texts = value.flatMap((part) => readContent(part) ?? []);
    return texts.length === 0 ? undefined : texts.join('');
  }
  if (!isJsonObject(value)) return undefined;
  for (const key of ['text', 'content', 'value', 'parts']) {
    const text = readContent(value[key]);
    if (text !== undefined) return text;
  }
  return undefined;
}

function readError(columns: TableColumns): JsonObject | undefined {
  const error = columns.value('error', 'errormessage');
  if (error === undefined) return undefined;
  return isJsonObject(error) ? error : { message: typeof error === 'string' ? error : JSON.stringify(error) };
}

/** The columns that the entries of the row do not have. `linked` are those that became links to other messages. */
export function readOtherColumns(row: TaskRow, linked: readonly string[]): JsonObject | undefined {
  const { columns, role, state, error } = row;
  const said = ['taskid', ...linked];
  if (role === columns.text('role')) said.push('role');
  if (columns.id('id') !== undefined) said.push('id');
  if (row.sequence !== undefined) said.push(columns.count('sequence') === undefined ? 'seq' : 'sequence');
  for (const column of ['authorid', 'userid', 'senderid', 'accountid', 'model'])
    if (columns.text(column) === row.sender_id) said.push(column);
  const { column } = readText(columns);
  if (column !== undefined) said.push(column);
  if (columns.time('createdat', 'creationtime')?.isFiner === false) said.push('createdat');
  if (error !== undefined && isAnswering(role))
    said.push(columns.value('error') === undefined ? 'errormessage' : 'error');
  const status = columns.text('status') === undefined ? 'state' : 'status';
  if (readState(columns) !== undefined && (isAnswering(role) || state === 'complete')) said.push(status);
  return columns.rest(said);
}

/** Facts of the row that never change and have no field. */
export function readFixedColumns({ id, role, sender_id, sequence }: TaskRow): JsonObject | undefined {
  const fixed = {
    ...(id === undefined ? {} : { id }),
    ...(role === '' || role === sender_id ? {} : { role }),
    ...(sequence === undefined ? {} : { sequence }),
  };
  return Object.keys(fixed).length === 0 ? undefined : fixed;
}

/**
 * By their numbers where every row of the task has one, else by date. Rows with neither keep the order of the
 * file.
 */
export function sortTaskRows(rows: readonly TaskRow[]): readonly TaskRow[] {
  const isNumbered = rows.every(({ sequence }) => sequence !== undefined);
  const isDated = rows.some(({ time }) => time !== undefined);
  return [...rows].sort((a, b) => {
    const numbers = (a.sequence ?? 0) - (b.sequence ?? 0);
    const times = (a.time ?? 0) - (b.time ?? 0);
    const inFile = isDated || isNumbered ? 0 : a.columns.source.row - b.columns.source.row;
    const first = isNumbered ? numbers || times : times || numbers;
    return first || inFile || compareText(a.columns.source.text, b.columns.source.text);
  });
}

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const MAX_SEQUENCE = 32 ** 4 - 1;

/** An id of which four random digits are the number of the row: ids of one millisecond are in its order. */
export function deriveTaskId(
  { time = 0, sequence = 0 }: Pick<TaskRow, 'time' | 'sequence'>,
  tag: string,
  ...parts: readonly (string | number)[]
): string {
  const id = deriveId(time, tag, ...parts);
  let digits = '';
  for (let rest = Math.min(sequence, MAX_SEQUENCE), place = 0; place < 4; place += 1) {
    digits = DIGITS.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return id.slice(0, 10) + digits + id.slice(14);
}

/** Whether the row is one of the table of tasks itself, which is beside that of messages. */
export function isOwnRow(columns: TableColumns): boolean {
  return columns.source.table !== undefined && columns.value('role', ...TEXT_COLUMNS) === undefined;
}

/** The name of the task in such a row. */
export function readTitle(columns: TableColumns): string | undefined {
  return readName(columns.text('title', 'name'));
}
