import type * as Y from 'yjs';
import { ROLE } from '../entry/define.js';
import { createHead, forgetHead, type Head, PROMPT_BEFORE, readHead, readPartNumber } from '../entry/head.js';
import type { LaneEntry } from '../entry/lane.js';
import { LIMITS } from '../entry/limits.js';
import { closeLine, decodeText, endsInEscape, healBlanks, parseLine } from '../entry/line.js';
import { KIND } from '../entry/table.js';
import { isUlidAt, type StampClock, ULID_LENGTH } from '../entry/ulid.js';
import { type Header, readHeader } from '../lane/header.js';
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
} from '../lane/structs.js';
import { LineTable, type Links } from './lines.js';
import { addListed, createTouched, type Touched } from './touched.js';

// An open line longer than this may not close within the limits.
const LONGEST_OPEN = LIMITS.line - 64;

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
export class EntryIndex extends LineTable {
  readonly #map: LaneMap;
  readonly #stamps: StampClock;
  readonly #texts: (TextState | undefined)[] = [];
  readonly #byType = new Map<Y.Text, number>();
  readonly #byKey = new Map<string, number>();
  readonly #clocks = new Map<number, number>();
  readonly #head: Head = createHead();
  readonly #links: Links = { subject: -1, role: ROLE.none, thread: -1, attempt: -1 };
  #horizon = '';
  #touched: Touched | undefined;
  #wantDeltas = false;

  constructor(map: LaneMap, stamps: StampClock, seed: number) {
    super(seed);
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
    for (const key of keys) touched.texts.add(key);
    for (const text of [...types, ...deleted]) {
      const state = this.#texts[this.#byType.get(text) ?? -1];
      if (state !== undefined) touched.texts.add(state.lane.key);
    }
    const rescanned = new Set(stale);
    for (const client of clients) this.#readClient(transaction.doc, client, rescanned);
    this.#wantDeltas = false;
    for (const text of stale) this.#rescan(text, transaction, lost);
    this.#touched = undefined;
    if (this.isWasteful) this.#compact();
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
    return touched;
  }

  /** Live texts, in no order that means anything, with a number that grows when one changes. */
  *texts(): IterableIterator<{ readonly lane: LaneText; readonly version: number }> {
    for (const state of this.#texts) if (state !== undefined) yield state;
  }

  /** The text that is read under this key. */
  textAt(key: string): LaneText | undefined {
    const text = this.#byKey.get(key);
    return text === undefined ? undefined : this.#texts[text]?.lane;
  }

  /** Last lines without a newline that are not filed, as they stand, with the header above them. */
  *tornLines(): IterableIterator<{ readonly header: Header | undefined; readonly line: string }> {
    for (const state of this.#texts) {
      if (state?.open === undefined || state.open.row >= 0) continue;
      yield { header: this.headerList[state.header], line: state.open.text };
    }
  }

  /** Torn lines about a message or its attempts, and where each begins in its text. O(texts). */
  *tornAbout(message: number): IterableIterator<{
    readonly lane: LaneText;
    readonly start: number;
    readonly line: string;
  }> {
    for (const state of this.#texts) {
      if (state?.open === undefined || state.open.row >= 0) continue;
      const { lane, hidden } = this.headerList[state.header] ?? {};
      if (lane === undefined || lane === null || hidden === true) continue;
      if (!this.#messagesOf(state.open.text).includes(message)) continue;
      yield { lane: state.lane, start: state.open.start, line: state.open.text };
    }
  }

  /** The messages that a line about a message or an attempt is about. */
  #messagesOf(line: string): readonly number[] {
    const head = this.#head;
    readHead(line, 0, line.length, head);
    if (head.subject < 0 || head.subjectRole === ROLE.thread) return [];
    const slot = this.slots.find(line.substring(head.subject, head.subject + ULID_LENGTH));
    if (slot === undefined) return [];
    return head.subjectRole === ROLE.message
      ? [slot]
      : this.attemptMessages(slot).map((row) => this.subjectOf(row));
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

  /** Where the line stands: its text, and `[start, end)` in it. For redaction and for copies. */
  placeOf(row: number): { readonly lane: LaneText; readonly start: number; readonly end: number } {
    const state = this.#texts[this.textOf(row)] as TextState;
    const end = this.endOf(row);
    return { lane: state.lane, start: this.startOf(row), end: end < 0 ? state.length : end };
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
    return closeLine(raw) ?? raw;
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
      if (open.row < 0) markLanes(this.#touched);
    }
  }

  /** Goes on with the line that was open; `newline` is where it ends in `chunk`, or -1. */
  #extend(text: number, state: TextState, open: OpenLine, chunk: string, newline: number): void {
    const more = newline < 0 ? chunk : chunk.slice(0, newline);
    open.text += more;
    if (open.row < 0) this.#touchTorn(open);
    if (newline >= 0) {
      state.open = undefined;
      if (open.row < 0) {
        this.#file(text, state, open.text, 0, open.text.length, open.start, false);
        return;
      }
      this.closeRow(open.row, open.start + open.text.length);
      // What closes the line is no text: `"}` after what was streamed.
      if (open.whole && more.endsWith('"}')) this.#stream(open, decodeText(more.slice(0, -2)));
      this.#touchRow(open.row);
    } else if (open.row < 0) {
      this.#fileOpen(text, state, open);
    } else {
      const decoded = open.whole ? decodeText(more) : undefined;
      if (decoded === undefined || open.text.length > LONGEST_OPEN) this.#checkOpen(open);
      else this.#stream(open, decoded);
      // A text beyond the limit is a problem of its part.
      if (open.text.length > LIMITS.text && open.row >= 0) this.#touched?.attempts.add(open.attempt);
    }
  }

  /** What came is no whole run of text, or too much of it: the line is read again, if it still can be closed. */
  #checkOpen(open: OpenLine): void {
    this.#touchRow(open.row);
    open.whole = canGrow(open.text);
    if (closeLine(open.text) !== undefined) return;
    this.#killRow(open.row);
    open.row = -1;
    this.#touchTorn(open);
  }

