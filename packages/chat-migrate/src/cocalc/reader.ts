import { type Entry, formatDate, type JsonObject, timeOfUlid } from '@chatdoc/schema';
import { compareText, type MessageEntry, type ThreadEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { PlanDraft } from '../plan/draft.js';
import { createColumnsRow } from '../plan/legacy-rows.js';
import { CUT, createContent, PIECE_LENGTH } from '../plan/long-content.js';
import { type Reading, UNKNOWN_SENDER } from '../plan/reading.js';
import { readCanonicalDate, readDate } from '../source/dates.js';
import { isJsonObject, omitKeys, readName } from '../source/json-value.js';
import { KnownRows } from '../source/known-rows.js';
import type { Progress } from '../source/progress.js';
import { iterateLineRows, type SourceRow } from '../source/rows.js';
import { readFinish } from './answers.js';
import {
  createConfig,
  createConfigOfRow,
  createStateOfRow,
  isCanonicalConfig,
  readArchivedCount,
  readConfig,
  readLatestTime,
} from './config.js';
import { MessageOrder } from './message-order.js';
import {
  type CocalcMessage,
  CocalcMessages,
  createFeedback,
  createRevisions,
  isFork,
  readFixedColumns,
  readOtherColumns,
} from './messages.js';
import { NamedMessages } from './named-messages.js';
import { createReadMarks, hasReadMarks } from './read-marks.js';
import { type CocalcRowKind, classifyCocalcRow } from './rows.js';
import {
  deriveThreadId,
  type FoundThread,
  nameThread,
  ROOM_BEGIN,
  ROOM_ID,
  ThreadFinder,
} from './threads.js';

/** Reads a CoCalc chat: JSON lines of any generation from 2013 to 2026, also mixed in one file. */
export function readCocalc(bytes: Uint8Array, progress: Progress): Reading {
  return new CocalcReader(progress).read(bytes);
}

interface ThreadFacts {
  readonly thread_id: string;
  legacyId?: string;
  missingTime?: number;
  /** The blank message that anchors it. */
  placeholder?: CocalcMessage;
  readonly members: CocalcMessage[];
  /** `chat-thread` rows, and the rows that speak of a thread without messages. */
  readonly threadRows: SourceRow[];
  readonly otherRows: SourceRow[];
}

class CocalcReader {
  readonly #rows: SourceRow[] = [];
  readonly #read = new CocalcMessages();
  readonly #progress: Progress;
  readonly #draft = new PlanDraft();
  readonly #byKind = new Map<CocalcRowKind, SourceRow[]>();
  readonly #threads = new Map<string, ThreadFacts>();
  /** Rows with read marks. */
  readonly #readMarks: {
    readonly source: SourceRow;
    readonly row: JsonObject;
    readonly thread_id: string;
  }[] = [];
  #names = new NamedMessages([]);
  #order = new MessageOrder(() => undefined);
  /** Threads that have a row of settings. */
  readonly #configured = new Set<string>();
  #messages: readonly CocalcMessage[] = [];
  #finder = new ThreadFinder([]);

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  read(bytes: Uint8Array): Reading {
    this.#readRows(bytes);
    this.#messages = this.#read.finish();
    this.#finder = new ThreadFinder(this.#messages);
    this.#names = new NamedMessages(this.#messages);
    this.#order = new MessageOrder((message) => {
      const { thread_id, target } = this.#finder.find(message);
      return target ?? this.#parentOf(message, thread_id);
    });
    for (const { value } of this.#rowsOf('thread_config')) {
      const thread_id = isJsonObject(value) ? this.#threadOfRow(value) : undefined;
      if (thread_id !== undefined) this.#configured.add(thread_id);
    }
    const last = new Map<string, string>();
    for (const message of this.#messages) {
      this.#writeMessage(message, last);
      // A text is held once: here until it is written, in its line from then on.
      message.versions = [];
      this.#progress.advance(message.source.end ?? 0);
    }
    for (const row of this.#rowsOf('thread')) this.#readThreadRow(row);
    this.#writeConfigs();
    for (const row of this.#rowsOf('thread_state')) this.#writeState(row);
    for (const facts of this.#threads.values()) this.#writeThread(facts);
    for (const { source, row, thread_id } of this.#readMarks) this.#writeReadMarks(source, row, thread_id);
    const identity = this.#identify();
    return { rows: this.#rows, draft: this.#draft, ...(identity === undefined ? {} : { identity }) };
  }

  #rowsOf(kind: CocalcRowKind): readonly SourceRow[] {
    return this.#byKind.get(kind) ?? [];
  }

  #readRows(bytes: Uint8Array): void {
    const known = new KnownRows(readDateMark, ({ text }) => text);
    for (const row of iterateLineRows(bytes)) {
      this.#rows.push(row);
      const same = known.find(row);
      if (same !== undefined) this.#draft.merge(row, same);
      else if (this.#take(row)) row.release();
      this.#progress.advance(row.end ?? 0);
    }
    this.#progress.endStage();
  }

  /** Returns whether nothing of the row will be asked for again. */
  #take(row: SourceRow): boolean {
    if (row.bytes !== undefined) {
      this.#draft.report(row, 'not_utf8', 'the line is not UTF-8: its bytes are kept aside', row.raw);
    }
    if (row.value === undefined) {
      this.#draft.report(row, 'not_json', 'the line is not JSON: it is kept as text', row.raw);
      this.#draft.setAside(row, 'not_json');
    } else if (!isJsonObject(row.value)) {
      this.#draft.report(row, 'not_a_row', 'the line is JSON, but no object: it is kept as it is', row.raw);
      this.#draft.setAside(row, 'not_a_row');
    } else {
      this.#draft.reportRepeatedKey(row);
      return this.#sort(row, row.value);
    }
    return false;
  }

  #sort(row: SourceRow, value: JsonObject): boolean {
    const kind = classifyCocalcRow(value);
    switch (kind) {
      case 'message':
        return this.#read.add(row, value);
      case 'thread':
      case 'thread_config':
      case 'thread_state': {
        const rows = this.#byKind.get(kind);
        if (rows === undefined) this.#byKind.set(kind, [row]);
        else rows.push(row);
        break;
      }
      default:
        this.#draft.setAside(row, kind, readDate(value['date'])?.time);
    }
    return false;
  }

  #facts(thread_id: string, legacyId?: string): ThreadFacts {
    let facts = this.#threads.get(thread_id);
    if (facts === undefined) {
      facts = { thread_id, members: [], threadRows: [], otherRows: [] };
      this.#threads.set(thread_id, facts);
    }
    if (legacyId !== undefined) facts.legacyId = legacyId;
    return facts;
  }

  #writeMessage(message: CocalcMessage, last: Map<string, string>): void {
    const { source, message_id, time, isPlaceholder } = message;
    const found = this.#finder.find(message);
    const { thread_id } = found;
    this.#reportMessage(message, found);
    const { config, taken } = this.#readSettings(message, thread_id);
    const relations = this.#takenRelations(message, thread_id);
    const ended = isPlaceholder ? undefined : readFinish(message_id, time ?? 0, message.row);
    const said = [...relations, ...(ended?.taken ?? [])];
    const other = readOtherColumns(message, said.length === 0 ? taken : new Set([...taken, ...said]));
    const subject = isPlaceholder ? { thread_id } : { message_id };
    const columns = other && createColumnsRow(time ?? 0, subject, other);
    const beside = columns === undefined ? [] : [columns];
    let isKept = false;
    if (!isPlaceholder) {
      const { entry, parts } = this.#createMessage(message, found, last.get(thread_id));
      const records = [
        ...config,
        ...parts,
        ...createRevisions(message),
        ...(ended?.finish === undefined ? [] : [ended.finish]),
        ...createFeedback(message),
        ...beside,
      ];
      isKept = this.#draft.become(source, entry, ...records);
    } else if (config[0] !== undefined) {
      isKept = this.#draft.become(source, config[0], ...beside);
    } else {
      this.#draft.setAside(source, 'placeholder', time);
      if (isFork(message.row)) this.#enter(message, found, last);
    }
    if (!isKept) return;
    const about = isPlaceholder ? undefined : message_id;
    const isShortened = message.isUnfinished && (message.versions[0]?.content.length ?? 0) > PIECE_LENGTH;
    if (!source.exact || isShortened) this.#draft.keepText(source, 'exact_text', about);
    else if (other !== undefined && columns === undefined) this.#draft.keepText(source, 'columns', about);
    this.#enter(message, found, last);
  }

  #writeReadMarks(source: SourceRow, row: JsonObject, thread_id: string): void {
    for (const mark of createReadMarks(thread_id, row, this.#facts(thread_id).members))
      this.#draft.share([source], mark);
  }

  #enter(message: CocalcMessage, { thread_id, missingTime }: FoundThread, last: Map<string, string>): void {
    const facts = this.#facts(thread_id, message.legacyThreadId);
    if (hasReadMarks(message.row))
      this.#readMarks.push({ source: message.source, row: message.row, thread_id });
    if (missingTime !== undefined) facts.missingTime = missingTime;
    if (message.isPlaceholder) {
      facts.placeholder = message;
      facts.otherRows.push(message.source);
    } else {
      facts.members.push(message);
      last.set(thread_id, message.message_id);
    }
  }

  /** Settings of the thread on a message row: those of a row of their own are the truth where there is one. */
  #readSettings(
    message: CocalcMessage,
    thread_id: string,
  ): { config: readonly Entry[]; taken: ReadonlySet<string> } {
    const { row, isNamedByColumn } = message;
    const { fields, taken } = readConfig(isNamedByColumn ? (omitKeys(row, NAME) ?? {}) : row);
    if (taken.size === 0 || this.#configured.has(thread_id)) return NO_SETTINGS;
    const config = createConfig(thread_id, readLatestTime(row), UNKNOWN_SENDER, fields);
    return { config: [config], taken };
  }

  #createMessage(
    message: CocalcMessage,
    found: FoundThread,
    previous: string | undefined,
  ): { readonly entry: MessageEntry; readonly parts: readonly Entry[] } {
    const { message_id, sender_id, date, versions, isUnfinished } = message;
    const isCut = isUnfinished && versions.length === 1;
    const { content, parts } = createContent(message_id, versions[0]?.content);
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id: found.thread_id,
      ...this.#relations(message, found, previous),
      sender_id,
      date,
      legacy: readFixedColumns(message),
      content,
      ...(isCut ? CUT : {}),
    };
    // The parts of a text that is not final would stay beside those of the final one.
    return { entry, parts: isCut ? [] : parts };
  }

  /**
   * The message that it answers or comes after, where the dates do not have it: what the rest of the file shows about
   * a message, such as whether its root is there, must not change its line.
   */
  #relations(message: CocalcMessage, found: FoundThread, previous: string | undefined): Relations {
    const before = message.time === undefined ? previous : undefined;
    const { target } = found;
    if (target !== undefined) {
      const isImplied = isTop(target) && this.#order.isAfter(message, target);
      return createRelations(target.isPlaceholder || isImplied ? undefined : target.message_id, before);
    }
    const parent = this.#parentOf(message, found.thread_id);
    if (parent === undefined || this.#order.isAfter(message, parent))
      return createRelations(undefined, before);
    // Since March 2026 a parent is the message before, whatever a message answers; earlier it was the root.
    return isTop(parent)
      ? createRelations(parent.message_id, before)
      : createRelations(undefined, parent.message_id);
  }

  /** The message that the row names as its parent, in the same thread. */
  #parentOf(message: CocalcMessage, thread_id: string): CocalcMessage | undefined {
    const name = readParentName(message.row);
    const parent = name === undefined ? undefined : this.#names.find(name);
    if (parent === undefined || parent === message || parent.isPlaceholder) return undefined;
    return this.#finder.find(parent).thread_id === thread_id ? parent : undefined;
  }

  #takenRelations(message: CocalcMessage, thread_id: string): readonly string[] {
    const { parent_message_id, reply_to_message_id } = message.row;
    if (this.#parentOf(message, thread_id) === undefined) return [];
    return parent_message_id === undefined ||
      parent_message_id === reply_to_message_id ||
      !reply_to_message_id
      ? ['parent_message_id', 'reply_to_message_id']
      : ['parent_message_id'];
  }

  #reportMessage(
    { source, time, assumedUtc, replyTime, isDamaged, isUnfinished }: CocalcMessage,
    found: FoundThread,
  ): void {
    const draft = this.#draft;
    if (time === undefined)
      draft.report(source, 'no_date', 'the row has no usable date: it is kept in order of appearance');
    else if (assumedUtc) draft.report(source, 'date_without_zone', 'the date names no zone: read as UTC');
    if (replyTime !== undefined && Number.isNaN(replyTime))
      draft.report(source, 'bad_reply_to', 'reply_to is not a date: the message begins a thread');
    if (found.missingTime !== undefined)
      draft.report(source, 'orphan_reply', 'the message that this one answers is not in the file');
    if (found.isAmbiguous)
      draft.report(source, 'ambiguous_reply', 'two messages share the date that reply_to names');
    if (isUnfinished)
      draft.report(source, 'unfinished', 'the answer was being written when the file was saved');
    if (isDamaged)
      draft.report(
        source,
        'bad_history',
        'the history has an element that is not a version: it is kept as it is',
      );
  }

  #readThreadRow(row: SourceRow): void {
    const legacyId = isJsonObject(row.value) ? readName(row.value['thread_id']) : undefined;
    if (legacyId === undefined) this.#draft.setAside(row, 'partial');
    else this.#facts(deriveThreadId(legacyId), legacyId).threadRows.push(row);
  }

  #writeConfigs(): void {
    const canonical = new Set<string>();
    for (const { value } of this.#rowsOf('thread_config')) {
      if (isJsonObject(value) && isCanonicalConfig(value)) canonical.add(String(value['thread_id']));
    }
    for (const row of this.#rowsOf('thread_config')) {
      const value = readObject(row);
      const legacyId = readName(value['thread_id']);
      const thread_id = this.#threadOfRow(value);
      if (thread_id === undefined) {
        this.#draft.setAside(row, 'partial');
        continue;
      }
      if (legacyId !== undefined && canonical.has(legacyId) && !isCanonicalConfig(value)) {
        // Both key styles: readers take the canonical row, whatever the dates.
        this.#draft.setAside(row, 'old_config');
        continue;
      }
      this.#facts(thread_id, legacyId).otherRows.push(row);
      const archived = readArchivedCount(value);
      if (archived > 0) {
        this.#draft.report(
          row,
          'incomplete_file',
          `${archived} messages of a thread are in an archive, not here`,
        );
      }
      this.#draft.become(row, createConfigOfRow(thread_id, value));
      if (!row.exact) this.#draft.keepText(row, 'exact_text');
    }
  }

  /** The thread of a row about a thread: by its id, else by the date of its root. */
  #threadOfRow(value: JsonObject): string | undefined {
    const legacyId = readName(value['thread_id']);
    if (legacyId !== undefined) return deriveThreadId(legacyId);
    const time = readDate(value['date'])?.time;
    return time === undefined ? undefined : this.#finder.findAt(time);
  }

  #writeState(row: SourceRow): void {
    const value = readObject(row);
    const thread_id = this.#threadOfRow(value);
    const activeId = readName(value['active_message_id']);
    const active = activeId === undefined ? undefined : this.#names.find(activeId)?.message_id;
    const entry = thread_id === undefined ? undefined : createStateOfRow(thread_id, value, active);
    if (thread_id === undefined || entry === undefined) {
      this.#draft.setAside(row, 'partial');
      return;
    }
    this.#facts(thread_id, readName(value['thread_id'])).otherRows.push(row);
    this.#draft.become(row, entry);
    const isSaid = entry.state === value['state'] && (activeId === undefined) === (active === undefined);
    if (!isSaid) this.#draft.keep(row, 'thread_state', timeOf(value));
  }

  #writeThread(facts: ThreadFacts): void {
    const root = findRoot(facts);
    const given = readObject([...facts.threadRows].sort(byDate)[0]);
    const namedRoot = readName(given['root_message_id']);
    const root_message_id = (namedRoot && this.#names.find(namedRoot)?.message_id) ?? root?.message_id;
    // Without a root, a thread begins with what is left of it; none of that is named as its root.
    const first = facts.placeholder ?? root ?? findFirst(facts.members);
    const { missingTime } = facts;
    const isOrphan = missingTime !== undefined;
    const time =
      readDate(given['created_at'])?.time ??
      readDate(given['date'])?.time ??
      // The line of the same thread in a file that has the root is earlier, and shows.
      (missingTime === undefined ? undefined : missingTime + 1) ??
      first?.time ??
      readEarliest(facts.otherRows);
    const name = facts.legacyId ?? readDerivedName(facts.thread_id);
    const forked_from = first === undefined ? undefined : this.#findOrigin(first.row);
    const entry: ThreadEntry = {
      type: 'thread',
      thread_id: facts.thread_id,
      ...(root_message_id === undefined ? {} : { root_message_id }),
      ...(forked_from === undefined ? {} : { forked_from }),
      created_at: formatDate(time),
      created_by:
        readName(given['created_by']) ?? (isOrphan ? undefined : first?.sender_id) ?? UNKNOWN_SENDER,
      purpose: 'chat',
      ...(name === undefined ? {} : { legacy: { thread_id: name } }),
    };
    const holders =
      facts.threadRows.length > 0 ? [] : [...facts.members.map(({ source }) => source), ...facts.otherRows];
    this.#draft.share(holders, facts.thread_id === ROOM_ID ? ROOM : entry);
    for (const holder of facts.threadRows) this.#writeThreadRow(holder, entry);
  }

  /** The origin of the thread that this row begins, where that is in the file, and its last message until then. */
  #findOrigin(row: JsonObject): ThreadEntry['forked_from'] {
    const root = readDate(row['forked_from_root_date'])?.time;
    const thread_id = root === undefined ? undefined : this.#finder.findAt(root);
    if (thread_id === undefined) return undefined;
    const latest = readDate(row['forked_from_latest_message_date'])?.time;
    const last = this.#facts(thread_id).members.find(({ time }) => time !== undefined && time === latest);
    return { thread_id, ...(last === undefined ? {} : { message_id: last.message_id }) };
  }

  #writeThreadRow(row: SourceRow, entry: ThreadEntry): void {
    const value = readObject(row);
    const other = omitKeys(value, THREAD_COLUMNS);
    const columns = other && createColumnsRow(0, { thread_id: entry.thread_id }, other);
    this.#draft.become(row, entry, ...(columns === undefined ? [] : [columns]));
    if (!row.exact) this.#draft.keepText(row, 'exact_text');
  }

  /** The earliest dated row names the chat: what is appended later does not change it. */
  #identify(): Reading['identity'] {
    let earliest: { readonly row: SourceRow; readonly id: string } | undefined;
    const offer = (row: SourceRow, id: string): void => {
      if (earliest === undefined || id < earliest.id) earliest = { row, id };
    };
    for (const { source, time, message_id } of this.#messages)
      if (time !== undefined) offer(source, message_id);
    for (const row of this.#draft.setAsideRows()) {
      const value = readObject(row);
      const time = timeOf(value);
      if (time > 0 && classifyCocalcRow(value) !== 'draft')
        offer(row, deriveId(time, 'legacy_event', row.text));
    }
    if (earliest === undefined)
      for (const { source, message_id } of this.#messages) offer(source, message_id);
    return earliest && { row: earliest.row, doc_id: deriveId(0, 'legacy_document', 'cocalc', earliest.id) };
  }
}

