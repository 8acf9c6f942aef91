import { createHead, readHead } from '../entry/head.js';
import { closeLine, parseLine } from '../entry/line.js';
import { blankLine } from '../entry/private.js';
import type { Entry } from '../entry/table.js';
import { KIND, TYPE_OF_KIND } from '../entry/table.js';
import { type StampClock, ULID_LENGTH } from '../entry/ulid.js';
import { chooseBody } from '../fold/attempt.js';
import { type Choice, type Chosen, chooseRows, type LostLine } from '../fold/choose.js';
import { isRedacted } from '../fold/message.js';
import type { LineReport, QuarantinedLine } from '../fold/records.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';
import { countForeign } from '../lane/structs.js';
import type { ChatView } from './reader.js';
import { isRedactedRow } from './redaction.js';

/** What a line can be about. */
export type SubjectRole = 'thread' | 'message' | 'attempt';

/** One entry that counts, as the fold reads it. A field that does not fit its schema is absent. */
export interface CountedEntry {
  /** Its own id; of a part its attempt. */
  readonly id: string;
  readonly type: Entry['type'];
  readonly entry: Entry;
  /** Names of fields only. */
  readonly problem: string | undefined;
  readonly cut: boolean;
}

/** Lines that do not count. */
export interface LineFaults {
  readonly duplicates: readonly LineReport[];
  readonly quarantined: readonly QuarantinedLine[];
  readonly ignored: readonly LineReport[];
}

/** What one transaction touched, as ids. Text that only grew is left out. */
export interface TouchedLines {
  readonly threads: readonly string[];
  readonly messages: readonly string[];
  readonly attempts: readonly string[];
  /** Keys of texts that somebody changed, their owner or not. */
  readonly texts: readonly string[];
  /** What `documentEntries`, `documentFaults`, `hiddenLanes` and `unknownTypes` say. */
  readonly document: boolean;
}

const DOCUMENT_KINDS = [KIND.document, KIND.variables, KIND.legacy_row];

/** The lines behind the records, subject by subject: each call is O(lines about it). */
export class Inspector {
  readonly #view: ChatView;
  readonly #index: EntryIndex;
  readonly #stamps: StampClock;
  readonly #listeners = new Set<(touched: TouchedLines) => void>();

  /** @internal */
  constructor(view: ChatView, index: EntryIndex, stamps: StampClock) {
    this.#view = view;
    this.#index = index;
    this.#stamps = stamps;
  }

