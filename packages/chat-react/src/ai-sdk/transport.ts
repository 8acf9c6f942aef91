import {
  type Chat,
  ChatDocError,
  deriveAnswerId,
  type Environment,
  formatDate,
  isUlid,
  systemEnvironment,
  timeOfUlid,
} from '@chatdoc/schema';
import { resubmitPrompt, retryTurn, stopTurn, submitPrompt } from '@chatdoc/turns';
import type { ChatTransport, UIMessageChunk } from 'ai';
import { streamAnswer } from './answer-stream.js';
import { drawUlid } from './draw-ulid.js';
import { type ChatUIMessage, listShown, toUIMessages, UI_PREFIX, type UIMetadata } from './ui-message.js';

export interface TransportOptions {
  readonly chat: Chat;
  readonly thread_id: string;
  /** Who asks. */
  readonly user_id: string;
  /**
   * How an abort of `useChat` affects the answer. Defaults to `detach`: it goes on. With ai 7 `stop` ends the answer
   * for everyone when the component unmounts. Stop by `useTurn().stop`, or `stopTurn`.
   */
  readonly onAbort?: 'detach' | 'stop';
  readonly environment?: Environment;
}

type SendOptions = Parameters<ChatTransport<ChatUIMessage>['sendMessages']>[0];

/**
 * The document as a server of `useChat({ transport })`, for code that cannot change. Prefer `useDocChat`: an array of
 * `useChat` never shows what others write.
 */
export class ChatDocTransport implements ChatTransport<ChatUIMessage> {
  readonly resumeStreamIsReplay = true;
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** For `useChat({ generateId })`: by it a prompt has the same id after a reload. */
  static readonly generateId = (): string => UI_PREFIX + drawUlid(systemEnvironment);

  /** Submits, edits or asks again, and streams the answer. Throws `invalid_argument` for what a document cannot hold. */
  readonly sendMessages = async (
    options: SendOptions,
  ): Promise<ReadableStream<UIMessageChunk<UIMetadata>>> => {
    const promptId = options.trigger === 'submit-message' ? this.#submit(options) : this.#retry(options);
    return this.#stream(promptId, options.abortSignal);
  };

  /** The answer that runs or is next; null where nothing does. */
  readonly reconnectToStream = async (): Promise<ReadableStream<UIMessageChunk<UIMetadata>> | null> => {
    const { chat, thread_id } = this.#options;
    const { state, active_message_id } = chat.state(thread_id);
    if (state === 'running' && active_message_id !== undefined) return streamAnswer(chat, active_message_id);
    const [next] = chat.queue(thread_id);
    return next === undefined ? null : streamAnswer(chat, deriveAnswerId(next));
  };

  #stream(promptId: string, signal: AbortSignal | undefined): ReadableStream<UIMessageChunk<UIMetadata>> {
    const { chat, user_id, onAbort = 'detach' } = this.#options;
    if (onAbort === 'stop') {
      signal?.addEventListener('abort', () => stopTurn(chat, { message_id: promptId, by: user_id }), {
        once: true,
      });
    }
    return streamAnswer(chat, deriveAnswerId(promptId), signal);
  }

  /** Returns the prompt. */
  #submit({ messages, messageId }: SendOptions): string {
    const { chat, thread_id, user_id, environment = systemEnvironment } = this.#options;
    const message = messages.at(-1);
    if (message === undefined) throw new ChatDocError('invalid_argument', 'messages', 'expected a message');
    const content = textOf(message);
    const date = formatDate(timeOf(message.id) ?? environment.now());
    const key = { client_message_id: message.id, date };
    const edited = messageId === undefined ? undefined : this.#find(messageId);
    if (edited === undefined) {
      const sent = submitPrompt(chat, { ...key, thread_id, sender_id: user_id, content });
      return sent.ok ? sent.message.message_id : sent.message_id;
    }
    const revision = { ...key, message_id: edited, author_id: user_id, content, as: 'revision' } as const;
    const result = resubmitPrompt(chat, revision);
    if (!result.ok) throw new ChatDocError('not_found', 'messageId', `expected a prompt, got ${result.code}`);
    return result.prompt_id;
  }

  #retry({ messages, messageId }: SendOptions): string {
    const { chat, user_id } = this.#options;
    const named = messageId ?? messages.at(-1)?.id ?? '';
    const message_id = this.#find(named);
    const message = message_id === undefined ? undefined : chat.message(message_id);
    const result =
      message === undefined ? undefined : retryTurn(chat, { message_id: message.message_id, by: user_id });
    if (message === undefined || result?.ok !== true) {
      throw new ChatDocError('not_found', 'messageId', 'expected an answer, or a prompt');
    }
    return message.prompt_id ?? message.message_id;
  }

  /** The message that `useChat` knows under an id. */
  #find(uiId: string): string | undefined {
    const { chat, thread_id } = this.#options;
    if (chat.message(uiId) !== undefined) return uiId;
    const place = toUIMessages(chat, thread_id).findIndex(({ id }) => id === uiId);
    return listShown(chat, thread_id)[place]?.message_id;
  }
}

function timeOf(uiId: string): number | undefined {
  const ulid = uiId.startsWith(UI_PREFIX) ? uiId.slice(UI_PREFIX.length) : uiId;
  return isUlid(ulid) ? timeOfUlid(ulid) : undefined;
}

/** The text of a prompt. Throws for a part that would be lost. */
export function textOf({ parts }: Pick<ChatUIMessage, 'parts'>): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      throw new ChatDocError('invalid_argument', 'parts', `expected text, got a ${part.type}`);
    })
    .join('\n');
}
