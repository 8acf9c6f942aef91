import {
  deriveAnswerId,
  type Entry,
  isUlid,
  KIND,
  keyOfLine,
  type LaneEntry,
  SCHEMA_VERSION,
} from '@chatdoc/schema';
import { readHeader } from '@chatdoc/schema/internal';
import type { Inspection, PlacedDeletion, PlacedStruct } from '../update/inspect.js';
import { findClaim, type GateAction, isShared } from './assertions.js';
import { Facts, SEVERAL, type Writer } from './facts.js';
import {
  type CheckedLine,
  checkGrowth,
  checkLine,
  checkOpening,
  DELETED,
  fitsLine,
  isBlanking,
  isFutureStamp,
  type LineRules,
} from './lines.js';
import { createLaneState, feedLane, type LaneSink, type LaneState, type Ledger, noteLine } from './owners.js';
import { type GateCode, refuseUnless } from './refusal.js';
import { nameLane, type Run } from './store.js';

/** What the check asks of its gate about the connection that sends. */
export interface Sender {
  readonly user: string | undefined;
  /** Whether it may go on in the name of a clientID of the document. */
  mayUseClient(client: number): boolean;
  mayUseWriter(writer: Writer): boolean;
  allows(
    action: GateAction,
    author: string | null,
    own: boolean,
    entry: Entry | LaneEntry | undefined,
  ): boolean;
}

export interface CheckOptions extends LineRules {
  readonly generation: number;
  /** Other roots are allowed: what happens there is not looked at. */
  readonly hasOthers: boolean;
}

interface StagedLane extends LaneState {
  readonly entry: number;
  readonly base: LaneState | undefined;
  /** What the update adds. */
  readonly runs: Run[];
  added: string;
}

/**
 * One update, judged against the ledger before it is applied: throws a `GateRefusal` or returns. Everything that
 * it would add is staged here and forgotten.
 */
export class GateCheck {
  /** ClientIDs in whose name the update writes, and writer ids of its headers. */
  readonly clients: Set<number> = new Set();
  readonly writers: Set<string> = new Set();
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  readonly #options: CheckOptions;
  readonly #facts: Facts;
  readonly #lanes = new Map<string, StagedLane>();
  /** By client, where it writes. */
  readonly #latest = new Map<number, StagedLane>();
  readonly #keys = new Set<string>();
  readonly #redactions: { readonly entry: Entry & { type: 'redaction' }; readonly writer: Writer }[] = [];
  /** Lines whose text is deleted: their messages must be redacted. */
  readonly #blanked: string[] = [];
  #mayImport: boolean | undefined;

  constructor(ledger: Ledger, sender: Sender, options: CheckOptions) {
    this.#ledger = ledger;
    this.#sender = sender;
    this.#options = options;
    this.#facts = new Facts(ledger.facts);
  }

