import {
  type Header,
  isUlid,
  KIND,
  type LaneText,
  ROLE,
  type Run,
  readHeader,
} from '@chatdoc/schema/internal';
import type { Inspection, PlacedDeletion, PlacedStruct } from '../update/inspect.js';
import { refuseUnless } from '../update/refusal.js';
import { EntryRules, type Sender } from './entries.js';
import {
  checkGrowth,
  checkLine,
  checkOpening,
  DELETED,
  fitsLimits,
  fitsLine,
  isBlanking,
  isFutureStamp,
  type LineIds,
  type LineRules,
  readLineIds,
} from './lines.js';
import type { ClientOwner, Owners } from './owners.js';
import type { GateRefusalCode } from './refusal.js';

export interface CheckOptions extends LineRules {
  readonly generation: number;
  /** Other roots are allowed: what happens there is not looked at. */
  readonly hasOthers: boolean;
}

/** A lane to which the update adds. */
interface StagedLane {
  readonly key: string;
  readonly client: number;
  /** Clock behind the last character. */
  end: number;
  /** That the document holds already, and who owns it. */
  readonly stored: { readonly lane: LaneText; readonly owner: ClientOwner } | undefined;
  /** Nearest above the end. */
  header: Header | undefined;
  /** Lines of other lanes, under their own headers: from here on it may hold anything, and nobody goes on in it. */
  isCopy: boolean;
  /** What the update adds. */
  readonly runs: Run[];
  added: string;
  /** Code units behind the last newline of `added`. */
  openLength: number;
}

/**
 * One update, judged against who owns what before it is applied: throws a `GateRefusal` or returns. Everything that
 * it would add is staged here and forgotten. O(update), and O(length of each line that it ends or deletes from).
 */
export class GateCheck {
  /** ClientIDs in whose name the update writes, and writer ids of its headers. */
  readonly clients: Set<number> = new Set();
  readonly writers: Set<string> = new Set();
  readonly #owners: Owners;
  readonly #sender: Sender;
  readonly #options: CheckOptions;
  readonly #entries: EntryRules;
  readonly #lanes = new Map<string, StagedLane>();
  /** By client, where it writes. */
  readonly #latest = new Map<number, StagedLane>();
  readonly #keys = new Set<string>();
  /** Of the line, or the key of the lane, that is being looked at. */
  #looked: { readonly line: string } | { readonly key: string } | undefined;

  constructor(owners: Owners, sender: Sender, options: CheckOptions) {
    this.#owners = owners;
    this.#sender = sender;
    this.#options = options;
    this.#entries = new EntryRules(owners, sender);
  }

  /** After a refusal: the entry that was refused, if it was one. */
  refused(): LineIds | undefined {
    const looked = this.#looked;
    if (looked === undefined) return undefined;
    if ('line' in looked) return readLineIds(looked.line.replaceAll(DELETED, ''));
    const { key } = looked;
    return { kind: KIND.lane, own: key, subject: '', role: ROLE.none, attempt: '', end: 0 };
  }