  /** Calls `listener` after each transaction that changed a line or a text. The result ends it. */
  listen(listener: (touched: TouchedLines) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @internal */
  close(): void {
    this.#listeners.clear();
  }

  /** @internal */
  tell(touched: Touched): void {
    if (this.#listeners.size === 0 || !(touched.any || touched.texts.size > 0)) return;
    const name = (slots: Iterable<number>): readonly string[] =>
      Array.from(slots, (slot) => this.#index.slots.idOf(slot));
    const lines: TouchedLines = {
      threads: name(touched.threads),
      messages: name(new Set([...touched.messages, ...touched.annotated])),
      attempts: name(touched.attempts),
      texts: [...touched.texts],
      document: touched.document || touched.lanes,
    };
    for (const listener of [...this.#listeners]) listener(lines);
  }

  /** Everything that some line is, or was, about in this role, in no order that means anything. */
  *subjects(role: SubjectRole): IterableIterator<string> {
    for (const slot of this.#index.slotsWith(role)) yield this.#index.slots.idOf(slot);
  }

  /**
   * Whether the record of the message says all that its lines say: it has one line, and nothing is wrong. Of an
   * answer also all that the lines of its attempt say, but for the id of their finish; nobody else names that attempt.
   */
  isPlain(messageId: string): boolean {
    const index = this.#index;
    const slot = index.slots.find(messageId);
    if (slot === undefined) return false;
    const rows = index.messageRows(slot);
    const row = rows[0];
    if (row === undefined || rows.length !== 1) return false;
    const folded = this.#view.foldedAt(slot);
    if (folded === undefined || folded.message.problem !== undefined) return false;
    const attempt = index.attemptOf(row);
    if (attempt === undefined) return index.attemptRows(slot).length === 0;
    return folded.whole && index.attemptMessages(attempt).length === 1;
  }

  /** The lines about a subject: those that count, in no order that means anything, and those that do not. */
  read(
    role: SubjectRole,
    id: string,
  ): { readonly entries: readonly CountedEntry[]; readonly faults: LineFaults } {
    const slot = this.#index.slots.find(id);
    if (slot === undefined) return NOTHING;
    const rows = this.#rowsOf(role, slot);
    if (rows.length === 0) return NOTHING;
    const { chosen, lost } = role === 'attempt' ? this.#chooseAttempt(slot) : this.#choose(role, slot);
    const ignored = role === 'message' ? (this.#view.foldedAt(slot)?.ignored ?? []) : [];
    return {
      entries: chosen.map((choice) => this.#describe(choice)),
      faults: {
        duplicates: lost.filter(({ merged }) => !merged).map(({ lane_id, line }) => ({ lane_id, line })),
        // Where each row gave an entry, each could be read.
        quarantined:
          new Set(chosen.map(({ row }) => row)).size === rows.length ? NONE : this.#findQuarantined(rows),
        ignored: ignored
          .map((row) => ({ lane_id: this.#laneOf(row), line: this.#index.line(row) }))
          // What does not parse is listed in quarantine.
          .filter(({ line }) => parseLine(line).ok),
      },
    };
  }

  /** Entries about the document as a whole. */
  documentEntries(): readonly CountedEntry[] {
    return DOCUMENT_KINDS.flatMap((kind) =>
      chooseRows(this.#index, this.#index.otherRows(kind)).chosen.map((choice) => this.#describe(choice)),
    );
  }

  /** Lines about nothing, or about the document as a whole, that do not count. O(such lines). */
  documentFaults(): LineFaults {
    const index = this.#index;
    const rows = DOCUMENT_KINDS.map((kind) => index.otherRows(kind));
    const quarantined = [...this.#findQuarantined([...rows.flat(), ...index.otherRows(KIND.unknown)])];
    for (const row of index.otherRows(KIND.bad)) {
      const line = index.line(row);
      const lane_id = this.#laneOf(row);
      quarantined.push({ lane_id, line, reason: lane_id === null ? 'no_header' : 'head' });
    }
    for (const { header, line } of index.tornLines()) {
      if (header?.hidden === true) continue;
      const lane_id = header?.lane?.lane_id ?? null;
      const closed = closeLine(line);
      if (closed === undefined) quarantined.push({ lane_id, line, reason: 'torn' });
      else quarantined.push({ lane_id, line: closed, reason: lane_id === null ? 'no_header' : 'head' });
    }
    const lost = rows.flatMap((own) => chooseRows(index, own).lost).filter(({ merged }) => !merged);
    const duplicates = lost.map(({ lane_id, line }) => ({ lane_id, line }));
    return { duplicates, quarantined, ignored: [] };
  }

  /** Lanes that only a later version reads. */
  hiddenLanes(): readonly string[] {
    const hidden = new Set<string>();
    for (const row of this.#index.otherRows(KIND.lane)) {
      const header = this.#index.headerOf(row);
      if (header?.hidden !== true || header.lane === null) continue;
      if (header.lane.rolled_back === undefined) hidden.add(header.lane.lane_id);
    }
    return [...hidden].sort();
  }

  /** Distinct lines of types that only a later version knows, each by its type. */
  unknownTypes(): readonly string[] {
    const lines = new Set(this.#index.otherRows(KIND.unknown).map((row) => this.#index.line(row)));
    return Array.from(lines, (line) => /^\{"type":"([^"]*)"/.exec(line)?.[1] ?? '');
  }

  /** Keys of all texts. */
  texts(): readonly string[] {
    return Array.from(this.#index.texts(), ({ lane }) => lane.key);
  }

  /** Characters of other clients in the text under this key. */
  countForeign(key: string): number {
    const text = this.#index.textAt(key);
    return text === undefined ? 0 : countForeign(text);
  }

  countFutureStamps(): number {
    return this.#stamps.countFuture();
  }

  #isRedacted(slot: number): boolean {
    return isRedacted({ index: this.#index }, slot);
  }

  #rowsOf(role: SubjectRole, slot: number): readonly number[] {
    if (role === 'thread') return this.#index.threadRows(slot);
    return role === 'message' ? this.#index.messageRows(slot) : this.#index.attemptRows(slot);
  }

  #choose(role: 'thread' | 'message', slot: number): Choice {
    const redacted = role === 'message' && this.#isRedacted(slot);
    return chooseRows(this.#index, this.#rowsOf(role, slot), redacted);
  }

  /** Under each message that names the attempt, what its writer wrote; without one, all of it. */
  #chooseAttempt(slot: number): Omit<Choice, 'shared'> {
    const index = this.#index;
    const id = index.slots.idOf(slot);
    const messages = new Set(index.attemptMessages(slot).map((row) => index.subjectOf(row)));
    const found = new Map<string, Chosen>();
    const lost: LostLine[] = [];
    let isKnown = false;
    for (const message of messages) {
      const redacted = this.#isRedacted(message);
      for (const line of this.#choose('message', message).chosen) {
        if (line.kind !== KIND.message || (index.attemptOf(line.row) ?? message) !== slot) continue;
        isKnown = true;
        const { choice } = chooseBody({ index }, line, id, redacted);
        for (const chosen of choice.chosen) found.set(chosen.line, chosen);
        lost.push(...choice.lost);
      }
    }
    if (isKnown) return { chosen: [...found.values()], lost };
    return { chosen: chooseRows(index, index.attemptRows(slot)).chosen, lost };
  }

  #describe({ kind, line, entry, problem, cut }: Chosen): CountedEntry {
    readHead(line, 0, line.length, head);
    const id = head.own < 0 ? '' : line.substring(head.own, head.own + ULID_LENGTH);
    return { id, type: TYPE_OF_KIND[kind] as Entry['type'], entry: entry as Entry, problem, cut };
  }

  #laneOf(row: number): string | null {
    return this.#index.headerOf(row)?.lane?.lane_id ?? null;
  }

  #findQuarantined(rows: readonly number[]): readonly QuarantinedLine[] {
    const found: QuarantinedLine[] = [];
    for (const row of rows) {
      const line = this.#index.line(row);
      const parsed = parseLine(
        line.includes('\0') && isRedactedRow(this.#index, row) ? blankLine(line) : line,
      );
      if (!parsed.ok) found.push({ lane_id: this.#laneOf(row), line, reason: parsed.reason });
    }
    return found;
  }
}

const head = createHead();
const NONE: readonly never[] = Object.freeze([]);
const NOTHING = { entries: NONE, faults: { duplicates: NONE, quarantined: NONE, ignored: NONE } };
