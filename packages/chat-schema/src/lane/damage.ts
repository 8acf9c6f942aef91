import { ROLE } from '../entry/define.js';
import { createHead, keyOfLine, readHead } from '../entry/head.js';
import { encodeLine } from '../entry/line.js';
import { KIND } from '../entry/table.js';
import { ULID_LENGTH } from '../entry/ulid.js';
import type { DamagedLine } from '../fold/records.js';
import { compareText } from '../host/values.js';
import type { EntryIndex, TakenLine } from '../index/entry-index.js';
import { readSections } from './sections.js';

/**
 * Lane text that a deletion took, kept aside by replicas that held it. Text that a redaction covers is not damage
 * and is forgotten; text that is in the document again is left out.
 */
export class DamageLog {
  readonly #index: EntryIndex;
  readonly #aside = new Map<string, TakenLine>();

  constructor(index: EntryIndex) {
    this.#index = index;
  }

  add(taken: readonly TakenLine[]): void {
    for (const line of taken) this.#aside.set(`${line.header?.lane_id ?? ''} ${line.line}`, line);
  }

  /** O(1) where nothing was ever taken, else O(lanes concerned). */
  list(): readonly DamagedLine[] {
    if (this.#aside.size === 0) return [];
    const present = this.#readPresent();
    const damaged: DamagedLine[] = [];
    for (const [name, { line, header }] of this.#aside) {
      if (this.#isRedacted(line)) {
        this.#aside.delete(name);
        continue;
      }
      const lane_id = header?.lane_id ?? null;
      const key = isCut(line) ? `${lane_id ?? ''} ${keyOfLine(line) ?? line}` : undefined;
      // A cut line is back once its entry is there whole.
      if (present.lines.has(name) || (key !== undefined && present.keys.has(key))) continue;
      damaged.push(Object.freeze({ lane_id, line, header }));
    }
    damaged.sort((a, b) => compareText(a.lane_id ?? '', b.lane_id ?? '') || compareText(a.line, b.line));
    return Object.freeze(damaged);
  }

  /** JSONL of what is aside, each line under its own header; lines that were under none can't be re-hosted. */
  rescue(): string {
    let jsonl = '';
    let laneId: string | null = null;
    for (const { lane_id, line, header } of this.list()) {
      if (header === null) continue;
      if (lane_id !== laneId) jsonl += `${encodeLine(header)}\n`;
      laneId = lane_id;
      jsonl += `${line}\n`;
    }
    return jsonl;
  }

  #readPresent(): { readonly lines: ReadonlySet<string>; readonly keys: ReadonlySet<string> } {
    const lanes = new Set([...this.#aside.values()].map(({ header }) => header?.lane_id ?? ''));
    const lines = new Set<string>();
    const keys = new Set<string>();
    for (const { lane } of this.#index.texts()) {
      for (const section of readSections(lane)) {
        if (!lanes.has(section.laneId)) continue;
        for (const line of section.lines) {
          lines.add(`${section.laneId} ${line}`);
          if (!isCut(line)) keys.add(`${section.laneId} ${keyOfLine(line) ?? line}`);
        }
      }
    }
    return { lines, keys };
  }

  #isRedacted(line: string): boolean {
    const head = createHead();
    readHead(line, 0, line.length, head);
    if (head.kind === KIND.redaction || head.subject < 0 || head.subjectRole === ROLE.thread) return false;
    const ref = this.#index.refs.find(line.substring(head.subject, head.subject + ULID_LENGTH));
    if (ref === undefined) return false;
    if (head.subjectRole === ROLE.message) return this.#index.isRedacted(ref);
    return this.#index.attemptMessages(ref).some((row) => this.#index.isRedacted(this.#index.subjectOf(row)));
  }
}

function isCut(line: string): boolean {
  return line.endsWith(',"cut":true}');
}
