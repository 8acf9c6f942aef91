import {
  type Chat,
  ChatDocError,
  deriveAnswerId,
  formatDate,
  type Json,
  type JsonObject,
  type Message,
  systemEnvironment,
} from '@chatdoc/schema';
import { readRunRecord, startRun, submitPrompt } from '@chatdoc/turns';
import { type AsyncThunk, createAsyncThunk } from '@reduxjs/toolkit';
import { ChatStore } from '../store/chat-store.js';
import { drawId } from '../store/draw-id.js';
import { type Attachment, attachmentOf } from './attach.js';
import { type ChatDocRoot, type PromptInstance, scoped, started, type VariableOwner } from './state.js';

export interface NewInstance {
  readonly promptId: string;
  /** A run is in the document, and so in its history, whatever `track_in_runs` is. */
  readonly executionConfig?: { readonly track_in_runs?: boolean };
  /** Values of this instance alone. They can be changed until it runs, and after. */
  readonly variables?: JsonObject;
}

export interface Execution {
  readonly instanceId: string;
  /**
   * Of the first message the value of `{{message}}` in the template; where the template has no such place, or has run
   * already, a message of its own.
   */
  readonly content?: string;
}

export interface Completion {
  /** The id that `executeMessage` resolves with. */
  readonly promptId: string;
  readonly signal?: AbortSignal;
}

export interface ScopedVariables {
  readonly scope: VariableOwner;
  readonly scopeId: string;
  readonly fetch: () => Promise<JsonObject>;
}

type Config = { state: ChatDocRoot };
type Thunk<Result, Argument> = AsyncThunk<Result, Argument, Config>;

/**
 * Makes an instance of a prompt: a run thread with its template. Resolves with the id of the instance. The prompt is
 * fetched once per attached chat, unless that failed.
 */
export const startPromptInstance: Thunk<string, NewInstance> = createAsyncThunk<string, NewInstance, Config>(
  'chatdoc/startPromptInstance',
  async ({ promptId, variables }, { getState, dispatch }) => {
    const { chat, options, prompts } = attachmentOf(getState().chatdoc);
    const template = await once(prompts, promptId, () => options.fetchPrompt(promptId));
    const { thread_id } = chat.createThread({
      created_by: options.user_id,
      purpose: 'run',
      template: template as unknown as JsonObject,
      ...(variables !== undefined && { variables }),
    });
    dispatch(started({ instance_id: thread_id, thread_id, prompt_id: promptId }));
    return thread_id;
  },
);

/**
 * Runs an instance with the values of now, or sends what follows. Resolves with the id of the prompt, which is in the
 * document then. Rejects with the names of variables that have no value; the failed start is in the document, too.
 */
export const executeMessage: Thunk<string, Execution> = createAsyncThunk<string, Execution, Config>(
  'chatdoc/executeMessage',
  async ({ instanceId, content }, { getState }) => {
    const { chatdoc } = getState();
    const attachment = attachmentOf(chatdoc);
    const { chat } = attachment;
    const { thread_id } = instanceOf(getState(), instanceId);
    const hasRun = chat.messages(thread_id).some((message) => readRunRecord(chat, message) !== undefined);
    if (hasRun) return follow(attachment, thread_id, content ?? '');
    const result = startRun(chat, {
      ...newKey(attachment),
      thread_id,
      scopes: chatdoc.scopes,
      call: content === undefined ? {} : { message: content },
    });
    if (!result.ok) {
      throw new ChatDocError('invalid_argument', 'variables', `${result.code}: ${result.names.join(', ')}`);
    }
    const { prompt_id } = result;
    if (content === undefined || takesMessage(chat, prompt_id)) return prompt_id;
    return follow(attachment, thread_id, content);
  },
);

function takesMessage(chat: Chat, promptId: string): boolean {
  const record = readRunRecord(chat, chat.message(promptId) as Message);
  return record !== undefined && Object.hasOwn(record.values, 'message');
}

