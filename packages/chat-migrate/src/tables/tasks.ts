import { deriveAnswerId, type Entry, formatDate } from '@chatdoc/schema';
import type { MessageEntry, RevisionEntry, ThreadEntry } from '@chatdoc/schema/internal';
import { createConfig } from '../cocalc/config.js';
import { deriveId } from '../plan/derive-id.js';
import { PlanDraft } from '../plan/draft.js';
import { createColumnsRow } from '../plan/legacy-rows.js';
import { createContent } from '../plan/long-content.js';
import { type Reading, UNKNOWN_SENDER } from '../plan/reading.js';
import type { SourceRow } from '../source/rows.js';
import { TableColumns } from './columns.js';
import { readTableRows, screenTableRows } from './rows.js';
import { createAnswer, createFinish, createStop, type Prompt } from './task-answers.js';
import {
  deriveTaskId,
  isAnswering,
  isAsking,
  isOwnRow,
  isTaskTable,
  readFixedColumns,
  readOtherColumns,
  readTaskRow,
  readTitle,
  sortTaskRows,
  type TaskRow,
} from './task-rows.js';

export { isTaskTable } from './task-rows.js';

/** Reads tables of tasks and their messages: each task is a thread, each user's message a prompt. */
export function readTasks(bytes: Uint8Array): Reading {
  return new TaskReader(readTableRows(bytes, isTaskTable)).read();
}

interface Task {
  readonly taskId: string;
  readonly thread_id: string;
  readonly messages: TaskRow[];
  /** Rows of the table of tasks itself. */
  readonly own: TableColumns[];
}

/** One message of a thread, with its rows: more than one where a client sent it again. */
interface Told {
  readonly rows: readonly TaskRow[];
  readonly message_id: string;
}

class TaskReader {
  readonly #rows: readonly SourceRow[];
  readonly #draft = new PlanDraft();
  readonly #tasks = new Map<string, Task>();
  #first: { readonly row: SourceRow; readonly message_id: string } | undefined;

  constructor(rows: readonly SourceRow[]) {
    this.#rows = rows;
  }

  read(): Reading {
    for (const source of screenTableRows(this.#rows, this.#draft)) this.#sort(new TableColumns(source));
    for (const task of this.#tasks.values()) this.#writeTask(task);
    const first = this.#first;
    const identity = first && {
      row: first.row,
      doc_id: deriveId(0, 'legacy_document', 'tasks', first.message_id),
    };
    return { rows: this.#rows, draft: this.#draft, ...(identity === undefined ? {} : { identity }) };
  }

  #sort(columns: TableColumns): void {
    const row = readTaskRow(columns);
    const ownId = row === undefined && isOwnRow(columns) ? columns.id('id') : undefined;
    if (row !== undefined) this.#task(row.taskId).messages.push(row);
    else if (ownId !== undefined) this.#task(ownId).own.push(columns);
    else {
      const message = 'the row names no task: it is set aside';
      this.#draft.report(columns.source, 'missing_column', message);
      this.#draft.setAside(columns.source, 'partial', columns.time('createdat', 'creationtime')?.time);
    }
  }

  #task(taskId: string): Task {
    let task = this.#tasks.get(taskId);
    if (task === undefined) {
      task = { taskId, thread_id: deriveId(0, 'legacy_task', taskId), messages: [], own: [] };
      this.#tasks.set(taskId, task);
    }
    return task;
  }

  #writeTask(task: Task): void {
    const rows = sortTaskRows(task.messages);
    const given = this.#linkMessages(task, rows);
    const prompts = new Map<string, Told>();
    for (const message of given) {
      if (!isAsking(message.rows[0]?.role ?? '')) continue;
      for (const { id, clientId } of message.rows) {
        if (clientId !== undefined && !prompts.has(clientId)) prompts.set(clientId, message);
        if (id !== undefined) prompts.set(id, message);
      }
    }
    const answers = new Map<Told, TaskRow[]>();
    const plain: Told[] = [];
    for (const message of given) {
      const prompt = this.#promptOf(message, prompts);
      if (prompt === undefined) {
        plain.push(message);
        continue;
      }
      const known = answers.get(prompt);
      if (known === undefined) answers.set(prompt, [...message.rows]);
      else known.push(...message.rows);
    }
    this.#writePlain(task, plain, answers);
    for (const [prompt, of] of answers) this.#writeAnswer(task, prompt, of);
    this.#writeThread(task, rows);
  }

  /** Rows as messages: those with one client id are one, and so are those with one id. */
  #linkMessages({ taskId }: Task, rows: readonly TaskRow[]): readonly Told[] {
    const groups = new Map<string, TaskRow[]>();
    for (const row of rows) {
      const identity = JSON.stringify(readIdentity(row));
      const group = groups.get(identity);
      if (group === undefined) groups.set(identity, [row]);
      else group.push(row);
    }
    return [...groups.values()].map((group) => {
      const first = group[0] as TaskRow;
      return {
        rows: group,
        message_id: deriveTaskId(first, 'legacy_task_message', taskId, ...readIdentity(first)),
      };
    });
  }

