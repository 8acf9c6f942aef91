import type { InterruptEntry } from '../entry/interrupt.js';
import type { LaneEntry } from '../entry/lane.js';
import { LIMITS, SCHEMA_VERSION } from '../entry/limits.js';
import type { MessageEntry } from '../entry/message.js';
import type { RevisionEntry } from '../entry/revision.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { deriveAnswerId } from '../entry/ulid.js';
import { freezeDeep } from '../host/values.js';
import type { RefTable } from '../index/refs.js';
import { type Body, compareAttempts, type Epochs, type FoldedAttempt, foldAttempt } from './attempt.js';
import { type Chosen, schemaVersionOf } from './choose.js';
import { EMPTY_HISTORY, HistoryFold } from './history.js';
import type { OrderNode } from './order.js';
import type { Attempt, Message, Part, Version } from './records.js';
import { type Source, SubjectFold } from './subject.js';
import { type FoldedTurn, NO_TURN, TurnFold } from './turn.js';

/** A message as it shows, and what the rest of the fold needs of it. */
export interface FoldedMessage {
  readonly message: Message;
  readonly order: OrderNode;
  /** Its stops and retries. */
  readonly turn: FoldedTurn;
  /** Answers the prompt that it names: its id derives from it. */
  readonly isAnswer: boolean;
  /** The greatest stamp among its turn entries; empty without one. */
  readonly turnStamp: string;
  /** The lines by which it names attempts: attempt, and who may write it. */
  readonly named: readonly { readonly attempt: string; readonly writers: ReadonlySet<string> }[];
  /** Revisions that a new one replaces. */
  readonly revisionHeads: readonly string[];
  /** Of an answer: its record says all that the parts and finishes of its attempts say. */
  readonly whole: boolean;
  /** By attempt, the greatest part number. */
  readonly lastParts: ReadonlyMap<string, number>;
  /** The part that text can be appended to without a new fold: the last, open, in one line. */
  readonly growing: Part | undefined;
}

/** Reads the body of an attempt, shared by all messages that name it. */
export type ReadBody = (attempt: string, writers: ReadonlySet<string>, redacted: boolean) => Body;

/** The kinds of line that a message is folded from. Annotations and legacy rows are read apart. */
const KINDS: ReadonlySet<number> = new Set([
  KIND.message,
  KIND.revision,
  KIND.stop,
  KIND.retry,
  KIND.interrupt,
]);

/** Folds one message, of one row or of many. */
export class MessageFold extends SubjectFold {
  readonly #readBody: ReadBody;
  readonly #id: string;
  #plain: Chosen | undefined;
  /** Lines that answer a prompt, by attempt. */
  #lines = new Map<string, Chosen>();
  #attempts = new Map<string, FoldedAttempt>();
  #histories = new Map<string, HistoryFold>();
  #interrupts = new Map<string, Set<number>>();
  #turn: TurnFold | undefined;
  #problem: string | undefined;

  constructor(source: Source, ref: number, readBody: ReadBody) {
    super(source, ref);
    this.#readBody = readBody;
    this.#id = source.index.refs.idOf(ref);
  }

  protected rowsSince(since: number): number[] {
    const { index } = this;
    return index.messageRows(this.ref, since).filter((row) => KINDS.has(index.kindOf(row)));
  }

  protected isBlank(): boolean {
    return this.isRedacted;
  }

  get isRedacted(): boolean {
    return this.index.isRedacted(this.ref, this.source.include);
  }

  protected clear(): void {
    this.#plain = undefined;
    this.#lines.clear();
    this.#histories.clear();
    this.#interrupts.clear();
    this.#turn = undefined;
    this.#problem = undefined;
  }

  protected add(chosen: Chosen): void {
    switch (chosen.kind) {
      case KIND.message: {
        const { attempt, prompt_id } = chosen.entry as ReadEntry<MessageEntry>;
        if (attempt === undefined || prompt_id === undefined) this.#plain = chosen;
        else this.#lines.set(attempt, chosen);
        return;
      }
      case KIND.revision: {
        const entry = chosen.entry as ReadEntry<RevisionEntry>;
        this.#historyOf(entry.attempt ?? '').add(entry);
        this.#problem ??= chosen.problem;
        return;
      }
      case KIND.interrupt: {
        const { attempt = '', seen } = chosen.entry as ReadEntry<InterruptEntry>;
        if (seen === undefined) return;
        const numbers = this.#interrupts.get(attempt);
        if (numbers === undefined) this.#interrupts.set(attempt, new Set([seen]));
        else numbers.add(seen);
        return;
      }
      default:
        this.#turn ??= new TurnFold();
        this.#turn.add(chosen);
    }
  }