function follow(attachment: Attachment, thread_id: string, content: string): string {
  const sent = submitPrompt(attachment.chat, { ...newKey(attachment), thread_id, content });
  return sent.ok ? sent.message.message_id : sent.message_id;
}

function newKey({ options }: Attachment): { sender_id: string; client_message_id: string; date: string } {
  return {
    sender_id: options.user_id,
    client_message_id: drawId(systemEnvironment),
    date: formatDate(systemEnvironment.now()),
  };
}

/** Resolves with the answer once it has ended, wherever it runs. Rejects if it failed, was cancelled, or on abort. */
export const completeExecution: Thunk<Message, Completion> = createAsyncThunk<Message, Completion, Config>(
  'chatdoc/completeExecution',
  ({ promptId, signal }, { getState }) => {
    const { chat } = attachmentOf(getState().chatdoc);
    return waitForAnswer(chat, promptId, signal);
  },
);

function waitForAnswer(chat: Chat, promptId: string, signal: AbortSignal | undefined): Promise<Message> {
  const answerId = deriveAnswerId(promptId);
  const store = ChatStore.of(chat);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      for (const stop of stops) stop();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal?.reason));
    const look = (): void => {
      const answer = chat.message(answerId);
      if (answer?.attempt?.state === 'open' || chat.isQueued(promptId)) return;
      if (answer?.attempt === undefined) {
        const error = new ChatDocError('not_found', 'promptId', 'the prompt was cancelled, or is not here');
        end(() => reject(error));
        return;
      }
      if (answer.attempt.state === 'interrupted') return;
      const { error } = answer.attempt;
      if (error === undefined) end(() => resolve(answer));
      else end(() => reject(new Error(String(error['message'] ?? error['code'] ?? 'failed'))));
    };
    const stops = [
      store.onMessage(answerId, look),
      store.onMessage(promptId, look),
      () => signal?.removeEventListener('abort', onAbort),
    ];
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    else look();
  });
}

/** Brings the values of a user, project or org into the document. Each is fetched once per attached chat. */
export const fetchScopedVariables: Thunk<void, ScopedVariables> = createAsyncThunk<
  void,
  ScopedVariables,
  Config
>('chatdoc/fetchScopedVariables', async ({ scope, scopeId, fetch }, { getState, dispatch }) => {
  const { chat, fetched } = attachmentOf(getState().chatdoc);
  await once(fetched, JSON.stringify([scope, scopeId]), async () => {
    const known = chat.variables(scope, scopeId);
    const values = Object.entries(await fetch()).filter(
      ([name, value]) => JSON.stringify(known[name]) !== JSON.stringify(value),
    );
    if (values.length > 0) {
      chat.setVariables({ scope, scope_id: scopeId, values: Object.fromEntries(values) });
    }
  });
  dispatch(scoped({ scope, scope_id: scopeId }));
});

/** Sets one value of an instance, beside what others have set in the meantime. */
export function setVariable(root: ChatDocRoot, instanceId: string, name: string, value: Json): void {
  const { chat, options } = attachmentOf(root.chatdoc);
  const { thread_id } = instanceOf(root, instanceId);
  const variables = { ...chat.config(thread_id).variables, [name]: value };
  chat.configure({ thread_id, variables, updated_by: options.user_id });
}

function instanceOf({ chatdoc }: ChatDocRoot, instanceId: string): PromptInstance {
  const instance = chatdoc.instances[instanceId];
  if (instance !== undefined) return instance;
  throw new ChatDocError('not_found', 'instanceId', 'expected an instance that was started');
}

/** Fetches once per key; a failure is fetched again. */
function once<T>(known: Map<string, Promise<T>>, key: string, fetch: () => Promise<T>): Promise<T> {
  let promise = known.get(key);
  if (promise === undefined) {
    promise = fetch();
    known.set(key, promise);
    promise.catch(() => known.delete(key));
  }
  return promise;
}