/** The same line in every migration, whichever of its messages a file has. */
const ROOM: ThreadEntry = {
  type: 'thread',
  thread_id: ROOM_ID,
  created_at: formatDate(ROOM_BEGIN),
  created_by: UNKNOWN_SENDER,
  purpose: 'chat',
};

function readParentName(row: JsonObject): string | undefined {
  return readName(row['parent_message_id']) ?? readName(row['reply_to_message_id']);
}

/** The name that CoCalc's own migration would give to the thread, if its id derives from that. */
function readDerivedName(thread_id: string): string | undefined {
  const name = nameThread(timeOfUlid(thread_id));
  return deriveThreadId(name) === thread_id ? name : undefined;
}

type Relations = Pick<MessageEntry, 'reply_to_message_id' | 'after'>;

function createRelations(reply_to_message_id: string | undefined, after: string | undefined): Relations {
  return { reply_to_message_id, after };
}

/** The time, where the date is in the form of a document. */
function readDateMark({ value }: SourceRow): string | number {
  const date = isJsonObject(value) ? value['date'] : undefined;
  if (typeof date === 'number') return String(date);
  if (typeof date !== 'string') return '';
  const time = readCanonicalDate(date);
  return time < 0 ? date : time;
}

const NO_SETTINGS: { readonly config: readonly Entry[]; readonly taken: ReadonlySet<string> } = {
  config: [],
  taken: new Set(),
};
const NAME: ReadonlySet<string> = new Set(['name']);
const THREAD_COLUMNS: ReadonlySet<string> = new Set([
  ...[
    'event',
    'sender_id',
    'date',
    'thread_id',
    'root_message_id',
    'created_at',
    'created_by',
    'schema_version',
  ],
]);

