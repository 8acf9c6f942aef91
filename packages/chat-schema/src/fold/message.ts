import type { InterruptEntry } from '../entry/interrupt.js';
import { LIMITS, SCHEMA_VERSION } from '../entry/limits.js';
import type { MessageEntry } from '../entry/message.js';
import type { RetryEntry } from '../entry/retry.js';
import type { RevisionEntry } from '../entry/revision.js';
import type { StopEntry } from '../entry/stop.js';
import { KIND } from '../entry/table.js';
import { deriveAnswerId } from '../entry/ulid.js';
import { compareText, freezeDeep } from '../host/values.js';
import {
  type Body,
  compareAttempts,
  type Epochs,
  effectiveEpoch,
  type FoldedAttempt,
  filterRows,
  foldAttempt,
  foldBody,
  type Source,
} from './attempt.js';
import { type Chosen, chooseRows, schemaVersionOf } from './choose.js';
import { findHeads } from './last-writer.js';
import type { OrderNode } from './order.js';
import type { Attempt, Message, Part, Version } from './records.js';

/** A message as it shows, and what the rest of the fold needs of it. */
export interface FoldedMessage {
  readonly message: Message;
  readonly order: OrderNode;
  readonly epochs: Epochs;
  /** Answers the prompt that it names: its id derives from it. */
  readonly isAnswer: boolean;
  /** The greatest stamp among its turn entries; empty without one. */
  readonly turnStamp: string;
  readonly ignored: readonly number[];
  /** Revisions that a new one replaces. */
  readonly revisionHeads: readonly string[];
  /** Of an answer: its record says all that the parts and finishes of its attempts say. */
  readonly whole: boolean;
  /** By attempt, the greatest part number. */
  readonly lastParts: ReadonlyMap<string, number>;
  /** The part that text can be appended to without a new fold: the last, open, in one line. */
  readonly growing: Part | undefined;
}

/** Stops and retries of an answer, which may come before it does. */
export interface FoldedTurn {
  readonly epochs: Epochs;
  readonly turnStamp: string;
}

export function isRedacted(source: Source, slot: number): boolean {
  if (!source.index.hasRedaction(slot)) return false;
  const rows = filterRows(source, source.index.messageRows(slot));
  const redactions = rows.filter((row) => source.index.kindOf(row) === KIND.redaction);
  return chooseRows(source.index, redactions).chosen.length > 0;
}

export function foldTurn(source: Source, slot: number): FoldedTurn {
  const rows = filterRows(source, source.index.messageRows(slot)).filter((row) => {
    const kind = source.index.kindOf(row);
    return kind === KIND.stop || kind === KIND.retry;
  });
  return foldEpochs(chooseRows(source.index, rows).chosen);
}

function foldEpochs(chosen: readonly Chosen[]): FoldedTurn {
  const retries = new Set<number>();
  const stops: number[] = [];
  let turnStamp = '';
  for (const { kind, entry } of chosen) {
    if (kind === KIND.retry) retries.add((entry as RetryEntry).epoch ?? 1);
    else if (kind === KIND.stop) stops.push((entry as StopEntry).epoch ?? 1);
    else continue;
    const { id } = entry as StopEntry;
    if (id > turnStamp) turnStamp = id;
  }
  let asked = 1;
  for (const epoch of [...retries].sort((a, b) => a - b)) asked = Math.min(epoch, asked + 1);
  let stopped = 0;
  for (const epoch of stops) stopped = Math.max(stopped, effectiveEpoch(epoch, asked));
  return { epochs: { asked, stopped }, turnStamp };
}

/** Undefined where no line of the message parses: then it is waiting, or quarantined. */
export function foldMessage(source: Source, slot: number): FoldedMessage | undefined {
  const { index } = source;
  const rows = filterRows(source, index.messageRows(slot));
  if (rows.length === 0) return undefined;
  const redacted = isRedacted(source, slot);
  const { chosen } = chooseRows(index, rows, redacted);
  const id = index.slots.idOf(slot);
  const lines: Chosen[] = [];
  const revisions: RevisionEntry[] = [];
  const interrupts: InterruptEntry[] = [];
  let problem: string | undefined;
  for (const choice of chosen) {
    if (choice.kind === KIND.message) lines.push(choice);
    else if (choice.kind === KIND.revision) {
      revisions.push(choice.entry as RevisionEntry);
      problem ??= choice.problem;
    } else if (choice.kind === KIND.interrupt) interrupts.push(choice.entry as InterruptEntry);
  }
  const { answers, plain, forged } = sortLines(lines, id);
  const turn = foldEpochs(chosen);
  if (answers.length > 0) {
    return foldAnswer(source, id, answers, revisions, interrupts, turn, redacted, forged, problem);
  }
  return plain === undefined ? undefined : foldPlain(source, id, plain, revisions, turn, redacted, problem);
}

/**
 * Lines that answer the prompt from which the id derives; else the line of a plain message; else, where there
 * is only a forged answer, that, with a problem.
 */
