import type { Environment } from '@chatdoc/schema';
import {
  EntryIndex,
  findLaneText,
  isKeyTaken,
  KIND,
  type LaneEntry,
  type LaneMap,
  type LaneText,
  parseLine,
  ROLE,
  type Run,
  readLineRuns,
  readOpenRuns,
  StampClock,
} from '@chatdoc/schema/internal';
import type * as Y from 'yjs';
import { type LineIds, readLineIds } from './lines.js';

/** Messages with lines of several users. */
export const SEVERAL = 'several';

/** Whose a message is: the header above its lines, one of several where they are of one user. */
export type Author = LaneEntry | typeof SEVERAL;

/** Who opened an attempt at an answer, and at which. */
export interface Answer {
  readonly message_id: string;
  readonly lane: LaneEntry;
}

/** Who wrote what, as far as a new line is judged by it: of a document, or of an update on its way into it. */
export interface Known {
  /** The first header that used this writer id. */
  writer(writerId: string): LaneEntry | undefined;
  /** The header above the first line of this entry; not for messages, parts and finishes. */
  entry(ids: LineIds): LaneEntry | undefined;
  author(messageId: string): Author | undefined;
  answer(attempt: string): Answer | undefined;
  isRedacted(messageId: string): boolean;
}

/** What a clientID owns. */
export interface ClientOwner {
  /** The user whom the header of its first lane names. */
  user: string | undefined;
  firstClock: number;
  /** Its latest lane, in which alone it can go on, and the header of that; undefined while no lane has one. */
  lane: LaneText | undefined;
  header: LaneEntry | undefined;
  /** Readers do not fold what is under this header. */
  isHidden: boolean;
  /** The last line of this lane that the index has filed. */
  row: number;
  /** Of that line while it is open and may take text, its ids; null where it may not; undefined until somebody asks. */
  growing: LineIds | null | undefined;
  /** Owns lines under a foreign header: nobody writes in its name again. */
  isCopy: boolean;
}

/** The last line of a lane, without a newline. */
export interface OpenLine {
  readonly length: number;
  /** Whether it is filed, as the growing text of a part. */
  readonly isPart: boolean;
}

interface Subject {
  /** Rows up to this one are looked at. */
  row: number;
  author: Author | undefined;
  answer: Answer | undefined;
  redacted: boolean;
}

interface Entries {
  /** Rows up to this one are looked at. */
  row: number;
  readonly lanes: Map<string, LaneEntry>;
}

/**
 * Who owns what of a document: clientIDs, writer ids, entries. Follows the document transaction by transaction,
 * whoever writes, by the rows of its own index; of what lines say nothing is kept but what somebody has asked about.
 * Each row is looked at once for a subject that is asked about.
 */
export class Owners implements Known {
  readonly #doc: Y.Doc;
  readonly #map: LaneMap;
  readonly #index: EntryIndex;
  readonly #clients = new Map<number, ClientOwner>();
  readonly #writers = new Map<string, LaneEntry>();
  readonly #subjects = new Map<string, Subject>();
  readonly #entries = new Map<string, Entries>();
  #filed = 0;
  #epoch = 0;