  #promptOf({ rows }: Told, prompts: ReadonlyMap<string, Told>): Told | undefined {
    const [first] = rows;
    if (first === undefined || !isAnswering(first.role) || first.promptId === undefined) return undefined;
    return prompts.get(first.promptId);
  }

  #writePlain(task: Task, messages: readonly Told[], answers: ReadonlyMap<Told, readonly TaskRow[]>): void {
    let greatest = '';
    let previous: string | undefined;
    for (const message of messages) {
      const { message_id } = message;
      // The order is that of the table. Ids are nearly always in it, and then no message depends on another.
      const after = message_id <= greatest ? previous : undefined;
      if (!this.#writeMessage(task, message, after, answers.has(message))) continue;
      previous = answers.has(message) ? deriveAnswerId(message_id) : message_id;
      if (message_id > greatest) greatest = message_id;
    }
  }

  #writeMessage(
    task: Task,
    { rows, message_id }: Told,
    after: string | undefined,
    isAnswered: boolean,
  ): boolean {
    const [first, ...again] = rows as readonly [TaskRow, ...TaskRow[]];
    const { thread_id } = task;
    const legacy = readFixedColumns(first);
    const { content, parts } = createContent(message_id, first.content);
    const isPrompt = isAsking(first.role);
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      ...(after === undefined ? {} : { after }),
      ...(first.clientId === undefined ? {} : { client_message_id: first.clientId }),
      sender_id: first.sender_id,
      date: formatDate(first.time ?? 0),
      ...(isPrompt ? { expects: 'answer' } : {}),
      ...(legacy === undefined ? {} : { legacy }),
      ...(content === undefined ? {} : { content }),
    };
    const others: Entry[] = [...parts];
    if (isPrompt && !isAnswered) others.push(createStop({ message_id, thread_id, time: first.time }));
    if (isAnswering(first.role) && first.state !== 'complete')
      others.push(createFinish(message_id, first.time ?? 0, first));
    if (!this.#become(first, entry, others, ['clientmessageid'])) return false;
    let before = { id: undefined as string | undefined, content: first.content };
    for (const row of again) {
      const revision =
        row.content === before.content ? undefined : createRevision(message_id, row, before.id);
      this.#become(row, entry, revision === undefined ? [] : [revision], ['clientmessageid']);
      if (revision !== undefined) before = { id: revision.id, content: row.content };
    }
    this.#offer(first.columns.source, message_id);
    return true;
  }

  #writeAnswer({ thread_id }: Task, { rows, message_id }: Told, of: readonly TaskRow[]): void {
    const prompt: Prompt = { message_id, thread_id, time: rows[0]?.time };
    for (const { row, entry, others } of createAnswer(prompt, sortTaskRows(of)))
      this.#become(row, entry, others, ['promptmessageid']);
  }

  /** Records what a row became, and the columns that no entry has. */
  #become(row: TaskRow, entry: MessageEntry, others: readonly Entry[], linked: readonly string[]): boolean {
    const { source } = row.columns;
    this.#report(row, entry);
    const rest = readOtherColumns(row, linked);
    const columns = rest && createColumnsRow(row.time ?? 0, { message_id: entry.message_id }, rest);
    const beside = columns === undefined ? [] : [columns];
    if (!this.#draft.become(source, entry, ...others, ...beside)) return false;
    if (!source.exact) this.#draft.keepText(source, 'exact_text', entry.message_id);
    else if (rest !== undefined && columns === undefined) {
      this.#draft.keepText(source, 'columns', entry.message_id);
    }
    return true;
  }

  #report({ columns, time, role, state, promptId }: TaskRow, { prompt_id }: MessageEntry): void {
    const { source } = columns;
    if (time === undefined)
      this.#draft.report(source, 'no_date', 'the row has no usable date: its number or its place orders it');
    else if (columns.time('createdat', 'creationtime')?.assumedUtc)
      this.#draft.report(source, 'date_without_zone', 'the date names no zone: read as UTC');
    if (!isAnswering(role)) return;
    if (promptId !== undefined && prompt_id === undefined)
      this.#draft.report(source, 'orphan_reply', 'the message that this one answers is not in the file');
    if (state === 'unfinished')
      this.#draft.report(source, 'unfinished', 'the answer was not finished when the table was exported');
  }

  #writeThread({ taskId, thread_id, own }: Task, rows: readonly TaskRow[]): void {
    const times = rows.flatMap(({ time }) => (time === undefined ? [] : [time]));
    const given = own.flatMap((columns) => columns.time('createdat', 'creationtime')?.time ?? []);
    const from = given.length > 0 ? given : times;
    const creator = own
      .map((columns) => columns.id('createdby', 'userid', 'ownerid'))
      .find((id) => id !== undefined);
    const entry: ThreadEntry = {
      type: 'thread',
      thread_id,
      created_at: formatDate(from.reduce((earliest, time) => Math.min(earliest, time), from[0] ?? 0)),
      created_by: creator ?? UNKNOWN_SENDER,
      purpose: 'chat',
      legacy: { task_id: taskId },
    };
    for (const columns of own) this.#writeOwnRow(columns, entry);
    const holders = rows.map(({ columns }) => columns.source).filter((row) => this.#draft.has(row));
    if (own.length === 0) this.#draft.share(holders, entry);
  }

  /** A row of the table of tasks: the thread, and its name. */
  #writeOwnRow(columns: TableColumns, entry: ThreadEntry): void {
    const { source } = columns;
    const name = readTitle(columns);
    const created = columns.time('createdat', 'creationtime')?.time ?? 0;
    const time = Math.max(created, columns.time('updatedat')?.time ?? 0);
    const config =
      name === undefined ? [] : [createConfig(entry.thread_id, time, entry.created_by, { name })];
    const said = [
      'id',
      ...(name === undefined ? [] : [columns.text('title') === undefined ? 'name' : 'title']),
    ];
    if (columns.time('createdat', 'creationtime')?.isFiner === false) said.push('createdat');
    const rest = columns.rest(said);
    const beside = rest && createColumnsRow(created, { thread_id: entry.thread_id }, rest);
    this.#draft.become(source, entry, ...config, ...(beside === undefined ? [] : [beside]));
    if (!source.exact || (rest !== undefined && beside === undefined))
      this.#draft.keepText(source, 'exact_text');
  }

  /** The earliest message names the document: rows that are added later do not change it. */
  #offer(row: SourceRow, message_id: string): void {
    if (this.#first === undefined || message_id < this.#first.message_id) this.#first = { row, message_id };
  }
}

/**
 * The identity of a message: the id of its client, its own, or its text. A row that was not finished has
 * another text in a later export, so that its text counts too.
 */
function readIdentity(row: TaskRow): readonly [string, ...string[]] {
  const { role, id, clientId, time = 0, state, sender_id, content } = row;
  if (isAsking(role) && clientId !== undefined) return ['client', clientId];
  if (id === undefined) return ['row', role, sender_id, String(time), content];
  return isAnswering(role) && state === 'unfinished' ? ['unfinished', id, content] : ['id', id];
}

/** Texts that a client sent when it tried again, where they differ. */
function createRevision(message_id: string, row: TaskRow, before: string | undefined): RevisionEntry {
  const { time = 0, sender_id, content } = row;
  return {
    type: 'revision',
    id: deriveTaskId(row, 'legacy_task_revision', message_id, before ?? '', sender_id, content),
    message_id,
    ...(before === undefined ? {} : { replaces: [before] }),
    author_id: sender_id,
    date: formatDate(time),
    content,
  };
}
