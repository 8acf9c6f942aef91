import type { FinishEntry } from '../entry/finish.js';
import type { JsonObject } from '../entry/json.js';
import type { LaneEntry } from '../entry/lane.js';
import type { MessageEntry } from '../entry/message.js';
import type { PartEntry } from '../entry/part.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { compareText, freezeDeep } from '../host/values.js';
import type { Chosen } from './choose.js';
import type { Attempt, Part } from './records.js';
import { type Source, SubjectFold } from './subject.js';

/** The lines of an attempt, or of a message that answers nothing, after its message line. */
export interface Body {
  readonly parts: readonly Part[];
  /** All texts, in order. */
  readonly content: string;
  readonly finish: ReadEntry<FinishEntry> | undefined;
  /** The greatest part number, 0 without parts. */
  readonly lastPart: number;
  readonly problem: string | undefined;
  /** Some part is in more than one line: appending to one of them may change which is chosen. */
  readonly shared: boolean;
  /** Each row is an entry that counts, under an id of its own, and one at most is a finish. */
  readonly whole: boolean;
}

/**
 * The parts and the finish of one attempt: only from lanes of the writers of its message line. One more part costs
 * that part and one copy of the list.
 */
export class AttemptFold extends SubjectFold {
  readonly #headers: readonly LaneEntry[];
  readonly #redacted: boolean;
  #parts: Part[] | undefined;
  /** Place in `#parts` by number, once two numbers share one; by tool call, once there is one. */
  #byNumber: Map<number, number> | undefined;
  #byTool: Map<string, number> | undefined;
  #entries: { readonly entry: ReadEntry<PartEntry>; readonly cut: boolean }[] | undefined;
  #isSorted = true;
  /** The text without the last part, where that one is alone at the end of the list. */
  #before: string | undefined;
  #content = '';
  #finishes: ReadEntry<FinishEntry>[] | undefined;
  #problem: string | undefined;
  #ignored = 0;
  #body: Body | undefined;

  /** `headers` are those of the message line: only their writers may write the attempt. */
  constructor(source: Source, ref: number, headers: readonly LaneEntry[], redacted: boolean) {
    super(source, ref);
    this.#headers = headers;
    this.#redacted = redacted;
  }

