import type { Json, JsonObject } from '@chatdoc/schema';
import { isJsonArray, isJsonObject, readName } from '../source/json-value.js';

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
