import type { LaneEntry } from '../entry/lane.js';
import { LIMITS, SCHEMA_VERSION } from '../entry/limits.js';
import type { MessageEntry } from '../entry/message.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { freezeDeep } from '../host/values.js';
import type { RefTable } from '../index/refs.js';
import type { Body, FoldedAttempt } from './attempt.js';
import { type Chosen, schemaVersionOf } from './choose.js';
import { EMPTY_HISTORY, type HistoryFold } from './history.js';
import type { OrderNode } from './order.js';
import type { Attempt, Message, Part, Version } from './records.js';
import { type FoldedTurn, NO_TURN } from './turn.js';

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
  /** Revisions that a new one replaces. */
  readonly revisionHeads: readonly string[];
  /** Of an answer: its record has everything that the parts and finishes of its attempts have. */
  readonly whole: boolean;
  /** Of each attempt of an answer, the greatest part number. */
  readonly lastParts: readonly { readonly attempt: string; readonly n: number }[];
  /** The part that text can be appended to without a new fold: the last, open, in one line. */
  readonly growing: Part | undefined;
}

/** Other records about a message. */
export interface About {
  readonly history: HistoryFold | undefined;
  readonly turn: FoldedTurn;
  readonly redacted: boolean;
  /** Of a line about it that has one. */
  readonly problem: string | undefined;
}

/** A message about which nothing was said but its own line. */
export const NOTHING_ABOUT: About = {
  history: undefined,
  turn: NO_TURN,
  redacted: false,
  problem: undefined,
};

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
  return foldPlain(refs, line, body, NOTHING_ABOUT);
}

/** A message that answers nothing. */
export function foldPlain(
  refs: RefTable,
  line: Chosen,
  body: Body,
  { history, turn, redacted, problem }: About,
): FoldedMessage {
  const entry = line.entry as ReadEntry<MessageEntry>;
  const first = redacted ? '' : (entry.content ?? '');
  const versions = readHistory(history, line, first + body.content, redacted);
  const message = createMessage(line, body, versions, {
    redacted,
    generating: body.finish === undefined && body.parts.some((part) => part.open),
    alternates: NONE,
    // No process can go on with it: its finish is what an import knows of its turn.
    acp_interrupted: body.finish?.finish_reason === 'interrupted',
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
    revisionHeads: history?.heads() ?? NONE,
    whole: false,
    lastParts: NONE,
    growing: findGrowing(message, body),
  };
}

/** An answer, of its attempts, the one that shows first. `forged`: none of them answers the prompt that its id derives from. */
export function foldAnswer(
  refs: RefTable,
  ref: number,
  attempts: readonly FoldedAttempt[],
  { history, turn, redacted, forged, problem }: About & { readonly forged: boolean },
): FoldedMessage {
  const shown = attempts[0] as FoldedAttempt;
  const { record, body } = shown;
  const targets: number[] = [];
  const lastParts: { readonly attempt: string; readonly n: number }[] = [];
  let { turnStamp } = turn;
  let whole = true;
  let first = shown;
  const refer = (id: string | undefined): void => {
    const target = id === undefined ? -1 : refs.take(id);
    if (target >= 0 && !targets.includes(target)) targets.push(target);
  };
  for (const folded of attempts) {
    const { prompt_id, reply_to_message_id } = folded.line.entry as ReadEntry<MessageEntry>;
    const { attempt } = folded.record;
    refer(prompt_id);
    refer(reply_to_message_id);
    turnStamp = maxText(turnStamp, maxText(attempt, folded.body.finish?.id ?? ''));
    whole &&= folded.body.whole;
    lastParts.push({ attempt, n: folded.body.lastPart });
    if (attempt < first.record.attempt) first = folded;
  }
  const versions = readHistory(history, shown.line, record.content, redacted);
  const message = createMessage(shown.line, body, versions, {
    redacted,
    generating: record.state === 'open',
    alternates: attempts.length === 1 ? NONE : Object.freeze(attempts.slice(1).map((other) => other.record)),
    acp_interrupted: record.state === 'interrupted',
    shown: record,
    problem:
      (forged ? 'prompt_id: another message answers it' : undefined) ??
      shown.line.problem ??
      problem ??
      body.problem,
    // The thread is that of the earliest attempt: a later one can't move the answer.
    thread_id: (first.line.entry as ReadEntry<MessageEntry>).thread_id,
  });
  return {
    message,
    order: { ref, answer: true, targets },
    turn,
    isAnswer: !forged,
    turnStamp,
    revisionHeads: history?.heads() ?? NONE,
    whole,
    lastParts,
    growing: findGrowing(message, body),
  };
}

const NONE: readonly never[] = Object.freeze([]);
const OUR_HEADER: LaneEntry = {
  type: 'lane',
  lane_id: '',
  schema_version: SCHEMA_VERSION,
  min_reader: SCHEMA_VERSION,
  generation: 0,
  writer_id: '',
};

type Versions = Pick<Message, 'content' | 'history' | 'deleted'>;
type Shown = { -readonly [K in keyof Message]: Message[K] };

interface MessageFields
  extends Pick<Message, 'redacted' | 'generating' | 'alternates' | 'acp_interrupted' | 'thread_id'> {
  readonly shown: Attempt | undefined;
  readonly problem: string | undefined;
}

/**
 * One literal and then what is there: every message has one of few shapes, which is what makes reading and
 * freezing a hundred thousand of them cheap.
 */
function createMessage(line: Chosen, body: Body, versions: Versions, fields: MessageFields): Message {
  const entry = line.entry as ReadEntry<MessageEntry>;
  const { shown, problem } = fields;
  const message: Shown = {
    message_id: entry.message_id,
    thread_id: fields.thread_id,
    sender_id: entry.sender_id ?? '',
    date: entry.date ?? '',
    content: versions.content,
    history: versions.history,
    deleted: versions.deleted,
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
): Versions {
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
