import type { Attempt, AttemptState, Json, JsonObject, Part, Version } from '@chatdoc/schema';
import { deriveAnswerId } from '@chatdoc/schema';
import { type Choice, chooseWithin, compare, type OracleEntry } from './oracle-lines.js';

/** The attempt that a message line opens: a message that answers nothing is its own. */
export const attemptOf = ({ body, subject }: OracleEntry): string => text(body['attempt'] ?? subject);

function isTailOf(entry: OracleEntry, line: OracleEntry): boolean {
  const writers = line.headers.map((header) => header.writer_id);
  return (
    entry.subject === attemptOf(line) && entry.headers.some((header) => writers.includes(header.writer_id))
  );
}

/** The knowledge of the oracle while it folds: chosen entries by what they are about. */
export class Entries {
  readonly all: readonly OracleEntry[];
  readonly tails: readonly OracleEntry[];
  readonly #lists = new Map<string, OracleEntry[]>();

  constructor(all: readonly OracleEntry[], tails: readonly OracleEntry[]) {
    this.all = all;
    this.tails = tails;
  }

  /** [TN2]: the parts and finishes of an attempt from the writer of its message line. */
  tailOf(line: OracleEntry): Choice {
    return chooseWithin(this.tails.filter((entry) => isTailOf(entry, line)));
  }

