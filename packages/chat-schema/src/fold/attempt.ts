import type { FinishEntry } from '../entry/finish.js';
import type { InterruptEntry } from '../entry/interrupt.js';
import type { MessageEntry } from '../entry/message.js';
import type { PartEntry } from '../entry/part.js';
import { KIND } from '../entry/table.js';
import { compareText, freezeDeep } from '../host/values.js';
import type { EntryIndex } from '../index/entry-index.js';
import { type Choice, type Chosen, chooseRows } from './choose.js';
import type { Attempt, Part } from './records.js';

/** Which rows are read: all, or those of the past. */
export interface Source {
  readonly index: EntryIndex;
  readonly include?: (row: number) => boolean;
}

/** What an attempt, or a message that answers nothing, has behind its message line. */
export interface Body {
  readonly parts: readonly Part[];
  readonly content: string;
  readonly finish: FinishEntry | undefined;
  /** The greatest part number, 0 without parts. */
  readonly lastPart: number;
  readonly problem: string | undefined;
  /** Rows from lanes of other writers. */
  readonly ignored: readonly number[];
  /** Some part stands in more than one line: appending to one of them may change which is chosen. */
  readonly shared: boolean;
  /** Each row is an entry that counts, under an id of its own, and one at most is a finish. */
  readonly whole: boolean;
}

/** The parts and finish of an attempt that count: only from lanes of the writer of its message line. */
export function chooseBody(
  source: Source,
  line: Chosen,
  attempt: string,
  redacted: boolean,
): { readonly choice: Choice; readonly rows: number; readonly ignored: readonly number[] } {
  const { index } = source;
  const slot = index.slots.find(attempt);
  const rows = slot === undefined ? [] : filterRows(source, index.attemptRows(slot));
  const writers = new Set(line.headers.map((header) => header.writer_id));
  const own: number[] = [];
  const ignored: number[] = [];
  for (const row of rows) {
    const writer = index.headerOf(row)?.lane?.writer_id;
    (writer !== undefined && writers.has(writer) ? own : ignored).push(row);
  }
  return { choice: chooseRows(index, own, redacted), rows: own.length, ignored };
}

export function foldBody(source: Source, line: Chosen, attempt: string, redacted: boolean): Body {
  const first = redacted ? '' : ((line.entry as MessageEntry).content ?? '');
  const { choice, rows, ignored } = chooseBody(source, line, attempt, redacted);
  const parts: Chosen[] = [];
  let finish: FinishEntry | undefined;
  let problem: string | undefined;
  for (const chosen of choice.chosen) {
    problem ??= chosen.problem;
    if (chosen.kind === KIND.part) parts.push(chosen);
    else {
      const entry = chosen.entry as FinishEntry;
      if (finish === undefined || entry.id < finish.id) finish = entry;
    }
  }
  parts.sort((a, b) => (a.entry as PartEntry).n - (b.entry as PartEntry).n);
  const folded = parts.length === 0 ? NONE : foldParts(parts);
  let content = first;
  for (const part of folded) if (part.kind === 'text') content += part.text ?? '';
  const lastPart = (parts.at(-1)?.entry as PartEntry | undefined)?.n ?? 0;
  const finishes = choice.chosen.length - parts.length;
  const whole = ignored.length === 0 && choice.chosen.length === rows && finishes < 2;
  return { parts: folded, content, finish, lastPart, problem, ignored, shared: choice.shared, whole };
}

const NONE: readonly never[] = Object.freeze([]);

export function filterRows(source: Source, rows: number[]): number[] {
  return source.include === undefined ? rows : rows.filter(source.include);
}

type OpenPart = { -readonly [K in keyof Part]: Part[K] };