  run({ structs, deletions }: Inspection): void {
    for (const struct of structs) this.#checkStruct(struct);
    for (const lane of this.#latest.values()) this.#finishLane(lane);
    for (const { entry, writer } of this.#redactions) {
      const { by, message_id } = entry;
      const own = this.#isOwn(message_id, writer);
      refuseUnless(this.#sender.allows('redact', by, own, entry), 'redaction');
    }
    for (const line of this.#blanked) this.#assertRedacted(line);
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
        this.#checkEntry(struct, place.key);
        break;
      case 'lane':
        this.#checkText(struct, this.#findLane(place.entry));
        break;
      case 'nothing':
        refuseUnless(this.#options.hasOthers, 'nothing');
        break;
      case 'outside':
        break;
    }
  }

  #checkEntry({ client, clock, kind, origin, rightOrigin }: PlacedStruct, key: string): void {
    refuseUnless(kind === 'type', 'deletion');
    refuseUnless(isUlid(key), 'key');
    const isNew = origin === null && rightOrigin === null;
    refuseUnless(isNew && !this.#keys.has(key) && !this.#ledger.isKeyTaken(key), 'key_taken');
    refuseUnless(!isFutureStamp(key, this.#options.now), 'future_stamp');
    this.#keys.add(key);
    // What its client has written before is complete: a hostile update is refused before all of it is read.
    const before = this.#latest.get(client);
    if (before !== undefined) this.#finishLane(before);
    const state = createLaneState(key, client, clock + 1);
    const lane = {
      ...state,
      entry: clock,
      base: undefined,
      runs: [],
      added: '',
    };
    this.#lanes.set(nameLane(client, clock), lane);
    this.#latest.set(client, lane);
  }

  #findLane({ client, clock }: { readonly client: number; readonly clock: number }): StagedLane {
    const name = nameLane(client, clock);
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const base = this.#ledger.lane(client, clock);
      refuseUnless(base !== undefined, 'foreign_text');
      lane = { ...base, entry: clock, base, runs: [], added: '' };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  // A deletion cuts a line in two structs: it is looked at when all of it is there.
  #finishLane(lane: StagedLane): void {
    if (lane.added !== '') feedLane(lane, lane.added, this.#sinkOf(lane));
    lane.added = '';
    refuseUnless(lane.headers > 0 || lane.copy, 'header');
  }

  #checkText(struct: PlacedStruct, lane: StagedLane): void {
    const { client, clock, length, origin, rightOrigin, kind } = struct;
    refuseUnless(client === lane.client, 'foreign_text');
    // Contiguous: behind it the client has written nothing else, so it is the owner's last character, too.
    const follows = lane.end === lane.entry + 1 ? origin === null : origin?.clock === lane.end - 1;
    const isOwn = origin === null || origin.client === client;
    refuseUnless(clock === lane.end && follows && isOwn && rightOrigin === null, 'not_appended');
    const text = kind === 'text' ? struct.text : undefined;
    this.#latest.set(client, lane);
    lane.end = clock + length;
    lane.runs.push({ clock, length, text });
    lane.added += text ?? DELETED;
  }

  #sinkOf(lane: StagedLane): LaneSink {
    return {
      line: (line) => this.#checkWhole(lane, line),
      open: (text) => this.#checkOpen(lane, text),
      grow: (text) => this.#checkMore(lane, text),
    };
  }

  #checkWhole(lane: StagedLane, raw: string): void {
    const isFirst = lane.headers === 0 && !lane.copy;
    if (lane.copy) refuseUnless(fitsLine(raw.length), 'line');
    else {
      const checked = checkLine(raw, this.#options);
      if (isFirst) this.#checkHeader(lane, checked.ok ? checked : undefined, raw);
      else {
        refuseUnless(checked.ok, checked.ok ? 'line' : checked.code);
        if (checked.kind === KIND.lane) this.#allowCopy(lane, 'import');
        else this.#checkEntryLine(checked, lane.writer as Writer);
      }
    }
    noteLine(this.#facts, lane, raw);
  }

  #checkHeader(lane: StagedLane, checked: CheckedLine | undefined, raw: string): void {
    const header = checked?.kind === KIND.lane && !checked.blanked ? readHeader(raw).lane : undefined;
    if (header?.lane_id !== lane.key) {
      this.#allowCopy(lane, 'header');
      return;
    }
    const { generation, user_id, schema_version, min_reader, rolled_back } = header;
    if (rolled_back !== undefined) {
      this.#allowCopy(lane, 'import');
      return;
    }
    const isLater = schema_version > SCHEMA_VERSION || min_reader > SCHEMA_VERSION;
    refuseUnless(!isLater || this.#options.allowLater, 'unknown_type');
    refuseUnless(generation === this.#options.generation, 'generation');
    if (this.#sender.user !== undefined) refuseUnless(user_id === this.#sender.user, 'user');
    else if (user_id !== undefined) {
      refuseUnless(this.#sender.allows('lane', user_id, false, header), 'user');
    }
    const known = this.#facts.writer(header.writer_id);
    refuseUnless(known === undefined || this.#sender.mayUseWriter(known), 'writer');
    this.writers.add(header.writer_id);
  }

  #checkEntryLine({ line, kind, entry, blanked }: CheckedLine, writer: Writer): void {
    if (blanked) this.#blanked.push(line);
    if (entry === undefined) {
      refuseUnless(this.#sender.allows('later', null, false, undefined), 'author');
      return;
    }
    if (kind === KIND.part || kind === KIND.finish) {
      this.#checkAttempt(line, writer);
      return;
    }
    const key = keyOfLine(line) as string;
    const known = this.#facts.entry(key);
    refuseUnless(known === undefined || known.user === writer.user || isShared(entry), 'id_taken');
    if (entry.type === 'message') this.#checkMessage(entry, writer);
    if (entry.type === 'redaction') {
      this.#redactions.push({ entry, writer });
      return;
    }
    const claim = findClaim(entry);
    if (claim === undefined) return;
    const { action, author, message_id } = claim;
    if (action === 'import') {
      refuseUnless(this.#canImport(), 'import');
      return;
    }
    const own = message_id !== undefined && this.#isOwn(message_id, writer);
    refuseUnless(this.#sender.allows(action, author, own, entry), 'author');
  }

  // An answer's id derives from its prompt, and an attempt's id is its writer's alone: a redaction of a message
  // takes the text of every attempt that one of its lines names.
  #checkMessage(entry: Entry & { type: 'message' }, writer: Writer): void {
    const { message_id, prompt_id, attempt } = entry;
    if (attempt !== undefined && prompt_id !== undefined) {
      refuseUnless(message_id === deriveAnswerId(prompt_id), 'schema');
      const author = this.#facts.author(attempt);
      refuseUnless(author === undefined || isOf(author, writer), 'attempt');
    }
    const fact = this.#facts.attempt(attempt ?? message_id);
    const isSame = fact !== undefined && (attempt === undefined || fact.message_id === message_id);
    refuseUnless(fact === undefined || (isSame && fact.writer.user === writer.user), 'attempt');
  }

  #checkAttempt(line: string, writer: Writer): void {
    const message = this.#facts.messageOf(line);
    const id = line.startsWith('{"type":"part"') ? line.slice(26, 52) : attemptOfFinish(line);
    const holder =
      this.#facts.attempt(id)?.writer ?? (message === undefined ? undefined : this.#facts.author(message));
    refuseUnless(holder === undefined || isOf(holder, writer), 'attempt');
  }

  #checkOpen(lane: StagedLane, raw: string): void {
    if (lane.copy) {
      refuseUnless(fitsLine(raw.length), 'line');
      return;
    }
    if (lane.headers === 0) {
      // The start of a header; or a copy, which may begin with lines under none.
      this.#allowCopy(lane, 'header');
      return;
    }
    const checked = checkOpening(raw, this.#options);
    refuseUnless(checked.ok, checked.ok ? 'open_line' : checked.code);
    lane.growing = true;
    if (checked.blanked) this.#blanked.push(checked.line);
    this.#checkAttempt(checked.line, lane.writer as Writer);
  }

  #checkMore(lane: StagedLane, chunk: string): void {
    refuseUnless(fitsLine(lane.open.length + chunk.length), 'line');
    if (lane.copy) return;
    if (lane.growing === undefined) {
      lane.growing = checkOpening(lane.open, this.#options).ok;
      if (lane.base !== undefined) lane.base.growing = lane.growing;
    }
    refuseUnless(lane.growing, 'open_line');
    const text = chunk.replaceAll(DELETED, '');
    if (text.length !== chunk.length) this.#blanked.push(lane.open);
    const fault = checkGrowth(text);
    refuseUnless(fault === undefined, fault ?? 'open_line');
  }

  /** From here on the lane may hold anything: it is a copy, in which nobody goes on. */
  #allowCopy(lane: StagedLane, code: GateCode): void {
    refuseUnless(this.#canImport(), code);
    lane.copy = true;
  }

  #canImport(): boolean {
    this.#mayImport ??= this.#sender.allows('import', null, false, undefined);
    return this.#mayImport;
  }

  #isOwn(messageId: string, writer: Writer): boolean {
    const author = this.#facts.author(messageId);
    return author !== undefined && isOf(author, writer);
  }

  #assertRedacted(line: string): void {
    const message = this.#facts.messageOf(line);
    refuseUnless(message !== undefined && this.#facts.isRedacted(message), 'deletion');
  }

  #checkDeletions(deletions: readonly PlacedDeletion[]): void {
    const byLane = new Map<string, { readonly lane: StagedLane; readonly ranges: PlacedDeletion[] }>();
    for (const deletion of deletions) {
      const { place, client } = deletion;
      if (place.in === 'outside') continue;
      if (place.in === 'nothing' && this.#options.hasOthers) continue;
      refuseUnless(place.in === 'lane', 'deletion');
      const lane = this.#findLane(place.entry);
      refuseUnless(client === lane.client, 'deletion');
      const name = nameLane(place.entry.client, place.entry.clock);
      const group = byLane.get(name);
      if (group === undefined) byLane.set(name, { lane, ranges: [deletion] });
      else group.ranges.push(deletion);
    }
    for (const { lane, ranges } of byLane.values()) this.#checkBlanking(lane, ranges);
  }

  /** O(text of the lane). */
  #checkBlanking(lane: StagedLane, ranges: PlacedDeletion[]): void {
    const stored = lane.base === undefined ? [] : this.#ledger.runs(lane.client, lane.entry);
    const runs = [...stored, ...lane.runs];
    const before = joinRuns(runs, []).split('\n');
    const after = joinRuns(
      runs,
      ranges.sort((a, b) => a.clock - b.clock),
    ).split('\n');
    refuseUnless(before.length === after.length, 'deletion');
    for (const [at, line] of before.entries()) {
      const left = after[at] as string;
      if (line === left) continue;
      refuseUnless(isBlanking(line, left), 'deletion');
      this.#assertRedacted(line);
    }
  }
}

function isOf(author: Writer | typeof SEVERAL, writer: Writer): boolean {
  return author !== SEVERAL && author.user === writer.user;
}

/** What follows the own id: `","attempt":"`. */
function attemptOfFinish(line: string): string {
  const at = line.indexOf('","attempt":"') + 13;
  return line.slice(at, at + 26);
}

/** The text of the runs without deleted characters, and without `ranges`, which are in order. */
function joinRuns(runs: readonly Run[], ranges: readonly PlacedDeletion[]): string {
  let joined = '';
  let next = 0;
  for (const { clock, length, text } of runs) {
    if (text === undefined) continue;
    const end = clock + length;
    let from = clock;
    for (let range = ranges[next]; range !== undefined && range.clock < end; range = ranges[next]) {
      const until = range.clock + range.length;
      if (range.clock > from) joined += text.slice(from - clock, range.clock - clock);
      from = Math.max(from, Math.min(end, until));
      if (until > end) break;
      next += 1;
    }
    joined += text.slice(from - clock);
  }
  return joined;
}