function sortLines(
  lines: readonly Chosen[],
  id: string,
): { answers: readonly Chosen[]; plain: Chosen | undefined; forged: boolean } {
  const answers: Chosen[] = [];
  const forged: Chosen[] = [];
  let plain: Chosen | undefined;
  for (const line of lines) {
    const { attempt, prompt_id } = line.entry as MessageEntry;
    if (attempt === undefined || prompt_id === undefined) plain = line;
    else (deriveAnswerId(prompt_id) === id ? answers : forged).push(line);
  }
  if (answers.length > 0 || plain !== undefined) return { answers, plain, forged: false };
  return { answers: forged, plain: undefined, forged: forged.length > 0 };
}

/** A plain message that has just been written, without reading it back. */
export function foldNew(source: Source, entry: MessageEntry): FoldedMessage {
  const line = {
    row: -1,
    kind: KIND.message,
    line: '',
    entry,
    problem: undefined,
    cut: false,
    headers: OUR_HEADER,
  };
  return foldPlain(source, entry.message_id, line, NONE, NO_TURN, false, undefined);
}

function foldPlain(
  source: Source,
  id: string,
  line: Chosen,
  revisions: readonly RevisionEntry[],
  turn: FoldedTurn,
  redacted: boolean,
  problem: string | undefined,
): FoldedMessage {
  const entry = line.entry as MessageEntry;
  const body = foldBody(source, line, id, redacted);
  const { finish } = body;
  const { content, history, deleted } = foldHistory(entry, body.content, revisions, redacted);
  const generating = finish === undefined && body.parts.some((part) => part.open);
  const message = createMessage(
    line,
    body,
    { content, history, deleted, redacted, generating, alternates: NONE, acp_interrupted: false },
    undefined,
    line.problem ?? problem ?? body.problem,
    entry.thread_id,
  );
  const targets = [entry.reply_to_message_id, entry.after].filter((target) => target !== undefined);
  const ownTurn = entry.expects === 'answer' ? id : '';
  return {
    message,
    order: { id, answer: false, targets },
    epochs: turn.epochs,
    isAnswer: false,
    turnStamp: maxText(ownTurn, turn.turnStamp),
    ignored: body.ignored,
    revisionHeads: revisions.length === 0 ? NONE : findHeads(revisions).map((revision) => revision.id),
    whole: false,
    lastParts: NO_PARTS,
    growing: findGrowing(message, body),
  };
}

function foldAnswer(
  source: Source,
  id: string,
  lines: readonly Chosen[],
  revisions: readonly RevisionEntry[],
  interrupts: readonly InterruptEntry[],
  turn: FoldedTurn,
  redacted: boolean,
  forged: boolean,
  problem: string | undefined,
): FoldedMessage {
  const attempts = lines
    .map((line) => foldAttempt(source, line, turn.epochs, interrupts, redacted))
    .sort(compareAttempts);
  const shown = attempts[0] as FoldedAttempt;
  const entry = shown.line.entry as MessageEntry;
  const ofShown = revisions.filter((revision) => revision.attempt === shown.record.attempt);
  const { state } = shown.record;
  const { content, history, deleted } = foldHistory(entry, shown.record.content, ofShown, redacted);
  const generating = state === 'open';
  const alternates =
    attempts.length === 1 ? NONE : Object.freeze(attempts.slice(1).map(({ record }) => record));
  const message = createMessage(
    shown.line,
    shown.body,
    { content, history, deleted, redacted, generating, alternates, acp_interrupted: state === 'interrupted' },
    shown.record,
    (forged ? 'prompt_id: another message answers it' : undefined) ??
      shown.line.problem ??
      problem ??
      shown.body.problem,
    // The thread is that of the earliest attempt: a later one can't move the answer.
    lines.length === 1 ? entry.thread_id : earliest(lines).thread_id,
  );
  const targets = new Set<string>();
  let { turnStamp } = turn;
  for (const { line, body } of attempts) {
    const { prompt_id, reply_to_message_id, attempt } = line.entry as MessageEntry;
    if (prompt_id !== undefined) targets.add(prompt_id);
    if (reply_to_message_id !== undefined) targets.add(reply_to_message_id);
    turnStamp = maxText(turnStamp, maxText(attempt as string, body.finish?.id ?? ''));
  }
  return {
    message,
    order: { id, answer: true, targets: [...targets].sort() },
    epochs: turn.epochs,
    isAnswer: !forged,
    turnStamp,
    ignored: attempts.flatMap(({ body }) => body.ignored),
    revisionHeads: ofShown.length === 0 ? NONE : findHeads(ofShown).map((revision) => revision.id),
    whole: attempts.every(({ body }) => body.whole),
    lastParts: new Map(attempts.map(({ record, body }) => [record.attempt, body.lastPart])),
    growing: findGrowing(message, shown.body),
  };
}

const NONE: readonly never[] = Object.freeze([]);
const NO_PARTS: ReadonlyMap<string, number> = new Map();
export const NO_TURN: FoldedTurn = { epochs: { asked: 1, stopped: 0 }, turnStamp: '' };
const OUR_HEADER = [
  {
    type: 'lane' as const,
    lane_id: '',
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation: 0,
    writer_id: '',
  },
];

