import type { ReadEntry } from '../entry/table.js';
import type { ThreadStateEntry } from '../entry/thread-state.js';
import { deriveAnswerId } from '../entry/ulid.js';
import type { FoldedMessage } from './message-record.js';
import type { Message, ThreadState } from './records.js';
import type { FoldedTurn } from './turn.js';

/** The inputs from which the state of a thread is derived. */
export interface TurnView {
  messages(threadId: string): readonly Message[];
  folded(messageId: string): FoldedMessage | undefined;
  /** Stops and retries of an answer, also before it is there. */
  turnOf(messageId: string): FoldedTurn;
}

/** Prompts whose asked epoch has neither an attempt nor a stop, in order. */
export function listQueue(view: TurnView, threadId: string): string[] {
  const queue: string[] = [];
  for (const { expects, message_id } of view.messages(threadId)) {
    if (expects === 'answer' && isQueued(view, message_id)) queue.push(message_id);
  }
  return queue;
}

/** Of a message that expects an answer. O(lines about its answer). */
export function isQueued(view: TurnView, promptId: string): boolean {
  const answerId = deriveAnswerId(promptId);
  const answer = view.folded(answerId);
  const { asked, stopped } = view.turnOf(answerId).epochs;
  if (stopped >= asked) return false;
  if (answer === undefined || !answer.isAnswer) return true;
  const { attempt, alternates } = answer.message;
  return attempt?.epoch !== asked && alternates.every((other) => other.epoch !== asked);
}

/**
 * running > interrupted > queued > error or complete by the last answer > idle. What a host or an import said
 * shows only while it is later than every turn entry.
 */
export function deriveState(
  view: TurnView,
  threadId: string,
  said: ReadEntry<ThreadStateEntry> | undefined,
): ThreadState {
  const messages = view.messages(threadId);
  if (said?.state !== undefined && said.id > lastTurnStamp(view, messages)) {
    const { state, active_message_id } = said;
    return Object.freeze({ thread_id: threadId, state, ...(active_message_id && { active_message_id }) });
  }
  const answers = messages.filter((message) => message.attempt !== undefined);
  const running = answers.find((answer) => answer.attempt?.state === 'open');
  if (running !== undefined) return createState(threadId, 'running', running.message_id);
  const interrupted = answers.find((answer) => isHolding(view, answer));
  if (interrupted !== undefined) return createState(threadId, 'interrupted', interrupted.message_id);
  const [queued] = listQueue(view, threadId);
  if (queued !== undefined) return createState(threadId, 'queued', queued);
  const last = answers.at(-1)?.attempt;
  if (last === undefined) return createState(threadId, 'idle');
  const failed = last.error !== undefined || last.finish_reason === 'error';
  return createState(threadId, failed ? 'error' : 'complete');
}

/** An interrupted answer holds the queue until somebody retries it; a stop settles it. */
function isHolding(view: TurnView, answer: Message): boolean {
  const { attempt } = answer;
  if (attempt?.state !== 'interrupted') return false;
  return view.turnOf(answer.message_id).epochs.asked <= attempt.epoch;
}

function lastTurnStamp(view: TurnView, messages: readonly Message[]): string {
  let last = '';
  for (const { expects, message_id } of messages) {
    const stamps = [view.folded(message_id)?.turnStamp ?? ''];
    if (expects === 'answer') stamps.push(view.turnOf(deriveAnswerId(message_id)).turnStamp);
    for (const stamp of stamps) if (stamp > last) last = stamp;
  }
  return last;
}

function createState(
  thread_id: string,
  state: ThreadState['state'],
  active_message_id?: string,
): ThreadState {
  return Object.freeze({ thread_id, state, ...(active_message_id !== undefined && { active_message_id }) });
}