  run({ structs, deletions }: Inspection): void {
    for (const struct of structs) this.#checkStruct(struct);
    for (const lane of this.#latest.values()) this.#finishLane(lane);
    this.#looked = undefined;
    this.#entries.finish();
    this.#checkDeletions(deletions);
  }

  #checkStruct(struct: PlacedStruct): void {
    const { client, place } = struct;
    if (!this.clients.has(client)) {
      refuseUnless(this.#sender.mayUseClient(client), 'foreign_client');
      this.clients.add(client);
    }
    switch (place.in) {
      case 'chat':
        this.#checkKey(struct, place.key);
        break;
      case 'lane':
        this.#checkText(struct, this.#findLane(place.key, place.entry));
        break;
      case 'nothing':
        refuseUnless(this.#options.hasOthers, 'nothing');
        break;
      case 'outside':
        break;
    }
  }

  #checkKey({ client, clock, kind, origin, rightOrigin }: PlacedStruct, key: string): void {
    refuseUnless(kind === 'type', 'deletion');
    refuseUnless(isUlid(key), 'key');
    const isNew = origin === null && rightOrigin === null;
    refuseUnless(isNew && !this.#keys.has(key) && !this.#owners.isKeyTaken(key), 'key_taken');
    this.#looked = { key };
    refuseUnless(!isFutureStamp(key, this.#options.now), 'future_stamp');
    this.#looked = undefined;
    this.#keys.add(key);
    // What its client has written before is complete: a hostile update is refused before all of it is read.
    const before = this.#latest.get(client);
    if (before !== undefined) this.#finishLane(before);
    const none = { stored: undefined, header: undefined, isCopy: false, runs: [], added: '', openLength: 0 };
    const lane: StagedLane = { key, client, end: clock + 1, ...none };
    this.#lanes.set(nameLane(client, clock), lane);
    this.#latest.set(client, lane);
  }

  #findLane(key: string, { client, clock }: { readonly client: number; readonly clock: number }): StagedLane {
    const name = nameLane(client, clock);
    const staged = this.#lanes.get(name);
    if (staged !== undefined) return staged;
    const stored = this.#owners.lane(key, client, clock);
    const owner = this.#owners.client(client);
    refuseUnless(stored !== undefined && owner !== undefined, 'foreign_text');
    const lane: StagedLane = {
      key,
      client,
      end: -1,
      stored: { lane: stored, owner },
      header: owner.header,
      isCopy: false,
      runs: [],
      added: '',
      openLength: 0,
    };
    this.#lanes.set(name, lane);
    return lane;
  }

  #checkText(struct: PlacedStruct, lane: StagedLane): void {
    const { client, clock, length, origin, rightOrigin, kind, place } = struct;
    refuseUnless(client === lane.client, 'foreign_text');
    // Contiguous: it comes right behind what its client has written last, and that is the end of this very lane.
    const entry = place.in === 'lane' ? place.entry.clock : -1;
    const isFirst = origin === null && clock === entry + 1;
    const follows = isFirst || (origin !== null && origin.client === client && origin.clock === clock - 1);
    refuseUnless(follows && rightOrigin === null && (lane.end < 0 || clock === lane.end), 'not_appended');
    const { stored } = lane;
    refuseUnless(stored === undefined || stored.owner.lane?.clock === entry, 'not_appended');
    const text = kind === 'text' ? struct.text : undefined;
    this.#latest.set(client, lane);
    lane.end = clock + length;
    lane.runs.push({ clock, length, text });
    this.#add(lane, text ?? DELETED);
  }

  /** A line that gets too long is refused before it is put together. */
  #add(lane: StagedLane, text: string): void {
    const newline = text.indexOf('\n');
    refuseUnless(fitsLine(lane.openLength + (newline < 0 ? text.length : newline)), 'line');
    lane.openLength = newline < 0 ? lane.openLength + text.length : text.length - text.lastIndexOf('\n') - 1;
    lane.added += text;
  }

  // A deletion cuts a line in two structs: it is looked at when all of it is there.
  #finishLane(lane: StagedLane): void {
    const { added } = lane;
    lane.added = '';
    this.#looked = undefined;
    let from = 0;
    if (added !== '' && lane.stored !== undefined) from = this.#checkMore(lane, lane.stored, added);
    for (let newline = added.indexOf('\n', from); newline >= 0; newline = added.indexOf('\n', from)) {
      this.#checkWhole(lane, added.slice(from, newline));
      from = newline + 1;
    }
    if (from < added.length) this.#checkOpen(lane, added.slice(from));
    this.#looked = undefined;
    refuseUnless(lane.header !== undefined || lane.isCopy, 'header');
  }

