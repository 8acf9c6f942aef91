import type { Purpose, Slot } from '@chatdoc/schema';
import { compareText, deriveSlotThreadId, PURPOSES } from '@chatdoc/schema/internal';
import { deriveId, hashOfId } from '../plan/derive-id.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import type { TableColumns } from './columns.js';

/** A row of a table of threads, by itself. */
interface ThreadRow {
  readonly columns: TableColumns;
  readonly root_id: string;
  readonly owner_id: string;
  readonly provider: string;
  readonly purpose: Purpose;
  readonly row_id: string | undefined;
  /** Undefined where the row does not have it. */
  readonly isActive: boolean | undefined;
  readonly created: number | undefined;
  /** When its last message was written. */
  readonly used: number | undefined;
  readonly name: string | undefined;
  /** Ids with which the provider goes on; empty where it never began. */
  readonly session: Readonly<Record<string, string>>;
}

export interface RelationalThread extends ThreadRow {
  readonly slot: Slot;
  /** Equal for the threads of one slot. */
  readonly slotKey: string;
  readonly thread_id: string;
}

/** Names of a session's ids, and the columns they come from. */
const SESSION_COLUMNS = [
  ['conversation_id', 'openaiconversationid'],
  ['session_id', 'externalsessionid'],
  ['response_id', 'lastresponseid'],
] as const;

/** Undefined where the row names no root prompt, and so belongs to no slot. */
function readRow(columns: TableColumns): ThreadRow | undefined {
  const root_id = columns.id('rootpromptrowid');
  if (root_id === undefined) return undefined;
  const ids = SESSION_COLUMNS.map(([key, column]) => [key, columns.id(column)] as const);
  return {
    columns,
    root_id,
    owner_id: columns.id('ownerid') ?? UNKNOWN_SENDER,
    provider: columns.id('provider') ?? UNKNOWN_SENDER,
    purpose: readPurpose(columns) ?? 'run',
    row_id: columns.id('rowid', 'id'),
    isActive: columns.flag('isactive'),
    created: columns.time('createdat')?.time,
    used: columns.time('lastmessageat')?.time,
    name: columns.text('name'),
    session: Object.fromEntries(ids.flatMap(([key, id]) => (id === undefined ? [] : [[key, id]]))),
  };
}

/** Rows from before there was more than one purpose are runs. */
function readPurpose(columns: TableColumns): Purpose | undefined {
  const given = columns.text('purpose')?.trim().toLowerCase();
  return PURPOSES.find((purpose) => purpose === given);
}

/** When anything of the thread is known to have changed last. */
export function latestOf({ created = 0, used = 0 }: RelationalThread): number {
  return Math.max(created, used);
}

/** The columns of the row that its entries do not have. */
export function readOtherColumns(thread: RelationalThread): ReturnType<TableColumns['rest']> {
  const { columns, isActive, name, session, used } = thread;
  const said = ['rootpromptrowid', 'ownerid', 'provider', columns.id('rowid') === undefined ? 'id' : 'rowid'];
  if (readPurpose(columns) !== undefined) said.push('purpose');
  if (isActive !== undefined) said.push('isactive');
  if (name !== undefined) said.push('name');
  for (const [key, column] of SESSION_COLUMNS) if (session[key] !== undefined) said.push(column);
  if (columns.time('createdat')?.isFiner === false) said.push('createdat');
  const isDated = name !== undefined || Object.keys(session).length > 0;
  const isSaid = isDated && used === latestOf(thread) && columns.time('lastmessageat')?.isFiner === false;
  if (isSaid) said.push('lastmessageat');
  return columns.rest(said);
}

export interface PlacedThreads {
  /** Oldest first, undated ones before all others. */
  readonly threads: readonly RelationalThread[];
  /** Rows that belong to no slot. */
  readonly strays: readonly TableColumns[];
}

/** The threads of the rows, each with its number in its slot. */
export function placeThreads(all: readonly TableColumns[]): PlacedThreads {
  const rows: ThreadRow[] = [];
  const strays: TableColumns[] = [];
  for (const columns of all) {
    const row = readRow(columns);
    if (row === undefined) strays.push(columns);
    else rows.push(row);
  }
  rows.sort(compareRows);
  const slots = new Map<string, SlotNumbers>();
  const threads = rows.map((row): RelationalThread => {
    const { root_id, owner_id, provider, purpose } = row;
    const slotKey = JSON.stringify([root_id, owner_id, provider, purpose]);
    const numbers = slots.get(slotKey) ?? new SlotNumbers();
    slots.set(slotKey, numbers);
    const slot = { root_id, owner_id, provider, number: numbers.assign(row) };
    return { ...row, slot, slotKey, thread_id: deriveSlotThreadId(slot, purpose) };
  });
  return { threads, strays };
}

function compareRows(a: ThreadRow, b: ThreadRow): number {
  return (
    (a.created ?? 0) - (b.created ?? 0) ||
    (a.used ?? 0) - (b.used ?? 0) ||
    compareText(a.row_id ?? '', b.row_id ?? '') ||
    compareText(a.columns.source.text, b.columns.source.text)
  );
}

const NUMBERS_A_MS = 2 ** 11;
/** The last millisecond whose numbers a double counts one by one: in the year 2109. */
const LAST_MS = 2 ** 42 - 2;

/**
 * Numbers of the threads of one slot. A number begins with the time of its row and ends with a hash of its id: counting would
 * assign one number to two rows if one export has a row that another lacks, and with it one thread and one session.
 * Numbers rise with time, so that the newest thread counts where none is active.
 */
class SlotNumbers {
  readonly #byRow = new Map<string, number>();
  readonly #given = new Set<number>();

  assign({ row_id, created }: ThreadRow): number {
    const known = row_id === undefined ? undefined : this.#byRow.get(row_id);
    if (known !== undefined) return known;
    const hash = hashOfId(deriveId(created ?? 0, 'legacy_slot_number', row_id ?? ''));
    // Without a date all of the hash counts; it stays below the numbers of any date after 1970.
    let number =
      created === undefined ? hash + 1 : Math.min(created, LAST_MS) * NUMBERS_A_MS + (hash % NUMBERS_A_MS);
    while (this.#given.has(number) || number === 0) number += 1;
    this.#given.add(number);
    if (row_id !== undefined) this.#byRow.set(row_id, number);
    return number;
  }
}
