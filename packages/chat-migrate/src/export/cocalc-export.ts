import { formatDate, type Json, type JsonObject, type Message, type Thread } from '@chatdoc/schema';
import { readAnchor } from '../cocalc/config.js';
import { isFork } from '../cocalc/messages.js';
import { type CocalcRowKind, classifyCocalcRow, isBlank, readVersions } from '../cocalc/rows.js';
import { readDate } from '../source/dates.js';
import { canonicalText, isJsonObject, parseJson, readName } from '../source/json-value.js';
import { writeHistory } from './cocalc-history.js';
import { readTime } from './exported-time.js';
import { LegacyNames } from './legacy-names.js';
import { SetAside } from './set-aside.js';
import { type ExportableChat, readUnshown, type Unshown } from './unshown.js';

/**
 * A CoCalc chat of 2026: one row a line, keys and lines sorted and no last newline, as its own writer has them. Each
 * message names the one before it as its parent, which is how CoCalc orders a thread.
 */
export function exportCocalc(chat: ExportableChat): string {
  return new CocalcExport(chat).write();
}

const EPOCH = formatDate(0);
const SCHEMA = { schema_version: 2 };

/** Rows that became no record and mean the same in any chat. */
const KINDS: readonly CocalcRowKind[] = ['draft', 'video', 'video_chat', 'agent', 'partial', 'unknown_event'];

/** Settings that CoCalc has a column for. */
export const COCALC_SETTINGS = [
  'name',
  'thread_color',
  'thread_icon',
  'thread_image',
  'pin',
  'archived',
  'acp_config',
  'agent_kind',
  'anchor',
  'resolved',
] as const;

class CocalcExport {
  readonly #chat: ExportableChat;
  readonly #unshown: Unshown;
  readonly #setAside: SetAside;
  readonly #threadNames = new LegacyNames();
  readonly #messageNames = new LegacyNames();
  /** Names of threads whose origin is in a row of the old file. */
  readonly #forks = new Set<string>();
  readonly #lines: string[] = [];

  constructor(chat: ExportableChat) {
    this.#chat = chat;
    this.#unshown = readUnshown(chat);
    this.#setAside = new SetAside(chat, this.#unshown, 'cocalc');
  }

  write(): string {
    const threads = this.#chat.threads();
    const ids = [...threads.map(({ thread_id }) => thread_id), ...this.#unshown.bareThreads];
    this.#giveNames(ids);
    this.#writePlaceholders();
    for (const thread_id of ids) {
      this.#writeMessages(thread_id);
      const thread = this.#chat.thread(thread_id);
      if (thread !== undefined) this.#writeThread(thread);
      if (thread !== undefined) this.#writeFork(thread);
      this.#writeConfig(thread_id);
      this.#writeState(thread_id);
    }
    for (const kind of KINDS) for (const row of this.#setAside.rowsOf(kind)) this.#writeRow(row, kind);
    return this.#lines.sort().join('\n');
  }

  #giveNames(threadIds: readonly string[]): void {
    for (const thread_id of threadIds) {
      const wanted = readLegacyName(this.#chat.thread(thread_id)?.legacy, 'thread_id');
      this.#threadNames.assign(thread_id, wanted);
      for (const { message_id, legacy } of this.#chat.messages(thread_id))
        this.#messageNames.assign(message_id, readLegacyName(legacy, 'message_id'));
    }
  }

  #put(row: JsonObject): void {
    const line = canonicalText(row);
    if (line !== undefined) this.#lines.push(line);
  }

  #writeMessages(thread_id: string): void {
    let previous: Message | undefined;
    for (const message of this.#chat.messages(thread_id)) {
      const columns = message.redacted ? {} : this.#setAside.columnsOf(message.message_id);
      this.#writeMessage(message, columns, previous);
      previous = message;
    }
  }

  #writeMessage(message: Message, columns: JsonObject, previous: Message | undefined): void {
    const { message_id, thread_id, sender_id, legacy } = message;
    const time = readTime(message.date, message_id);
    const feedback = this.#readFeedback(message_id, columns['feedback']);
    const parent = previous === undefined ? undefined : this.#messageNames.nameOf(previous.message_id);
    const color = isJsonObject(legacy) ? legacy['color'] : undefined;
    this.#put({
      ...(color === undefined ? {} : { color }),
      ...columns,
      ...(feedback === undefined ? {} : { feedback }),
      ...(previous === undefined ? this.#writeReadMarks(message, columns) : {}),
      ...writeTurn(message),
      ...SCHEMA,
      event: 'chat',
      message_id: this.#messageNames.nameOf(message_id) ?? message_id,
      thread_id: this.#threadNames.nameOf(thread_id) ?? thread_id,
      ...(parent === undefined ? {} : { parent_message_id: parent }),
      sender_id,
      date: formatDate(time),
      history: writeHistory(message, time, this.#unshown.revisions),
    });
  }