  /** What comes for a line that is open in the document. Returns where the next line begins. */
  #checkMore(lane: StagedLane, stored: NonNullable<StagedLane['stored']>, added: string): number {
    const open = this.#owners.openLine(stored.owner);
    if (open === undefined) return 0;
    const newline = added.indexOf('\n');
    const length = open.length + (newline < 0 ? added.length : newline);
    refuseUnless(fitsLine(length), 'line');
    if (newline >= 0) {
      this.#checkWhole(lane, this.#readOpen(stored.lane) + added.slice(0, newline));
      return newline + 1;
    }
    const { owner } = stored;
    if (owner.growing === undefined) {
      const opening = open.isPart ? checkOpening(this.#readOpen(stored.lane), this.#options) : undefined;
      owner.growing = opening?.ok === true ? opening.ids : null;
    }
    refuseUnless(owner.growing !== null, 'open_line');
    const text = added.replaceAll(DELETED, '');
    if (text.length !== added.length) this.#entries.addBlanked(owner.growing);
    const code = checkGrowth(text);
    refuseUnless(code === undefined, code ?? 'open_line');
    return added.length;
  }

  #readOpen(lane: LaneText): string {
    let open = '';
    for (const { text } of this.#owners.openRuns(lane)) open += text ?? DELETED;
    return open;
  }

  #checkWhole(lane: StagedLane, raw: string): void {
    this.#looked = { line: raw };
    if (lane.isCopy) this.#takeCopied(lane, raw);
    else if (lane.header === undefined) this.#checkHeader(lane, raw);
    else {
      const checked = checkLine(raw, this.#options);
      refuseUnless(checked.ok, checked.ok ? 'line' : checked.code);
      if (checked.ids.kind === KIND.lane) {
        this.#allowCopy(lane, 'import');
        this.#takeCopied(lane, raw);
      } else {
        if (checked.blanked) this.#entries.addBlanked(checked.ids);
        this.#entries.check(checked, lane.header);
      }
    }
  }

  #checkHeader(lane: StagedLane, raw: string): void {
    const checked = checkLine(raw, this.#options);
    const header =
      checked.ok && !checked.blanked && checked.ids.kind === KIND.lane ? readHeader(raw) : undefined;
    const { limits, allowLater, generation } = this.#options;
    if (
      header?.lane?.lane_id !== lane.key ||
      !fitsLimits(raw, header.lane as unknown as Record<string, unknown>, limits)
    ) {
      this.#allowCopy(lane, 'header');
      this.#takeCopied(lane, raw);
      return;
    }
    const { lane: entry } = header;
    if (entry.rolled_back !== undefined) {
      this.#allowCopy(lane, 'import');
      this.#takeCopied(lane, raw);
      return;
    }
    refuseUnless(!header.hidden || allowLater, 'unknown_type');
    refuseUnless(entry.generation === generation, 'generation');
    this.#entries.checkHeader(header);
    this.writers.add(entry.writer_id);
    lane.header = header;
  }

  #checkOpen(lane: StagedLane, raw: string): void {
    this.#looked = { line: raw };
    if (lane.isCopy) {
      refuseUnless(fitsLine(raw.length), 'line');
    } else if (lane.header === undefined) {
      // The start of a header; or a copy, which may begin with lines under none.
      this.#allowCopy(lane, 'header');
    } else {
      const checked = checkOpening(raw, this.#options);
      refuseUnless(checked.ok, checked.ok ? 'open_line' : checked.code);
      if (checked.blanked) this.#entries.addBlanked(checked.ids);
      this.#entries.checkAttempt(checked.ids, lane.header);
    }
  }

  #allowCopy(lane: StagedLane, code: GateRefusalCode): void {
    refuseUnless(this.#entries.mayImport(), code);
    lane.isCopy = true;
  }

