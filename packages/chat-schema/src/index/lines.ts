import { ROLE, type Role } from '../entry/define.js';
import { KIND } from '../entry/table.js';
import { COST } from '../host/cost.js';
import type { Header } from '../lane/header.js';
import { RefTable } from './refs.js';

/** The subjects of a line, as refs; -1 is nothing. */
export interface Links {
  subject: number;
  role: Role;
  /** Of a message line: its thread. */
  thread: number;
  /** Of an answer's message line: its attempt. */
  attempt: number;
}

// The cells of a row. One array for all rows: a line costs 44 bytes and no object.
const TEXT = 0;
const START = 1;
const END = 2;
const HEADER = 3;
const SUBJECT = 4;
const THREAD = 5;
const ATTEMPT = 6;
const NEXT = 7;
const NEXT_MEMBER = 8;
const NEXT_NAMING = 9;
const KIND_OF = 10;
const ROW = 11;
/** The role is kept above the kind. */
const ROLE_SHIFT = 8;
const KIND_MASK = 255;

// The chains that begin at a ref. A line is in one of the first three, by its role and kind.
const ABOUT = 0;
const LINES = 1;
const PARTS = 2;
const NAMING = 3;
const CHAINS = 4;

/** The chains that begin at a thread. Threads are few, so these heads are kept separately. */
interface ThreadHeads {
  rows: number;
  members: number;
}

/**
 * One row of numbers per line, found by what it is about. Rows of one subject are chained, newest first, and their
 * numbers fall along a chain, so that a fold walks to the row that it has seen last. A row that is dropped stays
 * linked, with kind `none`, and is skipped.
 */
export class LineTable {
  readonly refs: RefTable;
  protected readonly headerList: Header[] = [];
  #size = 0;
  #live = 0;
  #epoch = 0;
  #cells = new Int32Array(256 * ROW);
  #heads = new Int32Array(256 * CHAINS).fill(-1);
  readonly #threads = new Map<number, ThreadHeads>();
  readonly #others = new Map<number, number[]>();
  readonly #legacy: number[] = [];
  readonly #redactions = new Map<number, Set<number>>();
  readonly #drops = new Map<number, number>();

  constructor(seed: number) {
    this.refs = new RefTable(seed);
  }

  /** Live lines, headers included. */
  get lines(): number {
    return this.#live;
  }

  /** Grows when all rows are renumbered. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many rows about a ref, or about the document (-1), were dropped. */
  dropsOf(ref: number): number {
    return this.#drops.size === 0 ? 0 : (this.#drops.get(ref) ?? 0);
  }

  /** The number of the last row. */
  get lastRow(): number {
    return this.#size - 1;
  }

  /** Dropped rows outweigh the live ones. */
  protected get isWasteful(): boolean {
    return this.#size > 2 * this.#live + 10_000;
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

  /** A redaction that can be read: what it names is redacted from now on. */
  protected addRedaction(row: number): void {
    const subject = this.#cell(row, SUBJECT);
    const rows = this.#redactions.get(subject);
    if (rows === undefined) this.#redactions.set(subject, new Set([row]));
    else rows.add(row);
  }

  /** The line of a redaction can no longer be read. */
  protected removeRedaction(row: number): void {
    this.#redactions.get(this.#cell(row, SUBJECT))?.delete(row);
  }

  protected linkRow(row: number, { subject, role, thread, attempt }: Links): void {
    while (this.refs.size * CHAINS > this.#heads.length) this.#heads = grow(this.#heads, -1);
    const cells = this.#cells;
    const heads = this.#heads;
    const at = row * ROW;
    const kind = cells[at + KIND_OF] as number;
    cells[at + SUBJECT] = subject;
    cells[at + KIND_OF] = kind | (role << ROLE_SHIFT);
    if (role === ROLE.thread) {
      const own = this.#threadHeads(subject);
      cells[at + NEXT] = own.rows;
      own.rows = row;
      return;
    }
    const chain = role === ROLE.attempt ? PARTS : kind === KIND.message ? LINES : ABOUT;
    const head = subject * CHAINS + chain;
    cells[at + NEXT] = heads[head] as number;
    heads[head] = row;
    if (thread < 0) return;
    cells[at + THREAD] = thread;
    const own = this.#threadHeads(thread);
    cells[at + NEXT_MEMBER] = own.members;
    own.members = row;
    if (attempt < 0) return;
    cells[at + ATTEMPT] = attempt;
    cells[at + NEXT_NAMING] = heads[attempt * CHAINS + NAMING] as number;
    heads[attempt * CHAINS + NAMING] = row;
  }

  #threadHeads(thread: number): ThreadHeads {
    let heads = this.#threads.get(thread);
    if (heads === undefined) {
      heads = { rows: -1, members: -1 };
      this.#threads.set(thread, heads);
    }
    return heads;
  }

  #cell(row: number, cell: number): number {
    return this.#cells[row * ROW + cell] as number;
  }

