import type { Json, JsonObject, Message, Part } from '@chatdoc/schema';
import { readSeconds } from '../source/dates.js';
import { isJsonArray, isJsonObject, omitKeys, readName, sortKeys } from '../source/json-value.js';
import { readTime } from './exported-time.js';
import { JupyterAttachments } from './jupyter-attachments.js';
import { LegacyNames } from './legacy-names.js';
import { SetAside } from './set-aside.js';
import { type ExportableChat, readUnshown, type Unshown } from './unshown.js';

/**
 * A jupyter-chat document as it is written today: messages in a list, two spaces of indent, ASCII only, no last
 * newline. It has no threads: those of the chat are one list, by time as far as their own order allows.
 */
export function exportJupyter(chat: ExportableChat): string {
  return new JupyterExport(chat).write();
}

/** Members that an export writes itself. */
const TABLES: ReadonlySet<string> = new Set(['messages', 'users', 'attachments', 'metadata']);

class JupyterExport {
  readonly #chat: ExportableChat;
  readonly #unshown: Unshown;
  readonly #setAside: SetAside;
  readonly #names = new LegacyNames();
  readonly #attachments = new JupyterAttachments();
  readonly #senders = new Map<string, { isAgent: boolean }>();

  constructor(chat: ExportableChat) {
    this.#chat = chat;
    this.#unshown = readUnshown(chat);
    this.#setAside = new SetAside(chat, this.#unshown, 'jupyter');
  }

  write(): string {
    for (const { key, value } of readMembers(this.#setAside.rowsOf('jupyter_attachment')))
      this.#attachments.keep(key, value);
    const messages = this.#listMessages().map((message) => this.#writeMessage(message));
    const others = readMembers(this.#setAside.rowsOf('jupyter_member')).filter(({ key }) => !TABLES.has(key));
    const metadata = this.#writeMetadata();
    const document: JsonObject = {
      ...Object.fromEntries(others.map(({ key, value }) => [key, value])),
      messages,
      users: this.#writeUsers(),
      attachments: this.#attachments.toJSON(),
      ...(metadata === undefined ? {} : { metadata }),
    };
    return escapeWide(JSON.stringify(sortKeys(document), null, 2));
  }

  /** Every message once, in the order of the latest time up to it in its own thread. */
  #listMessages(): readonly Message[] {
    const threads = [...this.#chat.threads().map(({ thread_id }) => thread_id), ...this.#unshown.bareThreads];
    const placed = threads.flatMap((thread_id) => {
      let latest = 0;
      return this.#chat.messages(thread_id).map((message) => {
        latest = Math.max(latest, readTime(message.date, message.message_id));
        return { message, latest };
      });
    });
    // Messages of one thread come one after the other, so a stable sort leaves them so.
    return placed.sort((a, b) => a.latest - b.latest).map(({ message }) => message);
  }

  #writeMessage(message: Message): JsonObject {
    const { message_id, sender_id, deleted, redacted, history } = message;
    const { body, mime_model, attachments, metadata, ...columns } = redacted
      ? {}
      : this.#setAside.columnsOf(message_id);
    const isGone = deleted || redacted;
    const legacy = isJsonObject(message.legacy) ? message.legacy : {};
    const id = this.#names.assign(message_id, readName(legacy['id']));
    const parts = redacted ? [] : message.parts;
    const sender = this.#senders.get(sender_id) ?? { isAgent: false };
    sender.isAgent ||= message.attempt !== undefined;
    this.#senders.set(sender_id, sender);
    return {
      type: 'msg',
      ...columns,
      id,
      time: writeSeconds(legacy['time'], readTime(message.date, message_id)),
      sender: sender_id,
      ...this.#writeBody(message, body, mime_model),
      ...(isGone ? { deleted: true } : history.length > 1 ? { edited: true } : {}),
      ...this.#writeAttachments(parts, attachments, id),
      ...writeMetadata(parts, metadata),
    };
  }

