import { ROLE } from '../entry/define.js';
import { createHead, readHead } from '../entry/head.js';
import { blankLine } from '../entry/private.js';
import { isPrivateKind, KIND } from '../entry/table.js';
import { ULID_LENGTH } from '../entry/ulid.js';
import { hashText, toHex } from '../host/sha256.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';
import { readHeader } from '../lane/header.js';
import { readSections, type Section } from '../lane/sections.js';
import type { LaneText } from '../lane/structs.js';
import { chooseRows, type OutrankedLine } from './choose.js';
import { findOutranked } from './duplicates.js';

/**
 * SHA-256 over what the document holds, whatever texts and clients hold it: for each lane in order its id and
 * the SHA-256 of its sorted lines. Lines that another of their id outranks are left out. Only lanes whose
 * lines, or whose choice among lines, changed are read again.
 */
export class Digest {
  readonly #index: EntryIndex;
  readonly #lanes = new Map<string, string>();
  readonly #textVersions = new Map<LaneText, { version: number; lanes: Set<string> }>();
  readonly #textsOf = new Map<string, Set<LaneText>>();
  readonly #outranked = new Map<string, readonly OutrankedLine[]>();
  /** Outranked lines by lane, counted: two subjects can't lose one line, two rows can. */
  readonly #outrankedLines = new Map<string, Map<string, number>>();
  readonly #redacted = new Set<number>();
  #dirtyMessages: Set<number> | undefined;
  #dirtyThreads: Set<number> | undefined;
  #othersDirty = true;
  #current: string | undefined;

  constructor(index: EntryIndex) {
    this.#index = index;
  }

  note(touched: Touched): void {
    if (!touched.any) return;
    this.#current = undefined;
    this.#othersDirty ||= touched.document;
    if (this.#dirtyMessages === undefined || this.#dirtyThreads === undefined) return;
    for (const ref of touched.messages) this.#dirtyMessages.add(ref);
    for (const { message } of touched.deltas) this.#dirtyMessages.add(message);
    for (const ref of touched.annotated) this.#dirtyMessages.add(ref);
    for (const ref of touched.threads) this.#dirtyThreads.add(ref);
  }

  read(): string {
    if (this.#current === undefined) {
      const dirty = new Set<string>();
      this.#readSubjects(dirty);
      this.#readTexts(dirty);
      const sections = new Map<LaneText, Map<string, Section[]>>();
      for (const lane of dirty) this.#readLane(lane, sections);
      let text = '';
      for (const lane of [...this.#lanes.keys()].sort()) text += `${lane} ${this.#lanes.get(lane)}\n`;
      this.#current = hash(text);
    }
    return this.#current;
  }

  #readSubjects(dirty: Set<string>): void {
    const messages = this.#dirtyMessages ?? this.#index.refsWith('message');
    const threads = this.#dirtyThreads ?? this.#index.refsWith('thread');
    for (const ref of messages) {
      const rows = this.#index.messageRows(ref);
      const redacted = this.#index.isRedacted(ref);
      if (redacted !== this.#redacted.has(ref)) {
        if (redacted) this.#redacted.add(ref);
        else this.#redacted.delete(ref);
        for (const lane of this.#lanesOf(ref, rows)) dirty.add(lane);
      }
      this.#setOutranked(`m${ref}`, findOutranked(this.#index, ref), dirty);
    }
    for (const ref of threads) {
      const { outranked } = chooseRows(this.#index, this.#index.threadRows(ref));
      this.#setOutranked(`t${ref}`, outranked, dirty);
    }
    if (this.#othersDirty) {
      for (const kind of [KIND.document, KIND.variables, KIND.legacy_row]) {
        this.#setOutranked(`o${kind}`, chooseRows(this.#index, this.#index.otherRows(kind)).outranked, dirty);
      }
    }
    this.#dirtyMessages = new Set();
    this.#dirtyThreads = new Set();
    this.#othersDirty = false;
  }

  *#lanesOf(ref: number, rows: readonly number[]): IterableIterator<string> {
    const index = this.#index;
    // A torn line is not a row; it may be about any message.
    for (const { header } of index.tornLines()) yield header?.lane?.lane_id ?? '';
    for (const row of rows) {
      yield index.headerOf(row)?.lane?.lane_id ?? '';
      const attempt = index.attemptOf(row) ?? ref;
      for (const part of index.attemptRows(attempt)) yield index.headerOf(part)?.lane?.lane_id ?? '';
    }
  }

  #setOutranked(subject: string, outranked: readonly OutrankedLine[], dirty: Set<string>): void {
    const before = this.#outranked.get(subject);
    if (before === undefined && outranked.length === 0) return;
    for (const [rows, step] of [[before ?? [], -1] as const, [outranked, 1] as const]) {
      for (const { lane_id, line } of rows) {
        const lines = this.#outrankedLines.get(lane_id) ?? new Map<string, number>();
        this.#outrankedLines.set(lane_id, lines);
        lines.set(line, (lines.get(line) ?? 0) + step);
        dirty.add(lane_id);
      }
    }
    if (outranked.length > 0) this.#outranked.set(subject, outranked);
    else this.#outranked.delete(subject);
  }

  /** Finds the lanes of texts that changed, came or went. */
  #readTexts(dirty: Set<string>): void {
    const seen = new Set<LaneText>();
    for (const { lane, version } of this.#index.texts()) {
      seen.add(lane);
      const known = this.#textVersions.get(lane);
      if (known?.version === version) continue;
      const lanes = new Set(readSections(lane).map((section) => section.laneId));
      for (const id of known?.lanes ?? []) this.#unlink(id, lane, dirty);
      for (const id of lanes) {
        dirty.add(id);
        const texts = this.#textsOf.get(id) ?? new Set();
        this.#textsOf.set(id, texts.add(lane));
      }
      this.#textVersions.set(lane, { version, lanes });
    }
    for (const [lane, { lanes }] of this.#textVersions) {
      if (seen.has(lane)) continue;
      for (const id of lanes) this.#unlink(id, lane, dirty);
      this.#textVersions.delete(lane);
    }
  }

  #unlink(laneId: string, lane: LaneText, dirty: Set<string>): void {
    this.#textsOf.get(laneId)?.delete(lane);
    dirty.add(laneId);
  }