  #headOf(ref: number, chain: number): number {
    return this.#heads[ref * CHAINS + chain] ?? -1;
  }

  protected closeRow(row: number, end: number): void {
    this.#cells[row * ROW + END] = end;
  }

  protected dropRow(row: number): void {
    const subject = this.#cell(row, SUBJECT);
    this.#drops.set(subject, (this.#drops.get(subject) ?? 0) + 1);
    if (this.kindOf(row) === KIND.redaction) this.removeRedaction(row);
    this.#cells[row * ROW + KIND_OF] = KIND.none;
    this.#cells[row * ROW + TEXT] = -1;
    this.#live -= 1;
  }

  /** Forgets all rows. Refs stay, so that what is cached by ref stays right. */
  protected clearRows(): void {
    this.#epoch += 1;
    this.#heads.fill(-1);
    this.#threads.clear();
    this.#others.clear();
    this.#redactions.clear();
    this.#drops.clear();
    this.#legacy.length = 0;
    this.#size = 0;
    this.#live = 0;
  }

  protected textOf(row: number): number {
    return this.#cell(row, TEXT);
  }

  /** Where the line begins, in characters that the owner of its text ever wrote. */
  startOf(row: number): number {
    return this.#cell(row, START);
  }

  /** -1 while the line is open. */
  protected endOf(row: number): number {
    return this.#cell(row, END);
  }

  protected headerNumberOf(row: number): number {
    return this.#cell(row, HEADER);
  }

  /** Of a message line: the ref of its thread, else -1. */
  threadOf(row: number): number {
    return this.#cell(row, THREAD);
  }

  kindOf(row: number): number {
    return this.#cell(row, KIND_OF) & KIND_MASK;
  }

  headerOf(row: number): Header | undefined {
    return this.headerList[this.#cell(row, HEADER)];
  }

  /** The ref that the line is about; of document-wide entries -1. */
  subjectOf(row: number): number {
    return this.#cell(row, SUBJECT);
  }

  roleOf(row: number): number {
    return this.#cell(row, KIND_OF) >> ROLE_SHIFT;
  }

  /** Of an answer's message line: the ref of its attempt. */
  attemptOf(row: number): number | undefined {
    const ref = this.#cell(row, ATTEMPT);
    return ref < 0 ? undefined : ref;
  }

  isOpen(row: number): boolean {
    return this.#cell(row, END) < 0;
  }

  /** Every live row from `from` on, hidden and quarantined ones included. */
  *rows(from = 0): IterableIterator<number> {
    for (let row = from; row < this.#size; row += 1) if (this.#cell(row, TEXT) >= 0) yield row;
  }

  /** Headers that are in the document now. */
  *headers(): IterableIterator<Header> {
    const seen = new Set<number>();
    for (const row of this.rows()) {
      const header = this.#cell(row, HEADER);
      if (header < 0 || seen.has(header)) continue;
      seen.add(header);
      yield this.headerList[header] as Header;
    }
  }

  /** Rows about a thread after `since`, newest first: its own, config, state, activations, annotations. */
  threadRows(thread: number, since = -1): number[] {
    return this.#walk(this.#threads.get(thread)?.rows ?? -1, NEXT, since, []);
  }

  /** Rows about a message after `since`: its lines, and everything else about it. */
  messageRows(message: number, since = -1): number[] {
    const rows = this.#walk(this.#headOf(message, LINES), NEXT, since, []);
    return this.#walk(this.#headOf(message, ABOUT), NEXT, since, rows);
  }

  /** Message lines of a message after `since`, newest first: one, or one per attempt. */
  messageLines(message: number, since = -1): number[] {
    return this.#walk(this.#headOf(message, LINES), NEXT, since, []);
  }

  /** The message line, if it is the only one. */
  onlyLine(message: number): number | undefined {
    const row = this.#headOf(message, LINES);
    return row >= 0 && this.kindOf(row) !== KIND.none && this.#cell(row, NEXT) < 0 ? row : undefined;
  }

  /** Whether an attempt has parts or a finish. */
  hasParts(attempt: number): boolean {
    return this.#headOf(attempt, PARTS) >= 0;
  }

  /**
   * The plain message with the smallest id among those with a line in the thread, and the answers whose ids are
   * smaller still. O(members), without making a string.
   */
  findLead(thread: number): { readonly lead: number | undefined; readonly answers: readonly number[] } {
    const head = this.#threads.get(thread)?.members ?? -1;
    let lead: number | undefined;
    let answers: number[] = [];
    for (let row = head; row >= 0; row = this.#cell(row, NEXT_MEMBER)) {
      COST.rows += 1;
      if (this.kindOf(row) === KIND.none) continue;
      const ref = this.#cell(row, SUBJECT);
      if (lead !== undefined && this.refs.compare(ref, lead) > 0) continue;
      if (this.#cell(row, ATTEMPT) >= 0) answers.push(ref);
      else lead = ref;
    }
    if (lead !== undefined) {
      const least = lead;
      answers = answers.filter((ref) => this.refs.compare(ref, least) < 0);
    }
    return { lead, answers };
  }

  /** Whether a message has a line of its own. */
  hasLines(message: number): boolean {
    for (let row = this.#headOf(message, LINES); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.kindOf(row) === KIND.message) return true;
    }
    return false;
  }

  /** Whether something but its own lines is about a message. */
  hasAbout(message: number): boolean {
    return this.#headOf(message, ABOUT) >= 0;
  }

  /** Whether some line of the message names an attempt. */
  isAnswer(message: number): boolean {
    for (let row = this.#headOf(message, LINES); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.kindOf(row) === KIND.message && this.#cell(row, ATTEMPT) >= 0) return true;
    }
    return false;
  }

  /** Whether a redaction that `include` takes names the message. O(1) for the present. */
  isRedacted(message: number, include?: (row: number) => boolean): boolean {
    for (const row of this.#redactions.get(message) ?? []) if (include?.(row) !== false) return true;
    return false;
  }

  /** Parts and finishes of an attempt after `since`, newest first. */
  attemptRows(attempt: number, since = -1): number[] {
    return this.#walk(this.#headOf(attempt, PARTS), NEXT, since, []);
  }

  /** Message lines that name the attempt, and the plain ones whose own id it is. */
  attemptMessages(attempt: number): number[] {
    const rows = this.#walk(this.#headOf(attempt, NAMING), NEXT_NAMING, -1, []);
    for (const row of this.messageLines(attempt)) if (this.#cell(row, ATTEMPT) < 0) rows.push(row);
    return rows;
  }

  /** The latest message line that names the attempt. */
  answerOf(attempt: number): number | undefined {
    for (let row = this.#headOf(attempt, NAMING); row >= 0; row = this.#cell(row, NEXT_NAMING)) {
      if (this.kindOf(row) === KIND.message) return row;
    }
    return undefined;
  }

  /** One of them: the latest that names the attempt, else the plain one. */
  anyMessageOf(attempt: number): number | undefined {
    return this.answerOf(attempt) ?? this.messageLines(attempt).find((row) => this.#cell(row, ATTEMPT) < 0);
  }

  /** Refs of the messages with a line in the thread, each once, oldest first. */
  memberRefs(thread: number): number[] {
    const refs: number[] = [];
    const several = new Set<number>();
    const head = this.#threads.get(thread)?.members ?? -1;
    for (let row = head; row >= 0; row = this.#cell(row, NEXT_MEMBER)) {
      if (this.kindOf(row) === KIND.none) continue;
      const ref = this.#cell(row, SUBJECT);
      if (this.#cell(row, NEXT) >= 0 || this.#headOf(ref, LINES) !== row) {
        if (several.has(ref)) continue;
        several.add(ref);
      }
      refs.push(ref);
    }
    return refs.reverse();
  }

  /** Threads that the lines of a message name; more than one only where a line is forged. */
  threadsOfMessage(message: number): Set<number> {
    const threads = new Set<number>();
    for (let row = this.#headOf(message, LINES); row >= 0; row = this.#cell(row, NEXT)) {
      if (this.kindOf(row) === KIND.message) threads.add(this.#cell(row, THREAD));
    }
    return threads;
  }

  /** Rows of legacy files that are about a message. */
  legacyRowsOfMessages(): number[] {
    return this.#legacy.filter((row) => this.kindOf(row) === KIND.legacy_row);
  }

  /** Rows after `since` of document-wide kinds: `document`, `variables`, `legacy_row`, `unknown`, `bad`, and headers. */
  otherRows(kind: number, since = -1): number[] {
    const all = this.#others.get(kind) ?? [];
    const rows: number[] = [];
    for (let i = all.length - 1; i >= 0 && (all[i] as number) > since; i -= 1) {
      COST.rows += 1;
      if (this.kindOf(all[i] as number) === kind) rows.push(all[i] as number);
    }
    return rows;
  }

  /** Every ref that some line is, or was, about in this role. */
  *refsWith(role: 'thread' | 'message' | 'attempt'): IterableIterator<number> {
    if (role === 'thread') {
      for (const [ref, { rows }] of this.#threads) if (rows >= 0) yield ref;
      return;
    }
    for (let ref = 0; ref < this.refs.size; ref += 1) {
      const isOne =
        role === 'attempt'
          ? this.#headOf(ref, PARTS) >= 0 || this.#headOf(ref, NAMING) >= 0
          : this.#headOf(ref, LINES) >= 0 || this.#headOf(ref, ABOUT) >= 0;
      if (isOne) yield ref;
    }
  }

  #walk(head: number, next: number, since: number, rows: number[]): number[] {
    for (let row = head; row > since; row = this.#cell(row, next)) {
      COST.rows += 1;
      if (this.kindOf(row) !== KIND.none) rows.push(row);
    }
    return rows;
  }
}

/** Half as much again, in whole rows; `empty` fills what is new. */
function grow(cells: Int32Array<ArrayBuffer>, empty: number): Int32Array<ArrayBuffer> {
  const unit = ROW * CHAINS;
  const grown = new Int32Array(Math.ceil((cells.length * 1.5) / unit) * unit);
  grown.set(cells);
  if (empty !== 0) grown.fill(empty, cells.length);
  return grown;
}
