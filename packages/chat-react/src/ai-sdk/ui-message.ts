import type { Chat, Json, JsonObject, Message, Part } from '@chatdoc/schema';
import type { UIMessage } from 'ai';

/** The `metadata` of a message of AI SDK UI. */
export interface UIMetadata {
  readonly message_id: string;
  readonly sender_id: string;
  readonly date: string;
  /** Of an answer that has ended: `stopped` also where somebody else has stopped it. */
  readonly finish_reason?: string;
}

export type ChatUIMessage = UIMessage<UIMetadata>;
export type UIPart = ChatUIMessage['parts'][number];

/** Prefix of the ids that `ChatDocTransport.generateId` makes. */
export const UI_PREFIX = 'ui-';

const converted = new WeakMap<Message, ChatUIMessage>();

/** A message as AI SDK UI has it: the same object for the same record. */
export function toUIMessage(message: Message): ChatUIMessage {
  let ui = converted.get(message);
  if (ui === undefined) {
    ui = convert(message);
    converted.set(message, ui);
  }
  return ui;
}

/**
 * The thread as `messages` of AI SDK UI, what was deleted left out. A prompt that `ChatDocTransport` has sent has the id
 * that `useChat` made for it; if a peer has copied that id, the later message is shown under its own.
 */
export function toUIMessages(chat: Chat, threadId: string): ChatUIMessage[] {
  const taken = new Set<string>();
  return listShown(chat, threadId).map((message) => {
    const ui = toUIMessage(message);
    const id = message.client_message_id;
    if (id === undefined || !id.startsWith(UI_PREFIX) || taken.has(id)) return ui;
    taken.add(id);
    return { ...ui, id };
  });
}

export function listShown(chat: Chat, threadId: string): readonly Message[] {
  return chat.transcript(threadId).filter(({ deleted, redacted }) => !deleted && !redacted);
}

function convert(message: Message): ChatUIMessage {
  const { message_id, sender_id, date, attempt } = message;
  const finish_reason = attempt?.finish_reason;
  return {
    id: message_id,
    role: isAnswer(message) ? 'assistant' : 'user',
    metadata: { message_id, sender_id, date, ...(finish_reason !== undefined && { finish_reason }) },
    parts: isAnswer(message) ? convertParts(message) : [{ type: 'text', text: message.content }],
  };
}

/** An answer, or what an agent wrote of itself. */
function isAnswer({ prompt_id, parts }: Message): boolean {
  return prompt_id !== undefined || parts.length > 0;
}

function convertParts(message: Message): UIPart[] {
  const { attempt, parts, content, history } = message;
  const isOpen = attempt === undefined ? message.generating : attempt.state === 'open';
  const wasEdited = (history.at(-1)?.id ?? null) !== null;
  const shown = wasEdited ? parts.filter(({ kind }) => kind !== 'text') : parts;
  const list = shown.flatMap((part) => convertPart(part, isOpen) ?? []);
  return wasEdited ? [...list, { type: 'text', text: content, state: 'done' }] : list;
}

/** Undefined for a part that has nothing to show. */
export function convertPart(part: Part, isOpen: boolean): UIPart | undefined {
  const { kind, text = '' } = part;
  if (kind === 'text' || kind === 'reasoning') {
    return { type: kind, text, state: part.open && isOpen ? 'streaming' : 'done' };
  }
  if (kind === 'tool_call') return convertTool(part, isOpen);
  if (kind === 'file') return convertFile(part);
  if (part.data === undefined) return undefined;
  return { type: `data-${kind}`, id: idOf(part), data: part.data };
}

export function idOf({ part_id, n }: Part): string {
  return part_id ?? String(n);
}

function convertTool(part: Part, isOpen: boolean): UIPart {
  const { state, input, output, title = 'tool' } = part;
  const call = { type: 'dynamic-tool', toolName: title, toolCallId: idOf(part), input } as const;
  if (state === 'completed') return { ...call, state: 'output-available', output };
  if (state === 'failed') return { ...call, state: 'output-error', errorText: errorOf(output) };
  // A call that nobody ends any more: useChat would wait for it.
  if (state === 'cancelled' || !isOpen) return { ...call, state: 'output-error', errorText: 'cancelled' };
  return { ...call, state: 'input-available' };
}

function errorOf(output: Json | undefined): string {
  if (typeof output === 'string') return output;
  return output === undefined ? 'failed' : JSON.stringify(output);
}

function convertFile({ data, title }: Part): UIPart | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const { media_type: mediaType, base64, url, sourceType, id, title: named } = data as JsonObject;
  if (sourceType === 'url' && typeof url === 'string') {
    const name = typeof named === 'string' ? named : title;
    return {
      type: 'source-url',
      sourceId: typeof id === 'string' ? id : url,
      url,
      ...(name !== undefined && { title: name }),
    };
  }
  if (typeof mediaType !== 'string') return undefined;
  const target = typeof base64 === 'string' ? `data:${mediaType};base64,${base64}` : url;
  if (typeof target !== 'string') return undefined;
  return { type: 'file', mediaType, url: target, ...(title !== undefined && { filename: title }) };
}
