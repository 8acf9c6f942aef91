import { closeLine, parseLine } from '../entry/line.js';
import { blankLine } from '../entry/private.js';
import type { Entry } from '../entry/table.js';
import { definitionOf, KIND, TYPE_OF_KIND } from '../entry/table.js';
import type { StampClock } from '../entry/ulid.js';
import { AttemptFold } from '../fold/attempt.js';
import { type Chosen, chooseRows, type OutrankedLine } from '../fold/choose.js';
import { namedAttempts } from '../fold/named.js';
import type { LineReport, QuarantinedLine } from '../fold/records.js';
import { notifyAll } from '../host/listeners.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';
import { countForeign } from '../lane/structs.js';
import type { Folds } from './folds.js';
import { isRedactedRow } from './redaction.js';

/** The kinds of subject that a line can be about. */
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

/** The subjects that one transaction touched, as ids. Text that only grew is left out. */
export interface TouchedLines {
  readonly threads: readonly string[];
  readonly messages: readonly string[];
  readonly attempts: readonly string[];
  /** Keys of texts that somebody changed, their owner or not. */
  readonly texts: readonly string[];
  /** Whether the results of `documentEntries`, `documentFaults`, `hiddenLanes` and `unknownTypes` may have changed. */
  readonly document: boolean;
}

const DOCUMENT_KINDS = [KIND.document, KIND.variables, KIND.legacy_row];

/** The lines behind the records, subject by subject: each call is O(lines about it) unless noted. */
export interface Inspector {
  /** Calls `listener` after each transaction that changed a line or a text. Returns an unsubscribe function. */
  listen(listener: (touched: TouchedLines) => void): () => void;
  /** Everything that some line is, or was, about in this role, in unspecified order. */
  subjects(role: SubjectRole): IterableIterator<string>;
  /**
   * Whether the record of the message has all that its lines have: it has one line, and nothing is wrong. Of an
   * answer also all that the lines of its attempt have, except the id of their finish; nobody else names that attempt.
   */
  isPlain(messageId: string): boolean;
  /** The lines about a subject: those that count, in unspecified order, and those that do not. */
  read(
    role: SubjectRole,
    id: string,
  ): { readonly entries: readonly CountedEntry[]; readonly faults: LineFaults };
  /** Entries about the document as a whole. */
  documentEntries(): readonly CountedEntry[];
  /** Lines about nothing, or about the document as a whole, that do not count. */
  documentFaults(): LineFaults;
  /** Lanes that only a later version reads. */
  hiddenLanes(): readonly string[];
  /** Distinct lines of types that only a later version knows, each by its type. */
  unknownTypes(): readonly string[];
  /** Keys of all texts. */
  texts(): readonly string[];
  /** Characters of other clients in the text under this key. */
  countForeign(key: string): number;
  countFutureStamps(): number;
}

export class LineInspector implements Inspector {
  readonly #folds: Folds;
  readonly #index: EntryIndex;
  readonly #stamps: StampClock;
  readonly #listeners = new Set<(touched: TouchedLines) => void>();

  constructor(folds: Folds, index: EntryIndex, stamps: StampClock) {
    this.#folds = folds;
    this.#index = index;
    this.#stamps = stamps;
  }

  listen(listener: (touched: TouchedLines) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }

