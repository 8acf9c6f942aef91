import {
  type Chat,
  ChatDocError,
  type Environment,
  formatDate,
  type Message,
  systemEnvironment,
} from '@chatdoc/schema';
import {
  listWaiting,
  type RequestResult,
  resubmitPrompt,
  retryTurn,
  sendNow,
  stopTurn,
  submitPrompt,
} from '@chatdoc/turns';
import type { ChatStatus } from 'ai';
import { ChatStore } from '../store/chat-store.js';
import { Derived, isSameList } from '../store/derived.js';
import { errorText } from './answer-stream.js';
import { drawUlid } from './draw-ulid.js';
import { textOf } from './transport.js';
import { type ChatUIMessage, listShown, toUIMessage } from './ui-message.js';

export interface DocChatOptions {
  readonly chat: Chat;
  readonly thread_id: string;
  /** Who asks. */
  readonly user_id: string;
  readonly environment?: Environment;
}

/** The part of `sendMessage` of `useChat` that a document can hold. */
export type SentMessage =
  | { readonly text: string; readonly messageId?: string | undefined }
  | { readonly parts: ChatUIMessage['parts']; readonly messageId?: string | undefined };

interface View {
  readonly messages: ChatUIMessage[];
  readonly status: ChatStatus;
  readonly error: Error | undefined;
  readonly queued: ChatUIMessage[];
}

type Unsubscribe = () => void;

/**
 * A thread as the `chat` of `useChat({ chat })`, over ai 6 and 7. The document is its only state: what others send,
 * edit and stop shows, and nothing here ends when a component goes.
 */
export class DocChat {
  readonly id: string;
  readonly #options: DocChatOptions;
  readonly #environment: Environment;
  readonly #view: Derived<View>;
  #shown: View | undefined;
  #ids: ReadonlySet<string> = new Set();
  /** The failed attempt whose error was cleared. */
  #cleared: string | undefined;
  #error: { readonly attempt: string; readonly error: Error } | undefined;

  constructor(options: DocChatOptions) {
    const { chat, thread_id, environment = systemEnvironment } = options;
    this.id = thread_id;
    this.#options = options;
    this.#environment = environment;
    this.#view = new Derived({
      read: () => this.#read(),
      isSame: Object.is,
      subscribe: (invalidate) =>
        ChatStore.of(chat).onChange(({ messages, threads }) => {
          if (threads.includes(thread_id) || messages.some((id) => this.#ids.has(id))) invalidate();
        }),
    });
  }