  protected remove({ kind, entry, problem }: Chosen): boolean {
    if (kind !== KIND.revision || problem !== undefined) return false;
    const revision = entry as ReadEntry<RevisionEntry>;
    this.#historyOf(revision.attempt ?? '').remove(revision);
    return true;
  }

  #historyOf(attempt: string): HistoryFold {
    let history = this.#histories.get(attempt);
    if (history === undefined) {
      history = new HistoryFold();
      this.#histories.set(attempt, history);
    }
    return history;
  }

  /** Stops and retries alone. */
  readTurn(): FoldedTurn {
    this.update();
    return this.#turn?.read() ?? NO_TURN;
  }

  /** Undefined where no line of the message parses: then it is waiting, or quarantined. */
  read(): FoldedMessage | undefined {
    this.update();
    const redacted = this.isRedacted;
    const turn = this.#turn?.read() ?? NO_TURN;
    if (this.#lines.size > 0) {
      const lines = [...this.#lines.values()];
      const answers = lines.filter(
        ({ entry }) => deriveAnswerId((entry as ReadEntry<MessageEntry>).prompt_id as string) === this.#id,
      );
      if (answers.length > 0) return this.#readAnswer(answers, turn, redacted, false);
      // A message that only answers another prompt than its id derives from shows, with a problem.
      if (this.#plain === undefined) return this.#readAnswer(lines, turn, redacted, true);
    }
    if (this.#plain === undefined) return undefined;
    const writers = writersOf(this.#plain);
    const body = this.#readBody(this.#id, writers, redacted);
    return foldPlain(this.index.refs, this.#plain, body, this.#readHistory(), turn, redacted, this.#problem);
  }

  /** Of a plain message every revision counts, whatever attempt it names. */
  #readHistory(): HistoryFold | undefined {
    if (this.#histories.size < 2) return [...this.#histories.values()][0];
    const all = new HistoryFold();
    for (const history of this.#histories.values()) for (const entry of history.entries()) all.add(entry);
    return all;
  }

  #readAnswer(lines: readonly Chosen[], turn: FoldedTurn, redacted: boolean, forged: boolean): FoldedMessage {
    const attempts: FoldedAttempt[] = [];
    const targets = new Set<string>();
    const lastParts = new Map<string, number>();
    let { turnStamp } = turn;
    let whole = true;
    let first = lines[0] as Chosen;
    for (const line of lines) {
      const { prompt_id, reply_to_message_id, attempt = '' } = line.entry as ReadEntry<MessageEntry>;
      const folded = this.#foldAttempt(line, attempt, turn.epochs, redacted);
      attempts.push(folded);
      if (prompt_id !== undefined) targets.add(prompt_id);
      if (reply_to_message_id !== undefined) targets.add(reply_to_message_id);
      turnStamp = maxText(turnStamp, maxText(attempt, folded.body.finish?.id ?? ''));
      whole &&= folded.body.whole;
      lastParts.set(attempt, folded.body.lastPart);
      if (attempt < ((first.entry as ReadEntry<MessageEntry>).attempt ?? '')) first = line;
    }
    if (attempts.length > 1) attempts.sort(compareAttempts);
    const shown = attempts[0] as FoldedAttempt;
    const { record, body } = shown;
    const history = this.#histories.get(record.attempt);
    const message = createMessage(shown.line, body, {
      ...readHistory(history, shown.line, record.content, redacted),
      redacted,
      generating: record.state === 'open',
      alternates:
        attempts.length === 1 ? NONE : Object.freeze(attempts.slice(1).map((attempt) => attempt.record)),
      acp_interrupted: record.state === 'interrupted',
      shown: record,
      problem:
        (forged ? 'prompt_id: another message answers it' : undefined) ??
        shown.line.problem ??
        this.#problem ??
        body.problem,
      // The thread is that of the earliest attempt: a later one can't move the answer.
      thread_id: (first.entry as ReadEntry<MessageEntry>).thread_id,
    });
    return {
      message,
      order: { ref: this.ref, answer: true, targets: Array.from(targets, (id) => this.index.refs.take(id)) },
      turn,
      isAnswer: !forged,
      turnStamp,
      named: lines.map((line) => ({
        attempt: (line.entry as ReadEntry<MessageEntry>).attempt ?? '',
        writers: writersOf(line),
      })),
      revisionHeads: history?.heads() ?? NONE,
      whole,
      lastParts,
      growing: findGrowing(message, body),
    };
  }

  /** The same object while nothing of the attempt has changed. */
  #foldAttempt(line: Chosen, attempt: string, epochs: Epochs, redacted: boolean): FoldedAttempt {
    const body = this.#readBody(attempt, writersOf(line), redacted);
    const next = foldAttempt(line, body, epochs, this.#interrupts.get(attempt), redacted);
    const known = this.#attempts.get(attempt);
    if (
      known !== undefined &&
      known.body === body &&
      known.line === line &&
      sameAttempt(known.record, next.record)
    ) {
      return known;
    }
    this.#attempts.set(attempt, next);
    return next;
  }
}

/** Whether two records over one body and one line are equal. */
function sameAttempt(a: Attempt, b: Attempt): boolean {
  return (
    a.epoch === b.epoch &&
    a.state === b.state &&
    a.stop_requested === b.stop_requested &&
    a.finish_reason === b.finish_reason &&
    a.content === b.content
  );
}

function writersOf({ headers }: Chosen): ReadonlySet<string> {
  return new Set(headers.map((header) => header.writer_id));
}

/** A plain message that has just been written, without reading it back. */
export function foldNew(refs: RefTable, entry: MessageEntry, body: Body): FoldedMessage {
  const line = {
    row: -1,
    kind: KIND.message,
    entry,
    problem: undefined,
    cut: false,
    headers: [{ ...OUR_HEADER }],
  };
  return foldPlain(refs, line, body, undefined, NO_TURN, false, undefined);
}

function foldPlain(
  refs: RefTable,
  line: Chosen,
  body: Body,
  history: HistoryFold | undefined,
  turn: FoldedTurn,
  redacted: boolean,
  problem: string | undefined,
): FoldedMessage {
  const entry = line.entry as ReadEntry<MessageEntry>;
  const first = redacted ? '' : (entry.content ?? '');
  const message = createMessage(line, body, {
    ...readHistory(history, line, first + body.content, redacted),
    redacted,
    generating: body.finish === undefined && body.parts.some((part) => part.open),
    alternates: NONE,
    acp_interrupted: false,
    shown: undefined,
    problem: line.problem ?? problem ?? body.problem,
    thread_id: entry.thread_id,
  });
  const id = entry.message_id;
  const targets: number[] = [];
  if (entry.reply_to_message_id !== undefined) targets.push(refs.take(entry.reply_to_message_id));
  if (entry.after !== undefined) targets.push(refs.take(entry.after));
  return {
    message,
    order: { ref: refs.take(id), answer: false, targets },
    turn,
    isAnswer: false,
    turnStamp: maxText(entry.expects === 'answer' ? id : '', turn.turnStamp),
    named: [{ attempt: id, writers: writersOf(line) }],
    revisionHeads: history?.heads() ?? NONE,
    whole: false,
    lastParts: NO_PARTS,
    growing: findGrowing(message, body),
  };
}

const NONE: readonly never[] = Object.freeze([]);
const NO_PARTS: ReadonlyMap<string, number> = new Map();
const OUR_HEADER: LaneEntry = {
  type: 'lane',
  lane_id: '',
  schema_version: SCHEMA_VERSION,
  min_reader: SCHEMA_VERSION,
  generation: 0,
  writer_id: '',
};

type Shown = { -readonly [K in keyof Message]: Message[K] };

interface MessageFields
  extends Pick<
    Message,
    | 'content'
    | 'history'
    | 'deleted'
    | 'redacted'
    | 'generating'
    | 'alternates'
    | 'acp_interrupted'
    | 'thread_id'
  > {
  readonly shown: Attempt | undefined;
  readonly problem: string | undefined;
}

/**
 * One literal and then what is there: every message has one of few shapes, which is what makes reading and
 * freezing a hundred thousand of them cheap.
 */
function createMessage(line: Chosen, body: Body, fields: MessageFields): Message {
  const entry = line.entry as ReadEntry<MessageEntry>;
  const { shown, problem } = fields;
  const message: Shown = {
    message_id: entry.message_id,
    thread_id: fields.thread_id,
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

function readHistory(
  history: HistoryFold | undefined,
  line: Chosen,
  content: string,
  redacted: boolean,
): Pick<Message, 'content' | 'history' | 'deleted'> {
  const { sender_id = '', date = '' } = line.entry as ReadEntry<MessageEntry>;
  const shown = redacted ? '' : content;
  const first: Version = Object.freeze({
    id: null,
    author_id: sender_id,
    date,
    content: shown,
    deleted: false,
  });
  return (history ?? EMPTY_HISTORY).read(first);
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
  const parts = message.parts.slice();
  parts[parts.length - 1] = part;
  Object.freeze(parts);
  let { content, history } = message;
  if (part.kind === 'text') {
    content += text;
    history = Object.freeze([Object.freeze({ ...(history[0] as Version), content })]);
  }
  const shown = message.attempt && Object.freeze({ ...message.attempt, parts, content });
  const next = { ...message, parts, content, history, ...(shown && { attempt: shown }) };
  return { ...folded, message: Object.freeze(next), growing: part };
}
