import { type Chat, deriveAnswerId, formatDate, type NewPart } from '@chatdoc/schema';
import { toJson } from './to-json.js';
import { type ChatUIMessage, UI_PREFIX, type UIPart } from './ui-message.js';

export interface ImportOptions {
  /** The sender of what the user has written. */
  readonly user_id: string;
  /** The sender of answers. Defaults to `assistant`. */
  readonly assistant_id?: string;
  /**
   * Of the first message; each other one is a millisecond later. Given again with the same messages, nothing is written
   * twice. Defaults to when the thread was created.
   */
  readonly date?: string;
}

/**
 * Writes a conversation of AI SDK UI into a thread: prompts, and answers with reasoning, tools and files. What is in the
 * thread already is not written again. Serve the thread afterwards, not while this runs.
 */
export function fromUIMessages(
  chat: Chat,
  threadId: string,
  messages: readonly ChatUIMessage[],
  { user_id, assistant_id = 'assistant', date }: ImportOptions,
): void {
  const start = Date.parse(date ?? chat.thread(threadId)?.created_at ?? '');
  let prompt: string | undefined;
  messages.forEach((message, place) => {
    const sentAt = formatDate(start + place);
    const next = messages[place + 1];
    if (message.role === 'assistant' && prompt !== undefined) {
      writeAnswer(chat, { prompt_id: prompt, sender_id: assistant_id, date: sentAt }, message);
      prompt = undefined;
      return;
    }
    const isAsked = message.role === 'user' && next?.role === 'assistant';
    const sent = chat.send({
      thread_id: threadId,
      sender_id: message.role === 'user' ? user_id : assistant_id,
      client_message_id: message.id.startsWith(UI_PREFIX) ? message.id : UI_PREFIX + message.id,
      date: sentAt,
      content: message.parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      ...(isAsked && { expects: 'answer' }),
    });
    prompt = isAsked ? sent.message_id : undefined;
  });
}

function writeAnswer(
  chat: Chat,
  opening: { readonly prompt_id: string; readonly sender_id: string; readonly date: string },
  message: ChatUIMessage,
): void {
  if (chat.message(deriveAnswerId(opening.prompt_id)) !== undefined) return;
  const attempt = chat.openAttempt({ ...opening, runner_id: 'import' });
  for (const part of message.parts) {
    const written = convertBack(part);
    if (written !== undefined) attempt.addPart(written);
  }
  attempt.finish({ finish_reason: message.metadata?.finish_reason ?? 'stop' });
}

/** Undefined for a part that only has a meaning while it streams. */
function convertBack(part: UIPart): (NewPart & { readonly kind: string }) | undefined {
  if (part.type === 'text' || part.type === 'reasoning') return { kind: part.type, text: part.text };
  if (part.type === 'file') {
    const { url, mediaType: media_type, filename: title } = part;
    return { kind: 'file', data: { media_type, url }, ...(title !== undefined && { title }) };
  }
  if ('toolCallId' in part) return convertTool(part);
  if (part.type === 'source-url') return { kind: 'file', data: toJson({ sourceType: 'url', ...part }) };
  if (part.type === 'step-start') return undefined;
  return 'data' in part
    ? { kind: part.type.slice('data-'.length), data: toJson(part.data) }
    : { kind: 'file', data: toJson(part) };
}

function convertTool(part: Extract<UIPart, { toolCallId: string }>): NewPart & { readonly kind: string } {
  const title = part.type === 'dynamic-tool' ? part.toolName : part.type.slice('tool-'.length);
  const call = { kind: 'tool_call', part_id: part.toolCallId, title, input: toJson(part.input) };
  if (part.state === 'output-available') return { ...call, state: 'completed', output: toJson(part.output) };
  if (part.state === 'output-error' && part.errorText !== 'cancelled') {
    return { ...call, state: 'failed', output: part.errorText };
  }
  return { ...call, state: 'cancelled' };
}
