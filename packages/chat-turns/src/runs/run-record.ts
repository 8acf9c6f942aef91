import type { Chat, JsonObject, Message } from '@chatdoc/schema';
import { AgentError, type TurnErrorCode } from '../agents/agent.js';
import { fillRecord, type RunRecord } from './resolve.js';
import type { PromptMessage } from './template.js';

/** What the agent of a run is sent. */
export interface RunInput {
  readonly messages: readonly PromptMessage[];
  readonly record: RunRecord;
}

/** Kind of the part that holds the record of a run, on the message that the prompt replies to. */
export const RUN_PART = 'run';

/** The frozen record of a run; undefined where the prompt is no run's. */
export function readRunRecord(
  chat: Pick<Chat, 'message' | 'thread'>,
  prompt: Message,
): RunRecord | undefined {
  if (prompt.reply_to_message_id === undefined) return undefined;
  if (chat.thread(prompt.thread_id)?.purpose !== 'run') return undefined;
  const message = chat.message(prompt.reply_to_message_id);
  const part = message?.parts.find(({ kind }) => kind === RUN_PART);
  if (part === undefined || message?.thread_id !== prompt.thread_id) return undefined;
  const data = part.data as unknown as Partial<RunRecord> | undefined;
  const isRecord = Array.isArray(data?.template?.messages) && typeof data?.values === 'object';
  return isRecord && Array.isArray(data?.secrets) ? (data as RunRecord) : undefined;
}

/** The messages of a run with its secrets; throws `missing_secret`, which names no value. */
export function readRunInput(
  chat: Pick<Chat, 'message' | 'thread'>,
  prompt: Message,
  secrets: Readonly<Record<string, string>>,
): RunInput | undefined {
  const record = readRunRecord(chat, prompt);
  if (record === undefined) return undefined;
  const missing = record.secrets.filter((name) => !Object.hasOwn(secrets, name));
  if (missing.length > 0) {
    throw new AgentError('missing_secret' satisfies TurnErrorCode, `not given: ${missing.join(', ')}`);
  }
  // Only what the template names: a value that looks like a place is text.
  const named = Object.fromEntries(record.secrets.map((name) => [name, secrets[name] as string]));
  return { messages: fillRecord(record, named), record };
}

/** Writes the record of a run, or of why it could not start. Gives the id of the message that holds it. */
export function writeRunRecord(
  chat: Chat,
  run: { readonly thread_id: string; readonly sender_id: string; readonly date: string },
  data: JsonObject,
  error?: JsonObject,
): string {
  const writer = chat.openMessage(run);
  writer.addPart({ kind: RUN_PART, data });
  writer.finish(error === undefined ? { finish_reason: 'stop' } : { finish_reason: 'error', error });
  return writer.message_id;
}