function foldParts(chosen: readonly Chosen[]): readonly Part[] {
  const parts: OpenPart[] = [];
  const byNumber = new Map<number, OpenPart>();
  const byTool = new Map<string, OpenPart>();
  for (const { entry, cut } of chosen) {
    const part = readPart(entry as PartEntry, cut);
    const { continues } = entry as PartEntry;
    const before = continues === undefined ? undefined : byNumber.get(continues);
    const tool =
      part.kind === 'tool_call' && part.part_id !== undefined ? byTool.get(part.part_id) : undefined;
    if (before !== undefined && before.kind === part.kind) {
      before.text = (before.text ?? '') + (part.text ?? '');
      before.open = part.open;
      byNumber.set(part.n, before);
    } else if (tool !== undefined) {
      const { n } = tool;
      Object.assign(tool, part, { n });
      byNumber.set(part.n, tool);
    } else {
      parts.push(part);
      byNumber.set(part.n, part);
      if (part.kind === 'tool_call' && part.part_id !== undefined) byTool.set(part.part_id, part);
    }
  }
  return Object.freeze(parts.map((part) => Object.freeze(part)));
}

function readPart(entry: PartEntry, cut: boolean): OpenPart {
  const part: OpenPart = { n: entry.n, kind: entry.kind ?? 'text', open: cut };
  if (entry.part_id !== undefined) part.part_id = entry.part_id;
  if (entry.state !== undefined) part.state = entry.state;
  if (entry.title !== undefined) part.title = entry.title;
  if (entry.input !== undefined) part.input = freezeDeep(entry.input);
  if (entry.output !== undefined) part.output = freezeDeep(entry.output);
  if (entry.data !== undefined) part.data = freezeDeep(entry.data);
  if (entry.text !== undefined) part.text = entry.text;
  return part;
}

/** One try at an answer, before it is known which one shows. */
export interface FoldedAttempt {
  readonly record: Attempt;
  readonly line: Chosen;
  readonly body: Body;
}

export interface Epochs {
  /** The greatest epoch that somebody asked for. */
  readonly asked: number;
  /** The greatest that a stop covers; 0 without one. */
  readonly stopped: number;
}

/** What nobody asked for counts as the first: a forged epoch gains nothing. */
export function effectiveEpoch(written: number | undefined, asked: number): number {
  return written !== undefined && written <= asked ? written : 1;
}

export function foldAttempt(
  source: Source,
  line: Chosen,
  epochs: Epochs,
  interrupts: readonly InterruptEntry[],
  redacted: boolean,
): FoldedAttempt {
  const entry = line.entry as MessageEntry;
  const attempt = entry.attempt as string;
  const body = foldBody(source, line, attempt, redacted);
  const epoch = effectiveEpoch(entry.epoch, epochs.asked);
  const stopped = epoch <= epochs.stopped;
  const interrupted =
    body.finish === undefined &&
    interrupts.some((interrupt) => interrupt.attempt === attempt && interrupt.seen === body.lastPart);
  const settled = body.finish !== undefined || (interrupted && stopped);
  const { finish } = body;
  const record: { -readonly [K in keyof Attempt]: Attempt[K] } = {
    attempt,
    epoch,
    runner_id: entry.runner_id ?? '',
    sender_id: entry.sender_id ?? '',
    date: entry.date ?? '',
    state: settled ? 'settled' : interrupted ? 'interrupted' : 'open',
    stop_requested: stopped && !settled,
    content: body.content,
    parts: body.parts,
  };
  const acpThreadId = finish?.acp_thread_id ?? entry.acp_thread_id;
  if (settled) record.finish_reason = finish === undefined ? 'stopped' : (finish.finish_reason ?? '');
  if (finish?.error !== undefined && !redacted) record.error = freezeDeep(finish.error);
  if (finish?.acp_usage !== undefined) record.acp_usage = freezeDeep(finish.acp_usage);
  if (acpThreadId !== undefined) record.acp_thread_id = acpThreadId;
  return { record: Object.freeze(record), line, body };
}

/** The attempt that shows stands first. */
export function compareAttempts(a: FoldedAttempt, b: FoldedAttempt): number {
  return (
    b.record.epoch - a.record.epoch ||
    rankAttempt(a) - rankAttempt(b) ||
    compareText(a.record.attempt, b.record.attempt)
  );
}

/** What lost says so itself, and a runner that is gone has not finished because somebody stopped it since. */
function rankAttempt({ record, body: { finish } }: FoldedAttempt): number {
  if (finish !== undefined) return finish.finish_reason === 'superseded' ? 3 : 0;
  return record.state === 'open' ? 1 : 2;
}