  /** A fresh ULID. */
  readonly generateId = (): string => drawUlid(this.#environment);

  get messages(): ChatUIMessage[] {
    return this.#view.snapshot().messages;
  }

  /** Throws: what shows is the document. */
  set messages(_messages: ChatUIMessage[]) {
    throw new ChatDocError(
      'invalid_argument',
      'messages',
      'the document has them: send, edit or delete there',
    );
  }

  get lastMessage(): ChatUIMessage | undefined {
    return this.messages.at(-1);
  }

  /** `submitted` while a prompt waits, `streaming` while an answer grows, also for a prompt of another person. */
  get status(): ChatStatus {
    return this.#view.snapshot().status;
  }

  /** Of the last answer, if that has failed. */
  get error(): Error | undefined {
    return this.#view.snapshot().error;
  }

  /** Prompts that wait, in the order in which they will run. They are among `messages`, too. */
  get experimental_queuedMessages(): ChatUIMessage[] {
    return this.#view.snapshot().queued;
  }

  /** Sends a prompt; with `messageId` edits one, and asks again; without a message asks again for the last answer. */
  readonly sendMessage = async (message?: SentMessage): Promise<void> => {
    if (message === undefined) return this.regenerate();
    const { chat, thread_id, user_id } = this.#options;
    const files = 'files' in message && message.files !== undefined;
    if (files) throw new ChatDocError('invalid_argument', 'files', 'expected text alone');
    const content = 'parts' in message && message.parts !== undefined ? textOf(message) : textIn(message);
    const key = { client_message_id: this.generateId(), date: formatDate(this.#environment.now()) };
    const { messageId: message_id } = message;
    if (message_id === undefined) {
      submitPrompt(chat, { ...key, thread_id, sender_id: user_id, content });
      return;
    }
    assertDone(
      'messageId',
      resubmitPrompt(chat, { ...key, message_id, author_id: user_id, content, as: 'revision' }),
    );
  };

  /** Asks for another answer. Defaults to the last one. What shows becomes an alternate once the new one has begun. */
  readonly regenerate = async ({ messageId }: { readonly messageId?: string } = {}): Promise<void> => {
    const { chat, user_id } = this.#options;
    const message_id = messageId ?? this.#lastTurn()?.message_id ?? '';
    assertDone('messageId', retryTurn(chat, { message_id, by: user_id }));
  };

  /** Stops the answer that runs, or else the prompt that is next, for everyone. Nothing where there is none. */
  readonly stop = async (): Promise<void> => {
    const { chat, thread_id, user_id } = this.#options;
    const { active_message_id } = chat.state(thread_id);
    const message_id = active_message_id ?? listWaiting(chat, thread_id)[0];
    if (message_id !== undefined) stopTurn(chat, { message_id, by: user_id });
  };

  /** Does nothing: what runs shows anyway. */
  readonly resumeStream = async (): Promise<void> => {};

  readonly clearError = (): void => {
    const { attempt } = this.#lastTurn() ?? {};
    this.#cleared = attempt?.attempt;
    this.#view.invalidate();
  };

  /** Rejects: a document has no place for it yet, and to drop it would look like an answer. */
  readonly addToolApprovalResponse = (): Promise<never> => refuse('an approval');

  /** Rejects: tools run where the agent runs. */
  readonly addToolOutput = (): Promise<never> => refuse('the output of a tool');

  /** As `addToolOutput`. */
  readonly addToolResult = (): Promise<never> => refuse('the output of a tool');

  /** Takes a prompt out of the queue, for everyone. */
  readonly experimental_removeQueuedMessage = (id: string): void => {
    const { chat, user_id } = this.#options;
    if (chat.isQueued(id)) stopTurn(chat, { message_id: id, by: user_id });
  };

  /** Runs a prompt next, and stops what runs. */
  readonly experimental_sendQueuedMessageNow = async (id: string): Promise<void> => {
    const { chat, user_id } = this.#options;
    sendNow(chat, { message_id: id, by: user_id });
  };

  readonly '~registerMessagesCallback' = (onChange: () => void): Unsubscribe =>
    this.#view.subscribe(onChange);
  readonly '~registerStatusCallback' = (onChange: () => void): Unsubscribe => this.#view.subscribe(onChange);
  readonly '~registerErrorCallback' = (onChange: () => void): Unsubscribe => this.#view.subscribe(onChange);
  readonly '~registerQueuedMessagesCallback' = (onChange: () => void): Unsubscribe =>
    this.#view.subscribe(onChange);
  readonly '~resumeStreamIfDisconnected' = async (): Promise<void> => {};

  #read(): View {
    const { chat, thread_id } = this.#options;
    const shown = listShown(chat, thread_id);
    this.#ids = new Set(shown.map(({ message_id }) => message_id));
    const last = this.#shown;
    const messages = keep(last?.messages, shown.map(toUIMessage));
    const waiting = listWaiting(chat, thread_id).flatMap((id) => chat.message(id) ?? []);
    const queued = keep(last?.queued, waiting.map(toUIMessage));
    const { state, active_message_id } = chat.state(thread_id);
    const error = state === 'error' ? this.#findError() : undefined;
    const running = active_message_id === undefined ? undefined : chat.message(active_message_id);
    const status = statusOf(state, running, error);
    const isSame =
      last?.messages === messages && last.queued === queued && last.status === status && last.error === error;
    if (!isSame) this.#shown = { messages, status, error, queued };
    return this.#shown as View;
  }

  #findError(): Error | undefined {
    const { attempt } = this.#lastTurn() ?? {};
    if (attempt?.error === undefined || attempt.attempt === this.#cleared) return undefined;
    if (this.#error?.attempt !== attempt.attempt) {
      this.#error = { attempt: attempt.attempt, error: new Error(errorText(attempt.error)) };
    }
    return this.#error.error;
  }

  /** The last answer, or a prompt behind it. */
  #lastTurn(): Message | undefined {
    const { chat, thread_id } = this.#options;
    const page = chat.messages(thread_id, { limit: RECENT });
    return [...page].reverse().find(({ attempt, expects }) => attempt !== undefined || expects === 'answer');
  }
}

/** The last turn is looked for among so many messages. */
const RECENT = 64;

function textIn(message: SentMessage): string {
  const { text } = message as { readonly text?: unknown };
  if (typeof text === 'string') return text;
  throw new ChatDocError('invalid_argument', 'text', 'expected a string');
}

function keep(last: ChatUIMessage[] | undefined, next: ChatUIMessage[]): ChatUIMessage[] {
  return last !== undefined && isSameList(last, next) ? last : next;
}

function statusOf(state: string, running: Message | undefined, error: Error | undefined): ChatStatus {
  if (state === 'running') return (running?.parts.length ?? 0) > 0 ? 'streaming' : 'submitted';
  if (state === 'queued') return 'submitted';
  return error === undefined ? 'ready' : 'error';
}

function assertDone(path: string, result: RequestResult<string> | { readonly ok: true }): void {
  if (!result.ok)
    throw new ChatDocError('not_found', path, `expected a prompt or its answer, got ${result.code}`);
}

async function refuse(what: string): Promise<never> {
  throw new ChatDocError('invalid_argument', 'part', `the document cannot take ${what} yet`);
}

const chats = new WeakMap<Chat, Map<string, DocChat>>();

/** The one `DocChat` of a thread and a user. */
export function docChatOf(chat: Chat, threadId: string, userId: string): DocChat {
  const known = chats.get(chat) ?? new Map<string, DocChat>();
  chats.set(chat, known);
  const key = JSON.stringify([threadId, userId]);
  const found = known.get(key) ?? new DocChat({ chat, thread_id: threadId, user_id: userId });
  known.set(key, found);
  return found;
}
