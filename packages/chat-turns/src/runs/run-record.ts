import type { Chat, JsonObject, Message } from '@chatdoc/schema';
import { AgentError, type TurnErrorCode } from '../agents/agent.js';
import type { TurnChat } from '../engine/turn-chat.js';
import { fillRecord, type RunRecord } from './resolve.js';
import { listNames, type PromptMessage } from './template.js';

/** The messages for the agent of a run. */
export interface RunInput {
  readonly messages: readonly PromptMessage[];
  readonly record: RunRecord;
}

/** Kind of the part that holds the record of a run, on the message that the prompt replies to. */
export const RUN_PART = 'run';

/** The frozen record of a run; undefined where the prompt is not one of a run. */
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
  const named = pickSecrets(record.secrets, secrets);
  return { messages: fillRecord(record, named), record };
}

/** The runs before a prompt that is not one itself. */
export interface RunFollowed {
  /** The system messages of the template with the values of now. */
  readonly system: readonly PromptMessage[];
  /** By prompt id, the other messages of each run as its agent was sent them. */
  readonly runs: Readonly<Record<string, readonly PromptMessage[]>>;
}

/**
 * Reads what the agent of a prompt that follows a run is sent with it. Variables are resolved now, for the scopes and with
 * the call values of the last run; where they no longer can be, the record of that run is used. Throws
 * `missing_secret`.
 */
export function readRunFollowed(
  chat: Pick<TurnChat, 'message' | 'resolveRun' | 'thread'>,
  messages: readonly Message[],
  secrets: Readonly<Record<string, string>>,
): RunFollowed | undefined {
  const runs: Record<string, readonly PromptMessage[]> = {};
  let last: RunRecord | undefined;
  let threadId = '';
  for (const message of messages) {
    const record = message.expects === 'answer' ? readRunRecord(chat, message) : undefined;
    if (record === undefined) continue;
    last = record;
    threadId = message.thread_id;
    runs[message.message_id] = fillWithSecrets(record, 'others', secrets);
  }
  if (last === undefined) return undefined;
  const call = Object.entries(last.values).flatMap(([name, { value, scope }]) =>
    scope === 'call' ? [[name, value] as const] : [],
  );
  const { scopes = {} } = last;
  const resolved = chat.resolveRun({ thread_id: threadId, scopes, call: Object.fromEntries(call) });
  return { system: fillWithSecrets(resolved.ok ? resolved.record : last, 'system', secrets), runs };
}

/** Fills some messages of a record; only the secrets that these name are needed. */
function fillWithSecrets(
  record: RunRecord,
  which: 'system' | 'others',
  secrets: Readonly<Record<string, string>>,
): readonly PromptMessage[] {
  const messages = record.template.messages.filter(
    ({ role }) => (role === 'system') === (which === 'system'),
  );
  const named = pickSecrets(listNames(messages).secrets, secrets);
  return fillRecord({ ...record, template: { ...record.template, messages } }, named);
}

/** Only what a template names: a value that looks like a place is text. Throws `missing_secret`, without values. */
function pickSecrets(
  names: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const missing = names.filter((name) => !Object.hasOwn(secrets, name));
  if (missing.length > 0) {
    throw new AgentError('missing_secret' satisfies TurnErrorCode, `not given: ${missing.join(', ')}`);
  }
  return Object.fromEntries(names.map((name) => [name, secrets[name] as string]));
}

/** Writes the record of a run, or of why it could not start. Returns the id of the message that holds it. */
export function writeRunRecord(
  chat: Chat,
  {
    thread_id,
    sender_id,
    date,
  }: { readonly thread_id: string; readonly sender_id: string; readonly date: string },
  data: JsonObject,
  error?: JsonObject,
): string {
  const writer = chat.openMessage({ thread_id, sender_id, date });
  writer.addPart({ kind: RUN_PART, data });
  writer.finish(error === undefined ? { finish_reason: 'stop' } : { finish_reason: 'error', error });
  return writer.message_id;
}
