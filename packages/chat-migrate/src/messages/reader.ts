import type { Json, JsonObject } from '@chatdoc/schema';
import { compareText } from '@chatdoc/schema/internal';
import { MediaFilter } from '../conversations/media.js';
import { NodeRows } from '../conversations/same-node.js';
import type { Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { deriveId } from '../plan/derive-id.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { isJsonObject, readName } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';
import { plainName, TableColumns } from '../tables/columns.js';
import { plainColumns, readTableRows, screenTableRows } from '../tables/rows.js';
import {
  isAsking,
  isHiddenRole,
  isMessageTable,
  isModelMessage,
  isToolRole,
  readAuthor,
  readConversation,
  readRole,
  TEXTS,
} from './columns.js';
import { createAttachments, createCalls, createPieces, joinTexts, readBody } from './parts.js';

/** Reads tables of messages, each with its conversation, and what tables beside them name. */
export function readMessages(bytes: Uint8Array): Reading {
  return new MessageReader(readTableRows(bytes, isMessageTable)).read();
}

interface MessageRow {
  readonly key: string;
  readonly columns: TableColumns;
  readonly conversation: string;
  readonly role: string | undefined;
  readonly body: Json | undefined;
  readonly time: number | undefined;
}

const CONVERSATION_TABLES: ReadonlySet<string> = new Set([
  ...['conversation', 'chat', 'thread', 'session', 'room', 'channel'].flatMap((name) => [name, `${name}s`]),
  'chatsessions',
  'chatthreads',
]);
const PRIVATE_TABLES = /^(?:users?|auth.*|accounts?|.*tokens?|apikeys?|memories|profiles?|verification.*)$/;
const PRIVATE_COLUMNS = [
  'password',
  'passwordhash',
  'email',
  'token',
  'sessiontoken',
  'accesstoken',
  'apikey',
] as const;

class MessageReader {
  readonly #rows: readonly SourceRow[];
  readonly #draft = new PlanDraft();
  readonly #messages = new Map<string, MessageRow[]>();
  readonly #homes = new Map<string, Home>();
  readonly #private = new Map<string, SourceRow[]>();
  readonly #votes: { readonly row: SourceRow; readonly columns: TableColumns }[] = [];
  readonly #files = new Map<string, string>();

  constructor(rows: readonly SourceRow[]) {
    this.#rows = rows;
  }

  read(): Reading {
    const nodes = new NodeRows<SourceRow>(this.#draft);
    const found = new Map<SourceRow, MessageRow>();
    const screened = screenTableRows(this.#rows, this.#draft);
    const only = this.#findRequest(screened);
    for (const row of screened) {
      const message = this.#sort(row, only);
      if (message === undefined) continue;
      found.set(row, message);
      nodes.add(message.key, row);
    }
    for (const [, row] of nodes.entries()) {
      const message = found.get(row);
      if (message === undefined) continue;
      const same = this.#messages.get(message.conversation);
      if (same === undefined) this.#messages.set(message.conversation, [message]);
      else same.push(message);
    }
    for (const [table, rows] of this.#private) this.#draft.leaveOut(rows, table);
    const spoken = [...this.#messages.values()].flatMap((messages) => this.#speak(sortMessages(messages)));
    const voted = this.#addVotes(spoken);
    const writer = new ConversationWriter(this.#draft, 'messages', { isLinear: false });
    writer.write(voted, [...this.#homes.values()]);
    const identity = writer.identity();
    return { rows: this.#rows, draft: this.#draft, ...(identity === undefined ? {} : { identity }) };
  }

  /** The conversation of the messages of a request to a model, which have none: named by its first message. */
  #findRequest(rows: readonly SourceRow[]): string | undefined {
    const isTable = rows.some(({ value }) => isJsonObject(value) && isMessageTable(plainColumns(value)));
    const [first] = isTable ? [] : rows;
    return first && `of ${deriveId(0, 'request', first.text)}`;
  }

  #sort(row: SourceRow, only: string | undefined): MessageRow | undefined {
    const columns = new TableColumns(row);
    const table = plainName(row.table ?? '');
    const names = isJsonObject(row.value) ? plainColumns(row.value) : new Set<string>();
    const isMessage =
      isMessageTable(names) || (only !== undefined && isJsonObject(row.value) && isModelMessage(row.value));
    if (PRIVATE_TABLES.test(table) || (!isMessage && PRIVATE_COLUMNS.some((name) => names.has(name)))) {
      const same = this.#private.get(row.table ?? '');
      if (same === undefined) this.#private.set(row.table ?? '', [row]);
      else same.push(row);
      return undefined;
    }
    const conversation = readConversation(columns) ?? (isMessage ? only : undefined);
    if (isMessage && conversation !== undefined) return this.#readMessage(row, columns, conversation);
    if (isMessage) {
      this.#draft.report(row, 'missing_column', 'the row names no conversation: it is set aside');
      this.#draft.setAside(row, 'partial', columns.time('createdat', 'creationtime')?.time);
    } else if (CONVERSATION_TABLES.has(table) && columns.id('id') !== undefined) this.#addHome(row, columns);
    else if (columns.flag('isupvoted') !== undefined && columns.id('messageid') !== undefined)
      this.#votes.push({ row, columns });
    else {
      const stored = columns.text('storedfile');
      if (stored !== undefined) this.#files.set(stored.replace(/\.[^.]*$/, ''), stored);
      this.#draft.setAside(row, 'table_row');
    }
    return undefined;
  }

  #readMessage(row: SourceRow, columns: TableColumns, conversation: string): MessageRow {
    const isStep = columns.count('steporder') !== undefined;
    const body = readBody(columns.value(...(isStep ? ['message', ...TEXTS] : TEXTS)));
    const id = columns.id('id', 'messageid', 'rowid');
    const time = columns.time('createdat', 'timestamp', 'ts', 'date', 'created', 'sentat', 'creationtime');
    const name = id ?? `row ${deriveId(0, 'message_row', row.text)}`;
    if (time?.assumedUtc === true)
      this.#draft.report(row, 'date_without_zone', 'the date names no zone: read as UTC');
    return {
      key: JSON.stringify([conversation, name]),
      columns,
      conversation,
      role: readRole(columns, body),
      body,
      time: time?.time,
    };
  }

  #addHome(row: SourceRow, columns: TableColumns): void {
    const key = columns.id('id') ?? '';
    const name = columns.text('title', 'name', 'subject');
    const time = columns.time('createdat', 'creationtime')?.time;
    const creator = columns.id('userid', 'ownerid', 'createdby', 'creatorid');
    const rest = columns.rest(['id', 'title', 'name', 'createdat', 'userid', 'ownerid', 'createdby']);
    const archived = columns.flag('archived', 'isarchived');
    const before = this.#homes.get(key);
    this.#homes.set(key, {
      key,
      purpose: 'chat',
      time,
      creator,
      name,
      updated: columns.time('updatedat')?.time ?? time,
      ...(archived === true ? { config: { archived } } : {}),
      ...(rest === undefined ? {} : { legacy: new MediaFilter().stripMembers(rest) }),
      rows: [...(before?.rows ?? []), row],
    });
  }

  /** Rows as turns: an answer is the first whole one, with the calls around it; later ones are messages of their own. */
  #speak(messages: readonly MessageRow[]): readonly Spoken[] {
    const spoken: Spoken[] = [];
    const turn: OpenTurn = { prompt: undefined, last: undefined, isOpen: false };
    for (const [index, message] of messages.entries()) {
      const { role, columns, time = 0, body } = message;
      if (role !== undefined && isHiddenRole(role)) {
        this.#draft.setAside(
          columns.source,
          'hidden',
          time,
          new MediaFilter().strip(columns.source.value ?? null),
        );
        continue;
      }
      if (role === undefined || isAsking(role)) {
        spoken.push(this.#createPrompt(message, turn.last));
        turn.prompt = role === undefined ? undefined : message.key;
        turn.last = message.key;
        turn.isOpen = role !== undefined;
        continue;
      }
      const next = messages[index + 1]?.role;
      const isStep = isToolRole(role) || (next !== undefined && isToolRole(next));
      const isBlank = joinTexts(body).trim() === '';
      // A blank answer was a try: the next one is another.
      const isTry = !isStep && isBlank && turn.isOpen && turn.prompt === turn.last;
      spoken.push(this.#createStep(message, turn.last, isStep ? undefined : 'stop'));
      turn.isOpen = isStep || isTry;
      turn.last = isTry ? turn.prompt : message.key;
    }
    return spoken;
  }

  #createPrompt(message: MessageRow, parent: string | undefined): Spoken {
    const { key, columns, role, body } = message;
    const pieces = createPieces(key, readInner(body)).filter(
      (piece): piece is Piece => piece.kind === 'file',
    );
    const owner = this.#homes.get(message.conversation)?.creator;
    return {
      ...this.#createNode(message, parent),
      by: role === undefined ? 'aside' : 'person',
      sender_id: readAuthor(columns) ?? (role === undefined ? 'user' : (owner ?? role)),
      text: joinTexts(body),
      pieces: [
        ...pieces,
        ...createAttachments(key, columns.value('attachments')),
        ...this.#createStored(key, columns),
      ],
    };
  }

  #createStep(message: MessageRow, parent: string | undefined, end: 'stop' | undefined): Spoken {
    const { key, columns, role = 'assistant', body } = message;
    const reasoning = columns.text('reasoning', 'reasoningcontent', 'thinking');
    const call = columns.id('toolcallid');
    const pieces = isToolRole(role)
      ? createResults(body, call, columns.text('toolname', 'name'))
      : createPieces(key, readInner(body));
    return {
      ...this.#createNode(message, parent),
      by: 'model',
      sender_id: columns.text('model') ?? (isToolRole(role) ? 'assistant' : role),
      pieces: [
        ...(reasoning === undefined
          ? []
          : [{ kind: 'reasoning' as const, key: `${key}/reasoning`, text: reasoning }]),
        ...pieces,
        ...createCalls(key, columns.value('toolcalls')),
        ...createAttachments(key, columns.value('attachments')),
        ...this.#createStored(key, columns),
      ],
      ...(end === undefined ? {} : { end }),
    };
  }

  #createStored(key: string, columns: TableColumns): readonly Piece[] {
    const id = columns.id('storageid', 'fileid');
    if (id === undefined) return [];
    return [{ kind: 'file', key: `${key}/stored`, part_id: id, title: this.#files.get(id) ?? id }];
  }

  #createNode(
    { key, columns, conversation, time }: MessageRow,
    parent: string | undefined,
  ): Pick<Spoken, 'row' | 'key' | 'parent' | 'home' | 'time' | 'legacy' | 'rest'> {
    const id = columns.id('id', 'messageid', 'rowid');
    const said = ['id', 'role', 'content', 'text', 'body', 'message', 'messagetext', 'parts', ...SAID];
    const rest = columns.rest(said);
    const body = columns.value(...TEXTS);
    const isPlain = typeof body === 'string' && readBody(body) === body;
    const kept = { ...rest, ...(isPlain || body === undefined ? {} : { body }) };
    return {
      row: columns.source,
      key,
      parent,
      home: conversation,
      time,
      ...(id === undefined ? {} : { legacy: { id } }),
      ...(Object.keys(kept).length === 0 ? {} : { rest: new MediaFilter().stripMembers(kept) }),
    };
  }

  /** A thumb is on its message; one whose message is not there is set aside. */
  #addVotes(spoken: readonly Spoken[]): readonly Spoken[] {
    const byId = new Map<string, SourceRow[]>();
    const values = new Map<string, JsonObject>();
    for (const { row, columns } of this.#votes) {
      const id = columns.id('messageid') ?? '';
      values.set(id, { isUpvoted: columns.flag('isupvoted') ?? false });
      byId.set(id, [...(byId.get(id) ?? []), row]);
    }
    const used = new Set<string>();
    const nodes = spoken.map((node) => {
      const id = readName(isJsonObject(node.legacy) ? node.legacy['id'] : undefined) ?? '';
      const feedback = values.get(id);
      if (feedback === undefined) return node;
      used.add(id);
      return { ...node, feedback };
    });
    for (const rows of byId.values()) for (const row of rows) this.#draft.setAside(row, 'vote');
    return nodes;
  }
}

