import { type Chat, deriveAnswerId, type Message, type Part } from '@chatdoc/schema';
import type { UIMessageChunk } from 'ai';
import { ChatStore } from '../store/chat-store.js';
import { convertPart, idOf, toUIMessage, type UIMetadata } from './ui-message.js';

type Chunk = UIMessageChunk<UIMetadata>;

/**
 * An answer as it is and goes on, anyone may run it: all that it has at once, then what comes, until it ends. An answer
 * that has not begun is waited for. Aborting leaves the answer alone and ends the stream.
 */
export function streamAnswer(chat: Chat, answerId: string, signal?: AbortSignal): ReadableStream<Chunk> {
  let stream: AnswerStream | undefined;
  return new ReadableStream<Chunk>({
    start(controller) {
      stream = new AnswerStream(chat, answerId, controller);
      stream.start(signal);
    },
    cancel() {
      stream?.end();
    },
  });
}

class AnswerStream {
  readonly #chat: Chat;
  readonly #answerId: string;
  readonly #controller: ReadableStreamDefaultController<Chunk>;
  readonly #promptId: string | undefined;
  readonly #stops: (() => void)[] = [];
  /** How far each part of text has been given; -1 for one that is whole. */
  readonly #given = new Map<string, number>();
  readonly #tools = new Map<string, string>();
  #hasStarted = false;
  #isEnded = false;

  constructor(chat: Chat, answerId: string, controller: ReadableStreamDefaultController<Chunk>) {
    this.#chat = chat;
    this.#answerId = answerId;
    this.#controller = controller;
    this.#promptId = chat.message(answerId)?.prompt_id ?? findPrompt(chat, answerId);
  }

  start(signal: AbortSignal | undefined): void {
    const store = ChatStore.of(this.#chat);
    this.#stops.push(store.onMessage(this.#answerId, this.#pump));
    const threadId = this.#chat.message(this.#promptId ?? this.#answerId)?.thread_id;
    if (threadId !== undefined) this.#stops.push(store.onThread(threadId, this.#pump));
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#stops.push(() => signal?.removeEventListener('abort', this.#abort));
    if (signal?.aborted === true) this.#abort();
    else this.#pump();
  }

  readonly #abort = (): void => {
    if (this.#isEnded) return;
    this.#controller.close();
    this.end();
  };

  end(): void {
    this.#isEnded = true;
    for (const stop of this.#stops.splice(0)) stop();
  }

  readonly #pump = (): void => {
    if (this.#isEnded) return;
    const answer = this.#chat.message(this.#answerId);
    const waits = this.#promptId !== undefined && this.#chat.isQueued(this.#promptId);
    // What shows while another attempt is asked for is the one before.
    if (waits) return;
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#give({ type: 'start', messageId: this.#answerId });
    }
    if (answer !== undefined) this.#giveParts(answer);
    const isOpen = answer?.attempt === undefined ? answer?.generating : answer.attempt.state === 'open';
    if (isOpen === true && answer?.redacted === false) return;
    this.#finish(answer);
  };

  #give(chunk: Chunk): void {
    this.#controller.enqueue(chunk);
  }

  #giveParts(answer: Message): void {
    const attempt = answer.attempt?.attempt ?? '';
    const isOpen = answer.attempt === undefined ? answer.generating : answer.attempt.state === 'open';
    for (const part of answer.parts) {
      const { kind } = part;
      const id = `${attempt}:${part.n}`;
      if (kind === 'text' || kind === 'reasoning') this.#giveText(kind, id, part, isOpen);
      else this.#giveOther(id, part, isOpen);
    }
  }

  #giveText(kind: 'text' | 'reasoning', id: string, { text = '', open }: Part, isOpen: boolean): void {
    const given = this.#given.get(id);
    if (given === -1) return;
    if (given === undefined) this.#give({ type: `${kind}-start`, id });
    const delta = text.slice(given ?? 0);
    if (delta !== '') this.#give({ type: `${kind}-delta`, id, delta });
    const isWhole = !open || !isOpen;
    if (isWhole) this.#give({ type: `${kind}-end`, id });
    this.#given.set(id, isWhole ? -1 : text.length);
  }

  #giveOther(id: string, part: Part, isOpen: boolean): void {
    const shown = convertPart(part, isOpen);
    if (shown === undefined) return;
    if (shown.type === 'dynamic-tool') {
      this.#giveTool(part, shown);
      return;
    }
    if (this.#given.has(id)) return;
    this.#given.set(id, -1);
    if (shown.type === 'file') this.#give({ type: 'file', url: shown.url, mediaType: shown.mediaType });
    else if (shown.type !== 'text' && shown.type !== 'reasoning') this.#give(shown as Chunk);
  }

  #giveTool(part: Part, tool: Extract<ReturnType<typeof convertPart>, { type: 'dynamic-tool' }>): void {
    const toolCallId = idOf(part);
    const { state, input, toolName } = tool;
    const key = JSON.stringify([state, input]);
    if (this.#tools.get(toolCallId) === key) return;
    this.#tools.set(toolCallId, key);
    this.#give({ type: 'tool-input-available', toolCallId, toolName, input, dynamic: true });
    if (state === 'output-available') {
      this.#give({ type: 'tool-output-available', toolCallId, output: tool.output, dynamic: true });
    } else if (state === 'output-error') {
      this.#give({ type: 'tool-output-error', toolCallId, errorText: tool.errorText, dynamic: true });
    }
  }

  #finish(answer: Message | undefined): void {
    const { metadata } = answer === undefined ? {} : toUIMessage(answer);
    const error = answer?.attempt?.error;
    if (error !== undefined) this.#give({ type: 'error', errorText: errorText(error) });
    else this.#give({ type: 'finish', ...(metadata !== undefined && { messageMetadata: metadata }) });
    this.#controller.close();
    this.end();
  }
}

/** The error of an attempt as one line. */
export function errorText({
  message,
  code,
}: {
  readonly message?: unknown;
  readonly code?: unknown;
}): string {
  return String(message ?? code ?? 'failed');
}

/** The prompt whose answer has not begun. */
function findPrompt(chat: Chat, answerId: string): string | undefined {
  for (const { thread_id } of chat.threads()) {
    const found = chat.queue(thread_id).find((promptId) => deriveAnswerId(promptId) === answerId);
    if (found !== undefined) return found;
  }
  return undefined;
}
