import type * as Y from 'yjs';
import { ROLE } from '../entry/define.js';
import {
  createHead,
  forgetHead,
  type Head,
  idAt,
  PROMPT_BEFORE,
  readHead,
  readPartNumber,
} from '../entry/head.js';
import type { LaneEntry } from '../entry/lane.js';
import { LIMITS } from '../entry/limits.js';
import { closeLine, decodeText, endsInEscape, healBlanks, parseLine } from '../entry/line.js';
import { KIND } from '../entry/table.js';
import { isUlidAt, type StampClock } from '../entry/ulid.js';
import { type Header, readHeader } from '../lane/header.js';
import {
  clockOf,
  type DeletedRun,
  findLaneText,
  type LaneMap,
  type LaneText,
  listLaneTexts,
  readChanges,
  readDeletedRuns,
  readLaneTextBefore,
  readWithinItem,
  visitCharacters,
  visitNewStructs,
} from '../lane/structs.js';
import { LineTable, type Links } from './lines.js';
import { TextRows } from './text-rows.js';
import { addListed, createTouched, type Touched } from './touched.js';

// An open line longer than this may not close within the limits.
const MAX_OPEN = LIMITS.line - 64;

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
  /** Its end is not half of an escape: what comes next can be decoded alone. */
  whole: boolean;
  /** The appended text is not a whole run: whether the line can still be closed has to be seen. */
  doubtful: boolean;
  /** Of a streamed part: its attempt and number, to name the deltas. */
  attempt: number;
  n: number;
}

/**
 * How far one text has been read. Offsets count every character that the owner ever wrote, deleted or not: a deletion
 * moves no line but those that it is in.
 */
interface TextState {
  readonly lane: LaneText;
  /** Grows with every change of the text. */
  version: number;
  length: number;
  endsInDeletion: boolean;
  header: number;
  open: OpenLine | undefined;
  readonly rows: TextRows;
  /** Clock of the first character. */
  clock: number;
  /** Offset and clock of each run of clocks, where the owner wrote elsewhere in between; only a forger does. */
  jumps: number[] | undefined;
}

