import { KIND, ROLE, type Role } from '../entry/codec.js';
import type { Header } from '../lane/header.js';
import { SlotTable } from './refs.js';

/** What a line is about, as slots; -1 is nothing. */
export interface Links {
  subject: number;
  role: Role;
  /** Of a message line: its thread. */
  thread: number;
  /** Of an answer's message line: its attempt. */
  attempt: number;
}

// The cells of a row. One array for all rows: a line costs 48 bytes and no object.
const TEXT = 0;
const START = 1;
const END = 2;
const HEADER = 3;
const SUBJECT = 4;
const ROLE_OF = 5;
const THREAD = 6;
const ATTEMPT = 7;
const NEXT = 8;
const NEXT_MEMBER = 9;
const NEXT_ATTEMPT = 10;
const KIND_OF = 11;
const ROW = 12;

// The chains that begin at a slot.
const OF_THREAD = 0;
const OF_MESSAGE = 1;
const OF_ATTEMPT = 2;
const MEMBERS = 3;
const SLOT = 4;
const HEAD_OF_ROLE: readonly number[] = [-1, OF_THREAD, OF_MESSAGE, OF_ATTEMPT];

/**
 * One row of numbers a line, found by what it is about. Rows of one subject are chained, newest first; a row
 * that is dropped stays linked, with kind `none`, and is skipped.
 */
export class LineTable {
  readonly slots: SlotTable;
  protected readonly headerList: Header[] = [];
  #size = 0;
  #live = 0;
  #numberings = 0;
  #cells = new Int32Array(256 * ROW);
  #heads = new Int32Array(256 * SLOT).fill(-1);
  readonly #others = new Map<number, number[]>();
  readonly #legacy: number[] = [];

  constructor(seed: number) {
    this.slots = new SlotTable(seed);
  }

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

  /** How far `rows(from)` has come: rows are filed at the end. */
  get filed(): number {
    return this.#size;
  }

  /** Grows when all rows get new numbers. */
  get numbering(): number {
    return this.#numberings;
  }

  /** `end` is -1 while the line is open. */
  protected addRow(text: number, start: number, end: number, header: number, kind: number): number {
    const row = this.#size;
    this.#size += 1;
    this.#live += 1;
    const at = row * ROW;
    if (at === this.#cells.length) this.#cells = grow(this.#cells, 0);
    const cells = this.#cells;
    cells[at + TEXT] = text;
    cells[at + START] = start;
    cells[at + END] = end;
    cells[at + HEADER] = header;
    cells.fill(-1, at + SUBJECT, at + KIND_OF);
    cells[at + KIND_OF] = kind;
    return row;
  }

  protected addOther(row: number, kind: number): void {
    const rows = this.#others.get(kind);
    if (rows === undefined) this.#others.set(kind, [row]);
    else rows.push(row);
  }

  /** Beside its place among the lines of the message that it is about. */
  protected addLegacyRow(row: number): void {
    this.#legacy.push(row);
  }

  protected linkRow(row: number, { subject, role, thread, attempt }: Links): void {
    while (this.slots.size * SLOT > this.#heads.length) this.#heads = grow(this.#heads, -1);
    const cells = this.#cells;
    const heads = this.#heads;
    const at = row * ROW;
    const head = subject * SLOT + (HEAD_OF_ROLE[role] as number);
    cells[at + SUBJECT] = subject;
    cells[at + ROLE_OF] = role;
    cells[at + NEXT] = heads[head] as number;
    heads[head] = row;
    if (thread < 0) return;
    cells[at + THREAD] = thread;
    cells[at + NEXT_MEMBER] = heads[thread * SLOT + MEMBERS] as number;
    heads[thread * SLOT + MEMBERS] = row;
    if (attempt < 0) return;
    cells[at + ATTEMPT] = attempt;
    cells[at + NEXT_ATTEMPT] = heads[attempt * SLOT + OF_ATTEMPT] as number;
    heads[attempt * SLOT + OF_ATTEMPT] = row;
  }

  #cell(row: number, cell: number): number {
    return this.#cells[row * ROW + cell] as number;
  }

  #headOf(slot: number, chain: number): number {
    return this.#heads[slot * SLOT + chain] ?? -1;
  }

