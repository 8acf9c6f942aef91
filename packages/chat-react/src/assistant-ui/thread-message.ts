import type { ThreadMessageLike } from '@assistant-ui/react';
import type { Attempt, Json, JsonObject, Message, Part } from '@chatdoc/schema';

type Content = Exclude<ThreadMessageLike['content'], string>[number];

const converted = new WeakMap<Message, ThreadMessageLike>();

/** A message as assistant-ui has it: the same object for the same record. */
export function toThreadMessage(message: Message): ThreadMessageLike {
  let like = converted.get(message);
  if (like === undefined) {
    like = convert(message);
    converted.set(message, like);
  }
  return like;
}

function convert(message: Message): ThreadMessageLike {
  const { message_id: id, sender_id, date, parts, prompt_id, content, history, attempt } = message;
  const shared = { id, createdAt: new Date(date), metadata: { custom: { sender_id } } };
  if (prompt_id === undefined && parts.length === 0) {
    return { ...shared, role: 'user', content: [{ type: 'text', text: content }] };
  }
  const isOpen = attempt === undefined ? message.generating : attempt.state === 'open';
  const wasEdited = (history.at(-1)?.id ?? null) !== null;
  const shown = wasEdited ? parts.filter(({ kind }) => kind !== 'text') : parts;
  const list = shown.flatMap((part) => convertPart(part, isOpen) ?? []);
  return {
    ...shared,
    role: 'assistant',
    content: wasEdited ? [...list, { type: 'text', text: content }] : list,
    status: statusOf(attempt, isOpen),
  };
}

function statusOf(attempt: Attempt | undefined, isOpen: boolean): NonNullable<ThreadMessageLike['status']> {
  if (isOpen) return { type: 'running' };
  if (attempt?.error !== undefined) {
    const { message, code } = attempt.error;
    return { type: 'incomplete', reason: 'error', error: String(message ?? code ?? 'failed') };
  }
  const isCut = attempt?.state === 'interrupted' || attempt?.finish_reason === 'stopped';
  return isCut ? { type: 'incomplete', reason: 'cancelled' } : { type: 'complete', reason: 'stop' };
}

/** Undefined for a part that has nothing to show. */
function convertPart(part: Part, isOpen: boolean): Content | undefined {
  const { kind, text = '', data } = part;
  if (kind === 'text' || kind === 'reasoning') return { type: kind, text };
  if (kind === 'tool_call') return convertTool(part, isOpen);
  if (kind === 'file') return convertFile(part);
  return data === undefined ? undefined : { type: `data-${kind}`, data };
}

function convertTool({ part_id, n, title = 'tool', state, input, output }: Part, isOpen: boolean): Content {
  const args = isObject(input) ? { args: input } : {};
  const call = { type: 'tool-call', toolCallId: part_id ?? String(n), toolName: title, ...args } as const;
  const argsText = JSON.stringify(input ?? {});
  if (state === 'completed') return { ...call, argsText, result: output ?? null };
  if (state === 'failed') return { ...call, argsText, result: output ?? 'failed', isError: true };
  if (state === 'cancelled' || !isOpen) return { ...call, argsText, result: 'cancelled', isError: true };
  return { ...call, argsText };
}

function convertFile({ data, title }: Part): Content | undefined {
  if (!isObject(data)) return undefined;
  const { media_type: mimeType, base64, url, sourceType, id } = data;
  const named = title === undefined ? {} : { filename: title };
  if (sourceType === 'url' && typeof url === 'string') {
    return {
      type: 'source',
      sourceType: 'url',
      id: typeof id === 'string' ? id : url,
      url,
      ...(title !== undefined && { title }),
    };
  }
  if (typeof mimeType !== 'string') return undefined;
  const bytes = typeof base64 === 'string' ? base64 : url;
  return typeof bytes === 'string' ? { type: 'file', data: bytes, mimeType, ...named } : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
