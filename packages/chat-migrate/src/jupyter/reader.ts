import { type Entry, formatDate, type Json, type JsonObject } from '@chatdoc/schema';
import type { MessageEntry, RevisionEntry, ThreadEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { PlanDraft } from '../plan/draft.js';
import { createColumnsRow, createLegacyRow } from '../plan/legacy-rows.js';
import { CUT, createContent } from '../plan/long-content.js';
import { type Reading, UNKNOWN_SENDER } from '../plan/reading.js';
import { readSeconds } from '../source/dates.js';
import { isJsonObject, omitKeys, readName } from '../source/json-value.js';
import { KnownRows } from '../source/known-rows.js';
import type { Progress } from '../source/progress.js';
import type { SourceRow } from '../source/rows.js';
import type { JupyterDocument, JupyterRow } from './document.js';
import {
  createFiles,
  createToolCalls,
  type JupyterMessage,
  readJupyterMessages,
  readOtherColumns,
} from './messages.js';

/** Reads a jupyter-chat document of any shape since 2024: one thread, in the order of its list. */
export function readJupyter(document: JupyterDocument, progress: Progress): Reading {
  progress.endStage();
  return new JupyterReader(document, progress).read();
}

/** The part of a message that is needed once its entries are written. */
type KeptMessage = Pick<JupyterMessage, 'source' | 'message_id' | 'time'>;

class JupyterReader {
  readonly #rows: readonly JupyterRow[];
  readonly #progress: Progress;
  readonly #draft = new PlanDraft();
  /** Rows by table, without those equal to an earlier one. */
  readonly #tables = new Map<string, JupyterRow[]>();
  readonly #attachments = new Map<string, SourceRow>();

  constructor({ rows }: JupyterDocument, progress: Progress) {
    this.#rows = rows;
    this.#progress = progress;
  }

  read(): Reading {
    this.#sort();
    const chatId = this.#readChatId();
    const thread_id = deriveId(0, 'jupyter_thread', chatId?.id ?? '');
    for (const row of this.#table('attachments'))
      if (row.key !== undefined) this.#attachments.set(row.key, row);
    const messages = readJupyterMessages(this.#messageRows(), chatId?.id ?? '', this.#readBots());
    const kept = this.#writeMessages(messages, thread_id);
    this.#writeThread(kept, thread_id, chatId?.id);
    this.#keepTables(chatId?.row);
    if (chatId !== undefined) {
      const doc_id = deriveId(0, 'legacy_document', 'jupyter', chatId.id);
      return { rows: this.#rows, draft: this.#draft, identity: { row: chatId.row, doc_id } };
    }
    // Without an id, the earliest message names the chat.
    const [first, ...rest] = kept;
    if (first === undefined) return { rows: this.#rows, draft: this.#draft };
    const { source, message_id } = rest.reduce((a, b) => (b.message_id < a.message_id ? b : a), first);
    const doc_id = deriveId(0, 'legacy_document', 'jupyter_message', message_id);
    return { rows: this.#rows, draft: this.#draft, identity: { row: source, doc_id } };
  }

  #table(name: string): readonly JupyterRow[] {
    return this.#tables.get(name) ?? [];
  }

  #sort(): void {
    const known = new KnownRows(readMark, readIdentity);
    for (const row of this.#rows) {
      const same = known.find(row);
      if (same !== undefined) {
        this.#draft.merge(row, same);
        continue;
      }
      const { table } = row;
      this.#draft.reportRepeatedKey(row);
      const rows = this.#tables.get(table);
      if (rows === undefined) this.#tables.set(table, [row]);
      else rows.push(row);
    }
  }

  #readChatId(): { readonly id: string; readonly row: SourceRow } | undefined {
    for (const row of this.#table('metadata')) {
      const id = isJsonObject(row.value) ? readName(row.value['id']) : undefined;
      if (id !== undefined) return { id, row };
    }
    return undefined;
  }

  #readBots(): ReadonlySet<string> {
    const bots = this.#table('users').filter(({ value }) => isJsonObject(value) && value['bot'] === true);
    return new Set(bots.flatMap(({ key }) => key ?? []));
  }

  #messageRows(): readonly JupyterRow[] {
    return this.#table('messages').filter((row) => {
      if (isJsonObject(row.value)) return true;
      this.#draft.report(row, 'not_a_row', 'the message is not an object: it is kept as it is', row.raw);
      this.#draft.setAside(row, 'not_a_row');
      return false;
    });
  }

  #writeMessages(messages: readonly JupyterMessage[], thread_id: string): readonly KeptMessage[] {
    const kept: KeptMessage[] = [];
    let greatest = '';
    for (const message of messages) {
      const { source, message_id, time } = message;
      if (time === undefined) {
        this.#draft.report(
          source,
          'no_date',
          'the message has no usable time: it is kept in order of appearance',
        );
      }
      this.#progress.advance(source.end ?? 0);
      // The order is that of the list. Times are nearly always in it, and then no message depends on another.
      const after = message_id <= greatest ? kept.at(-1)?.message_id : undefined;
      if (!this.#writeMessage(message, thread_id, after)) continue;
      source.release();
      kept.push({ source, message_id, time });
      if (message_id > greatest) greatest = message_id;
    }
    return kept;
  }

  #writeMessage(message: JupyterMessage, thread_id: string, after: string | undefined): boolean {
    const { source, message_id, sender_id, row } = message;
    const date = formatDate(message.time ?? 0);
    const isChanged = message.isEdited || message.isDeleted;
    // A body that was overwritten is not a first version: that one is unknown, unless another revision of the file has it.
    const first =
      message.isEdited || (message.isDeleted && message.content === '') ? undefined : message.content;
    const { content, parts } = createContent(message_id, first);
    const isCut = message.isUnfinished && parts.length === 0;
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      ...(after === undefined ? {} : { after }),
      sender_id,
      date,
      ...(message.fixed === undefined ? {} : { legacy: message.fixed }),
      ...(content === undefined ? {} : { content }),
      ...(isCut ? CUT : {}),
    };
    const entries: Entry[] = [
      ...parts,
      ...(isChanged ? [createRevision(message, date)] : []),
      ...createToolCalls(message),
    ];
    const files = createFiles(message, (id) => this.#attachments.get(id)?.value);
    const columns = readOtherColumns(message, files.missing);
    const other = columns && createColumnsRow(message.time ?? 0, { message_id }, columns);
    if (other !== undefined) entries.push(other);
    const sender = row['sender'];
    if (isJsonObject(sender)) {
      const user = createUser(sender_id, sender);
      if (user !== undefined) entries.push(user);
    }
    const isKept = this.#draft.become(source, entry, ...entries, ...files.parts.map(({ part }) => part));
    for (const { part, id } of isKept ? files.parts : []) {
      const attachment = this.#attachments.get(id);
      if (attachment !== undefined) this.#draft.share([attachment], part);
    }
    if (isKept && (!source.exact || (columns !== undefined && other === undefined))) {
      this.#draft.keepText(source, 'exact_text', message_id);
    }
    return isKept;
  }

  #writeThread(messages: readonly KeptMessage[], thread_id: string, chatId: string | undefined): void {
    // The document has no thread of its own: it begins with its earliest message, and its creator is unknown.
    let earliest: number | undefined;
    for (const { time } of messages)
      if (time !== undefined && (earliest === undefined || time < earliest)) earliest = time;
    const entry: ThreadEntry = {
      type: 'thread',
      thread_id,
      created_at: formatDate(earliest ?? 0),
      created_by: UNKNOWN_SENDER,
      purpose: 'chat',
      ...(chatId === undefined ? {} : { legacy: { chat_id: chatId } }),
    };
    const rows = messages.map(({ source }) => source);
    this.#draft.share(rows, entry);
  }

  #keepTables(chatRow: SourceRow | undefined): void {
    for (const [table, rows] of this.#tables) {
      for (const row of rows) {
        if (table === 'metadata') this.#keepMetadata(row, row === chatRow);
        else if (!this.#draft.has(row)) this.#keepRow(row, table);
        else if (table === 'attachments' && !row.exact) this.#draft.keepText(row, 'exact_text');
      }
    }
  }

  #keepRow(row: SourceRow, table: string): void {
    const reason = REASONS.get(table) ?? 'jupyter_member';
    const key = row.key ?? table;
    this.#draft.setAside(row, reason, 0, row.value === undefined ? undefined : { key, value: row.value });
  }

  #keepMetadata(row: SourceRow, isChatId: boolean): void {
    const rest = isJsonObject(row.value) ? omitKeys(row.value, CHAT_ID) : row.value;
    if (!isChatId) this.#draft.setAside(row, 'jupyter_metadata');
    else if (rest !== undefined) this.#draft.keep(row, 'jupyter_metadata', 0, rest);
  }
}