  /** Thumbs are annotations; what else stood in the column comes back. */
  #readFeedback(message_id: string, column: Json | undefined): JsonObject | undefined {
    const votes = new Map<string, Json>();
    if (isJsonObject(column))
      for (const [user, value] of Object.entries(column))
        if (typeof value !== 'string') votes.set(user, value);
    for (const { user_id, key, value } of this.#chat.annotations({ message_id }))
      if (key === 'feedback' && typeof value === 'string') votes.set(user_id, value);
    return votes.size === 0 && column === undefined ? undefined : Object.fromEntries(votes);
  }

  /** Read marks, which are columns of the first message of a thread. */
  #writeReadMarks({ thread_id }: Message, columns: JsonObject): JsonObject {
    const said = new Map<string, Json>();
    for (const { user_id, key } of this.#chat.annotations({ thread_id })) {
      const mark = key === 'read' ? this.#chat.readMark(thread_id, user_id) : undefined;
      const message = mark === undefined ? undefined : this.#chat.message(mark);
      if (message === undefined) continue;
      const column = `lastread-${user_id}`;
      const time = readTime(message.date, message.message_id);
      // The column is also the time of the last look, which can be after the last message.
      if (!((readDate(columns[column])?.time ?? -1) >= time)) said.set(column, time);
    }
    return Object.fromEntries(said);
  }

  #writeThread({ thread_id, created_at, created_by, root_message_id }: Thread): void {
    const created = formatDate(readTime(created_at, thread_id));
    const root = root_message_id === null ? undefined : this.#messageNames.nameOf(root_message_id);
    this.#put({
      ...this.#setAside.columnsOf(thread_id),
      ...SCHEMA,
      event: 'chat-thread',
      sender_id: '__thread__',
      thread_id: this.#threadNames.nameOf(thread_id) ?? thread_id,
      date: created,
      created_at: created,
      created_by,
      ...(root === undefined ? {} : { root_message_id: root }),
    });
  }

  /** A fork begins with a blank message that names its origin by dates, the only names that CoCalc has for it. */
  #writeFork(thread: Thread): void {
    const { thread_id, created_at, created_by } = thread;
    const fork = findFork(this.#chat, thread);
    const name = this.#threadNames.nameOf(thread_id) ?? thread_id;
    if (fork === undefined || this.#forks.has(name)) return;
    const { root, last } = fork;
    const title = this.#chat.config(root.thread_id).name;
    const date = formatDate(readTime(created_at, thread_id));
    this.#put({
      ...SCHEMA,
      event: 'chat',
      message_id: this.#messageNames.assign(`${name}-fork`, undefined),
      thread_id: name,
      sender_id: created_by,
      date,
      history: [{ author_id: created_by, content: '', date }],
      forked_from_root_date: formatDate(readTime(root.date, root.message_id)),
      ...(last === undefined
        ? {}
        : { forked_from_latest_message_date: formatDate(readTime(last.date, last.message_id)) }),
      ...(title === undefined ? {} : { forked_from_title: title }),
    });
  }

  /** Blank messages that hold an anchor or the origin of a fork: not messages, but CoCalc's threads begin with them. */
  #writePlaceholders(): void {
    for (const row of this.#setAside.rowsOf('placeholder')) {
      if (!isJsonObject(row) || classifyCocalcRow(row) !== 'message') continue;
      const { thread_id, message_id } = row;
      const isOurs = typeof thread_id === 'string' && this.#threadNames.has(thread_id);
      if (!isOurs || !isBlank(readVersions(row).versions)) continue;
      if (typeof message_id === 'string' && this.#messageNames.has(message_id)) continue;
      if (isFork(row)) this.#forks.add(thread_id);
      else if (readAnchor(row) === undefined) continue;
      this.#put(row);
    }
  }

  /** Under the key that CoCalc prefers. */
  #writeConfig(thread_id: string): void {
    const given = this.#unshown.settings.get(thread_id);
    if (given === undefined) return;
    const { legacy, latest } = given;
    const config = this.#chat.config(thread_id);
    const settings: Record<string, Json> = {};
    for (const field of COCALC_SETTINGS) if (config[field] !== undefined) settings[field] = config[field];
    const name = this.#threadNames.nameOf(thread_id) ?? thread_id;
    const { updated_at = latest.updated_at, updated_by = latest.updated_by } = config;
    this.#put({
      ...legacy,
      ...settings,
      ...SCHEMA,
      event: 'chat-thread-config',
      sender_id: `__thread_config__:${name}`,
      thread_id: name,
      date: EPOCH,
      updated_at: formatDate(readTime(updated_at, thread_id)),
      ...(updated_by === undefined ? {} : { updated_by }),
    });
  }

  /** In a file nothing runs: a turn that does, or waits, is interrupted. */
  #writeState(thread_id: string): void {
    const { state, active_message_id } = this.#chat.state(thread_id);
    if (state === 'idle') return;
    const given = this.#unshown.states.get(thread_id);
    const active = active_message_id === undefined ? undefined : this.#messageNames.nameOf(active_message_id);
    const times = this.#chat.messages(thread_id).map(({ date, message_id }) => readTime(date, message_id));
    const time = given?.state === state ? readDate(given.updated_at)?.time : undefined;
    const name = this.#threadNames.nameOf(thread_id) ?? thread_id;
    this.#put({
      ...SCHEMA,
      event: 'chat-thread-state',
      sender_id: `__thread_state__:${name}`,
      thread_id: name,
      date: EPOCH,
      state: state === 'running' || state === 'queued' ? 'interrupted' : state,
      ...(active === undefined ? {} : { active_message_id: active }),
      updated_at: formatDate(time ?? times.reduce((latest, next) => Math.max(latest, next), 0)),
    });
  }

  /** Only what reads as the same kind of row again: an entry could claim to have been anything. */
  #writeRow(row: Json, kind: CocalcRowKind): void {
    // A row with more digits than a number has was kept as its text.
    const value = typeof row === 'string' ? parseJson(row)?.value : row;
    if (!isJsonObject(value) || classifyCocalcRow(value) !== kind) return;
    if (typeof row !== 'string') this.#put(value);
    else if (!/[\r\n]/.test(row)) this.#lines.push(row);
  }
}

/** The columns of an agent's turn. */
function writeTurn({ attempt, generating, acp_usage, acp_thread_id, acp_interrupted }: Message): JsonObject {
  const isStopped = acp_interrupted || generating || attempt?.finish_reason === 'stopped';
  return {
    ...(isStopped ? { acp_interrupted: true } : {}),
    ...(acp_usage === undefined ? {} : { acp_usage }),
    ...(acp_thread_id === undefined ? {} : { acp_thread_id }),
  };
}

export interface Fork {
  readonly root: Message;
  /** The message up to which the thread was copied. */
  readonly last: Message | undefined;
}

/** The origin of a fork, where CoCalc can name it: by the dates of messages that are here. */
export function findFork(chat: ExportableChat, thread: Thread | undefined): Fork | undefined {
  const { forked_from } = thread ?? {};
  const rootId = forked_from && chat.messageIds(forked_from.thread_id)[0];
  const root = rootId === undefined ? undefined : chat.message(rootId);
  const lastId = forked_from?.message_id;
  return root && { root, last: lastId === undefined ? undefined : chat.message(lastId) };
}

function readLegacyName(legacy: Json | undefined, column: string): string | undefined {
  return isJsonObject(legacy) ? readName(legacy[column]) : undefined;
}
