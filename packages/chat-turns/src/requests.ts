import {
  type Chat,
  ChatDocError,
  deriveAnswerId,
  deriveMessageId,
  type Message,
  type NewMessage,
} from '@chatdoc/schema';
import { findHolder, NEXT_KEY } from './engine/queue.js';
import { notifyRequest } from './request-events.js';
import { copySettings } from './sessions.js';

/** Annotation of an answer: the attempt that the next one goes on. */
export const CONTINUE_KEY = 'turn:continue';

/** Requests of a person. Each works in any process, with or without an engine, online or not. */
export type BusyStrategy = 'enqueue' | 'interrupt' | 'reject';

export type NewPrompt = Omit<NewMessage, 'expects'> & {
  /**
   * With `date` the key of the prompt: given again, they never make a second one. With another date the prompt is
   * found among the last messages of the thread.
   */
  readonly client_message_id: string;
  readonly date: string;
  /** What to do while another turn of the thread runs or waits. Defaults to `enqueue`. */
  readonly when_busy?: BusyStrategy;
};

export type SubmitResult =
  | {
      readonly ok: true;
      readonly message: Message;
      /** `known`: sent before. `revised`: sent before with another text, which now shows. */
      readonly outcome: 'sent' | 'known' | 'revised';
    }
  | { readonly ok: false; readonly code: 'busy'; readonly message_id: string };

/** Sends a prompt. It is in the document, and so in the queue, before this returns. */
export function submitPrompt(chat: Chat, prompt: NewPrompt): SubmitResult {
  const { when_busy: strategy = 'enqueue', ...message } = prompt;
  if (typeof message.client_message_id !== 'string' || typeof message.date !== 'string') {
    throw new ChatDocError('invalid_argument', 'client_message_id', 'expected an id and a date, given once');
  }
  const same = chat.message(idOf(message));
  const known = same ?? findOtherDate(chat, message);
  const has_other_date = known !== same;
  if (known === undefined && strategy === 'reject') {
    const busy = findHolder(chat, message.thread_id)?.message.message_id ?? chat.queue(message.thread_id)[0];
    if (busy !== undefined) {
      notifyRequest(chat, { type: 'submitted', outcome: 'busy', has_other_date });
      return { ok: false, code: 'busy', message_id: busy };
    }
  }
  const sent = chat.send({ ...message, date: known?.date ?? message.date, expects: 'answer' });
  // A crash may have come between the message and the rest of it.
  if (strategy === 'interrupt') sendNow(chat, { message_id: sent.message_id, by: message.sender_id });
  const current = chat.message(sent.message_id) as Message;
  const outcome = known === undefined ? 'sent' : sent === known ? 'known' : 'revised';
  notifyRequest(chat, { type: 'submitted', outcome, has_other_date });
  return { ok: true, message: current, outcome };
}

/** Among so many of the last messages of a thread a prompt is looked for that has another date. */
const RECENT = 64;

/** The prompt that a client has sent before it crashed, and lost its date with. */
function findOtherDate(
  chat: Chat,
  { thread_id, sender_id, client_message_id }: NewMessage,
): Message | undefined {
  for (const id of chat.messageIds(thread_id).slice(-RECENT).reverse()) {
    const message = chat.message(id);
    const isSame = message?.client_message_id === client_message_id && message?.sender_id === sender_id;
    if (isSame && message.expects === 'answer') return message;
  }
  return undefined;
}

function idOf({ date, thread_id, sender_id, client_message_id }: NewMessage): string {
  return deriveMessageId(date as string, thread_id, sender_id, client_message_id as string);
}

export type RequestResult<Code extends string> =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: Code };

/** Runs a prompt that waits before all others, and stops what runs now. Again: nothing. */
export function sendNow(
  chat: Chat,
  { message_id, by }: { message_id: string; by: string },
): RequestResult<'not_found' | 'not_queued'> {
  const prompt = chat.message(message_id);
  if (prompt === undefined) return { ok: false, code: 'not_found' };
  if (!chat.queue(prompt.thread_id).includes(message_id)) return { ok: false, code: 'not_queued' };
  const isMarked = chat
    .annotations({ message_id })
    .some(({ user_id, key, value }) => user_id === by && key === NEXT_KEY && value === true);
  if (isMarked) return { ok: true };
  // Marked first: the stop lets the next one in.
  chat.annotate({ message_id, user_id: by, key: NEXT_KEY, value: true });
  const holder = findHolder(chat, prompt.thread_id);
  // Its own attempt ends anyway, for the one that was asked for since.
  const isOwn = holder?.message.prompt_id === message_id;
  if (holder !== undefined && !isOwn) chat.stop({ message_id: holder.message.message_id, by });
  return { ok: true };
}

/**
 * Stops the turn, wherever it runs, or takes the prompt out of the queue; an interrupted turn is skipped so.
 * `message_id`: prompt or answer. Side effects stay.
 */
export function stopTurn(
  chat: Chat,
  { message_id, by }: { message_id: string; by: string },
): RequestResult<'not_found' | 'no_turn'> {
  const found = findTurn(chat, message_id);
  if (!found.ok) return found;
  const { answer } = found;
  const isQueued = chat.isQueued(answer?.prompt_id ?? message_id);
  chat.stop({ message_id, by });
  const kind = isQueued ? 'queued' : KINDS[answer?.attempt?.state ?? 'settled'];
  notifyRequest(chat, { type: 'stopped', kind });
  return { ok: true };
}