  constructor(doc: Y.Doc, root: string, environment: Environment) {
    this.#doc = doc;
    this.#map = doc.getMap(root);
    const [a = 0, b = 0, c = 0, d = 0] = environment.random(4);
    const seed = (a << 24) | (b << 16) | (c << 8) | d;
    this.#index = new EntryIndex(this.#map, new StampClock(environment), seed);
    this.#readRows();
    for (const { lane } of this.#index.texts()) this.#ownerOf(lane);
    doc.on('afterTransaction', this.#onTransaction);
  }

  /** Stops following the document. */
  close(): void {
    this.#doc.off('afterTransaction', this.#onTransaction);
  }

  isKeyTaken(key: string): boolean {
    return isKeyTaken(this.#map, key);
  }

  /** Undefined for a client that owns no lane. */
  client(client: number): ClientOwner | undefined {
    return this.#clients.get(client);
  }

  /** The lane that the map entry of `client` at `clock` holds under `key`. */
  lane(key: string, client: number, clock: number): LaneText | undefined {
    const lane = findLaneText(this.#map, key);
    return lane?.client === client && lane.clock === clock ? lane : undefined;
  }

  /** The runs of the line that a character of the lane is in. O(line). */
  lineRuns(lane: LaneText, clock: number): Run[] {
    return readLineRuns(this.#doc, lane, clock);
  }

  /** The runs of the last line of a lane that no newline ends. O(line). */
  openRuns(lane: LaneText): Run[] {
    return readOpenRuns(this.#doc, lane);
  }

  /** The last line of a client's latest lane, if no newline ends it. O(1) where it is the growing text of a part. */
  openLine({ lane, row }: ClientOwner): OpenLine | undefined {
    if (lane === undefined) return undefined;
    const index = this.#index;
    if (index.kindOf(row) === KIND.part && index.isOpen(row)) {
      const { start, end } = index.placeOf(row);
      return { length: end - start, isPart: true };
    }
    const length = this.openRuns(lane).reduce((sum, run) => sum + run.length, 0);
    return length === 0 ? undefined : { length, isPart: false };
  }

  writer(writerId: string): LaneEntry | undefined {
    return this.#writers.get(writerId);
  }

  entry(ids: LineIds): LaneEntry | undefined {
    const { kind, role, subject } = ids;
    const name = role === ROLE.none ? `${kind}` : nameSubject(role, subject);
    const known = this.#entries.get(name);
    const rows = this.#listNew(role, subject, kind, known?.row);
    const [last] = rows;
    if (last === undefined) return known?.lanes.get(nameEntry(ids));
    const entries = known ?? { row: -1, lanes: new Map<string, LaneEntry>() };
    this.#entries.set(name, entries);
    entries.row = last;
    // Oldest first: who was there before counts.
    for (const row of rows.reverse()) this.#readEntry(entries.lanes, row);
    return entries.lanes.get(nameEntry(ids));
  }

  author(messageId: string): Author | undefined {
    return this.#subject(ROLE.message, messageId)?.author;
  }

  answer(attempt: string): Answer | undefined {
    return this.#subject(ROLE.attempt, attempt)?.answer;
  }

  isRedacted(messageId: string): boolean {
    return this.#subject(ROLE.message, messageId)?.redacted === true;
  }

  readonly #onTransaction = (transaction: Y.Transaction): void => {
    const { touched } = this.#index.apply(transaction, false);
    this.#readRows();
    // A text without a whole line has no row.
    for (const key of touched.texts) {
      const lane = this.#index.textAt(key);
      if (lane !== undefined) this.#ownerOf(lane);
    }
  };

  #readRows(): void {
    const index = this.#index;
    if (index.epoch !== this.#epoch) {
      this.#epoch = index.epoch;
      this.#filed = 0;
      this.#clients.clear();
      this.#subjects.clear();
      this.#entries.clear();
    }
    for (const row of index.rows(this.#filed)) this.#noteRow(row);
    this.#filed = index.filed;
  }

  #ownerOf({ client }: LaneText): ClientOwner {
    let owner = this.#clients.get(client);
    if (owner === undefined) {
      const none = { user: undefined, lane: undefined, header: undefined, growing: undefined };
      owner = { ...none, firstClock: Number.POSITIVE_INFINITY, row: -1, isHidden: false, isCopy: false };
      this.#clients.set(client, owner);
    }
    return owner;
  }

  #noteRow(row: number): void {
    const index = this.#index;
    const lane = index.textOfRow(row);
    const start = index.startOf(row);
    const { lane: entry, hidden = false } = index.headerOf(row) ?? {};
    const header = entry ?? undefined;
    const isHeader = index.kindOf(row) === KIND.lane;
    const owner = this.#ownerOf(lane);
    const isOwn = header?.lane_id === lane.key && header.rolled_back === undefined;
    if (!isOwn || (isHeader && start > 0)) owner.isCopy = true;
    if (header === undefined) return;
    if (isHeader && !this.#writers.has(header.writer_id)) this.#writers.set(header.writer_id, header);
    if (lane.clock < owner.firstClock) {
      owner.firstClock = lane.clock;
      owner.user = header.user_id;
    }
    if (owner.lane !== undefined && lane.clock < owner.lane.clock) return;
    owner.lane = lane;
    owner.header = header;
    owner.isHidden = hidden;
    owner.row = row;
    owner.growing = undefined;
  }

  /** Rows about an id in a role, or, without one, of a kind, behind the row `after`; newest first. */
  #listNew(role: LineIds['role'], id: string, kind: number, after: number | undefined): number[] {
    const index = this.#index;
    return [...(role === ROLE.none ? index.otherRows(kind, after) : index.rowsAbout(role, id, after))];
  }

  #readEntry(lanes: Map<string, LaneEntry>, row: number): void {
    const index = this.#index;
    const kind = index.kindOf(row);
    const lane = index.headerOf(row)?.lane ?? undefined;
    if (lane === undefined || isUnnamed(kind) || kind === KIND.message) return;
    const name = nameEntry(readLineIds(index.rawLine(row)));
    if (!lanes.has(name)) lanes.set(name, lane);
  }

  /** What is known about a message or an attempt. */
  #subject(role: typeof ROLE.message | typeof ROLE.attempt, id: string): Subject | undefined {
    const name = nameSubject(role, id);
    const known = this.#subjects.get(name);
    const rows = this.#listNew(role, id, KIND.none, known?.row);
    const [last] = rows;
    if (last === undefined) return known;
    const none = { author: undefined, answer: undefined, redacted: false };
    const subject: Subject = known ?? { row: -1, ...none };
    this.#subjects.set(name, subject);
    subject.row = last;
    for (const row of rows.reverse()) this.#look(subject, role, row);
    return subject;
  }

  #look(subject: Subject, role: number, row: number): void {
    const index = this.#index;
    const kind = index.kindOf(row);
    const lane = index.headerOf(row)?.lane ?? undefined;
    if (lane === undefined) return;
    if (kind === KIND.message && role === ROLE.message) subject.author = mergeAuthors(subject.author, lane);
    else if (kind === KIND.message) {
      subject.answer ??= { message_id: readLineIds(index.rawLine(row)).own, lane };
    } else if (kind === KIND.redaction && !subject.redacted) {
      subject.redacted = parseLine(index.rawLine(row)).ok;
    }
  }
}

function nameSubject(role: number, id: string): string {
  return `${role} ${id}`;
}

/** Entries about one subject that are one. */
export function nameEntry({ kind, own }: LineIds): string {
  return `${kind} ${own}`;
}

/** Kinds whose own id belongs to nobody: headers, what belongs to an attempt, what readers can't read. */
export function isUnnamed(kind: number): boolean {
  return UNNAMED.has(kind);
}

const UNNAMED: ReadonlySet<number> = new Set([KIND.lane, KIND.part, KIND.finish, KIND.unknown, KIND.bad]);

/** Whose a message is that has another line under `lane`. */
export function mergeAuthors(author: Author | undefined, lane: LaneEntry): Author {
  if (author === undefined) return lane;
  return author !== SEVERAL && author.user_id === lane.user_id ? author : SEVERAL;
}
