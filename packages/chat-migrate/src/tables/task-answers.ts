import { deriveAnswerId, type Entry, formatDate } from '@chatdoc/schema';
import { deriveInterruptId, type MessageEntry } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { createContent } from '../plan/long-content.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { canonicalText } from '../source/json-value.js';
import { deriveTaskId, readFixedColumns, type TaskRow } from './task-rows.js';

/** A message that asks for an answer. */
export interface Prompt {
  readonly message_id: string;
  readonly thread_id: string;
  readonly time: number | undefined;
}

/** An answer row as an attempt: its message line, and what else it is. */
export interface WrittenAttempt {
  readonly row: TaskRow;
  readonly entry: MessageEntry;
  readonly others: readonly Entry[];
}

const REASONS = { complete: 'stop', stopped: 'stopped', failed: 'error' } as const;

/**
 * The answer to a prompt: each row is an attempt at it. Rows are in order. One that comes after nothing but failed,
 * stopped, unfinished or blank ones was a retry, and shows instead of them, unless it is blank and they are not; one
 * beside a whole answer is its alternate.
 */
export function createAnswer(prompt: Prompt, rows: readonly TaskRow[]): readonly WrittenAttempt[] {
  let epoch = 1;
  let isAnswered = false;
  let hasText = false;
  let time = 0;
  const places = new Map<string, Place>();
  return rows.map((row, index) => {
    // Of attempts with one epoch the smallest id shows: ids rise with the order of the rows.
    time = Math.max(time, row.time ?? prompt.time ?? 0);
    const identity = describeAttempt(row);
    const known = places.get(identity);
    const isBlank = row.content.trim() === '';
    if (known === undefined && index > 0 && !isAnswered && !(isBlank && hasText)) epoch += 1;
    const place = known ?? { time, sequence: row.sequence ?? index, epoch };
    places.set(identity, place);
    hasText ||= !isBlank;
    isAnswered ||= row.state === 'complete' && !isBlank;
    return createAttempt(prompt, row, place, identity);
  });
}

/** The facts that the id of an attempt hashes besides its content. */
interface Place {
  readonly time: number;
  readonly sequence: number;
  readonly epoch: number;
}

/** Everything in an attempt: an answer that goes on in a later export is another attempt, and shows instead. */
function describeAttempt({ id, time, sequence, state, sender_id, content, error }: TaskRow): string {
  const text = error === undefined ? '' : (canonicalText(error) ?? '');
  return JSON.stringify([id ?? '', time ?? 0, sequence ?? 0, state, sender_id, content, text]);
}

function createAttempt(prompt: Prompt, row: TaskRow, place: Place, identity: string): WrittenAttempt {
  const { epoch } = place;
  const message_id = deriveAnswerId(prompt.message_id);
  const attempt = deriveTaskId(place, 'legacy_task_attempt', message_id, epoch, identity);
  const time = row.time ?? prompt.time ?? 0;
  const { content, parts } = createContent(attempt, row.content);
  const legacy = readFixedColumns(row);
  const entry: MessageEntry = {
    type: 'message',
    message_id,
    thread_id: prompt.thread_id,
    prompt_id: prompt.message_id,
    attempt,
    epoch,
    runner_id: UNKNOWN_SENDER,
    sender_id: row.sender_id,
    date: formatDate(time),
    ...(legacy === undefined ? {} : { legacy }),
    ...(content === undefined ? {} : { content }),
  };
  const seen = parts.reduce((last, { n }) => Math.max(last, n), 0);
  const end: Entry =
    row.state === 'unfinished'
      ? { type: 'interrupt', id: deriveInterruptId(attempt, seen), message_id, attempt, seen }
      : createFinish(attempt, place.time, row);
  const retry: readonly Entry[] =
    epoch === 1
      ? []
      : [
          {
            type: 'retry',
            id: deriveId(place.time, 'legacy_task_retry', message_id, epoch),
            message_id,
            epoch,
            by: UNKNOWN_SENDER,
          },
        ];
  return { row, entry, others: [...parts, end, ...retry] };
}

/** The finish of an attempt, or of a message that is its own. */
export function createFinish(attempt: string, time: number, { state, error }: TaskRow): Entry {
  const finish_reason = state === 'unfinished' ? REASONS.stopped : REASONS[state];
  const text = error === undefined ? '' : (canonicalText(error) ?? '');
  return {
    type: 'finish',
    id: deriveId(time, 'legacy_task_finish', attempt, finish_reason, text),
    attempt,
    finish_reason,
    ...(error === undefined ? {} : { error }),
  };
}

/** Ends a prompt that nobody answered: opening the document must not run it. */
export function createStop(prompt: Prompt): Entry {
  const message_id = deriveAnswerId(prompt.message_id);
  return {
    type: 'stop',
    id: deriveId(prompt.time ?? 0, 'legacy_task_stop', message_id),
    message_id,
    epoch: 1,
    by: UNKNOWN_SENDER,
  };
}
