import type { Environment } from '@chatdoc/schema';
import {
  EntryIndex,
  findLaneText,
  type Header,
  isKeyTaken,
  KIND,
  type LaneEntry,
  type LaneMap,
  type LaneText,
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
  header: Header | undefined;
  /** The last line of this lane that the index has filed, and where that begins. */
  row: number;
  start: number;
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

/** What is known of the rows about one subject, up to the row `seen`. */
interface Seen<T> {
  seen: number;
  value: T;
}

/** No head is longer. */
const MAX_HEAD = 256;

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
  readonly #entries = new Map<string, Seen<Map<string, LaneEntry>>>();
  readonly #authors = new Map<string, Seen<Author>>();
  readonly #answers = new Map<string, Answer>();
  #seen = -1;
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
    const ref = role === ROLE.none ? -1 : this.#index.refs.find(subject);
    if (ref === undefined || isUnnamed(kind)) return undefined;
    const name = role === ROLE.none ? `${kind}` : `${role} ${subject}`;
    const known = this.#entries.get(name);
    const rows = this.#listEntries(role, ref, kind, known?.seen);
    if (rows.length === 0) return known?.value.get(nameEntry(ids));
    const entries = known ?? { seen: -1, value: new Map<string, LaneEntry>() };
    this.#entries.set(name, entries);
    entries.seen = this.#index.lastRow;
    // Oldest first: who was there before counts.
    for (const row of rows.reverse()) this.#readEntry(entries.value, row);
    return entries.value.get(nameEntry(ids));
  }

  author(messageId: string): Author | undefined {
    const index = this.#index;
    const ref = index.refs.find(messageId);
    if (ref === undefined) return undefined;
    const known = this.#authors.get(messageId);
    let author = known?.value;
    for (const row of index.messageLines(ref, known?.seen)) {
      const lane = index.headerOf(row)?.lane ?? undefined;
      if (lane !== undefined) author = mergeAuthors(author, lane);
    }
    if (author !== undefined) this.#authors.set(messageId, { seen: index.lastRow, value: author });
    return author;
  }

  answer(attempt: string): Answer | undefined {
    const known = this.#answers.get(attempt);
    if (known !== undefined) return known;
    const index = this.#index;
    const ref = index.refs.find(attempt);
    const row = ref === undefined ? undefined : index.answerOf(ref);
    const lane = row === undefined ? undefined : index.headerOf(row)?.lane;
    if (row === undefined || lane === undefined || lane === null) return undefined;
    const answer = { message_id: index.refs.idOf(index.subjectOf(row)), lane };
    this.#answers.set(attempt, answer);
    return answer;
  }

  isRedacted(messageId: string): boolean {
    const ref = this.#index.refs.find(messageId);
    return ref !== undefined && this.#index.isRedacted(ref);
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
      this.#seen = -1;
      this.#clients.clear();
      this.#entries.clear();
      this.#authors.clear();
    }
    for (const row of index.rows(this.#seen + 1)) this.#noteRow(row);
    this.#seen = index.lastRow;
  }

  #ownerOf({ client }: LaneText): ClientOwner {
    let owner = this.#clients.get(client);
    if (owner === undefined) {
      const none = { user: undefined, lane: undefined, header: undefined, growing: undefined };
      owner = { ...none, firstClock: Number.POSITIVE_INFINITY, row: -1, start: -1, isCopy: false };
      this.#clients.set(client, owner);
    }
    return owner;
  }

  #noteRow(row: number): void {
    const index = this.#index;
    const lane = index.textOfRow(row);
    const start = index.startOf(row);
    const header = index.headerOf(row);
    const entry = header?.lane ?? undefined;
    const isHeader = index.kindOf(row) === KIND.lane;
    const owner = this.#ownerOf(lane);
    const isOwn = entry?.lane_id === lane.key && entry.rolled_back === undefined;
    if (!isOwn || (isHeader && start > 0)) owner.isCopy = true;
    if (entry === undefined) return;
    if (isHeader && !this.#writers.has(entry.writer_id)) this.#writers.set(entry.writer_id, entry);
    if (lane.clock < owner.firstClock) {
      owner.firstClock = lane.clock;
      owner.user = entry.user_id;
    }
    const latest = owner.lane?.clock ?? -1;
    // Lines of which somebody has deleted text are filed again.
    if (lane.clock < latest || (lane.clock === latest && start < owner.start)) return;
    owner.lane = lane;
    owner.header = header;
    owner.row = row;
    owner.start = start;
    owner.growing = undefined;
  }

  /** Rows about a ref in a role, or, without one, of a kind, behind the row `since`; newest first. */
  #listEntries(role: number, ref: number, kind: number, since: number | undefined): number[] {
    const index = this.#index;
    if (role === ROLE.none) return index.otherRows(kind, since);
    return role === ROLE.thread ? index.threadRows(ref, since) : index.messageRows(ref, since);
  }

  #readEntry(lanes: Map<string, LaneEntry>, row: number): void {
    const index = this.#index;
    const kind = index.kindOf(row);
    const lane = index.headerOf(row)?.lane ?? undefined;
    if (lane === undefined || isUnnamed(kind) || kind === KIND.message) return;
    const { text, start, end } = index.placeOf(row);
    const line = index.readPlace({ text, start, end: Math.min(end, start + MAX_HEAD) });
    const name = nameEntry(readLineIds(line));
    if (!lanes.has(name)) lanes.set(name, lane);
  }
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
