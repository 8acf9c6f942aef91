import { ChatDocError } from '@chatdoc/schema';
import type { Pick } from '../schedule/pick.js';
import type { Command, Result } from '../subject/application.js';
import { type ChatState, knownThreads } from './chat-state.js';

/** Parts that the commands of the chat application share. */

export type ChatCommand = Command<ChatState>;

/** Of the chats of one notebook. */
export const SLOT = { root_id: 'notebook', owner_id: 'ada', provider: 'codex' };

/** One of the threads. The first of a slot is made where there is none: on each replica the same. */
export function pickThread(state: ChatState, pick: Pick): string {
  const chosen = pick.one(knownThreads(state));
  return chosen ?? state.chat.createThread({ created_by: state.user, slot: SLOT }).thread_id;
}

/** A message that `fits`, of some thread. */
export function pickMessage(
  state: ChatState,
  pick: Pick,
  fits: (id: string) => boolean = () => true,
): string | undefined {
  const { chat } = state;
  const first = pickThread(state, pick);
  for (const thread_id of new Set([first, ...state.threads])) {
    const ids = chat.messageIds(thread_id);
    const start = pick.below(ids.length);
    for (let tried = 0; tried < ids.length; tried += 1) {
      const id = ids[(start + tried) % ids.length] as string;
      if (fits(id)) return id;
    }
  }
  return undefined;
}

/** A call may be refused where damage or a redaction came between. */
export function allow(state: ChatState, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof ChatDocError && (error.code === 'not_open' || error.code === 'not_found')) {
      state.seat.mark(`refused: ${error.code}`);
      return false;
    }
    throw error;
  }
}

/** [FD9] No call about messages changes a setting of a thread. */
export const keepingConfig =
  (command: ChatCommand): ChatCommand =>
  (state, pick) => {
    const { chat } = state;
    // Of one call in three: it takes a fold of every thread.
    const before = state.looks % 3 === 0 ? knownThreads(state).map((id) => chat.config(id)) : [];
    const result = command(state, pick);
    for (const config of before) {
      if (chat.config(config.thread_id) !== config) {
        throw new Error('[FD9] a call about messages changed the settings of a thread');
      }
    }
    return result;
  };

/** Notes what was written: ids that are stamps must rise. */
export function recordWritten(state: ChatState, id: string, stamp?: string): void {
  state.written.push(id);
  if (stamp === undefined) return;
  if (stamp <= state.lastStamp) throw new Error('[ID2] an id is not above the one before');
  state.lastStamp = stamp;
}