  #takeCopied(lane: StagedLane, raw: string): void {
    refuseUnless(fitsLine(raw.length), 'line');
    const line = raw.replaceAll(DELETED, '');
    const ids = readLineIds(line);
    if (ids.kind === KIND.lane) lane.header = readHeader(line);
    this.#entries.take(line, ids, lane.header);
  }

  #checkDeletions(deletions: readonly PlacedDeletion[]): void {
    const byLane = new Map<string, { readonly lane: StagedLane; readonly ranges: PlacedDeletion[] }>();
    for (const deletion of deletions) {
      const { place, client } = deletion;
      if (place.in === 'outside') continue;
      if (place.in === 'nothing' && this.#options.hasOthers) continue;
      refuseUnless(place.in === 'lane', 'deletion');
      const lane = this.#findLane(place.key, place.entry);
      refuseUnless(client === lane.client, 'deletion');
      const name = nameLane(place.entry.client, place.entry.clock);
      const group = byLane.get(name);
      if (group === undefined) byLane.set(name, { lane, ranges: [deletion] });
      else group.ranges.push(deletion);
    }
    for (const { lane, ranges } of byLane.values()) {
      ranges.sort((a, b) => a.clock - b.clock);
      const left = this.#checkStoredDeletions(lane, ranges);
      if (left.length > 0) this.#checkAddedDeletions(lane, left);
    }
  }

  /** Deletions in lines that the update adds nothing to. Returns the others. */
  #checkStoredDeletions(
    { stored, runs }: StagedLane,
    ranges: readonly PlacedDeletion[],
  ): readonly PlacedDeletion[] {
    if (stored === undefined) return ranges;
    const [open] = runs.length === 0 ? [] : [...this.#owners.openRuns(stored.lane), ...runs];
    const end = open?.clock ?? Number.POSITIVE_INFINITY;
    for (let at = 0; at < ranges.length; ) {
      const { clock } = ranges[at] as PlacedDeletion;
      if (clock >= end) return ranges.slice(at);
      const line = this.#owners.lineRuns(stored.lane, clock);
      at = this.#checkBlanking(line, ranges, at);
    }
    return [];
  }

  #checkAddedDeletions({ stored, runs }: StagedLane, ranges: readonly PlacedDeletion[]): void {
    let at = 0;
    for (const line of splitRuns([
      ...(stored === undefined ? [] : this.#owners.openRuns(stored.lane)),
      ...runs,
    ])) {
      const last = line.at(-1);
      const range = ranges[at];
      if (last === undefined || range === undefined || range.clock >= last.clock + last.length) continue;
      at = this.#checkBlanking(line, ranges, at);
    }
    refuseUnless(at === ranges.length, 'deletion');
  }

  /** Deletions from one line, of which the first is `ranges[from]`. Returns where those of the next begin. */
  #checkBlanking(line: readonly Run[], ranges: readonly PlacedDeletion[], from: number): number {
    const { before, after, next } = cutRuns(line, ranges, from);
    // Nothing lies within it where a newline is taken.
    refuseUnless(next > from, 'deletion');
    this.#entries.assertRedacted(readLineIds(before));
    refuseUnless(isBlanking(before, after), 'deletion');
    return next;
  }
}

/** Two lanes have one name if they are one: that of the struct that set it. */
function nameLane(client: number, clock: number): string {
  return `${client} ${clock}`;
}

/** The lines of runs, without their newlines. */
function splitRuns(runs: readonly Run[]): Run[][] {
  const lines: Run[][] = [[]];
  for (const { clock, length, text } of runs) {
    if (text === undefined) lines.at(-1)?.push({ clock, length, text });
    else {
      let from = 0;
      for (const part of text.split('\n')) {
        if (from > 0) lines.push([]);
        if (part !== '') lines.at(-1)?.push({ clock: clock + from, length: part.length, text: part });
        from += part.length + 1;
      }
    }
  }
  return lines;
}

/**
 * The text of a line without what is deleted of it, and also without those of `ranges`, from `from` on, that lie
 * within it; and the first of them that does not.
 */
function cutRuns(
  line: readonly Run[],
  ranges: readonly PlacedDeletion[],
  from: number,
): { readonly before: string; readonly after: string; readonly next: number } {
  let before = '';
  let after = '';
  let next = from;
  for (const { clock, length, text } of line) {
    if (text === undefined) continue;
    before += text;
    let at = 0;
    for (let range = ranges[next]; range !== undefined; range = ranges[next]) {
      const start = range.clock - clock;
      if (start < at || start + range.length > length) break;
      after += text.slice(at, start);
      at = start + range.length;
      next += 1;
    }
    after += text.slice(at);
  }
  return { before, after, next };
}