  /** By own id. */
  of(type: OracleEntry['type'], subject?: string): readonly OracleEntry[] {
    const key = `${type}/${subject ?? ''}`;
    const list =
      this.#lists.get(key) ??
      this.all
        .filter((entry) => entry.type === type && (subject === undefined || entry.subject === subject))
        .sort((a, b) => compare(a.own, b.own));
    this.#lists.set(key, list);
    return list;
  }
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const whole = (value: unknown, absent: number): number => (typeof value === 'number' ? value : absent);

/** Without the keys whose value is undefined. */
export function compact<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

/** [LW1], [LW2]: the unreplaced heads, greatest first; of a cycle the greatest alone. */
export function findConflictHeads(entries: readonly OracleEntry[]): OracleEntry[] {
  const sorted = [...entries].sort((a, b) => compare(b.own, a.own));
  const replaced = new Set(
    sorted.flatMap(({ own, body }) => ((body['replaces'] ?? []) as string[]).filter((id) => id !== own)),
  );
  const heads = sorted.filter(({ own }) => !replaced.has(own));
  return heads.length > 0 ? heads : sorted.slice(0, 1);
}

export interface AskedEpochs {
  readonly asked: number;
  readonly effective: (written: unknown) => number;
}

/** [TN3], [TN4] */
export function askedEpochs(entries: Entries, messageId: string): AskedEpochs {
  const written = new Set(entries.of('retry', messageId).map(({ body }) => whole(body['epoch'], 1)));
  let asked = 1;
  for (const epoch of [...written].sort((a, b) => a - b)) asked = Math.max(asked, Math.min(epoch, asked + 1));
  return {
    asked,
    effective: (epoch) => (whole(epoch, 1) > asked ? 1 : whole(epoch, 1)),
  };
}

/** [TN7]: the greatest effective epoch that a stop covers; 0 without one. */
export function stoppedUpTo(entries: Entries, messageId: string): number {
  const { effective } = askedEpochs(entries, messageId);
  return Math.max(0, ...entries.of('stop', messageId).map(({ body }) => effective(body['epoch'])));
}

export interface Tail {
  readonly parts: readonly Part[];
  /** The text of parts of kind `text`. */
  readonly text: string;
  readonly cut: boolean;
  readonly last: number;
  readonly problem: boolean;
  readonly finish: OracleEntry | undefined;
}

/** The parts and the finish of an attempt: [MS4]–[MS6], [TN2], [TN6]. */
export function readTail(entries: Entries, message: OracleEntry): Tail {
  const { chosen } = entries.tailOf(message);
  const lines = chosen
    .filter(({ type }) => type === 'part')
    .sort((a, b) => whole(a.body['n'], 0) - whole(b.body['n'], 0));
  const merged: { part: Part }[] = [];
  const places = new Map<number, { part: Part }>();
  for (const line of lines) {
    const part = compact({ ...pick(line), open: line.cut }) as Part;
    const goesOn = places.get(whole(line.body['continues'], 0));
    const sameCall =
      part.kind === 'tool_call' && part.part_id !== undefined
        ? merged.find(({ part: other }) => other.kind === 'tool_call' && other.part_id === part.part_id)
        : undefined;
    if (goesOn !== undefined && goesOn.part.kind === part.kind) {
      goesOn.part = { ...goesOn.part, text: text(goesOn.part.text) + text(part.text), open: part.open };
      places.set(part.n, goesOn);
    } else if (sameCall !== undefined) {
      sameCall.part = { ...sameCall.part, ...part, n: sameCall.part.n };
      places.set(part.n, sameCall);
    } else {
      const place = { part };
      merged.push(place);
      places.set(part.n, place);
    }
  }
  const parts = merged.map(({ part }) => part);
  return {
    parts,
    text: parts.map((part) => (part.kind === 'text' ? text(part.text) : '')).join(''),
    // A part that goes on in another line is as open as that line is.
    cut: parts.some(({ open }) => open),
    last: Math.max(0, ...lines.map(({ body }) => whole(body['n'], 0))),
    finish: chosen.filter(({ type }) => type === 'finish').sort((a, b) => compare(a.own, b.own))[0],
    problem: chosen.some((entry) => entry.problem),
  };
}

function pick({ body }: OracleEntry): Omit<Part, 'open'> {
  return {
    n: whole(body['n'], 0),
    kind: text(body['kind'] ?? 'text'),
    part_id: body['part_id'] as string,
    state: body['state'] as string,
    title: body['title'] as string,
    input: body['input'] as Json,
    output: body['output'] as Json,
    data: body['data'] as Json,
    text: body['text'] as string,
  };
}

export interface RankedAttempt {
  readonly record: Attempt;
  readonly line: OracleEntry;
  readonly history: readonly Version[];
  readonly problem: boolean;
  /** Of one epoch the least shows. */
  readonly rank: number;
}

/** Lines that open a message: those that answer its prompt, else a plain one, else forged answers: [TN1]. */
export function openingLines(entries: Entries, messageId: string): readonly OracleEntry[] {
  const lines = entries.of('message', messageId);
  const isPlain = ({ body }: OracleEntry): boolean => body['attempt'] === undefined;
  const answers = lines.filter((line) => !isPlain(line) && isAnswerTo(line, text(line.body['prompt_id'])));
  if (answers.length > 0) return answers;
  return lines.some(isPlain) ? lines.filter(isPlain) : lines;
}

/** [TN5]: the shown attempt first. */
export function rankAttempts(entries: Entries, messageId: string, isRedacted: boolean): RankedAttempt[] {
  return openingLines(entries, messageId)
    .filter(({ body }) => body['attempt'] !== undefined)
    .map((line) => readAttempt(entries, line, isRedacted))
    .sort(
      (a, b) =>
        b.record.epoch - a.record.epoch || a.rank - b.rank || compare(a.record.attempt, b.record.attempt),
    );
}

function readAttempt(entries: Entries, line: OracleEntry, isRedacted: boolean): RankedAttempt {
  const { body, subject } = line;
  const attempt = text(body['attempt']);
  const epoch = askedEpochs(entries, subject).effective(body['epoch']);
  const tail = readTail(entries, line);
  const isCovered = epoch <= stoppedUpTo(entries, subject);
  const isInterrupted =
    tail.finish === undefined &&
    entries
      .of('interrupt', subject)
      .some((entry) => entry.body['attempt'] === attempt && tail.last === whole(entry.body['seen'], -1));
  const isStopped = isInterrupted && isCovered;
  const state: AttemptState =
    tail.finish !== undefined || isStopped ? 'settled' : isInterrupted ? 'interrupted' : 'open';
  const first = text(body['content']) + tail.text;
  const history = readHistory(
    line,
    first,
    entries.of('revision', subject).filter((entry) => entry.body['attempt'] === attempt),
  );
  const finish = tail.finish?.body;
  const record = compact({
    attempt,
    epoch,
    runner_id: text(body['runner_id']),
    sender_id: text(body['sender_id']),
    date: text(body['date']),
    state,
    stop_requested: state === 'open' && isCovered,
    finish_reason: isStopped ? 'stopped' : (finish?.['finish_reason'] as string),
    error: isRedacted ? undefined : (finish?.['error'] as JsonObject),
    acp_usage: finish?.['acp_usage'] as JsonObject,
    acp_thread_id: (finish?.['acp_thread_id'] ?? body['acp_thread_id']) as string,
    content: first,
    parts: tail.parts,
  }) as Attempt;
  const isLost = finish?.['finish_reason'] === 'superseded';
  const rank = isLost ? 3 : finish !== undefined ? 0 : state === 'open' ? 1 : 2;
  return { record, rank, line, history, problem: tail.problem };
}

/** [MS2]: first content, then revisions, oldest first, the winner last. */
export function readHistory(line: OracleEntry, first: string, revisions: readonly OracleEntry[]): Version[] {
  const versions: Version[] = [
    {
      id: null,
      author_id: text(line.body['sender_id']),
      date: text(line.body['date']),
      content: first,
      deleted: false,
    },
  ];
  const winner = findConflictHeads(revisions)[0];
  const others = revisions.filter((entry) => entry !== winner);
  for (const { own, body } of winner === undefined ? others : [...others, winner]) {
    const deleted = body['deleted'] === true;
    versions.push({
      id: own,
      author_id: text(body['author_id']),
      date: text(body['date']),
      content: deleted ? '' : text(body['content']),
      deleted,
    });
  }
  return versions;
}

/** [TN1] */
export function isAnswerTo(line: OracleEntry, promptId: string): boolean {
  return line.body['prompt_id'] === promptId && line.subject === deriveAnswerId(promptId);
}