function earliest(lines: readonly Chosen[]): MessageEntry {
  const entries = lines.map((line) => line.entry as MessageEntry);
  return entries.sort((a, b) => compareText(a.attempt ?? '', b.attempt ?? ''))[0] as MessageEntry;
}

type Shown = { -readonly [K in keyof Message]: Message[K] };

/**
 * One literal and then what is there: every message has one of few shapes, which is what makes reading and
 * freezing a hundred thousand of them cheap.
 */
function createMessage(
  line: Chosen,
  body: Body,
  fields: Pick<
    Message,
    'content' | 'history' | 'deleted' | 'redacted' | 'generating' | 'alternates' | 'acp_interrupted'
  >,
  shown: Attempt | undefined,
  problem: string | undefined,
  threadId: string,
): Message {
  const entry = line.entry as MessageEntry;
  const message: Shown = {
    message_id: entry.message_id,
    thread_id: threadId,
    sender_id: entry.sender_id ?? '',
    date: entry.date ?? '',
    content: fields.content,
    history: fields.history,
    deleted: fields.deleted,
    redacted: fields.redacted,
    generating: fields.generating,
    parts: body.parts,
    alternates: fields.alternates,
    acp_interrupted: fields.acp_interrupted,
    schema_version: schemaVersionOf(line),
  };
  const { finish } = body;
  const acpThreadId = finish?.acp_thread_id ?? entry.acp_thread_id;
  if (entry.reply_to_message_id !== undefined) message.reply_to_message_id = entry.reply_to_message_id;
  if (entry.after !== undefined) message.after = entry.after;
  if (entry.client_message_id !== undefined) message.client_message_id = entry.client_message_id;
  if (shown === undefined && entry.expects !== undefined) message.expects = entry.expects;
  if (shown !== undefined && entry.prompt_id !== undefined) message.prompt_id = entry.prompt_id;
  if (shown !== undefined) message.attempt = shown;
  if (finish?.acp_usage !== undefined) message.acp_usage = freezeDeep(finish.acp_usage);
  if (acpThreadId !== undefined) message.acp_thread_id = acpThreadId;
  if (entry.legacy !== undefined && !fields.redacted) message.legacy = freezeDeep(entry.legacy);
  if (problem !== undefined) message.problem = problem;
  return Object.freeze(message);
}

function foldHistory(
  entry: MessageEntry,
  content: string,
  revisions: readonly RevisionEntry[],
  redacted: boolean,
): Pick<Message, 'content' | 'history' | 'deleted'> {
  const first: Version = Object.freeze({
    id: null,
    author_id: entry.sender_id ?? '',
    date: entry.date ?? '',
    content: redacted ? '' : content,
    deleted: false,
  });
  if (revisions.length === 0)
    return { content: first.content, history: Object.freeze([first]), deleted: false };
  const winner = findHeads(revisions)[0] as RevisionEntry;
  const rest = revisions.filter((revision) => revision !== winner);
  rest.sort((a, b) => compareText(a.id, b.id));
  const versions = [...rest, winner].map((revision): Version => {
    const deleted = revision.deleted === true;
    const shown = redacted || deleted ? '' : (revision.content ?? '');
    const { id, author_id = '', date = '' } = revision;
    return Object.freeze({ id, author_id, date, content: shown, deleted });
  });
  const last = versions.at(-1) as Version;
  return { content: last.content, history: Object.freeze([first, ...versions]), deleted: last.deleted };
}

function maxText(a: string, b: string): string {
  return a > b ? a : b;
}

function findGrowing(message: Message, body: Body): Part | undefined {
  const last = body.parts.at(-1);
  if (last?.open !== true || last.text === undefined || last.n !== body.lastPart) return undefined;
  return body.shared || message.redacted || message.history.length > 1 ? undefined : last;
}

/**
 * The message after `text` was appended to part `n` of `attempt`, without reading its lines again; undefined
 * where only a fold is certain to be right.
 */
export function appendDelta(
  folded: FoldedMessage,
  attempt: string,
  n: number,
  text: string,
): FoldedMessage | undefined {
  const { message, growing } = folded;
  const own = message.attempt === undefined ? message.message_id : message.attempt.attempt;
  if (growing === undefined || growing.n !== n || attempt !== own) return undefined;
  const longer = (growing.text ?? '') + text;
  if (longer.length > LIMITS.text) return undefined;
  const part = Object.freeze({ ...growing, text: longer });
  const parts = Object.freeze([...message.parts.slice(0, -1), part]);
  let { content, history } = message;
  if (part.kind === 'text') {
    content += text;
    history = Object.freeze([Object.freeze({ ...(history[0] as Version), content })]);
  }
  const shown = message.attempt && Object.freeze({ ...message.attempt, parts, content });
  const next = { ...message, parts, content, history, ...(shown && { attempt: shown }) };
  return { ...folded, message: Object.freeze(next), growing: part };
}
