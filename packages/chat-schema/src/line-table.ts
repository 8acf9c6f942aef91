import { KIND, ROLE, type Role } from './codec.js';
import { Column, SlotTable } from './columns.js';
import type { Header } from './headers.js';

/** What a line is about, as slots; -1 is nothing. */
export interface Links {
  subject: number;
  role: Role;
  /** Of a message line: its thread. */
  thread: number;
  /** Of an answer's message line: its attempt. */
  attempt: number;
}

/**
 * One row of numbers a line, found by what it is about. Rows of one subject are chained, newest first; a row
 * that is dropped stays linked, with kind `none`, and is skipped.
 */
export class LineTable {
  readonly slots: SlotTable = new SlotTable();
  protected readonly headerList: Header[] = [];
  #size = 0;
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
  readonly #others = new Map<number, number[]>();

  /** Live lines, headers included. */
  get lines(): number {
    return this.#live;
  }

  /** Dropped rows outweigh the live ones. */
  protected get isWasteful(): boolean {
    return this.#size > 2 * this.#live + 10_000;
  }

  protected get size(): number {
    return this.#size;
  }

  /** `end` is -1 while the line is open. */
  protected addRow(text: number, start: number, end: number, header: number, kind: number): number {
    const row = this.#size;
    this.#size += 1;
    this.#live += 1;
    this.#text.set(row, text);
    this.#start.set(row, start);
    this.#end.set(row, end);
    this.#header.set(row, header);
    this.#kind.set(row, kind);
    return row;
  }

  protected addOther(row: number, kind: number): void {
    const rows = this.#others.get(kind);
    if (rows === undefined) this.#others.set(kind, [row]);
    else rows.push(row);
  }

  protected linkRow(row: number, { subject, role, thread, attempt }: Links): void {
    this.#subject.set(row, subject);
    this.#role.set(row, role);
    const heads =
      role === ROLE.thread ? this.#ofThread : role === ROLE.message ? this.#ofMessage : this.#ofAttempt;
    this.#next.set(row, heads.get(subject));
    heads.set(subject, row);
    if (thread < 0) return;
    this.#thread.set(row, thread);
    this.#nextMember.set(row, this.#members.get(thread));
    this.#members.set(thread, row);
    if (attempt < 0) return;
    this.#attempt.set(row, attempt);
    this.#nextAttempt.set(row, this.#ofAttempt.get(attempt));
    this.#ofAttempt.set(attempt, row);
  }

  protected closeRow(row: number, end: number): void {
    this.#end.set(row, end);
  }

  protected dropRow(row: number): void {
    this.#kind.set(row, KIND.none);
    this.#text.set(row, -1);
    this.#live -= 1;
  }

