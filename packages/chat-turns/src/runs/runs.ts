import { type Chat, deriveAnswerId, deriveMessageId, type JsonObject, type Message } from '@chatdoc/schema';
import { copySettings } from '../sessions.js';
import { addThread, listSlot, type SlotOf, type ThreadHandle } from '../slots.js';
import { fillRecord, type RunRecord, type RunRequest, resolveRun } from './resolve.js';
import { RUN_PART, readRunRecord, writeRunRecord } from './run-record.js';

export interface NewRun extends RunRequest {
  readonly sender_id: string;
  /** With `date` the key of the run: given again, they never make a second one. */
  readonly client_message_id: string;
  readonly date: string;
}

export type StartResult =
  | { readonly ok: true; readonly prompt_id: string; readonly record_id: string }
  | {
      readonly ok: false;
      readonly code: 'not_found' | 'other_purpose' | 'no_template' | 'missing_variable';
      readonly names: readonly string[];
      /** The record of the failure; null where there is no run thread to hold it. */
      readonly record_id: string | null;
    };

/**
 * Executes the template of a run thread: values are those of the document now. The record, and the prompt that
 * replies to it, are in the document before this returns; a run that cannot start leaves its record, too.
 */
export function startRun(chat: Chat, run: NewRun): StartResult {
  const known = findPrompt(chat, run);
  if (known !== undefined) return known;
  const resolved = resolveRun(chat, run);
  if (resolved.ok) return execute(chat, run, resolved.record);
  const { code, names } = resolved;
  if (code === 'not_found' || code === 'other_purpose') return { ok: false, code, names, record_id: null };
  const { thread_id, client_message_id } = run;
  const data = { failed: code, names, client_message_id };
  const key = keyOfStart(run, data);
  const before = listFailedStarts(chat, thread_id).find(
    (each) => keyOfStart(each, readFailure(each)) === key,
  );
  const record_id = before?.message_id ?? writeRunRecord(chat, run, data, { code, names });
  return { ok: false, code, names, record_id };
}

/** The same record again: the same bytes to the agent, whatever the template and the variables are now. */
export function replayRun(
  chat: Chat,
  replay: Omit<NewRun, keyof RunRequest> & { readonly prompt_id: string },
): StartResult {
  const { prompt_id, ...rest } = replay;
  const prompt = chat.message(prompt_id);
  const record = prompt && readRunRecord(chat, prompt);
  if (prompt === undefined || record === undefined) {
    return { ok: false, code: 'not_found', names: [], record_id: null };
  }
  const run = { ...rest, thread_id: prompt.thread_id };
  return findPrompt(chat, run) ?? execute(chat, run, record);
}

/**
 * Another thread of the slot with the settings of this one: turns of one thread wait for each other, those of
 * two run at the same time.
 */
export function addInstance(
  chat: Chat,
  slot: SlotOf<'run'>,
  template: ThreadHandle<'run'>,
  created_by: string,
): ThreadHandle<'run'> {
  return addThread(chat, slot, { ...copySettings(chat.config(template.thread_id)), created_by });
}

export interface RunOutput {
  readonly thread_id: string;
  readonly prompt_id: string;
  /** Of a follow-up the record of the run before it. */
  readonly record: RunRecord;
  /** Of a follow-up the prompt of that run. */
  readonly follows?: string;
  /** What the run has answered; undefined while nobody has begun. */
  readonly answer: Message | undefined;
}

/** The runs of a family and what follows them in their threads, oldest first, for the chat beside them to read. */
export function listRuns(chat: Chat, slot: Omit<SlotOf<'run'>, 'purpose'>): readonly RunOutput[] {
  return listSlot(chat, { ...slot, purpose: 'run' }).flatMap(({ thread_id }) =>
    listThreadRuns(chat, thread_id),
  );
}

function listThreadRuns(chat: Chat, thread_id: string): readonly RunOutput[] {
  const outputs: RunOutput[] = [];
  let last: { readonly prompt_id: string; readonly record: RunRecord } | undefined;
  for (const message of chat.messages(thread_id)) {
    if (message.expects !== 'answer') continue;
    const { message_id: prompt_id } = message;
    const record = readRunRecord(chat, message);
    if (record !== undefined) last = { prompt_id, record };
    if (last === undefined) continue;
    const answer = chat.message(deriveAnswerId(prompt_id));
    const follows = last.prompt_id === prompt_id ? {} : { follows: last.prompt_id };
    outputs.push({ thread_id, prompt_id, record: last.record, ...follows, answer });
  }
  return outputs;
}

/** Records of runs that could not start, one for each reason; two replicas may have written one each. */
export function listFailedStarts(chat: Chat, threadId: string): readonly Message[] {
  const seen = new Set<string>();
  return chat.messages(threadId).filter((message) => {
    const failure = readFailure(message);
    if (failure === undefined) return false;
    const key = keyOfStart(message, failure);
    return !seen.has(key) && seen.add(key);
  });
}

function readFailure({ parts }: Message): JsonObject | undefined {
  const data = parts.find(({ kind }) => kind === RUN_PART)?.data;
  const isFailure = typeof data === 'object' && data !== null && 'failed' in data;
  return isFailure ? (data as JsonObject) : undefined;
}

/** Equal for one start that is tried again, and fails for the same reason. */
function keyOfStart(
  {
    sender_id,
    date,
    message_id,
  }: { readonly sender_id: string; readonly date: string; readonly message_id?: string },
  failure: JsonObject | undefined,
): string {
  const { failed, names, client_message_id = message_id } = failure ?? {};
  return JSON.stringify([sender_id, date, client_message_id, failed, names]);
}

function findPrompt(chat: Chat, run: Omit<NewRun, 'scopes' | 'call'>): StartResult | undefined {
  const { thread_id, sender_id, client_message_id, date } = run;
  const known = chat.message(deriveMessageId(date, thread_id, sender_id, client_message_id));
  if (known === undefined) return undefined;
  return { ok: true, prompt_id: known.message_id, record_id: known.reply_to_message_id ?? '' };
}

function execute(chat: Chat, run: Omit<NewRun, 'scopes' | 'call'>, record: RunRecord): StartResult {
  const { thread_id, sender_id, client_message_id, date } = run;
  const record_id = writeRunRecord(chat, { thread_id, sender_id, date }, record as unknown as JsonObject);
  const content = fillRecord(record)
    .filter(({ role }) => role === 'user')
    .map((message) => message.content)
    .join('\n\n');
  const { message_id: prompt_id } = chat.send({
    thread_id,
    sender_id,
    content,
    client_message_id,
    date,
    reply_to_message_id: record_id,
    expects: 'answer',
  });
  return { ok: true, prompt_id, record_id };
}
