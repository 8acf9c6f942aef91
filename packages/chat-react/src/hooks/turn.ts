import { type Environment, formatDate, systemEnvironment } from '@chatdoc/schema';
import {
  type BusyStrategy,
  continueTurn,
  type RequestResult,
  retryTurn,
  type SubmitResult,
  sendNow,
  stopTurn,
  submitPrompt,
} from '@chatdoc/turns';
import { useMemo } from 'react';
import { drawId } from '../store/draw-id.js';
import { type TurnStatus, turnView } from '../store/turn-view.js';
import { useLive } from './live.js';
import { type ChatScope, type ScopeOptions, userOf, useScope } from './scope.js';

export interface SubmitOptions {
  /** Makes a second call with the same id, and the same date, the same prompt. Defaults to a new one. */
  readonly client_message_id?: string;
  readonly date?: string;
  readonly when_busy?: BusyStrategy;
}

/** Requests of the user in one thread. They throw `ChatDocError` as those of @chatdoc/turns do. */
export interface TurnCalls {
  submit(content: string, options?: SubmitOptions): SubmitResult;
  /** Of a prompt or its answer. Defaults to what runs, else what is interrupted. */
  stop(messageId?: string): RequestResult<'not_found' | 'no_turn'>;
  /** Another attempt from the start. Defaults as in `stop`, then to the last prompt. */
  retry(messageId?: string): RequestResult<'not_found' | 'no_turn'>;
  /** An attempt that goes on from what shows. */
  resume(messageId?: string): RequestResult<'not_found' | 'no_turn' | 'running' | 'not_begun'>;
  /** Runs a prompt that waits before all others. */
  sendNow(messageId: string): RequestResult<'not_found' | 'not_queued'>;
}

export interface TurnHandle extends TurnStatus, TurnCalls {}

/** State and queue of a thread, and the requests that change it. A streamed token renders nothing here. */
export function useTurn(threadId: string, options?: ScopeOptions): TurnHandle {
  const scope = useScope(options);
  const { chat, user_id: userId } = scope;
  const status = useLive<TurnStatus>(
    scope,
    () => turnView(chat, threadId),
    ({ states }) => ({ state: 'idle', ...states[threadId], queue: [] }),
    [threadId],
  );
  const calls = useMemo(() => createTurnCalls({ chat, user_id: userId }, threadId), [chat, userId, threadId]);
  return useMemo(() => ({ ...status, ...calls }), [status, calls]);
}

/** The last prompt is looked for among so many messages. */
const RECENT = 64;

function createTurnCalls(
  scope: ChatScope,
  threadId: string,
  environment: Environment = systemEnvironment,
): TurnCalls {
  const { chat } = scope;
  const target = (messageId: string | undefined): string =>
    messageId ?? chat.state(threadId).active_message_id ?? lastTurn() ?? '';
  const lastTurn = (): string | undefined =>
    [...chat.messages(threadId, { limit: RECENT })].reverse().find(({ expects }) => expects === 'answer')
      ?.message_id;
  const ask = (messageId: string | undefined) => ({ message_id: target(messageId), by: userOf(scope) });
  return {
    submit: (content, options = {}) =>
      submitPrompt(chat, {
        client_message_id: drawId(environment),
        date: formatDate(environment.now()),
        ...options,
        thread_id: threadId,
        sender_id: userOf(scope),
        content,
      }),
    stop: (messageId) => stopTurn(chat, ask(messageId)),
    retry: (messageId) => retryTurn(chat, ask(messageId)),
    resume: (messageId) => continueTurn(chat, ask(messageId)),
    sendNow: (messageId) => sendNow(chat, ask(messageId)),
  };
}