  /** `read` holds texts by lane: an import has put many lanes into each. */
  #readLane(laneId: string, read: Map<LaneText, Map<string, Section[]>>): void {
    const lines = new Set<string>();
    const outranked = this.#outrankedLines.get(laneId);
    for (const text of this.#textsOf.get(laneId) ?? []) {
      let byLane = read.get(text);
      if (byLane === undefined) {
        byLane = groupByLane(readSections(text));
        read.set(text, byLane);
      }
      for (const section of byLane.get(laneId) ?? []) {
        if (section.header !== '') lines.add(section.header);
        const mayBlank = this.#redacted.size > 0 && isFolded(section.header);
        for (const raw of section.lines) {
          const line = mayBlank && this.#isRedactedLine(raw) ? blankLine(raw) : raw;
          if ((outranked?.get(line) ?? 0) === 0) lines.add(line);
        }
      }
    }
    if (lines.size === 0) this.#lanes.delete(laneId);
    else
      this.#lanes.set(
        laneId,
        hash(
          [...lines]
            .sort()
            .map((line) => `${line}\n`)
            .join(''),
        ),
      );
  }

  #isRedactedLine(line: string): boolean {
    readHead(line, 0, line.length, head);
    if (!isPrivateKind(head.kind)) return false;
    const ref = this.#index.refs.find(line.substring(head.subject, head.subject + ULID_LENGTH));
    if (ref === undefined) return false;
    if (head.subjectRole === ROLE.message) return this.#redacted.has(ref);
    return this.#index.attemptMessages(ref).some((row) => this.#redacted.has(this.#index.subjectOf(row)));
  }
}

function groupByLane(sections: readonly Section[]): Map<string, Section[]> {
  const byLane = new Map<string, Section[]>();
  for (const section of sections) {
    const group = byLane.get(section.laneId);
    if (group === undefined) byLane.set(section.laneId, [section]);
    else group.push(section);
  }
  return byLane;
}

// Lines in a hidden lane, or under no header, are not read, so no redaction covers it.
function isFolded(header: string): boolean {
  const { lane, hidden } = readHeader(header);
  return lane !== null && !hidden;
}

const head = createHead();

export function hash(text: string): string {
  return toHex(hashText(text));
}
