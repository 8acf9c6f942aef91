import { ChatDocError, type Json, type ThreadState } from '@chatdoc/schema';
import { stopTurn } from '@chatdoc/turns';
import type { ThunkDispatch, UnknownAction } from '@reduxjs/toolkit';
import { useMemo } from 'react';
import { useDispatch, useSelector, useStore } from 'react-redux';
import { attachmentOf } from './attach.js';
import {
  type DisplayMessage,
  selectDisplayMessages,
  selectInstance,
  selectMergedVariables,
  selectState,
} from './selectors.js';
import type { ChatDocRoot, PromptInstance } from './state.js';
import { executeMessage, setVariable } from './thunks.js';

export interface PromptInstanceHandle {
  /** Undefined until it was started. */
  readonly instance: PromptInstance | undefined;
  readonly displayMessages: readonly DisplayMessage[];
  /** The values that a run would take now. */
  readonly variables: Readonly<Record<string, Json>>;
  readonly state: ThreadState['state'];
  /** Runs the instance, or sends what follows. Resolves with the id of the prompt. */
  sendMessage(content?: string): Promise<string>;
  updateVariable(name: string, value: Json): void;
  /** Stops what runs, for everyone. */
  stop(): void;
}

/** One instance of a prompt on screen. Calls of an old render work on the present values. */
export function usePromptInstance(instanceId: string | null | undefined): PromptInstanceHandle {
  const store = useStore<ChatDocRoot>();
  const dispatch = useDispatch<ThunkDispatch<ChatDocRoot, unknown, UnknownAction>>();
  const instance = useSelector((root: ChatDocRoot) => selectInstance(root, instanceId));
  const displayMessages = useSelector((root: ChatDocRoot) => selectDisplayMessages(root, instanceId));
  const variables = useSelector((root: ChatDocRoot) => selectMergedVariables(root, instanceId));
  const state = useSelector((root: ChatDocRoot) => selectState(root, instanceId));
  const calls = useMemo(
    () => ({
      sendMessage: (content?: string) =>
        dispatch(
          executeMessage({ instanceId: assertId(instanceId), ...(content !== undefined && { content }) }),
        ).unwrap(),
      updateVariable: (name: string, value: Json) =>
        setVariable(store.getState(), assertId(instanceId), name, value),
      stop: () => stopInstance(store.getState(), assertId(instanceId)),
    }),
    [store, dispatch, instanceId],
  );
  return { instance, displayMessages, variables, state, ...calls };
}

function stopInstance(root: ChatDocRoot, instanceId: string): void {
  const { chat, options } = attachmentOf(root.chatdoc);
  const { active_message_id } = chat.state(instanceId);
  const message_id = active_message_id ?? chat.queue(instanceId)[0];
  if (message_id !== undefined) stopTurn(chat, { message_id, by: options.user_id });
}

function assertId(instanceId: string | null | undefined): string {
  if (instanceId !== null && instanceId !== undefined) return instanceId;
  throw new ChatDocError('invalid_argument', 'instanceId', 'expected the id of an instance');
}