  /** Notifies listeners of a transaction. */
  notify(touched: Touched, reportError: (error: unknown) => void): void {
    if (this.#listeners.size === 0 || !(touched.any || touched.texts.size > 0)) return;
    const name = (refs: Iterable<number>): readonly string[] =>
      Array.from(refs, (ref) => this.#index.refs.idOf(ref));
    const lines: TouchedLines = {
      threads: name(touched.threads),
      messages: name(new Set([...touched.messages, ...touched.annotated])),
      attempts: name(touched.attempts),
      texts: [...touched.texts],
      document: touched.document || touched.lanes,
    };
    notifyAll(this.#listeners, lines, reportError);
  }

  *subjects(role: SubjectRole): IterableIterator<string> {
    for (const ref of this.#index.refsWith(role)) yield this.#index.refs.idOf(ref);
  }

  isPlain(messageId: string): boolean {
    const index = this.#index;
    const ref = index.refs.find(messageId);
    if (ref === undefined) return false;
    const rows = index.messageRows(ref);
    const row = rows[0];
    if (row === undefined || rows.length !== 1) return false;
    const folded = this.#folds.foldedAt(ref);
    if (folded === undefined || folded.message.problem !== undefined) return false;
    const attempt = index.attemptOf(row);
    if (attempt === undefined) return index.attemptRows(ref).length === 0;
    return folded.whole && index.attemptMessages(attempt).length === 1;
  }

  read(
    role: SubjectRole,
    id: string,
  ): { readonly entries: readonly CountedEntry[]; readonly faults: LineFaults } {
    const ref = this.#index.refs.find(id);
    if (ref === undefined) return NOTHING;
    const rows = this.#rowsOf(role, ref);
    if (rows.length === 0) return NOTHING;
    const { chosen, outranked, ignored } =
      role === 'attempt' ? this.#chooseAttempt(ref) : this.#choose(role, ref);
    return {
      entries: chosen.map((choice) => this.#describe(choice)),
      faults: {
        duplicates: outranked.filter(({ merged }) => !merged).map(({ lane_id, line }) => ({ lane_id, line })),
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

  documentEntries(): readonly CountedEntry[] {
    return DOCUMENT_KINDS.flatMap((kind) =>
      chooseRows(this.#index, this.#index.otherRows(kind)).chosen.map((choice) => this.#describe(choice)),
    );
  }

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
    const outranked = rows.flatMap((own) => chooseRows(index, own).outranked).filter(({ merged }) => !merged);
    const duplicates = outranked.map(({ lane_id, line }) => ({ lane_id, line }));
    return { duplicates, quarantined, ignored: [] };
  }

  hiddenLanes(): readonly string[] {
    const hidden = new Set<string>();
    for (const row of this.#index.otherRows(KIND.lane)) {
      const header = this.#index.headerOf(row);
      if (header?.hidden !== true || header.lane === null) continue;
      if (header.lane.rolled_back === undefined) hidden.add(header.lane.lane_id);
    }
    return [...hidden].sort();
  }

  unknownTypes(): readonly string[] {
    const lines = new Set(this.#index.otherRows(KIND.unknown).map((row) => this.#index.line(row)));
    return Array.from(lines, (line) => /^\{"type":"([^"]*)"/.exec(line)?.[1] ?? '');
  }

  texts(): readonly string[] {
    return Array.from(this.#index.texts(), ({ lane }) => lane.key);
  }

  countForeign(key: string): number {
    const text = this.#index.textAt(key);
    return text === undefined ? 0 : countForeign(text);
  }

  countFutureStamps(): number {
    return this.#stamps.countFuture();
  }

  #rowsOf(role: SubjectRole, ref: number): readonly number[] {
    if (role === 'thread') return this.#index.threadRows(ref);
    return role === 'message' ? this.#index.messageRows(ref) : this.#index.attemptRows(ref);
  }

  #choose(role: 'thread' | 'message', ref: number): Selection {
    const redacted = role === 'message' && this.#index.isRedacted(ref);
    const choice = chooseRows(this.#index, this.#rowsOf(role, ref), redacted);
    return { ...choice, ignored: role === 'message' ? this.#ignoredRows(ref) : NONE };
  }

  /** Rows of the attempts that a message names, from lanes of other writers. */
  #ignoredRows(ref: number): readonly number[] {
    const index = this.#index;
    return namedAttempts(index, ref).flatMap(({ attempt, writers }) =>
      index.attemptRows(attempt).filter((row) => !writers.has(index.headerOf(row)?.lane?.writer_id ?? '')),
    );
  }

  /** Under each message that names the attempt, what its writer wrote; without one, all of it. */
  #chooseAttempt(ref: number): Selection {
    const index = this.#index;
    const messages = new Set(index.attemptMessages(ref).map((row) => index.subjectOf(row)));
    const found = new Map<number, Chosen>();
    const outranked: OutrankedLine[] = [];
    let isKnown = false;
    for (const message of messages) {
      const redacted = index.isRedacted(message);
      for (const line of chooseRows(index, index.messageLines(message), redacted).chosen) {
        if ((index.attemptOf(line.row) ?? message) !== ref) continue;
        isKnown = true;
        const fold = new AttemptFold({ index }, ref, line.headers, redacted);
        fold.update();
        for (const chosen of fold.chooser.chosen()) found.set(chosen.row, chosen);
        outranked.push(...fold.chooser.outranked());
      }
    }
    if (isKnown) return { chosen: [...found.values()], outranked, ignored: NONE };
    return { chosen: chooseRows(index, index.attemptRows(ref)).chosen, outranked, ignored: NONE };
  }

  #describe({ kind, entry, problem, cut }: Chosen): CountedEntry {
    const type = TYPE_OF_KIND[kind] as Entry['type'];
    const own = (entry as unknown as Readonly<Record<string, string>>)[definitionOf(type).head.own];
    return { id: own ?? '', type, entry: entry as Entry, problem, cut };
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

interface Selection {
  readonly chosen: readonly Chosen[];
  readonly outranked: readonly OutrankedLine[];
  readonly ignored: readonly number[];
}

const NONE: readonly never[] = Object.freeze([]);
const NOTHING = { entries: NONE, faults: { duplicates: NONE, quarantined: NONE, ignored: NONE } };