function readIdentity({ table, key = '', text }: JupyterRow): string {
  return JSON.stringify([table, key, text]);
}

/** The time of a message in a list, or else its own id. */
function readMark(row: JupyterRow): string | number {
  const { table, key, value } = row;
  if (!isJsonObject(value)) return `${table}/${key ?? ''}/`;
  const time = table === 'messages' && key === undefined ? readSeconds(value['time'])?.time : undefined;
  return time ?? `${table}/${key ?? ''}/${readName(value['id']) ?? ''}`;
}

const CHAT_ID: ReadonlySet<string> = new Set(['id']);
const REASONS: ReadonlyMap<string, string> = new Map([
  ['users', 'jupyter_user'],
  ['attachments', 'jupyter_attachment'],
]);

function createUser(key: string, user: JsonObject): Entry | undefined {
  return createLegacyRow(0, 'jupyter_user', { key, value: user } satisfies Json);
}

/** The body as it is now, or its deletion. Time and author are not in the file: a deletion counts as later. */
function createRevision(message: JupyterMessage, date: string): RevisionEntry {
  const { message_id, sender_id, time = 0, isDeleted } = message;
  const content = isDeleted ? '' : message.content;
  return {
    type: 'revision',
    id: deriveId(time + (isDeleted ? 2 : 1), 'jupyter_revision', message_id, isDeleted ? 1 : 0, content),
    message_id,
    author_id: sender_id,
    date,
    ...(isDeleted ? { deleted: true } : {}),
    content,
  };
}