  #stream(open: OpenLine, text: string | undefined): void {
    const touched = this.#touched;
    if (touched === undefined || text === '') return;
    if (text === undefined || open.n === 0) this.#touchRow(open.row);
    else this.#pushDelta(touched, open.attempt, open.n, text, false);
  }

  #pushDelta(touched: Touched, attempt: number, n: number, text: string, first: boolean): void {
    const row = this.attemptMessages(attempt)[0];
    if (row !== undefined) touched.deltas.push({ message: this.subjectOf(row), attempt, n, text, first });
  }

  #fileOpen(text: number, state: TextState, open: OpenLine): void {
    const row = this.size;
    this.#file(text, state, open.text, 0, open.text.length, open.start, true);
    if (this.size === row) return;
    open.row = row;
    open.whole = canGrow(open.text);
    if (this.kindOf(row) === KIND.part) {
      open.attempt = this.subjectOf(row);
      open.n = readPartNumber(open.text);
    }
  }

  /**
   * Files the line `[from, to)` of `chunk`, whose first character stands at `base` in its text. An open line
   * is filed once its head is whole and while it can be closed, a header only when it ends.
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
    readHead(chunk, from, to, head, false);
    if (head.own >= 0 && !this.#takeSlots(chunk, head)) forgetHead(head);
    const isWhole = head.kind !== KIND.bad && head.kind !== KIND.lane;
    if (open && !(isWhole && closeLine(chunk.slice(from, to)) !== undefined)) return;
    if (head.kind === KIND.lane) {
      state.header = this.headerList.length;
      this.headerList.push(readHeader(chunk.slice(from, to)));
    }
    const header = this.headerList[state.header];
    const isRead = header !== undefined && header.lane !== null;
    const kind = !isRead ? KIND.bad : header.hidden && head.kind !== KIND.lane ? KIND.none : head.kind;
    const row = this.addRow(text, base + from, open ? -1 : base + to, state.header, kind);
    if (kind === KIND.none || kind === KIND.lane || !isRead) markLanes(this.#touched);
    if (kind === KIND.none) return;
    if (kind === KIND.lane || !isRead) {
      this.addOther(row, kind);
      return;
    }
    if (head.own >= 0) this.#stamps.notice(chunk, head.own, this.#horizon);
    this.#link(row, chunk, head);
  }

  /** Finds the slots of the head's ids, into `#links`. False if one of its ids is no ULID. */
  #takeSlots(chunk: string, { own, subject, subjectRole, thread, attempt }: Head): boolean {
    const links = this.#links;
    links.role = subjectRole;
    links.subject = subject < 0 ? -1 : this.slots.takeAt(chunk, subject);
    links.thread = thread < 0 ? -1 : this.slots.takeAt(chunk, thread);
    links.attempt = attempt < 0 ? -1 : this.slots.takeAt(chunk, attempt);
    if (own !== subject && !isUlidAt(chunk, own)) return false;
    if (attempt >= 0 && !isUlidAt(chunk, attempt - PROMPT_BEFORE)) return false;
    return (
      links.subject < 0 === subject < 0 &&
      links.thread < 0 === thread < 0 &&
      links.attempt < 0 === attempt < 0
    );
  }

  #link(row: number, chunk: string, head: Head): void {
    const touched = this.#touched;
    const role = head.subjectRole;
    if (role === ROLE.none) {
      this.addOther(row, head.kind);
      if (touched !== undefined) touched.document = true;
      return;
    }
    if (head.attempt >= 0) this.#stamps.notice(chunk, head.attempt, this.#horizon);
    this.linkRow(row, this.#links);
    if (head.kind === KIND.legacy_row) this.addLegacyRow(row);
    if (touched !== undefined) {
      this.#touchRow(row);
      if (head.kind === KIND.part && this.#wantDeltas) this.#noteFirstText(touched, row);
    }
  }

  /** The text that a part line brings, unless another line of this part is there already. */
  #noteFirstText(touched: Touched, row: number): void {
    const line = this.rawLineOfNewPart(row);
    const n = readPartNumber(line);
    const attempt = this.subjectOf(row);
    for (const other of this.attemptRows(attempt)) {
      if (other !== row && this.kindOf(other) === KIND.part && readPartNumber(this.rawLine(other)) === n)
        return;
    }
    const parsed = parseLine(this.isOpen(row) ? (closeLine(line) ?? '') : line);
    if (!parsed.ok || typeof parsed.body['text'] !== 'string' || parsed.body['text'] === '') return;
    this.#pushDelta(touched, attempt, n, parsed.body['text'], true);
  }

  /** @internal The raw line of a row whose text may not be counted in its state's length yet. */
  rawLineOfNewPart(row: number): string {
    const state = this.#texts[this.textOf(row)] as TextState;
    const end = this.endOf(row);
    const text = readLaneText(state.lane);
    return text.slice(this.startOf(row), end < 0 ? text.length : end);
  }

  /** No record changes, but what is redacted must not come back behind a deletion. */
  #touchTorn({ text }: OpenLine): void {
    const touched = this.#touched;
    if (touched === undefined) return;
    markLanes(touched);
    for (const slot of this.#messagesOf(text)) if (this.hasRedaction(slot)) touched.messages.add(slot);
  }

  #touchRow(row: number): void {
    const touched = this.#touched;
    if (touched === undefined) return;
    const subject = this.subjectOf(row);
    switch (this.kindOf(row)) {
      case KIND.none:
        touched.lanes = true;
        return;
      case KIND.message:
        touched.messages.add(subject);
        addListed(touched, this.threadOf(row), subject);
        return;
      case KIND.part:
      case KIND.finish:
        touched.attempts.add(subject);
        for (const message of this.attemptMessages(subject)) touched.messages.add(this.subjectOf(message));
        return;
      case KIND.thread:
      case KIND.thread_config:
      case KIND.thread_state:
      case KIND.activation:
        touched.threads.add(subject);
        return;
      case KIND.annotation:
        (this.roleOf(row) === ROLE.thread ? touched.threads : touched.annotated).add(subject);
        return;
      default:
        if (subject < 0) touched.document = true;
        else touched.messages.add(subject);
    }
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
    markLanes(this.#touched);
    for (const row of this.rows()) if (this.textOf(row) === text) this.#killRow(row);
  }

  #killRow(row: number): void {
    this.#touchRow(row);
    this.dropRow(row);
  }

  /** Drops dead rows by reading every text again. */
  #compact(): void {
    this.clearRows();
    this.headerList.length = 0;
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

/** Whether what is appended to an open line is text of its own, and says nothing of what stands before it. */
function canGrow(open: string): boolean {
  // Behind a deletion nothing can be read ([LN11]), though the line could be while the deletion was its end.
  return !open.includes('\0') && !endsInEscape(open);
}

function markAny(touched: Touched | undefined): void {
  if (touched !== undefined) touched.any = true;
}

function markLanes(touched: Touched | undefined): void {
  if (touched !== undefined) touched.lanes = true;
}

function sameText(a: LaneText, b: LaneText | undefined): boolean {
  return b !== undefined && a.client === b.client && a.clock === b.clock;
}

function nameLine({ line, header }: TakenLine): string {
  return `${header?.lane_id ?? ''} ${line}`;
}

/** The lines of a text with their headers; an open last line closed as cut. */
function collectLines(text: string, into: TakenLine[]): void {
  let header: LaneEntry | null = null;
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const closed = last === '' ? undefined : closeLine(last);
  if (closed !== undefined) lines.push(closed);
  for (const raw of lines) {
    const line = healBlanks(raw);
    if (line.startsWith('{"type":"lane",')) header = readHeader(line).lane;
    else if (!line.includes('\0')) into.push({ line, header });
  }
}
