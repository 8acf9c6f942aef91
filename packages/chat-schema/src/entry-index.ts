import type * as Y from 'yjs';
import {
  closeLine,
  createHead,
  decodeText,
  endsInEscape,
  type Head,
  healBlanks,
  KIND,
  parseLine,
  ROLE,
  readHead,
} from './codec.js';
import { entrySchemas, type LaneEntry, LIMITS, SCHEMA_VERSION } from './entries.js';
import { type StampClock, ULID_LENGTH } from './ids.js';
import { Column, SlotTable } from './line-table.js';
import {
  clockOf,
  findLaneText,
  type LaneMap,
  type LaneText,
  listLaneTexts,
  readChanges,
  readDeletedTypes,
  readLaneText,
  readLaneTextBefore,
  visitNewStructs,
} from './structs.js';

/** A `lane` line where it stands. Copies of one lane have one header each. */
export interface Header {
  /** Null where the line fails its schema: what follows is quarantined. */
  readonly lane: LaneEntry | null;
  /** `min_reader` is above ours: not folded. */
  readonly hidden: boolean;
}

// An open line longer than this may not close within the limits.
const LONGEST_OPEN = LIMITS.line - 64;

/** What one transaction touched, as slots. */
export interface Touched {
  /** Messages with another change than appended text. */
  readonly messages: Set<number>;
  /** Messages only streamed to, with what was appended. */
  readonly deltas: {
    readonly message: number;
    readonly attempt: number;
    readonly n: number;
    readonly text: string;
    /** The text of a line that has just come, not appended to one that was there. */
    readonly first: boolean;
  }[];
  /** Threads whose own entries changed. */
  readonly threads: Set<number>;
  /** Threads of which a message line came or went, with those messages. */
  readonly lists: Map<number, Set<number>>;
  /** Messages about which an annotation came or went. */
  readonly annotated: Set<number>;
  readonly document: boolean;
  readonly any: boolean;
}

/** Lines that a deletion took, with the header above them. */
export interface TakenLine {
  readonly line: string;
  readonly header: LaneEntry | null;
}

interface OpenLine {
  /** Row in the table, or -1 while its head is not whole. */
  row: number;
  start: number;
  text: string;
  /** Its end is no half of an escape: what comes next can be decoded alone. */
  whole: boolean;
  /** Of a streamed part: its attempt and number, to name the deltas. */
  attempt: number;
  n: number;
}

/** How far one text has been read. */
interface TextState {
  readonly lane: LaneText;
  /** Grows with every change of the text. */
  version: number;
  length: number;
  endsInDeletion: boolean;
  header: number;
  open: OpenLine | undefined;
}

/**
 * Finds every line of the document by what it is about, without parsing: head ids at fixed offsets, one row of
 * numbers a line. Kept by transaction in O(changed); equal to one built anew.
 */
export class EntryIndex {
  readonly slots: SlotTable = new SlotTable();
  /** Grows with everything that changes what can be read. */
  version = 0;
  readonly #map: LaneMap;
  readonly #stamps: StampClock;
  readonly #texts: (TextState | undefined)[] = [];
  readonly #byType = new Map<Y.Text, number>();
  readonly #byKey = new Map<string, number>();
  readonly #clocks = new Map<number, number>();
  readonly #headers: Header[] = [];
  #rows = 0;
  #live = 0;
  readonly #kind = new Column(KIND.none);
  readonly #text = new Column(-1);
  readonly #start = new Column(0);
  readonly #end = new Column(-1);
  readonly #header = new Column(-1);
  readonly #subject = new Column(-1);
  readonly #role = new Column(ROLE.none);
  readonly #thread = new Column(-1);
  readonly #attempt = new Column(-1);
  readonly #next = new Column(-1);
  readonly #nextMember = new Column(-1);
  readonly #nextAttempt = new Column(-1);
  readonly #ofThread = new Column(-1);
  readonly #ofMessage = new Column(-1);
  readonly #ofAttempt = new Column(-1);
  readonly #members = new Column(-1);
  readonly #others: number[] = [];
  readonly #head: Head = createHead();
  #horizon = '';
  #touched: Touched | undefined;
  #wantDeltas = false;
  // Neighbouring lines mostly share their ids: the last slot by role saves a look-up a line.
  readonly #lastId = ['', '', '', ''];
  readonly #lastSlot = [-1, -1, -1, -1];

