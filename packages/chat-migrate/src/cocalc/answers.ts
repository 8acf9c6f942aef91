import type { Json, JsonObject } from '@chatdoc/schema';
import type { FinishEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { canonicalText, isJsonArray, isJsonObject, readName } from '../source/json-value.js';

/** Prefixes of services and models that CoCalc has used as senders since 2023; `user-` names a model of a user's own. */
const MODEL =
  /^(?:user-)?(?:chatgpt4?$|(?:openai|google|anthropic|mistralai|ollama|custom_openai|xai|zai)-|(?:gpt|o|claude|gemini)-?\d|codex(?:-agent)?$|openai-codex)/;

/** Columns that only the turn of an agent leaves. A prompt has `acp_prompt`, `acp_state` and `acp_send_mode`. */
const TURN_COLUMNS = [
  'acp_interrupted',
  'acp_started_at_ms',
  'acp_usage',
  'acp_account_id',
  'acp_thread_id',
  'acp_log_key',
  'acp_live_log_stream',
  'acp_live_preview_stream',
];

/** Whether a name is that of a model or an agent. */
export function isModel(name: string): boolean {
  return MODEL.test(name);
}

/**
 * Whether a row is an answer: the text of one is written over at every token, so its first version identifies nothing
 * until it is final.
 */
export function isAnswerRow(row: JsonObject): boolean {
  if (typeof row['generating'] === 'boolean') return true;
  const sender = readName(row['sender_id']);
  if (sender !== undefined && isModel(sender)) return true;
  return TURN_COLUMNS.some((column) => row[column] !== undefined && row[column] !== null);
}

/** Whether the newest version of an answer is not its last: it was being written when the file was saved. */
export function isUnfinishedRow(row: JsonObject): boolean {
  return (
    row['generating'] === true || isSet(row['acp_live_log_stream']) || isSet(row['acp_live_preview_stream'])
  );
}

function isSet(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '';
}

/**
 * The model that wrote the oldest version. Asking another model for the same answer moves the row to another sender and
 * leaves the older answers below, so the sender of the row is not part of its identity.
 */
export function readAnswerAuthor(row: JsonObject): string | undefined {
  const history = row['history'];
  const oldest = isJsonArray(history) ? history.at(-1) : undefined;
  const author = isJsonObject(oldest) ? readName(oldest['author_id']) : undefined;
  return author !== undefined && isModel(author) ? author : undefined;
}

const NO_FINISH: { readonly taken: ReadonlySet<string> } = { taken: new Set() };

/** How the turn of a row ended: its use, its agent's thread and whether it was interrupted, and the columns with that. */
export function readFinish(
  message_id: string,
  time: number,
  row: JsonObject,
): { readonly finish?: FinishEntry; readonly taken: ReadonlySet<string> } {
  const { acp_usage, acp_thread_id, acp_interrupted } = row;
  const usage = isJsonObject(acp_usage) ? { acp_usage } : undefined;
  const name = readName(acp_thread_id);
  const thread = name === undefined ? undefined : { acp_thread_id: name };
  const hasFlag = typeof acp_interrupted === 'boolean';
  if (usage === undefined && thread === undefined && !hasFlag) return NO_FINISH;
  const isInterrupted = acp_interrupted === true || isUnfinishedRow(row);
  const body = { finish_reason: isInterrupted ? 'interrupted' : 'stop', ...thread, ...usage };
  const finish: FinishEntry = {
    type: 'finish',
    // The smallest id shows: an interruption gives way to the end of the turn, if that is in a later file.
    id: deriveId(time + (isInterrupted ? 1 : 0), 'legacy_finish', message_id, canonicalText(body) ?? ''),
    attempt: message_id,
    ...body,
  };
  const given = { acp_usage: usage, acp_thread_id: thread, acp_interrupted: hasFlag || undefined };
  const columns = Object.entries(given).filter(([, value]) => value !== undefined);
  return { finish, taken: new Set(columns.map(([column]) => column)) };
}