function readObject(row: SourceRow | undefined): JsonObject {
  return isJsonObject(row?.value) ? row.value : {};
}

function timeOf(value: JsonObject): number {
  return readDate(value['updated_at'])?.time ?? readDate(value['date'])?.time ?? 0;
}

function readEarliest(rows: readonly SourceRow[]): number {
  const times = rows.map(({ value }) => (isJsonObject(value) ? timeOf(value) : 0));
  return times.reduce((earliest, time) => Math.min(earliest, time), times[0] ?? 0);
}

function byDate(a: SourceRow, b: SourceRow): number {
  const [first, second] = [a, b].map(({ value }) =>
    isJsonObject(value) ? (readDate(value['created_at'])?.time ?? 0) : 0,
  );
  return (first ?? 0) - (second ?? 0) || compareText(a.text, b.text);
}

/** The message without a parent, the earliest of several. */
function findRoot({ members }: ThreadFacts): CocalcMessage | undefined {
  return findFirst(members.filter(isTop));
}

function isTop({ row, replyTime }: CocalcMessage): boolean {
  return readParentName(row) === undefined && (replyTime === undefined || Number.isNaN(replyTime));
}

/** The earliest; undated ones come before, in the order of the file. */
function findFirst(messages: readonly CocalcMessage[]): CocalcMessage | undefined {
  const rank = ({ time, message_id }: CocalcMessage): string => (time === undefined ? '' : message_id);
  return [...messages].sort((a, b) => compareText(rank(a), rank(b)))[0];
}