  constructor(map: LaneMap, stamps: StampClock) {
    this.#map = map;
    this.#stamps = stamps;
    this.#horizon = stamps.horizon();
    const doc = map.doc as Y.Doc;
    const clients = new Set(listLaneTexts(map).map((lane) => lane.client));
    for (const client of clients) this.#readClient(doc, client, undefined);
  }

  /**
   * Takes in what `transaction` changed. Call in `afterTransaction`, where deleted text can still be read.
   * Deltas of streamed text are decoded only on request.
   */
  apply(transaction: Y.Transaction, wantDeltas: boolean): { touched: Touched; lost: readonly TakenLine[] } {
    const touched = createTouched();
    const lost: TakenLine[] = [];
    const { keys, types } = readChanges(transaction, this.#map);
    const deleted = readDeletedTypes(transaction);
    if (keys.length === 0 && types.length === 0 && deleted.size === 0) return { touched, lost };
    this.#touched = touched;
    this.#wantDeltas = wantDeltas;
    this.#horizon = this.#stamps.horizon();
    const clients = new Set<number>();
    for (const key of keys) {
      const current = findLaneText(this.#map, key);
      const known = this.#byKey.get(key);
      const state = known === undefined ? undefined : this.#texts[known];
      if (state !== undefined && !sameText(state.lane, current))
        this.#drop(known as number, transaction, lost);
      if (current !== undefined) clients.add(current.client);
    }
    const stale: number[] = [];
    for (const type of deleted) {
      const text = this.#byType.get(type);
      if (text === undefined) continue;
      stale.push(text);
      clients.add((this.#texts[text] as TextState).lane.client);
    }
    for (const type of types) {
      const text = this.#byType.get(type);
      if (text !== undefined) clients.add((this.#texts[text] as TextState).lane.client);
    }
    const rescanned = new Set(stale);
    for (const client of clients) this.#readClient(transaction.doc, client, rescanned);
    this.#wantDeltas = false;
    for (const text of stale) this.#rescan(text, transaction, lost);
    this.#touched = undefined;
    if (this.#rows > 2 * this.#live + 10_000) this.#compact();
    if (touched.any) this.version += 1;
    return { touched, lost };
  }

  /** Takes in what `client` has just appended, within a transaction that is not over. */
  readAppended(doc: Y.Doc, client: number, wantDeltas: boolean): Touched {
    const touched = createTouched();
    this.#touched = touched;
    this.#wantDeltas = wantDeltas;
    this.#horizon = this.#stamps.horizon();
    this.#readClient(doc, client, undefined);
    this.#touched = undefined;
    if (touched.any) this.version += 1;
    return touched;
  }

  get lines(): number {
    return this.#live;
  }

  /** Live texts, in no order that means anything, with a number that grows when one changes. */
  *texts(): IterableIterator<{ readonly lane: LaneText; readonly version: number }> {
    for (const state of this.#texts) if (state !== undefined) yield state;
  }

  /** Every live row, hidden and quarantined ones included. */
  *rows(): IterableIterator<number> {
    for (let row = 0; row < this.#rows; row += 1) if (this.#text.get(row) >= 0) yield row;
  }

  /** Headers that stand in the document now. */
  *headers(): IterableIterator<Header> {
    const seen = new Set<number>();
    for (const row of this.rows()) {
      const header = this.#header.get(row);
      if (header >= 0 && !seen.has(header)) {
        seen.add(header);
        yield this.#headers[header] as Header;
      }
    }
  }

  /** Last lines without a newline that cannot be closed, with the header above them. */
  *tornLines(): IterableIterator<{ readonly header: Header | undefined; readonly line: string }> {
    for (const state of this.#texts) {
      if (state?.open === undefined || state.open.row >= 0) continue;
      yield { header: this.#headers[state.header], line: state.open.text };
    }
  }

  kindOf(row: number): number {
    return this.#kind.get(row);
  }

  headerOf(row: number): Header | undefined {
    return this.#headers[this.#header.get(row)];
  }

  /** The slot that the line is about; of document-wide entries -1. */
  subjectOf(row: number): number {
    return this.#subject.get(row);
  }

  /** The stamp of the line: its own id; of parts and interrupts, whose ids are derived, their attempt's. */
  stampOf(row: number): string {
    const line = this.rawLine(row);
    const head = createHead();
    readHead(line, 0, line.length, head);
    const attempt = this.attemptOf(row);
    if (attempt !== undefined) return this.slots.idOf(attempt);
    if (head.kind === KIND.interrupt) return /","attempt":"([0-9A-Z]{26})"/.exec(line)?.[1] ?? '';
    return head.own < 0 ? '' : line.substring(head.own, head.own + ULID_LENGTH);
  }

  /** Of an answer's message line: the slot of its attempt. */
  attemptOf(row: number): number | undefined {
    const slot = this.#attempt.get(row);
    return slot < 0 ? undefined : slot;
  }

  isOpen(row: number): boolean {
    return this.#end.get(row) < 0;
  }

  /** Where the line stands: its text, and `[start, end)` in it. For redaction and for copies. */
  placeOf(row: number): { readonly lane: LaneText; readonly start: number; readonly end: number } {
    const state = this.#texts[this.#text.get(row)] as TextState;
    const end = this.#end.get(row);
    return { lane: state.lane, start: this.#start.get(row), end: end < 0 ? state.length : end };
  }

  /** The characters of the line as they stand, without its newline. */
  rawLine(row: number): string {
    const { lane, start, end } = this.placeOf(row);
    return readLaneText(lane).slice(start, end);
  }

  /**
   * The line as it counts: an open one closed as cut, a blanked text as an empty one. An open line that cannot
   * be closed is given as it stands.
   */
  line(row: number): string {
    const raw = this.rawLine(row);
    if (!this.isOpen(row)) return healBlanks(raw);
    return closeLine(healBlanks(raw)) ?? raw;
  }

  /** Rows about a thread: its own, config, state, activations, annotations. */
  threadRows(slot: number): number[] {
    return this.#chain(this.#ofThread.get(slot), ROLE.thread);
  }

  /** Rows about a message: its lines (one an attempt), revisions, stops, retries, redactions, annotations. */
  messageRows(slot: number): number[] {
    return this.#chain(this.#ofMessage.get(slot), ROLE.message);
  }

  /** Parts and finishes of an attempt. */
  attemptRows(slot: number): number[] {
    return this.#chain(this.#ofAttempt.get(slot), ROLE.attempt).filter(
      (row) => this.#kind.get(row) !== KIND.message,
    );
  }

  /** Message lines that name the attempt, and the one whose own id it is. */
  attemptMessages(slot: number): number[] {
    const rows = this.#chain(this.#ofAttempt.get(slot), ROLE.attempt).filter(
      (row) => this.#kind.get(row) === KIND.message,
    );
    for (const row of this.messageRows(slot)) {
      if (this.#kind.get(row) === KIND.message && this.#attempt.get(row) < 0) rows.push(row);
    }
    return rows;
  }

  /** Slots of the messages with a line in the thread, each once. */
  memberSlots(thread: number): Set<number> {
    const slots = new Set<number>();
    for (let row = this.#members.get(thread); row >= 0; row = this.#nextMember.get(row)) {
      if (this.#kind.get(row) !== KIND.none) slots.add(this.#subject.get(row));
    }
    return slots;
  }

  /** Rows of document-wide kinds: `document`, `variables`, `legacy_row`, `unknown`, `bad`, and headers. */
  otherRows(kind: number): number[] {
    return this.#others.filter((row) => this.#kind.get(row) === kind);
  }

  /** Every slot that some live line is about in this role. */
  *slotsWith(role: 'thread' | 'message' | 'attempt' | 'member'): IterableIterator<number> {
    const heads = {
      thread: this.#ofThread,
      message: this.#ofMessage,
      attempt: this.#ofAttempt,
      member: this.#members,
    };
    for (let slot = 0; slot < this.slots.size; slot += 1) {
      if (heads[role].get(slot) >= 0) yield slot;
    }
  }

  /** Threads that the lines of a message name; more than one only where a line is forged. */
  threadsOfMessage(slot: number): Set<number> {
    const threads = new Set<number>();
    for (const row of this.messageRows(slot)) {
      if (this.#kind.get(row) === KIND.message) threads.add(this.#thread.get(row));
    }
    return threads;
  }

  #chain(head: number, role: number): number[] {
    const rows: number[] = [];
    for (let row = head; row >= 0; ) {
      const kind = this.#kind.get(row);
      if (kind !== KIND.none) rows.push(row);
      row =
        role === ROLE.attempt && this.#isAnswerRow(row) ? this.#nextAttempt.get(row) : this.#next.get(row);
    }
    return rows;
  }

  // Also of dead rows, which stay linked: only message lines have a thread.
  #isAnswerRow(row: number): boolean {
    return this.#thread.get(row) >= 0;
  }

  #readClient(doc: Y.Doc, client: number, rescanned: ReadonlySet<number> | undefined): void {
    const from = this.#clocks.get(client) ?? 0;
    let current = -1;
    let currentType: unknown;
    visitNewStructs(doc, client, from, (parent, key, text) => {
      if (key !== null) {
        if (parent === this.#map) this.#add(key, client);
        return;
      }
      if (parent !== currentType) {
        currentType = parent;
        current = this.#byType.get(parent as Y.Text) ?? -1;
      }
      if (current < 0 || rescanned?.has(current) === true) return;
      const state = this.#texts[current] as TextState;
      if (state.lane.client === client) this.#append(current, state, text);
    });
    this.#clocks.set(client, clockOf(doc, client));
  }

  #add(key: string, client: number): void {
    const lane = findLaneText(this.#map, key);
    if (lane === undefined || lane.client !== client || this.#byType.has(lane.type)) return;
    const text = this.#texts.length;
    this.#texts.push({ lane, version: 0, length: 0, endsInDeletion: false, header: -1, open: undefined });
    this.#byType.set(lane.type, text);
    this.#byKey.set(key, text);
    markAny(this.#touched);
  }

  #append(text: number, state: TextState, chunk: string | undefined): void {
    if (chunk === undefined) {
      if (!state.endsInDeletion) this.#appendText(text, state, '\0');
      state.endsInDeletion = true;
    } else if (chunk !== '') {
      state.endsInDeletion = false;
      this.#appendText(text, state, chunk);
    }
  }

  #appendText(text: number, state: TextState, chunk: string): void {
    markAny(this.#touched);
    state.version += 1;
    let from = 0;
    if (state.open !== undefined) {
      const newline = chunk.indexOf('\n');
      from = newline < 0 ? chunk.length : newline + 1;
      this.#extend(text, state, state.open, chunk, newline);
    }
    const base = state.length;
    state.length += chunk.length;
    for (let newline = chunk.indexOf('\n', from); newline >= 0; newline = chunk.indexOf('\n', from)) {
      this.#file(text, state, chunk, from, newline, base, false);
      from = newline + 1;
    }
    if (from < chunk.length) {
      const open: OpenLine = {
        row: -1,
        start: base + from,
        text: chunk.slice(from),
        whole: false,
        attempt: -1,
        n: 0,
      };
      state.open = open;
      this.#fileOpen(text, state, open);
    }
  }

  /** Goes on with the line that was open; `newline` is where it ends in `chunk`, or -1. */
  #extend(text: number, state: TextState, open: OpenLine, chunk: string, newline: number): void {
    const more = newline < 0 ? chunk : chunk.slice(0, newline);
    open.text += more;
    if (newline >= 0) {
      state.open = undefined;
      if (open.row < 0) {
        this.#file(text, state, open.text, 0, open.text.length, open.start, false);
        return;
      }
      this.#end.set(open.row, open.start + open.text.length);
      // What closes the line is no text: `"}` after what was streamed.
      if (open.whole && more.endsWith('"}')) this.#stream(open, decodeText(more.slice(0, -2)));
      this.#touchRow(open.row);
    } else if (open.row < 0) {
      this.#fileOpen(text, state, open);
    } else {
      const decoded = open.whole ? decodeText(more) : undefined;
      if (decoded === undefined || open.text.length > LONGEST_OPEN) this.#checkOpen(open);
      else this.#stream(open, decoded);
    }
  }

  /** What came is no whole run of text, or too much of it: the line is read again, if it still can be closed. */
  #checkOpen(open: OpenLine): void {
    this.#touchRow(open.row);
    open.whole = !endsInEscape(open.text);
    if (closeLine(healBlanks(open.text)) !== undefined) return;
    this.#killRow(open.row);
    open.row = -1;
  }

  #stream(open: OpenLine, text: string | undefined): void {
    const touched = this.#touched;
    if (touched === undefined || text === '') return;
    if (text === undefined || open.n === 0) this.#touchRow(open.row);
    else this.#pushDelta(touched, open.attempt, open.n, text, false);
  }

  #pushDelta(touched: Touched, attempt: number, n: number, text: string, first: boolean): void {
    const row = this.attemptMessages(attempt)[0];
    if (row !== undefined) touched.deltas.push({ message: this.#subject.get(row), attempt, n, text, first });
  }

  #fileOpen(text: number, state: TextState, open: OpenLine): void {
    const row = this.#rows;
    this.#file(text, state, open.text, 0, open.text.length, open.start, true);
    if (this.#rows === row) return;
    open.row = row;
    open.whole = !endsInEscape(open.text);
    if (this.#kind.get(row) === KIND.part) {
      open.attempt = this.#subject.get(row);
      open.n = readNumber(open.text);
    }
  }

  /**
   * Files the line `[from, to)` of `chunk`, whose first character stands at `base` in its text. An open line
   * is filed only while it can be closed, and a header only when it ends.
   */
  #file(
    text: number,
    state: TextState,
    chunk: string,
    from: number,
    to: number,
    base: number,
    open: boolean,
  ): void {
    const head = this.#head;
    readHead(chunk, from, to, head);
    if (open && (head.kind === KIND.lane || closeLine(healBlanks(chunk.slice(from, to))) === undefined))
      return;
    const row = this.#rows;
    this.#rows += 1;
    this.#live += 1;
    this.#text.set(row, text);
    this.#start.set(row, base + from);
    this.#end.set(row, open ? -1 : base + to);
    if (head.kind === KIND.lane) {
      state.header = this.#headers.length;
      this.#headers.push(readHeader(chunk.slice(from, to)));
    }
    this.#header.set(row, state.header);
    const header = this.#headers[state.header];
    const own = head.own < 0 ? '' : chunk.substring(head.own, head.own + ULID_LENGTH);
    if (header === undefined || header.lane === null) {
      this.#kind.set(row, KIND.bad);
      this.#others.push(row);
      return;
    }
    if (header.hidden && head.kind !== KIND.lane) return;
    this.#kind.set(row, head.kind);
    if (head.kind === KIND.lane) {
      this.#others.push(row);
      return;
    }
    if (own !== '') this.#stamps.notice(own, this.#horizon);
    this.#link(row, chunk, head);
  }

  #link(row: number, chunk: string, head: Head): void {
    const touched = this.#touched;
    const role = head.subjectRole;
    if (role === ROLE.none) {
      this.#others.push(row);
      if (touched !== undefined) (touched as { document: boolean }).document = true;
      return;
    }
    const subject = this.#slotAt(chunk, head.subject, role);
    this.#subject.set(row, subject);
    this.#role.set(row, role);
    const chain =
      role === ROLE.thread ? this.#ofThread : role === ROLE.message ? this.#ofMessage : this.#ofAttempt;
    this.#next.set(row, chain.get(subject));
    chain.set(subject, row);
    if (head.kind === KIND.message) {
      const thread = this.#slotAt(chunk, head.thread, ROLE.thread);
      this.#thread.set(row, thread);
      this.#nextMember.set(row, this.#members.get(thread));
      this.#members.set(thread, row);
      if (head.attempt >= 0) {
        this.#stamps.notice(chunk.substring(head.attempt, head.attempt + ULID_LENGTH), this.#horizon);
        const attempt = this.#slotAt(chunk, head.attempt, ROLE.attempt);
        this.#attempt.set(row, attempt);
        this.#nextAttempt.set(row, this.#ofAttempt.get(attempt));
        this.#ofAttempt.set(attempt, row);
      }
    }
    if (touched !== undefined) {
      this.#touchRow(row);
      if (head.kind === KIND.part && this.#wantDeltas) this.#noteFirstText(touched, row);
    }
  }

  /** The text that a part line brings, unless another line of this part is there already. */
  #noteFirstText(touched: Touched, row: number): void {
    const line = this.rawLineOfNewPart(row);
    const n = readNumber(line);
    const attempt = this.#subject.get(row);
    for (const other of this.attemptRows(attempt)) {
      if (other !== row && this.#kind.get(other) === KIND.part && readNumber(this.rawLine(other)) === n)
        return;
    }
    const parsed = parseLine(this.isOpen(row) ? (closeLine(line) ?? '') : line);
    if (!parsed.ok || typeof parsed.body['text'] !== 'string' || parsed.body['text'] === '') return;
    this.#pushDelta(touched, attempt, n, parsed.body['text'], true);
  }

  /** @internal The raw line of a row whose text may not be counted in its state's length yet. */
  rawLineOfNewPart(row: number): string {
    const state = this.#texts[this.#text.get(row)] as TextState;
    const end = this.#end.get(row);
    const text = readLaneText(state.lane);
    return text.slice(this.#start.get(row), end < 0 ? text.length : end);
  }

  #slotAt(chunk: string, at: number, role: number): number {
    if (chunk.startsWith(this.#lastId[role] as string, at) && this.#lastSlot[role] !== -1) {
      return this.#lastSlot[role] as number;
    }
    const id = chunk.substring(at, at + ULID_LENGTH);
    const slot = this.slots.take(id);
    this.#lastId[role] = id;
    this.#lastSlot[role] = slot;
    return slot;
  }

  #touchRow(row: number): void {
    const touched = this.#touched;
    if (touched === undefined) return;
    const subject = this.#subject.get(row);
    switch (this.#kind.get(row)) {
      case KIND.none:
        return;
      case KIND.message:
        touched.messages.add(subject);
        addTo(touched.lists, this.#thread.get(row), subject);
        return;
      case KIND.part:
      case KIND.finish:
        for (const message of this.attemptMessages(subject)) touched.messages.add(this.#subject.get(message));
        return;
      case KIND.thread:
      case KIND.thread_config:
      case KIND.thread_state:
      case KIND.activation:
        touched.threads.add(subject);
        return;
      case KIND.annotation:
        (this.#isThreadRow(row) ? touched.threads : touched.annotated).add(subject);
        return;
      default:
        if (subject < 0) (touched as { document: boolean }).document = true;
        else touched.messages.add(subject);
    }
  }

  /** Of an annotation: whether it is about a thread. */
  #isThreadRow(row: number): boolean {
    return this.#role.get(row) === ROLE.thread;
  }

  /** The text is no longer the map's: all its lines go. */
  #drop(text: number, transaction: Y.Transaction, lost: TakenLine[]): void {
    const state = this.#texts[text] as TextState;
    collectLines(readLaneTextBefore(state.lane, transaction), lost);
    this.#kill(text);
    this.#texts[text] = undefined;
    this.#byType.delete(state.lane.type);
    this.#byKey.delete(state.lane.key);
  }

  /** Characters of the text were deleted: offsets have moved, so it is read again. O(text + rows). */
  #rescan(text: number, transaction: Y.Transaction, lost: TakenLine[]): void {
    const state = this.#texts[text];
    if (state === undefined) return;
    const before: TakenLine[] = [];
    collectLines(readLaneTextBefore(state.lane, transaction), before);
    this.#kill(text);
    const now = readLaneText(state.lane);
    state.length = 0;
    state.endsInDeletion = now.endsWith('\0');
    state.header = -1;
    state.open = undefined;
    state.version += 1;
    if (now !== '') this.#appendText(text, state, now);
    const after: TakenLine[] = [];
    collectLines(now, after);
    const kept = new Set(after.map(nameLine));
    for (const entry of before) if (!kept.has(nameLine(entry))) lost.push(entry);
  }

  #kill(text: number): void {
    markAny(this.#touched);
    for (let row = 0; row < this.#rows; row += 1) {
      if (this.#text.get(row) === text) this.#killRow(row);
    }
  }

  /** The row stays linked and is skipped from now on. */
  #killRow(row: number): void {
    this.#touchRow(row);
    this.#kind.set(row, KIND.none);
    this.#text.set(row, -1);
    this.#live -= 1;
  }

  /** Drops dead rows by reading every text again. Slots, and so all caches, stay. */
  #compact(): void {
    const columns = [
      this.#kind,
      this.#text,
      this.#start,
      this.#end,
      this.#header,
      this.#subject,
      this.#thread,
    ];
    columns.push(this.#role, this.#attempt, this.#next, this.#nextMember, this.#nextAttempt);
    columns.push(this.#ofThread, this.#ofMessage, this.#ofAttempt, this.#members);
    for (const column of columns) column.clear();
    this.#rows = 0;
    this.#live = 0;
    this.#headers.length = 0;
    this.#others.length = 0;
    for (const [text, state] of this.#texts.entries()) {
      if (state === undefined) continue;
      const now = readLaneText(state.lane);
      state.length = 0;
      state.header = -1;
      state.open = undefined;
      if (now !== '') this.#appendText(text, state, now);
    }
  }
}

/** Adds what `from` says to `into`: two looks at one transaction. */
export function mergeTouched(into: Touched, from: Touched): void {
  for (const slot of from.messages) into.messages.add(slot);
  for (const slot of from.threads) into.threads.add(slot);
  for (const slot of from.annotated) into.annotated.add(slot);
  for (const [thread, messages] of from.lists)
    for (const message of messages) addTo(into.lists, thread, message);
  into.deltas.push(...from.deltas);
  const mutable = into as { document: boolean; any: boolean };
  mutable.document ||= from.document;
  mutable.any ||= from.any;
}

export function createTouched(): Touched {
  return {
    messages: new Set(),
    deltas: [],
    threads: new Set(),
    lists: new Map(),
    annotated: new Set(),
    document: false,
    any: false,
  };
}

function addTo(map: Map<number, Set<number>>, key: number, value: number): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function markAny(touched: Touched | undefined): void {
  if (touched !== undefined) (touched as { any: boolean }).any = true;
}

function sameText(a: LaneText, b: LaneText | undefined): boolean {
  return b !== undefined && a.client === b.client && a.clock === b.clock;
}

function readHeader(line: string): Header {
  const parsed = parseLine(line);
  const header = parsed.ok ? entrySchemas.lane.safeParse(parsed.body) : undefined;
  if (header === undefined || !header.success) return { lane: null, hidden: false };
  const lane = header.data as unknown as LaneEntry;
  // The head names the lane; a second `lane_id` behind it must not.
  return { lane: { ...lane, lane_id: line.substring(26, 52) }, hidden: lane.min_reader > SCHEMA_VERSION };
}

/** The number of a part, which stands right after its attempt. */
export function readNumber(line: string): number {
  return Number.parseInt(line.slice(58, 74), 10);
}

function nameLine({ line, header }: TakenLine): string {
  return `${header?.lane_id ?? ''} ${line}`;
}

/** The lines of a text with their headers; an open last line closed as cut. */
function collectLines(text: string, into: TakenLine[]): void {
  let header: LaneEntry | null = null;
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const closed = last === '' ? undefined : closeLine(healBlanks(last));
  if (closed !== undefined) lines.push(closed);
  for (const raw of lines) {
    const line = healBlanks(raw);
    if (line.startsWith('{"type":"lane",')) header = readHeader(line).lane;
    else if (!line.includes('\0')) into.push({ line, header });
  }
}
