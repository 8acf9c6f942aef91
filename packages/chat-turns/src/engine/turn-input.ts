import type { Attempt, Message, Purpose, Thread } from '@chatdoc/schema';
import { compareText } from '@chatdoc/schema/internal';
import type { Turn } from '../agents/agent.js';
import { CONTINUE_KEY } from '../requests.js';
import { readRunFollowed, readRunInput } from '../runs/run-record.js';
import { planResend, readBroughtSession, readSession, type Session } from '../sessions.js';
import { handleOf } from '../slots.js';
import { listAttempts, type TurnChat } from './turn-chat.js';

export interface Claim {
  readonly thread: Thread;
  readonly prompt: Message;
  readonly message_id: string;
  readonly attempt: string;
  readonly epoch: number;
  readonly continues: Attempt | undefined;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The document as the agent of this turn is to see it, now. */
export function createTurn(chat: TurnChat, claim: Claim): Turn {
  const { thread, prompt, continues, ...rest } = claim;
  const messages = listConversation(chat, thread.thread_id, prompt.message_id);
  const handle = handleOf(thread);
  const stored = readSession(chat, handle) ?? readBroughtSession(chat, handle, messages);
  const answer = continues && chat.message(claim.message_id);
  const { session, fresh } = planResend(stored, {
    messages,
    all: continues === undefined ? messages : listConversation(chat, thread.thread_id),
    // The attempt of this turn shows already, and is empty.
    ...(answer !== undefined && { continued: { ...answer, content: continues?.content ?? '' } }),
  });
  const run = readRunInput(chat, prompt, claim.secrets);
  const follows = run === undefined ? readRunFollowed(chat, messages, claim.secrets) : undefined;
  return Object.freeze({
    ...rest,
    thread,
    prompt,
    config: chat.config(thread.thread_id),
    messages,
    fresh,
    ...(session !== undefined && { session: session as Session<Purpose> }),
    ...(continues !== undefined && { continues }),
    earlier: listEarlier(chat, claim),
    ...(run !== undefined && { run }),
    ...(follows !== undefined && { follows }),
  });
}

/** Attempts that this one takes the place of; the one that it goes on is part of it. */
function listEarlier(chat: TurnChat, { message_id, attempt, continues }: Claim): readonly Attempt[] {
  const answer = chat.message(message_id);
  if (answer === undefined) return [];
  const earlier = listAttempts(answer).filter(
    (each) => each.attempt !== attempt && each.attempt !== continues?.attempt && each.state !== 'open',
  );
  return earlier.sort((a, b) => compareText(a.attempt, b.attempt));
}

/** The messages of a thread up to and including `lastId`; all without it. Those deleted or redacted are left out. */
export function listConversation(
  chat: Pick<TurnChat, 'transcript'>,
  threadId: string,
  lastId?: string,
): readonly Message[] {
  const all = chat.transcript(threadId);
  const end =
    lastId === undefined ? all.length : all.findIndex(({ message_id }) => message_id === lastId) + 1;
  return Object.freeze(all.slice(0, end).filter(({ deleted, redacted }) => !deleted && !redacted));
}

/** The attempt that shows, if the latest wish is to go on from it. */
export function findContinued(chat: TurnChat, answer: Message | undefined): Attempt | undefined {
  if (answer?.attempt === undefined) return undefined;
  let latest = '';
  let wanted: unknown;
  for (const { id, key, value } of chat.annotations({ message_id: answer.message_id })) {
    if (key !== CONTINUE_KEY || id < latest) continue;
    latest = id;
    wanted = typeof value === 'object' && value !== null && 'attempt' in value ? value['attempt'] : undefined;
  }
  return wanted === answer.attempt.attempt ? answer.attempt : undefined;
}