/**
 * Finds every line of the document by what it is about, without parsing: head ids at fixed offsets, one row of
 * numbers per line. Kept by transaction in O(changed); equal to one that is rebuilt.
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
  /** Texts whose open line may have to be filed. */
  readonly #unfiled = new Set<number>();
  /** Rows of lines that are read again, which go to the place of those before. */
  #filed: number[] | undefined;

  constructor(map: LaneMap, stamps: StampClock, seed: number) {
    super(seed);
    this.#map = map;
    this.#stamps = stamps;
    this.#horizon = stamps.horizon();
    const doc = map.doc as Y.Doc;
    const clients = new Set(listLaneTexts(map).map((lane) => lane.client));
    for (const client of clients) this.#readClient(doc, client);
    this.#stamps.settle();
  }

  /**
   * Takes in what `transaction` changed. Call in `afterTransaction`, where deleted text can still be read.
   * Deltas of streamed text are decoded only on request.
   */
  apply(transaction: Y.Transaction, wantDeltas: boolean): { touched: Touched; taken: readonly TakenLine[] } {
    const touched = createTouched();
    const taken: TakenLine[] = [];
    const { keys, types } = readChanges(transaction, this.#map);
    const deleted = readDeletedRuns(transaction);
    if (keys.length === 0 && types.length === 0 && deleted.length === 0) return { touched, taken };
    this.#touched = touched;
    this.#wantDeltas = wantDeltas;
    this.#horizon = this.#stamps.horizon();
    const clients = new Set<number>();
    for (const key of keys) {
      const current = findLaneText(this.#map, key);
      const known = this.#byKey.get(key);
      const state = known === undefined ? undefined : this.#texts[known];
      if (state !== undefined && !sameText(state.lane, current))
        this.#drop(known as number, transaction, taken);
      if (current !== undefined) clients.add(current.client);
      touched.texts.add(key);
    }
    const damaged = new Set(deleted.map(({ type }) => type));
    for (const type of [...types, ...damaged]) {
      const state = this.#texts[this.#byType.get(type) ?? -1];
      if (state === undefined) continue;
      touched.texts.add(state.lane.key);
      clients.add(state.lane.client);
    }
    const known = new Map(Array.from(clients, (client) => [client, this.#clocks.get(client) ?? 0]));
    for (const client of clients) this.#readClient(transaction.doc, client, damaged);
    this.#wantDeltas = false;
    for (const [text, ranges] of this.#groupDeleted(deleted, known)) {
      this.#reread(text, this.#texts[text] as TextState, ranges, transaction, taken);
    }
    this.#touchNaming(touched);
    this.#touched = undefined;
    if (this.isWasteful) this.#compact();
    this.#stamps.settle();
    return { touched, taken };
  }

  /** Takes in what `client` has just appended, within a transaction that is not over. */
  readAppended(doc: Y.Doc, client: number, wantDeltas: boolean): Touched {
    const touched = createTouched();
    this.#touched = touched;
    this.#wantDeltas = wantDeltas;
    this.#horizon = this.#stamps.horizon();
    this.#readClient(doc, client);
    this.#touchNaming(touched);
    this.#touched = undefined;
    this.#stamps.settle();
    return touched;
  }

  /** Live texts, in unspecified order, with a number that grows when one changes. */
  *texts(): IterableIterator<{ readonly lane: LaneText; readonly version: number }> {
    for (const state of this.#texts) if (state !== undefined) yield state;
  }

  /** The text that is read under this key. */
  textAt(key: string): LaneText | undefined {
    const text = this.#byKey.get(key);
    return text === undefined ? undefined : this.#texts[text]?.lane;
  }

  /** Last lines without a newline that are not filed, with the header above them. */
  *tornLines(): IterableIterator<{ readonly header: Header | undefined; readonly line: string }> {
    for (const state of this.#texts) {
      if (state?.open === undefined || state.open.row >= 0) continue;
      yield { header: this.headerList[state.header], line: state.open.text };
    }
  }

  /** Torn lines by the messages that they, or their attempts, are about, with their place. O(texts). */
  tornByMessage(): Map<number, { readonly place: Place; readonly line: string }[]> {
    const found = new Map<number, { readonly place: Place; readonly line: string }[]>();
    for (const [text, state] of this.#texts.entries()) {
      if (state?.open === undefined || state.open.row >= 0) continue;
      const { lane, hidden } = this.headerList[state.header] ?? {};
      if (lane === undefined || lane === null || hidden === true) continue;
      const { start, text: line } = state.open;
      for (const message of this.#messagesOf(line)) {
        const lines = found.get(message) ?? [];
        lines.push({ place: { text, start, end: state.length }, line });
        found.set(message, lines);
      }
    }
    return found;
  }

  /** The messages that a line about a message or an attempt is about. */
  #messagesOf(line: string): readonly number[] {
    const head = this.#head;
    readHead(line, 0, line.length, head);
    if (head.subject < 0 || head.subjectRole === ROLE.thread) return [];
    const ref = this.refs.find(idAt(line, head.subject));
    if (ref === undefined) return [];
    return head.subjectRole === ROLE.message
      ? [ref]
      : this.attemptMessages(ref).map((row) => this.subjectOf(row));
  }

  /** The stamp of the line: its own id; of parts and interrupts, whose ids are derived, their attempt's. */
  stampOf(row: number): string {
    const line = this.rawLine(row);
    const head = createHead();
    readHead(line, 0, line.length, head);
    const attempt = this.attemptOf(row);
    if (attempt !== undefined) return this.refs.idOf(attempt);
    if (head.kind === KIND.interrupt) return /","attempt":"([0-9A-Z]{26})"/.exec(line)?.[1] ?? '';
    return head.own < 0 ? '' : idAt(line, head.own);
  }

  /** The text that a row is in. */
  textOfRow(row: number): LaneText {
    return (this.#texts[this.textOf(row)] as TextState).lane;
  }

  /** Where the line is: its text, and `[start, end)` in it. */
  placeOf(row: number): Place {
    const text = this.textOf(row);
    const end = this.endOf(row);
    return { text, start: this.startOf(row), end: end < 0 ? (this.#texts[text] as TextState).length : end };
  }

  /** The characters of the line, without its newline; a deletion is one NUL. O(its length). */
  rawLine(row: number): string {
    return this.readPlace(this.placeOf(row));
  }

  /** The characters at a place. O(its length). */
  readPlace(place: Place, until?: Y.Transaction): string {
    const doc = this.#map.doc as Y.Doc;
    const { lane, clock, jumps } = this.#texts[place.text] as TextState;
    const { client } = lane;
    if (jumps === undefined && until === undefined) {
      const whole = readWithinItem(doc, client, clock + place.start, place.end - place.start);
      if (whole !== undefined) return whole;
    }
    let text = '';
    let inDeletion = false;
    for (const { clock, length } of this.clocksOf(place)) {
      visitCharacters(
        doc,
        client,
        clock,
        length,
        (chunk) => {
          if (chunk !== undefined) text += chunk;
          else if (!inDeletion) text += '\0';
          inDeletion = chunk === undefined;
        },
        until,
      );
    }
    return text;
  }

  /** The client whose characters are at a place. */
  ownerOf(place: Place): number {
    return (this.#texts[place.text] as TextState).lane.client;
  }

  /** The runs of clocks of the owner's characters at a place: one, except for forged text. */
  clocksOf({ text, start, end }: Place): readonly { readonly clock: number; readonly length: number }[] {
    const { clock, jumps } = this.#texts[text] as TextState;
    if (jumps === undefined) return [{ clock: clock + start, length: end - start }];
    const runs: { clock: number; length: number }[] = [];
    for (let at = start; at < end; ) {
      const i = findJump(jumps, at);
      const stop = Math.min(end, jumps[i + 2] ?? end);
      runs.push({ clock: (jumps[i + 1] as number) + at - (jumps[i] as number), length: stop - at });
      at = stop;
    }
    return runs;
  }

  /**
   * The line as it counts: an open one closed as cut, a blanked text as an empty one. An open line that cannot
   * be closed is returned as it is.
   */
  line(row: number): string {
    const raw = this.rawLine(row);
    if (!this.isOpen(row)) return healBlanks(raw);
    return closeLine(raw) ?? raw;
  }

  /** Texts in `quiet` give no deltas: some of their characters were deleted in the same transaction. */
  #readClient(doc: Y.Doc, client: number, quiet?: ReadonlySet<unknown>): void {
    const wanted = this.#wantDeltas;
    const from = this.#clocks.get(client) ?? 0;
    let current = -1;
    let currentType: unknown;
    visitNewStructs(doc, client, from, (parent, key, chunk, clock, length) => {
      if (key !== null) {
        if (parent === this.#map) this.#add(key, client);
        return;
      }
      if (parent !== currentType) {
        currentType = parent;
        current = this.#byType.get(parent as Y.Text) ?? -1;
      }
      if (current < 0) return;
      const state = this.#texts[current] as TextState;
      if (state.lane.client !== client) return;
      noteClock(state, clock);
      this.#wantDeltas = wanted && quiet?.has(parent) !== true;
      this.#append(current, state, chunk, length);
    });
    this.#wantDeltas = wanted;
    this.#fileOpenLines();
    this.#clocks.set(client, clockOf(doc, client));
  }

  #add(key: string, client: number): void {
    const lane = findLaneText(this.#map, key);
    if (lane === undefined || lane.client !== client || this.#byType.has(lane.type)) return;
    const text = this.#texts.length;
    this.#texts.push({
      lane,
      version: 0,
      length: 0,
      endsInDeletion: false,
      header: -1,
      open: undefined,
      rows: new TextRows((row) => this.startOf(row)),
      clock: -1,
      jumps: undefined,
    });
    this.#byType.set(lane.type, text);
    this.#byKey.set(key, text);
    markAny(this.#touched);
  }

  /** Takes in `length` more characters of a text; undefined if they are deleted. */
  #append(text: number, state: TextState, chunk: string | undefined, length: number): void {
    if (chunk !== undefined) {
      if (chunk === '') return;
      state.endsInDeletion = false;
      this.#appendText(text, state, chunk, length);
      return;
    }
    if (!state.endsInDeletion) this.#appendText(text, state, '\0', length);
    else {
      state.length += length;
      state.version += 1;
    }
    state.endsInDeletion = true;
  }

  /** `length` is that of the chunk, except for a deletion, which reads as one character. */
  #appendText(text: number, state: TextState, chunk: string, length: number): void {
    markAny(this.#touched);
    state.version += 1;
    const base = state.length;
    state.length += length;
    let from = 0;
    if (state.open !== undefined) {
      const newline = chunk.indexOf('\n');
      from = newline < 0 ? chunk.length : newline + 1;
      this.#extend(text, state, state.open, chunk, newline, base);
    }
    for (let newline = chunk.indexOf('\n', from); newline >= 0; newline = chunk.indexOf('\n', from)) {
      this.#place(state, this.#file(text, state, chunk, from, newline, base + from, base + newline));
      from = newline + 1;
    }
    if (from < chunk.length) {
      const open: OpenLine = {
        row: -1,
        start: base + from,
        text: chunk.slice(from),
        whole: false,
        doubtful: false,
        attempt: -1,
        n: 0,
      };
      state.open = open;
      this.#unfiled.add(text);
    }
  }

  /** Files the open lines at the ends of texts that have just been read. */
  #fileOpenLines(): void {
    for (const text of this.#unfiled) {
      const state = this.#texts[text];
      const open = state?.open;
      if (state === undefined || open === undefined) continue;
      if (open.row >= 0) {
        if (open.doubtful) this.#checkOpen(state, open);
        continue;
      }
      this.#fileOpen(text, state, open);
      if (open.row < 0) this.#touchTorn(open);
    }
    this.#unfiled.clear();
  }

  /** Goes on with the line that was open; `newline` is where it ends in `chunk`, or -1. */
  #extend(
    text: number,
    state: TextState,
    open: OpenLine,
    chunk: string,
    newline: number,
    base: number,
  ): void {
    const more = newline < 0 ? chunk : chunk.slice(0, newline);
    open.text += more;
    if (newline >= 0) {
      state.open = undefined;
      const end = base + newline;
      if (open.row < 0) {
        this.#touchTorn(open);
        this.#place(state, this.#file(text, state, open.text, 0, open.text.length, open.start, end));
        return;
      }
      this.closeRow(open.row, end);
      this.#noteRedaction(open.row);
      // The end of the line is not text: `"}` after what was streamed.
      if (open.whole && !open.doubtful && more.endsWith('"}'))
        this.#stream(open, decodeText(more.slice(0, -2)));
      this.#touchRow(open.row);
    } else if (open.row < 0) {
      this.#unfiled.add(text);
    } else {
      const decoded = open.whole && !open.doubtful ? decodeText(more) : undefined;
      if (decoded !== undefined && open.text.length <= MAX_OPEN) this.#stream(open, decoded);
      else {
        open.doubtful = true;
        this.#unfiled.add(text);
      }
      // A text beyond the limit is a problem of its part.
      if (open.text.length > LIMITS.text && open.row >= 0) this.#touched?.attempts.add(open.attempt);
    }
  }

  /** The appended text is not a whole run, or is too long: reads the line again, if it can still be closed. */
  #checkOpen(state: TextState, open: OpenLine): void {
    this.#touchRow(open.row);
    open.doubtful = false;
    open.whole = canGrow(open.text);
    if (closeLine(open.text) !== undefined) return;
    if (this.#filed?.at(-1) === open.row) this.#filed.pop();
    else state.rows.replace([open.row], []);
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
    const row = this.anyMessageOf(attempt);
    if (row !== undefined) touched.deltas.push({ message: this.subjectOf(row), attempt, n, text, first });
  }

  /** Files an open line once its head is whole and while it can be closed; a header only when it ends. */
  #fileOpen(text: number, state: TextState, open: OpenLine): void {
    const head = this.#head;
    readHead(open.text, 0, open.text.length, head);
    if (head.kind === KIND.bad || head.kind === KIND.lane || isDead(open.text)) return;
    if (closeLine(open.text) === undefined) return;
    const row = this.#file(text, state, open.text, 0, open.text.length, open.start, -1);
    this.#place(state, row);
    open.row = row;
    open.whole = canGrow(open.text);
    if (this.kindOf(row) === KIND.part) {
      open.attempt = this.subjectOf(row);
      open.n = readPartNumber(open.text);
    }
  }

  #place(state: TextState, row: number): void {
    if (this.#filed === undefined) state.rows.push(row);
    else this.#filed.push(row);
  }

  /** Files the line `[from, to)` of `chunk`, which is at `[start, end)` of its text; `end` is -1 while it is open. */
  #file(
    text: number,
    state: TextState,
    chunk: string,
    from: number,
    to: number,
    start: number,
    end: number,
  ): number {
    const head = this.#head;
    readHead(chunk, from, to, head, false);
    if (head.own >= 0 && !this.#takeRefs(chunk, head)) forgetHead(head);
    if (head.kind === KIND.lane) {
      state.header = this.headerList.length;
      this.headerList.push(readHeader(chunk.slice(from, to)));
    }
    const header = this.headerList[state.header];
    const isRead = header !== undefined && header.lane !== null;
    const kind = !isRead ? KIND.bad : header.hidden && head.kind !== KIND.lane ? KIND.none : head.kind;
    const row = this.addRow(text, start, end, state.header, kind);
    if (kind === KIND.none || kind === KIND.lane || !isRead) markLanes(this.#touched);
    if (kind === KIND.none) return row;
    if (kind === KIND.lane || !isRead) {
      this.addOther(row, kind);
      return row;
    }
    if (head.own >= 0) this.#stamps.notice(chunk, head.own, this.#horizon);
    this.#link(row, chunk, head, from, to);
    return row;
  }

  /** Finds the refs of the head's ids, into `#links`. False if one of its ids is not a ULID. */
  #takeRefs(chunk: string, { own, subject, subjectRole, thread, attempt }: Head): boolean {
    const links = this.#links;
    links.role = subjectRole;
    links.subject = subject < 0 ? -1 : this.refs.takeAt(chunk, subject);
    links.thread = thread < 0 ? -1 : this.refs.takeAt(chunk, thread);
    links.attempt = attempt < 0 ? -1 : this.refs.takeAt(chunk, attempt);
    if (own !== subject && !isUlidAt(chunk, own)) return false;
    if (attempt >= 0 && !isUlidAt(chunk, attempt - PROMPT_BEFORE)) return false;
    return (
      links.subject < 0 === subject < 0 &&
      links.thread < 0 === thread < 0 &&
      links.attempt < 0 === attempt < 0
    );
  }

  #link(row: number, chunk: string, head: Head, from: number, to: number): void {
    const touched = this.#touched;
    if (head.subjectRole === ROLE.none) {
      this.addOther(row, head.kind);
      if (touched !== undefined) touched.document = true;
      return;
    }
    if (head.attempt >= 0) this.#stamps.notice(chunk, head.attempt, this.#horizon);
    const { kind } = head;
    this.linkRow(row, this.#links);
    if (kind === KIND.legacy_row) this.addLegacyRow(row);
    else if (kind === KIND.redaction) this.#noteRedaction(row, chunk.slice(from, to));
    if (touched === undefined) return;
    this.#touchRow(row);
    if (kind === KIND.part && this.#wantDeltas) this.#noteFirstText(touched, row, chunk.slice(from, to));
  }

  /** A redaction counts where its line can be read. */
  #noteRedaction(row: number, raw = this.rawLine(row)): void {
    if (this.kindOf(row) !== KIND.redaction) return;
    const line = this.isOpen(row) ? closeLine(raw) : healBlanks(raw);
    if (line !== undefined && parseLine(line).ok) this.addRedaction(row);
    else this.removeRedaction(row);
  }

  /** The text that a part line brings, unless another line of this part is there already. */
  #noteFirstText(touched: Touched, row: number, line: string): void {
    if (!line.includes('"text":"')) return;
    const n = readPartNumber(line);
    const attempt = this.subjectOf(row);
    if (!this.#isFirst(attempt, n, row)) return;
    const parsed = parseLine(this.isOpen(row) ? (closeLine(line) ?? '') : line);
    if (!parsed.ok || typeof parsed.body['text'] !== 'string' || parsed.body['text'] === '') return;
    this.#pushDelta(touched, attempt, n, parsed.body['text'], true);
  }

  /** By attempt, the numbers of its part lines up to a row. Kept for those that stream while somebody wants deltas. */
  readonly #numbers = new Map<number, { last: number; readonly seen: Map<number, number> }>();

  /** Whether no other line of the attempt has this number. O(rows since it was asked last). */
  #isFirst(attempt: number, n: number, row: number): boolean {
    const numbers = this.#numbers.get(attempt) ?? { last: -1, seen: new Map<number, number>() };
    this.#numbers.set(attempt, numbers);
    for (const other of this.attemptRows(attempt, numbers.last)) {
      if (this.kindOf(other) !== KIND.part) continue;
      const number = readPartNumber(this.rawLine(other));
      numbers.seen.set(number, (numbers.seen.get(number) ?? 0) + 1);
    }
    numbers.last = row;
    return (numbers.seen.get(n) ?? 0) < 2;
  }

  /** No record changes, but what is redacted must not come back behind a deletion. */
  #touchTorn({ text }: OpenLine): void {
    const touched = this.#touched;
    if (touched === undefined) return;
    markLanes(touched);
    for (const ref of this.#messagesOf(text)) if (this.isRedacted(ref)) touched.messages.add(ref);
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
        // The messages that name the attempt are the same for all its rows.
        if (touched.attempts.has(subject)) return;
        touched.attempts.add(subject);
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

  /** The messages that name an attempt of which something came or went have changed with it. */
  #touchNaming(touched: Touched): void {
    for (const attempt of touched.attempts) {
      for (const row of this.attemptMessages(attempt)) touched.messages.add(this.subjectOf(row));
    }
  }

  /** The text is no longer the map's: all its lines go. */
  #drop(text: number, transaction: Y.Transaction, taken: TakenLine[]): void {
    const state = this.#texts[text] as TextState;
    collectLines(readLaneTextBefore(state.lane, transaction), null, taken);
    markAny(this.#touched);
    markLanes(this.#touched);
    for (const row of state.rows.from(0)) this.#killRow(row);
    this.#texts[text] = undefined;
    this.#byType.delete(state.lane.type);
    this.#byKey.delete(state.lane.key);
  }

  /** By text, the ranges of offsets that were deleted of what had been read before; sorted. */
  #groupDeleted(
    deleted: readonly DeletedRun[],
    known: ReadonlyMap<number, number>,
  ): Map<number, [number, number][]> {
    const groups = new Map<number, [number, number][]>();
    for (const { type, client, clock, length } of deleted) {
      const text = this.#byType.get(type);
      const state = text === undefined ? undefined : this.#texts[text];
      if (text === undefined || state === undefined || state.lane.client !== client) continue;
      // What was new in the transaction has been read as deleted.
      const end = Math.min(clock + length, known.get(client) ?? 0);
      if (end <= clock) continue;
      const from = offsetOf(state, clock);
      const ranges = groups.get(text) ?? [];
      groups.set(text, ranges);
      ranges.push([from, from + end - clock]);
    }
    for (const ranges of groups.values()) ranges.sort((a, b) => a[0] - b[0]);
    return groups;
  }

  /** Reads again the lines in which characters were deleted. O(those lines); after a header, O(the lines under it). */
  #reread(
    text: number,
    state: TextState,
    ranges: readonly (readonly [number, number])[],
    transaction: Y.Transaction,
    taken: TakenLine[],
  ): void {
    markAny(this.#touched);
    markLanes(this.#touched);
    state.version += 1;
    for (let i = 0; i < ranges.length; ) {
      const [from, to] = ranges[i] as readonly [number, number];
      const start = this.#lineAt(state, from).start;
      let { end } = this.#lineAt(state, to);
      for (i += 1; i < ranges.length && (ranges[i] as readonly [number, number])[0] < end; i += 1) {
        end = Math.max(end, this.#lineAt(state, (ranges[i] as readonly [number, number])[1]).end);
      }
      end = this.#rereadRegion(text, state, start, end, transaction, taken);
      while (i < ranges.length && (ranges[i] as readonly [number, number])[1] <= end) i += 1;
    }
  }

  /** Where the line at an offset begins, and where the next one does. */
  #lineAt(state: TextState, offset: number): { readonly start: number; readonly end: number } {
    const { open, length } = state;
    if (offset >= length || (open !== undefined && offset >= open.start)) {
      return { start: open?.start ?? length, end: length };
    }
    const [row] = state.rows.from(offset);
    if (row === undefined) return { start: 0, end: length };
    return { start: this.startOf(row), end: this.endOf(row) + 1 };
  }

  /** Reads `[start, end)` again, which is whole lines. Returns the end of what it read: a header takes its lines along. */
  #rereadRegion(
    text: number,
    state: TextState,
    start: number,
    end: number,
    transaction: Y.Transaction,
    taken: TakenLine[],
  ): number {
    const above = state.rows.before(start);
    const header = above === undefined ? -1 : this.headerNumberOf(above);
    const rows: number[] = [];
    let stop = end;
    let current = header;
    for (const row of state.rows.from(start)) {
      if (this.startOf(row) < start) continue;
      const own = this.headerNumberOf(row);
      // Behind the region only what is under a header of the region.
      if (this.startOf(row) >= stop && (current === header || own !== current)) break;
      if (this.startOf(row) >= stop) stop = this.endOf(row) < 0 ? state.length : this.endOf(row) + 1;
      current = own;
      rows.push(row);
    }
    if (current !== header && state.open !== undefined && stop >= state.open.start) stop = state.length;
    const place = { text, start, end: stop };
    const lane = header < 0 ? null : ((this.headerList[header] as Header).lane ?? null);
    const before: TakenLine[] = [];
    const after: TakenLine[] = [];
    collectLines(this.readPlace(place, transaction), lane, before);
    collectLines(this.readPlace(place), lane, after);
    const kept = new Set(after.map(nameLine));
    for (const entry of before) if (!kept.has(nameLine(entry))) taken.push(entry);
    for (const row of rows) this.#killRow(row);
    this.#feed(place, state, header, rows);
    return stop;
  }

  /** Files the lines of a place again, replacing `rows`. */
  #feed(place: Place, state: TextState, header: number, rows: readonly number[]): void {
    const { length, open, endsInDeletion } = state;
    const lastHeader = state.header;
    this.#filed = [];
    state.length = place.start;
    state.open = undefined;
    state.endsInDeletion = false;
    state.header = header;
    for (const run of this.clocksOf(place)) {
      visitCharacters(this.#map.doc as Y.Doc, state.lane.client, run.clock, run.length, (chunk, count) =>
        this.#append(place.text, state, chunk, count),
      );
    }
    this.#fileOpenLines();
    state.rows.replace(rows, this.#filed);
    this.#filed = undefined;
    if (place.end >= length) return;
    state.length = length;
    state.open = open;
    state.endsInDeletion = endsInDeletion;
    state.header = lastHeader;
  }

  #killRow(row: number): void {
    this.#touchRow(row);
    if (this.kindOf(row) === KIND.part) this.#numbers.delete(this.subjectOf(row));
    this.dropRow(row);
  }

  /** Drops dead rows by reading every text again. */
  #compact(): void {
    this.clearRows();
    this.#numbers.clear();
    this.headerList.length = 0;
    for (const [text, state] of this.#texts.entries()) {
      if (state === undefined) continue;
      state.rows.clear();
      this.#feed({ text, start: 0, end: state.length }, state, -1, []);
    }
  }
}

/** Characters of one text: `[start, end)`, counting what its owner ever wrote. */
export interface Place {
  readonly text: number;
  readonly start: number;
  readonly end: number;
}

/** Whether what is appended to an open line is text of its own, and does not affect what is before it. */
function canGrow(open: string): boolean {
  // Behind a deletion nothing can be read ([LN11]), though the line could be while the deletion was its end.
  return !open.includes('\0') && !endsInEscape(open);
}

/** Whether a line can never be JSON again, whatever is appended: something follows a deletion. */
function isDead(open: string): boolean {
  return /\0[^"]/.test(open);
}

/** Notes at which clock the next characters of a text are. */
function noteClock(state: TextState, clock: number): void {
  if (state.clock < 0) {
    state.clock = clock;
    return;
  }
  const { jumps } = state;
  const [offset, begin] = jumps === undefined ? [0, state.clock] : (jumps.slice(-2) as [number, number]);
  if (begin + state.length - offset === clock) return;
  state.jumps ??= [0, state.clock];
  state.jumps.push(state.length, clock);
}

/** The pair of the run of clocks in which an offset is. */
function findJump(jumps: readonly number[], offset: number): number {
  let low = 0;
  let high = jumps.length / 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((jumps[middle * 2] as number) <= offset) low = middle;
    else high = middle;
  }
  return low * 2;
}

/** The offset of the character at a clock that has been read. */
function offsetOf({ clock: first, jumps }: TextState, clock: number): number {
  if (jumps === undefined) return clock - first;
  let low = 0;
  let high = jumps.length / 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((jumps[middle * 2 + 1] as number) <= clock) low = middle;
    else high = middle;
  }
  return (jumps[low * 2] as number) + clock - (jumps[low * 2 + 1] as number);
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

/** Lines with their headers, the first of them under `above`; an open last line closed as cut. */
function collectLines(text: string, above: LaneEntry | null, into: TakenLine[]): void {
  let header = above;
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