  /** The body as it is now; the same object while nothing has come. */
  read(): Body {
    if (this.update() || this.#body === undefined) this.#body = this.#make();
    return this.#body;
  }

  /** Rows from lanes of other writers. */
  get ignored(): number {
    return this.#ignored;
  }

  protected rowsSince(since: number): number[] {
    const { index } = this;
    const own: number[] = [];
    if (since < 0) this.#ignored = 0;
    for (const row of index.attemptRows(this.ref, since)) {
      const writer = index.headerOf(row)?.lane?.writer_id;
      if (writer !== undefined && this.#headers.some((header) => header.writer_id === writer)) own.push(row);
      else this.#ignored += 1;
    }
    return own;
  }

  protected isBlank(): boolean {
    return this.#redacted;
  }

  protected clear(): void {
    this.#parts = undefined;
    this.#byNumber = undefined;
    this.#byTool = undefined;
    this.#entries = undefined;
    this.#isSorted = true;
    this.#before = undefined;
    this.#content = '';
    this.#finishes = undefined;
    this.#problem = undefined;
  }

  protected add({ kind, entry, cut, problem }: Chosen): void {
    this.#problem ??= problem;
    if (kind !== KIND.part) {
      this.#finishes ??= [];
      this.#finishes.push(entry as ReadEntry<FinishEntry>);
      return;
    }
    const part = entry as ReadEntry<PartEntry>;
    this.#entries ??= [];
    const last = this.#entries.at(-1)?.entry.n ?? 0;
    this.#entries.push({ entry: part, cut });
    // What comes late may be continued by what is there: then all are put in order again, at the next read.
    if (part.n < last) this.#isSorted = false;
    else if (this.#isSorted) this.#put(part, cut);
  }

  /** The last part is often read again, because it was open. */
  protected remove({ kind, entry, problem }: Chosen): boolean {
    if (kind !== KIND.part || problem !== undefined || !this.#isSorted || this.#before === undefined)
      return false;
    if (this.#entries?.at(-1)?.entry.n !== (entry as ReadEntry<PartEntry>).n) return false;
    this.#entries.pop();
    this.#parts?.pop();
    this.#content = this.#before;
    this.#before = undefined;
    return true;
  }

  #put(entry: ReadEntry<PartEntry>, cut: boolean): void {
    this.#parts ??= [];
    const parts = this.#parts;
    const part = readPart(entry, cut);
    this.#before = undefined;
    if (entry.continues !== undefined) this.#byNumber ??= new Map(parts.map(({ n }, place) => [n, place]));
    const before = entry.continues === undefined ? undefined : this.#byNumber?.get(entry.continues);
    const continued = before === undefined ? undefined : parts[before];
    const isTool = part.kind === 'tool_call' && part.part_id !== undefined;
    const tool = isTool ? this.#byTool?.get(part.part_id as string) : undefined;
    if (before !== undefined && continued !== undefined && continued.kind === part.kind) {
      parts[before] = Object.freeze({
        ...continued,
        text: (continued.text ?? '') + (part.text ?? ''),
        open: part.open,
      });
      this.#byNumber?.set(part.n, before);
      if (part.kind === 'text') this.#content = joinTexts(parts);
    } else if (tool !== undefined) {
      this.#byNumber ??= new Map(parts.map(({ n }, place) => [n, place]));
      parts[tool] = Object.freeze({ ...parts[tool], ...part, n: (parts[tool] as Part).n });
      this.#byNumber.set(part.n, tool);
    } else {
      this.#byNumber?.set(part.n, parts.length);
      if (isTool) {
        this.#byTool ??= new Map();
        this.#byTool.set(part.part_id as string, parts.length);
      } else if (this.#byNumber === undefined) {
        this.#before = this.#content;
      }
      parts.push(part);
      if (part.kind === 'text') this.#content += part.text ?? '';
    }
  }

  #make(): Body {
    if (!this.#isSorted) this.#sort();
    const finishes = this.#finishes ?? NONE;
    const entries = this.#entries ?? NONE;
    let [finish] = finishes;
    for (const other of finishes) if (finish === undefined || other.id < finish.id) finish = other;
    return {
      parts: this.#parts === undefined ? NONE : Object.freeze(this.#parts.slice()),
      content: this.#content,
      finish,
      lastPart: entries.at(-1)?.entry.n ?? 0,
      problem: this.#problem,
      shared: this.isShared,
      whole: this.#ignored === 0 && entries.length + finishes.length === this.size && finishes.length < 2,
    };
  }

  /** Puts the parts in order again, after some came late. */
  #sort(): void {
    const entries = (this.#entries ?? []).sort((a, b) => a.entry.n - b.entry.n);
    const [finishes, problem] = [this.#finishes, this.#problem];
    this.clear();
    this.#entries = entries;
    for (const { entry, cut } of entries) this.#put(entry, cut);
    this.#finishes = finishes;
    this.#problem = problem;
  }
}

const NONE: readonly never[] = Object.freeze([]);

function joinTexts(parts: readonly Part[]): string {
  let content = '';
  for (const part of parts) if (part.kind === 'text') content += part.text ?? '';
  return content;
}

function readPart(entry: ReadEntry<PartEntry>, cut: boolean): Part {
  const part: { -readonly [K in keyof Part]: Part[K] } = {
    n: entry.n,
    kind: entry.kind ?? 'text',
    open: cut,
  };
  if (entry.part_id !== undefined) part.part_id = entry.part_id;
  if (entry.state !== undefined) part.state = entry.state;
  if (entry.title !== undefined) part.title = entry.title;
  if (entry.input !== undefined) part.input = freezeDeep(entry.input);
  if (entry.output !== undefined) part.output = freezeDeep(entry.output);
  if (entry.data !== undefined) part.data = freezeDeep(entry.data);
  if (entry.text !== undefined) part.text = entry.text;
  return Object.freeze(part);
}

/** The epochs of an answer, from its turn entries. */
export interface Epochs {
  /** The greatest epoch that somebody asked for. */
  readonly asked: number;
  /** The greatest that a stop covers; 0 without one. */
  readonly stopped: number;
}

/** One try at an answer, before it is known which one shows. */
export interface FoldedAttempt {
  readonly record: Attempt;
  readonly line: Chosen;
  readonly body: Body;
}

/** An epoch that nobody asked for counts as the first: a forged epoch gains nothing. */
export function effectiveEpoch(written: number | undefined, asked: number): number {
  return written !== undefined && written <= asked ? written : 1;
}

/** `seen` holds the part numbers that interrupts of the attempt name. */
export function foldAttempt(
  line: Chosen,
  body: Body,
  epochs: Epochs,
  seen: ReadonlySet<number> | undefined,
  redacted: boolean,
): FoldedAttempt {
  const entry = line.entry as ReadEntry<MessageEntry>;
  const epoch = effectiveEpoch(entry.epoch, epochs.asked);
  const stopped = epoch <= epochs.stopped;
  const { finish } = body;
  const interrupted = finish === undefined && seen?.has(body.lastPart) === true;
  const settled = finish !== undefined || (interrupted && stopped);
  const first = redacted ? '' : (entry.content ?? '');
  const record: { -readonly [K in keyof Attempt]: Attempt[K] } = {
    attempt: entry.attempt as string,
    epoch,
    runner_id: entry.runner_id ?? '',
    sender_id: entry.sender_id ?? '',
    date: entry.date ?? '',
    state: settled ? 'settled' : interrupted ? 'interrupted' : 'open',
    stop_requested: stopped && !settled,
    content: first + body.content,
    parts: body.parts,
  };
  const acpThreadId = finish?.acp_thread_id ?? entry.acp_thread_id;
  if (settled) record.finish_reason = finish === undefined ? 'stopped' : (finish.finish_reason ?? '');
  if (finish?.error !== undefined && !redacted) record.error = freezeDeep(finish.error) as JsonObject;
  if (finish?.acp_usage !== undefined) record.acp_usage = freezeDeep(finish.acp_usage);
  if (acpThreadId !== undefined) record.acp_thread_id = acpThreadId;
  return { record: Object.freeze(record), line, body };
}

/** The attempt that shows is first. */
export function compareAttempts(a: FoldedAttempt, b: FoldedAttempt): number {
  return (
    b.record.epoch - a.record.epoch ||
    rankAttempt(a) - rankAttempt(b) ||
    compareText(a.record.attempt, b.record.attempt)
  );
}

/** An outranked attempt records that itself, and a runner that is gone has not finished because somebody stopped it since. */
function rankAttempt({ record, body: { finish } }: FoldedAttempt): number {
  if (finish !== undefined) return finish.finish_reason === 'superseded' ? 3 : 0;
  return record.state === 'open' ? 1 : 2;
}
