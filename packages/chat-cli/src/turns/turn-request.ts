import { type Chat, ChatDocError, deriveAnswerId, type Message } from '@chatdoc/schema';
import { continueTurn, findHolder, listWaiting, retryTurn, sendNow } from '@chatdoc/turns';
import { isOrdinaryEnd } from '../say/message.js';
import { listSome } from '../say/nouns.js';
import { flatten } from '../say/plain-text.js';
import { findThread } from '../sources/find-record.js';
import { type Failure, fail } from '../sources/read-source.js';
import { interruptAbandoned, listRunning } from './abandoned-turns.js';

/** What somebody asks of the agent of a thread: a prompt, or to go on, or to begin again; or else what waits. */
export interface TurnRequest {
  readonly user: string;
  readonly thread?: string;
  /** Its name, if it is to have one. */
  readonly newThread?: string | true;
  readonly prompt?: string;
  readonly continue?: boolean;
  readonly retry?: boolean;
  /** Before all that waits, and instead of what runs. */
  readonly now?: boolean;
}

export type RequestedTurn =
  | {
      readonly ok: true;
      readonly thread_id: string;
      readonly prompt_id: string;
      /** The attempt that showed before. */
      readonly before: string | undefined;
      /** What the person should know, a line each. */
      readonly notes: readonly string[];
    }
  | Failure;

/** Writes the request into the document. Before it, what a runner that is gone has left is said to be interrupted. */
export function requestTurn(chat: Chat, request: TurnRequest): RequestedTurn {
  try {
    return writeRequest(chat, request);
  } catch (error) {
    if (error instanceof ChatDocError && error.code === 'invalid_argument') {
      return fail(
        'unfit',
        `this cannot be written (${error.path}); make it shorter, and leave out control characters`,
      );
    }
    throw error;
  }
}

function writeRequest(chat: Chat, request: TurnRequest): RequestedTurn {
  const { user } = request;
  const notes: string[] = [];
  const thread = pickThread(chat, request);
  if (!thread.ok) return thread;
  const { thread_id } = thread;
  if (request.newThread !== undefined) notes.push(`thread ${thread_id} is new`);
  for (const runner of interruptAbandoned(chat, listRunning(chat, thread_id))) {
    notes.push(`${flatten(runner)} is gone: the turn that it ran is interrupted`);
  }
  const holder = findHolder(chat, thread_id);
  const prompt = choosePrompt(chat, thread_id, request, holder);
  if (!prompt.ok) return prompt;
  const { prompt_id } = prompt;
  const before = chat.message(deriveAnswerId(prompt_id))?.attempt?.attempt;
  if (request.now === true) sendNow(chat, { message_id: prompt_id, by: user });
  const { acp_config, agent_kind, template } = chat.config(thread_id);
  if (acp_config === undefined && agent_kind === undefined && template === undefined) {
    chat.configure({ thread_id, agent_kind: AGENT_KIND, updated_by: user });
  }
  if (request.now !== true) notes.push(...describeQueue(chat, thread_id, prompt_id, holder?.message));
  return { ok: true, thread_id, prompt_id, before, notes };
}

const AGENT_KIND = 'acp';

type PickedThread = { readonly ok: true; readonly thread_id: string } | Failure;

function pickThread(chat: Chat, { thread, newThread, user }: TurnRequest): PickedThread {
  if (newThread !== undefined) {
    const { thread_id } = chat.createThread({
      created_by: user,
      agent_kind: AGENT_KIND,
      ...(newThread !== true && { name: newThread }),
    });
    return { ok: true, thread_id };
  }
  if (thread !== undefined) {
    const found = findThread(chat, thread);
    return found.ok ? { ok: true, thread_id: found.id } : found;
  }
  const all = chat.threads().map(({ thread_id }) => thread_id);
  const [only] = all;
  if (only === undefined) return fail('no_thread', 'this chat has no thread; begin one with --new-thread');
  if (all.length === 1) return { ok: true, thread_id: only };
  return fail(
    'which_thread',
    `this chat has ${all.length} threads; name one with --thread: ${listSome(all)}`,
  );
}

type ChosenPrompt = { readonly ok: true; readonly prompt_id: string } | Failure;

function choosePrompt(
  chat: Chat,
  thread_id: string,
  request: TurnRequest,
  holder: ReturnType<typeof findHolder>,
): ChosenPrompt {
  if (request.continue === true || request.retry === true) {
    const last = chat.messages(thread_id).filter(({ attempt }) => attempt !== undefined);
    return askAgain(chat, request, holder?.message ?? last.at(-1));
  }
  if (holder?.kind === 'interrupted' && request.now !== true) {
    return fail(
      'interrupted',
      `the last answer (message ${holder.message.message_id}) was interrupted; --continue goes on with it, --retry begins it again, chatdoc stop skips it`,
    );
  }
  if (request.prompt !== undefined) {
    const sent = chat.send({
      thread_id,
      sender_id: request.user,
      content: request.prompt,
      expects: 'answer',
    });
    return { ok: true, prompt_id: sent.message_id };
  }
  const [waiting] = listWaiting(chat, thread_id);
  if (waiting === undefined)
    return fail('nothing_waits', 'no prompt waits in this thread; ask one with --prompt');
  return { ok: true, prompt_id: waiting };
}

function askAgain(chat: Chat, request: TurnRequest, answer: Message | undefined): ChosenPrompt {
  const prompt_id = answer?.prompt_id;
  const attempt = answer?.attempt;
  if (prompt_id === undefined || attempt === undefined) {
    return fail('no_turn', 'nobody has answered in this thread yet; ask with --prompt');
  }
  const wish = { message_id: prompt_id, by: request.user };
  if (attempt.state === 'open') {
    return fail(
      'running',
      `${flatten(attempt.runner_id)} is answering in this thread; chatdoc stop ends that`,
    );
  }
  if (request.retry === true) {
    retryTurn(chat, wish);
    return { ok: true, prompt_id };
  }
  if (
    attempt.state === 'settled' &&
    attempt.error === undefined &&
    isOrdinaryEnd(attempt.finish_reason ?? '')
  ) {
    return fail(
      'complete',
      'the last answer is whole; ask on with --prompt, or ask for another with --retry',
    );
  }
  continueTurn(chat, wish);
  return { ok: true, prompt_id };
}

function describeQueue(
  chat: Chat,
  thread_id: string,
  prompt_id: string,
  running: Message | undefined,
): readonly string[] {
  const notes: string[] = [];
  if (running?.attempt?.state === 'open') {
    notes.push(
      `${flatten(running.attempt.runner_id)} is answering message ${running.prompt_id ?? ''}; this waits for it. chatdoc stop ends that`,
    );
  }
  const ahead = listWaiting(chat, thread_id).indexOf(prompt_id);
  if (ahead > 0)
    notes.push(`${ahead} ${ahead === 1 ? 'prompt waits' : 'prompts wait'} before this one; they come first`);
  return notes;
}