  /** Forgets all rows. Slots stay, so that what is cached by slot stays right. */
  protected clearRows(): void {
    const columns = [this.#kind, this.#text, this.#start, this.#end, this.#header, this.#subject, this.#role];
    columns.push(this.#thread, this.#attempt, this.#next, this.#nextMember, this.#nextAttempt);
    columns.push(this.#ofThread, this.#ofMessage, this.#ofAttempt, this.#members);
    for (const column of columns) column.clear();
    this.#others.clear();
    this.#size = 0;
    this.#live = 0;
  }

  protected textOf(row: number): number {
    return this.#text.get(row);
  }

  protected startOf(row: number): number {
    return this.#start.get(row);
  }

  /** -1 while the line is open. */
  protected endOf(row: number): number {
    return this.#end.get(row);
  }

  /** Of a message line: the slot of its thread, else -1. */
  protected threadOf(row: number): number {
    return this.#thread.get(row);
  }

  kindOf(row: number): number {
    return this.#kind.get(row);
  }

  headerOf(row: number): Header | undefined {
    return this.headerList[this.#header.get(row)];
  }

  /** The slot that the line is about; of document-wide entries -1. */
  subjectOf(row: number): number {
    return this.#subject.get(row);
  }

  roleOf(row: number): number {
    return this.#role.get(row);
  }

  /** Of an answer's message line: the slot of its attempt. */
  attemptOf(row: number): number | undefined {
    const slot = this.#attempt.get(row);
    return slot < 0 ? undefined : slot;
  }

  isOpen(row: number): boolean {
    return this.#end.get(row) < 0;
  }

  /** Every live row, hidden and quarantined ones included. */
  *rows(): IterableIterator<number> {
    for (let row = 0; row < this.#size; row += 1) if (this.#text.get(row) >= 0) yield row;
  }

  /** Headers that stand in the document now. */
  *headers(): IterableIterator<Header> {
    const seen = new Set<number>();
    for (const row of this.rows()) {
      const header = this.#header.get(row);
      if (header < 0 || seen.has(header)) continue;
      seen.add(header);
      yield this.headerList[header] as Header;
    }
  }

  /** Rows about a thread: its own, config, state, activations, annotations. */
  threadRows(slot: number): number[] {
    return this.#chain(this.#ofThread.get(slot));
  }

  /** Rows about a message: its lines (one an attempt), revisions, stops, retries, redactions, annotations. */
  messageRows(slot: number): number[] {
    return this.#chain(this.#ofMessage.get(slot));
  }

  /** Parts and finishes of an attempt. */
  attemptRows(slot: number): number[] {
    const rows: number[] = [];
    for (let row = this.#ofAttempt.get(slot); row >= 0; row = this.#nextOfAttempt(row)) {
      const kind = this.#kind.get(row);
      if (kind !== KIND.none && kind !== KIND.message) rows.push(row);
    }
    return rows;
  }

  /** Message lines that name the attempt, and the one whose own id it is. */
  attemptMessages(slot: number): number[] {
    const rows: number[] = [];
    for (let row = this.#ofAttempt.get(slot); row >= 0; row = this.#nextOfAttempt(row)) {
      if (this.#kind.get(row) === KIND.message) rows.push(row);
    }
    for (let row = this.#ofMessage.get(slot); row >= 0; row = this.#next.get(row)) {
      if (this.#kind.get(row) === KIND.message && this.#attempt.get(row) < 0) rows.push(row);
    }
    return rows;
  }

  // Only message lines have a thread; they stand in this chain beside their own.
  #nextOfAttempt(row: number): number {
    return this.#thread.get(row) >= 0 ? this.#nextAttempt.get(row) : this.#next.get(row);
  }

  /** Slots of the messages with a line in the thread, each once. */
  memberSlots(thread: number): Set<number> {
    const slots = new Set<number>();
    for (let row = this.#members.get(thread); row >= 0; row = this.#nextMember.get(row)) {
      if (this.#kind.get(row) !== KIND.none) slots.add(this.#subject.get(row));
    }
    return slots;
  }

  /** Threads that the lines of a message name; more than one only where a line is forged. */
  threadsOfMessage(slot: number): Set<number> {
    const threads = new Set<number>();
    for (let row = this.#ofMessage.get(slot); row >= 0; row = this.#next.get(row)) {
      if (this.#kind.get(row) === KIND.message) threads.add(this.#thread.get(row));
    }
    return threads;
  }

  /** Rows of document-wide kinds: `document`, `variables`, `legacy_row`, `unknown`, `bad`, and headers. */
  otherRows(kind: number): number[] {
    return (this.#others.get(kind) ?? []).filter((row) => this.#kind.get(row) === kind);
  }

  /** Every slot that some line is, or was, about in this role. */
  *slotsWith(role: 'thread' | 'message' | 'attempt'): IterableIterator<number> {
    const heads = { thread: this.#ofThread, message: this.#ofMessage, attempt: this.#ofAttempt }[role];
    for (let slot = 0; slot < this.slots.size; slot += 1) if (heads.get(slot) >= 0) yield slot;
  }

  #chain(head: number): number[] {
    const rows: number[] = [];
    for (let row = head; row >= 0; row = this.#next.get(row)) {
      if (this.#kind.get(row) !== KIND.none) rows.push(row);
    }
    return rows;
  }
}