const KINDS = { open: 'running', interrupted: 'interrupted', settled: 'ended' } as const;

/**
 * Asks for another attempt from the start; one that runs is ended for it. What shows now becomes an alternate
 * once that has begun.
 */
export function retryTurn(
  chat: Chat,
  { message_id, by }: { message_id: string; by: string },
): RequestResult<'not_found' | 'no_turn'> {
  const found = findTurn(chat, message_id);
  if (!found.ok) return found;
  if (found.answer !== undefined) forgetContinue(chat, found.answer);
  chat.retry({ message_id, by });
  notifyRequest(chat, { type: 'retried' });
  return { ok: true };
}

/**
 * Asks for an attempt that begins with what shows and goes on from there: after an interrupt, a stop or an
 * error. Only a person asks for it: what the agent did in the world is not undone, and may be done again.
 */
export function continueTurn(
  chat: Chat,
  { message_id, by }: { message_id: string; by: string },
): RequestResult<'not_found' | 'no_turn' | 'running' | 'not_begun'> {
  const found = findTurn(chat, message_id);
  if (!found.ok) return found;
  const { answer } = found;
  if (answer?.attempt === undefined) return { ok: false, code: 'not_begun' };
  if (answer.attempt.state === 'open') return { ok: false, code: 'running' };
  const value = { attempt: answer.attempt.attempt };
  chat.annotate({ message_id: answer.message_id, user_id: by, key: CONTINUE_KEY, value });
  chat.retry({ message_id, by });
  notifyRequest(chat, { type: 'retried' });
  return { ok: true };
}

export interface Resubmission {
  /** The prompt. */
  readonly message_id: string;
  readonly author_id: string;
  readonly content: string;
  /**
   * `revision`: the prompt shows the new text, what was answered becomes an alternate, what came later stays.
   * `fork`: a new thread of all before the prompt, and then the new one; this thread stays as it is.
   */
  readonly as: 'revision' | 'fork';
  /** For a fork, as in `submitPrompt`. */
  readonly client_message_id: string;
  readonly date: string;
}

export type ResubmitResult =
  | { readonly ok: true; readonly thread_id: string; readonly prompt_id: string }
  | { readonly ok: false; readonly code: 'not_found' | 'no_turn' };

/** Edits a prompt and asks again. */
export function resubmitPrompt(chat: Chat, resubmission: Resubmission): ResubmitResult {
  const { message_id, author_id, content, as, client_message_id, date } = resubmission;
  const prompt = chat.message(message_id);
  if (prompt === undefined) return { ok: false, code: 'not_found' };
  if (prompt.expects !== 'answer') return { ok: false, code: 'no_turn' };
  if (as === 'fork') {
    const thread_id = forkBefore(chat, prompt, author_id, date);
    const sent = submitPrompt(chat, { thread_id, sender_id: author_id, content, client_message_id, date });
    return { ok: true, thread_id, prompt_id: (sent as { message: Message }).message.message_id };
  }
  const { thread_id } = prompt;
  if (prompt.content !== content) chat.edit({ message_id, author_id, content, date });
  // What waits is asked with the new text anyway; a stop would hit just that.
  if (!chat.queue(thread_id).includes(message_id)) {
    const answer = chat.message(deriveAnswerId(message_id));
    if (answer?.attempt?.state === 'open') chat.stop({ message_id, by: author_id });
    retryTurn(chat, { message_id, by: author_id });
  }
  return { ok: true, thread_id, prompt_id: message_id };
}

/** Settings go along, but not the session: two threads must not share what a provider remembers. */
function forkBefore(chat: Chat, prompt: Message, created_by: string, created_at: string): string {
  const { thread_id: origin } = prompt;
  const before = chat.transcript(origin);
  const at = before.findIndex(({ message_id }) => message_id === prompt.message_id);
  const last = before[at - 1];
  const known = chat.threads().find(({ forked_from: from, ...thread }) => {
    const isSame = thread.created_at === created_at && thread.created_by === created_by;
    return isSame && from?.thread_id === origin && from.message_id === last?.message_id;
  });
  if (known !== undefined) return known.thread_id;
  const { thread_id } = chat.createThread({
    ...copySettings(chat.config(origin)),
    created_by,
    created_at,
    purpose: chat.thread(origin)?.purpose ?? 'chat',
    ...(last !== undefined && { forked_from: { thread_id: origin, message_id: last.message_id } }),
  });
  return thread_id;
}

/** The answer so far of a prompt, or the answer itself. */
function findTurn(
  chat: Chat,
  messageId: string,
):
  | { readonly ok: true; readonly answer: Message | undefined }
  | { readonly ok: false; readonly code: 'not_found' | 'no_turn' } {
  const message = chat.message(messageId);
  if (message === undefined) return { ok: false, code: 'not_found' };
  if (message.attempt !== undefined) return { ok: true, answer: message };
  if (message.expects !== 'answer') return { ok: false, code: 'no_turn' };
  return { ok: true, answer: chat.message(deriveAnswerId(messageId)) };
}

function forgetContinue(chat: Chat, { message_id }: Message): void {
  for (const { user_id, key } of chat.annotations({ message_id })) {
    if (key === CONTINUE_KEY) chat.annotate({ message_id, user_id, key, value: null });
  }
}