interface OpenTurn {
  prompt: string | undefined;
  last: string | undefined;
  /** Whether the prompt has no whole answer yet. */
  isOpen: boolean;
}

const SAID = [
  'createdat',
  'model',
  'toolcalls',
  'toolcallid',
  'reasoning',
  'storageid',
  'sessionid',
  'conversationid',
  'threadid',
  'chatid',
];

/** Of a message inside a column, its content. */
function readInner(body: Json | undefined): Json | undefined {
  return isJsonObject(body) && body['role'] !== undefined ? body['content'] : body;
}

function createResults(
  body: Json | undefined,
  call: string | undefined,
  title: string | undefined,
): Spoken['pieces'] {
  const pieces = createPieces('', readInner(body)).filter(({ kind }) => kind === 'result');
  if (pieces.length > 0) return pieces;
  return [
    {
      kind: 'result',
      ...(call === undefined ? {} : { call }),
      ...(title === undefined ? {} : { title }),
      output: new MediaFilter().strip(body ?? null),
      isFailed: false,
    },
  ];
}

/** By a number that all of them have, else by time, else by whole-number ids, else as in the file. */
function sortMessages(messages: readonly MessageRow[]): readonly MessageRow[] {
  const rank = (names: readonly string[]): readonly number[] | undefined => {
    const ranks = messages.map(({ columns }) => columns.count(...names));
    return ranks.every((one) => one !== undefined) ? (ranks as number[]) : undefined;
  };
  const ids = rank(['id']);
  const hasTimes = messages.some(({ time }) => time !== undefined);
  const order = rank(['order']);
  const steps = rank(['steporder']);
  const turns = steps && order?.map((one, index) => one * 100_000 + (steps[index] ?? 0));
  const ranks = turns ?? rank(['seq', 'sequence', 'index', 'position']) ?? (hasTimes ? undefined : ids);
  const keyed = messages.map((message, index) => ({
    message,
    index,
    rank: ranks?.[index] ?? message.time ?? 0,
    id: ids?.[index] ?? 0,
  }));
  keyed.sort(
    (a, b) =>
      a.rank - b.rank || a.id - b.id || a.index - b.index || compareText(a.message.key, b.message.key),
  );
  return keyed.map(({ message }) => message);
}