  /** A body that was not a text comes back while it is still what the message shows. */
  #writeBody(
    { content, deleted, redacted, history }: Message,
    body: Json | undefined,
    model: Json | undefined,
  ): JsonObject {
    if (deleted || redacted) return { body: '' };
    const [first, ...later] = history;
    const isAsFound = later.every(
      ({ date, author_id }) => date === first?.date && author_id === first.author_id,
    );
    if (!isAsFound || (body === undefined && model === undefined)) return { body: content };
    return { body: body ?? content, ...(model === undefined ? {} : { mime_model: model }) };
  }

  #writeAttachments(parts: readonly Part[], column: Json | undefined, messageName: string): JsonObject {
    const names: Json[] = parts
      .filter(({ kind }) => kind === 'file')
      .map((part) => this.#attachments.add(part, messageName));
    // Names of attachments that the file did not have.
    if (isJsonArray(column)) names.push(...column);
    else if (column !== undefined && names.length === 0) return { attachments: column };
    return names.length === 0 ? {} : { attachments: names };
  }

  #writeUsers(): JsonObject {
    const users = new Map<string, Json>();
    for (const { key, value } of readMembers(this.#setAside.rowsOf('jupyter_user'))) users.set(key, value);
    for (const [username, { isAgent }] of this.#senders) {
      if (users.has(username)) continue;
      const user = { username, name: username, display_name: username };
      users.set(username, isAgent ? { ...user, bot: true } : user);
    }
    return Object.fromEntries(users);
  }

  #writeMetadata(): JsonObject | undefined {
    const metadata = new Map<string, Json>();
    for (const row of this.#setAside.rowsOf('jupyter_metadata'))
      if (isJsonObject(row)) for (const [key, value] of Object.entries(row)) metadata.set(key, value);
    // A migrated one has its chat id on its thread.
    for (const { legacy } of this.#chat.threads()) {
      const id = isJsonObject(legacy) ? readName(legacy['chat_id']) : undefined;
      if (id !== undefined && !metadata.has('id')) metadata.set('id', id);
    }
    return metadata.size === 0 ? undefined : Object.fromEntries(metadata);
  }
}

/** Seconds, with all the digits of the old file while they are the time of the message. */
function writeSeconds(given: Json | undefined, time: number): Json {
  return typeof given === 'number' && readSeconds(given)?.time === time ? given : time / 1000;
}

const TOOL_CALLS: ReadonlySet<string> = new Set(['tool_calls']);

function writeMetadata(parts: readonly Part[], column: Json | undefined): JsonObject {
  const calls = parts.filter(({ kind }) => kind === 'tool_call').map(writeToolCall);
  if (calls.length === 0) return column === undefined ? {} : { metadata: column };
  const rest = isJsonObject(column) ? column : {};
  // Where some of the calls were none, the list as it was is all that holds those.
  const given = isJsonArray(rest['tool_calls']) ? rest['tool_calls'] : undefined;
  return { metadata: { ...omitKeys(rest, TOOL_CALLS), tool_calls: given ?? calls } };
}

function writeToolCall({ part_id, state, title, input, output, data }: Part): JsonObject {
  return {
    ...(isJsonObject(data) ? data : data === undefined ? {} : { data }),
    ...(part_id === undefined ? {} : { tool_call_id: part_id }),
    ...(title === undefined ? {} : { title }),
    ...(state === undefined ? {} : { status: state }),
    ...(input === undefined ? {} : { raw_input: input }),
    ...(output === undefined ? {} : { raw_output: output }),
  };
}

interface Member {
  readonly key: string;
  readonly value: Json;
}

/** Rows that are a member of an object. */
function readMembers(rows: readonly Json[]): readonly Member[] {
  return rows.flatMap((row) => {
    if (!isJsonObject(row)) return [];
    const { key, value } = row;
    return typeof key === 'string' && value !== undefined ? [{ key, value }] : [];
  });
}

const WIDE = /[\u0080-\uffff]/g;

function escapeWide(json: string): string {
  return json.replace(WIDE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