  protected closeRow(row: number, end: number): void {
    this.#cells[row * ROW + END] = end;
  }

  protected dropRow(row: number): void {
    this.#cells[row * ROW + KIND_OF] = KIND.none;
    this.#cells[row * ROW + TEXT] = -1;
    this.#live -= 1;
  }

  /** Forgets all rows. Slots stay, so that what is cached by slot stays right. */
  protected clearRows(): void {
    this.#heads.fill(-1);
    this.#others.clear();
    this.#legacy.length = 0;
    this.#size = 0;
    this.#live = 0;
    this.#numberings += 1;
  }

  protected textOf(row: number): number {
    return this.#cell(row, TEXT);
  }

  protected startOf(row: number): number {
    return this.#cell(row, START);
  }

  /** -1 while the line is open. */
  protected endOf(row: number): number {
    return this.#cell(row, END);
  }

  /** Of a message line: the slot of its thread, else -1. */
  protected threadOf(row: number): number {
    return this.#cell(row, THREAD);
  }

  kindOf(row: number): number {
    return this.#cell(row, KIND_OF);
  }

  headerOf(row: number): Header | undefined {
    return this.headerList[this.#cell(row, HEADER)];
  }

  /** The slot that the line is about; of document-wide entries -1. */
  subjectOf(row: number): number {
    return this.#cell(row, SUBJECT);
  }

  roleOf(row: number): number {
    return this.#cell(row, ROLE_OF);
  }

  /** Of an answer's message line: the slot of its attempt. */
  attemptOf(row: number): number | undefined {
    const slot = this.#cell(row, ATTEMPT);
    return slot < 0 ? undefined : slot;
  }

  isOpen(row: number): boolean {
    return this.#cell(row, END) < 0;
  }

  /** Every live row from `from` on, hidden and quarantined ones included. */
  *rows(from = 0): IterableIterator<number> {
    for (let row = from; row < this.#size; row += 1) if (this.#cell(row, TEXT) >= 0) yield row;
  }

  /** Headers that stand in the document now. */
  *headers(): IterableIterator<Header> {
    const seen = new Set<number>();
    for (const row of this.rows()) {
      const header = this.#cell(row, HEADER);
      if (header < 0 || seen.has(header)) continue;
      seen.add(header);
      yield this.headerList[header] as Header;
    }
  }

  /** Rows about a thread: its own, config, state, activations, annotations. */
  threadRows(slot: number): number[] {
    return this.#chain(this.#headOf(slot, OF_THREAD));
  }

  /** Rows about a message: its lines (one an attempt), revisions, stops, retries, redactions, annotations, legacy rows. */
  messageRows(slot: number): number[] {
    return this.#chain(this.#headOf(slot, OF_MESSAGE));
  }

  /** Whether some line of the message names an attempt. */
  isAnswer(slot: number): boolean {
    for (let row = this.#headOf(slot, OF_MESSAGE); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.#cell(row, KIND_OF) === KIND.message && this.#cell(row, ATTEMPT) >= 0) return true;
    }
    return false;
  }

  hasRedaction(slot: number): boolean {
    for (let row = this.#headOf(slot, OF_MESSAGE); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.#cell(row, KIND_OF) === KIND.redaction) return true;
    }
    return false;
  }

  /** Parts and finishes of an attempt. */
  attemptRows(slot: number): number[] {
    const rows: number[] = [];
    for (let row = this.#headOf(slot, OF_ATTEMPT); row >= 0; row = this.#nextOfAttempt(row)) {
      const kind = this.#cell(row, KIND_OF);
      if (kind !== KIND.none && kind !== KIND.message) rows.push(row);
    }
    return rows;
  }

  /** Message lines that name the attempt, and the one whose own id it is. */
  attemptMessages(slot: number): number[] {
    const rows: number[] = [];
    for (let row = this.#headOf(slot, OF_ATTEMPT); row >= 0; row = this.#nextOfAttempt(row)) {
      if (this.#cell(row, KIND_OF) === KIND.message) rows.push(row);
    }
    for (let row = this.#headOf(slot, OF_MESSAGE); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.#cell(row, KIND_OF) === KIND.message && this.#cell(row, ATTEMPT) < 0) rows.push(row);
    }
    return rows;
  }

  // Only message lines have a thread; they stand in this chain beside their own.
  #nextOfAttempt(row: number): number {
    return this.#cell(row, THREAD) >= 0 ? this.#cell(row, NEXT_ATTEMPT) : this.#cell(row, NEXT);
  }

  /** Rows about an id in this role that were filed after the row `after`, newest first. Those before cost nothing. */
  *rowsAbout(role: Exclude<Role, 0>, id: string, after = -1): IterableIterator<number> {
    const slot = this.slots.find(id);
    if (slot === undefined) return;
    let row = this.#headOf(slot, HEAD_OF_ROLE[role] as number);
    while (row > after) {
      if (this.#cell(row, KIND_OF) !== KIND.none) yield row;
      row = role === ROLE.attempt ? this.#nextOfAttempt(row) : this.#cell(row, NEXT);
    }
  }

  /** Rows of a document-wide kind that were filed after the row `after`, newest first. */
  *otherRowsAfter(kind: number, after = -1): IterableIterator<number> {
    const rows = this.#others.get(kind) ?? [];
    for (let at = rows.length - 1; at >= 0; at -= 1) {
      const row = rows[at] as number;
      if (row <= after) return;
      if (this.#cell(row, KIND_OF) === kind) yield row;
    }
  }

  /** Slots of the messages with a line in the thread, each once. */
  memberSlots(thread: number): Set<number> {
    const slots = new Set<number>();
    for (let row = this.#headOf(thread, MEMBERS); row >= 0; row = this.#cell(row, NEXT_MEMBER)) {
      if (this.#cell(row, KIND_OF) !== KIND.none) slots.add(this.#cell(row, SUBJECT));
    }
    return slots;
  }

  /** Threads that the lines of a message name; more than one only where a line is forged. */
  threadsOfMessage(slot: number): Set<number> {
    const threads = new Set<number>();
    for (let row = this.#headOf(slot, OF_MESSAGE); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.#cell(row, KIND_OF) === KIND.message) threads.add(this.#cell(row, THREAD));
    }
    return threads;
  }

  /** Rows of legacy files that are about a message. */
  legacyRowsOfMessages(): number[] {
    return this.#legacy.filter((row) => this.#cell(row, KIND_OF) === KIND.legacy_row);
  }

  /** Rows of document-wide kinds: `document`, `variables`, `legacy_row`, `unknown`, `bad`, and headers. */
  otherRows(kind: number): number[] {
    return (this.#others.get(kind) ?? []).filter((row) => this.#cell(row, KIND_OF) === kind);
  }

  /** Every slot that some line is, or was, about in this role. */
  *slotsWith(role: 'thread' | 'message' | 'attempt'): IterableIterator<number> {
    const chain = { thread: OF_THREAD, message: OF_MESSAGE, attempt: OF_ATTEMPT }[role];
    for (let slot = 0; slot < this.slots.size; slot += 1) if (this.#headOf(slot, chain) >= 0) yield slot;
  }

  #chain(head: number): number[] {
    const rows: number[] = [];
    for (let row = head; row >= 0; row = this.#cell(row, NEXT)) {
      if (this.#cell(row, KIND_OF) !== KIND.none) rows.push(row);
    }
    return rows;
  }
}

/** Half as much again, in whole rows; `empty` fills what is new. */
function grow(cells: Int32Array<ArrayBuffer>, empty: number): Int32Array<ArrayBuffer> {
  const unit = ROW * SLOT;
  const grown = new Int32Array(Math.ceil((cells.length * 1.5) / unit) * unit);
  grown.set(cells);
  if (empty !== 0) grown.fill(empty, cells.length);
  return grown;
}
