import { formatDate } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';
import { Prose } from './prose.js';
import { Random } from './random.js';

export const THREAD_LENGTH = 50;
/** Messages until both sides start new processes, with new writers and client ids. */
export const SESSION_LENGTH = 200;
const START = Date.UTC(2026, 0, 5, 9);
const STEP_MS = 37_000;
const SEED = 20_261_121;

/** One message as the parties write it. The first n of a longer chat are the chat of n messages. */
export interface Draft {
  readonly index: number;
  readonly thread: number;
  readonly time: number;
  readonly agent: boolean;
  /** Deltas of an agent's streamed body; of a user's, one. */
  readonly pieces: readonly string[];
  /** The body after the one edit. */
  readonly edited?: string;
  readonly reaction?: string;
  /** Index of the message that this one replies to. */
  readonly replyTo?: number;
  readonly usage?: { readonly input_tokens: number; readonly output_tokens: number };
  /** The final state, as a plain application would store it: one JSON object a message. */
  readonly record: FinalRecord;
}

export interface FinalRecord {
  readonly message_id: string;
  readonly thread_id: string;
  readonly sender_id: string;
  readonly date: string;
  readonly reply_to_message_id?: string;
  readonly prompt_id?: string;
  readonly acp_usage?: { readonly input_tokens: number; readonly output_tokens: number };
  readonly schema_version: number;
  readonly content: string;
  readonly history?: readonly {
    readonly author_id: string;
    readonly date: string;
    readonly content: string;
  }[];
  readonly reactions?: Readonly<Record<string, readonly string[]>>;
}

export const USER = 'user:ada-lovelace';
export const AGENT = 'agent:codex';
const REACTIONS = ['👍', '🎉', '❤️', '👀'];

/** Messages from number `first` on, a multiple of the length of a thread. */
export function generateChat(count: number, first = 0): readonly Draft[] {
  const random = new Random(SEED + first);
  const prose = new Prose(random);
  const drafts: Draft[] = [];
  let threadId = '';
  for (let index = first; index < first + count; index += 1) {
    const time = START + index * STEP_MS;
    const position = index % THREAD_LENGTH;
    if (position === 0) threadId = formatUlid(time, random.bytes(10));
    drafts.push(draft(index, time, threadId, (at) => drafts[at - first]?.record.message_id, random, prose));
  }
  return drafts;
}

function draft(
  index: number,
  time: number,
  threadId: string,
  idOf: (index: number) => string | undefined,
  random: Random,
  prose: Prose,
): Draft {
  const position = index % THREAD_LENGTH;
  const agent = position % 2 === 1;
  const first = prose.body();
  const edited = random.chance(0.05) ? prose.body() : undefined;
  const reaction = random.chance(0.05) ? random.pick(REACTIONS) : undefined;
  // A fifth of all messages; an answer names its prompt, so the replies are the user's.
  const replyTo =
    !agent && position > 0 && random.chance(0.4) ? index - 1 - random.below(position) : undefined;
  const usage = agent
    ? { input_tokens: 500 + random.below(20_000), output_tokens: 1 + Math.round(first.length / 4) }
    : undefined;
  const target = replyTo === undefined ? undefined : idOf(replyTo);
  const prompt = agent ? idOf(index - 1) : undefined;
  const sender = agent ? AGENT : USER;
  const record: FinalRecord = {
    message_id: formatUlid(time, random.bytes(10)),
    thread_id: threadId,
    sender_id: sender,
    date: formatDate(time),
    ...(target === undefined ? {} : { reply_to_message_id: target }),
    ...(prompt === undefined ? {} : { prompt_id: prompt }),
    ...(usage === undefined ? {} : { acp_usage: usage }),
    schema_version: 2,
    content: edited ?? first,
    ...(edited === undefined
      ? {}
      : { history: [{ author_id: sender, date: formatDate(time), content: first }] }),
    ...(reaction === undefined ? {} : { reactions: { [reaction]: [USER] } }),
  };
  return {
    index,
    thread: Math.floor(index / THREAD_LENGTH),
    time,
    agent,
    pieces: agent ? split(first, 3) : [first],
    ...(edited === undefined ? {} : { edited }),
    ...(reaction === undefined ? {} : { reaction }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(usage === undefined ? {} : { usage }),
    record,
  };
}

/** May split a surrogate pair, as a stream does. */
function split(text: string, count: number): readonly string[] {
  const length = Math.ceil(text.length / count);
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += length) pieces.push(text.slice(at, at + length));
  return pieces;
}

export function toJsonLines(drafts: readonly Draft[]): readonly string[] {
  return drafts.map((draft) => JSON.stringify(draft.record));
}
