import type { JsonObject } from '@chatdoc/schema';
import { type AnnotationEntry, compareText } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import { readDate } from '../source/dates.js';
import type { CocalcMessage } from './messages.js';

/** Prefixes of the columns of read marks: since April 2026 a time, before that a count of messages. */
const READ = 'read-';
const LAST_READ = 'lastread-';

export function hasReadMarks(row: JsonObject): boolean {
  return Object.keys(row).some((column) => column.startsWith(READ) || column.startsWith(LAST_READ));
}

/** How far each person has read in a thread, as the message that they read last. The columns stay beside it. */
export function createReadMarks(
  thread_id: string,
  row: JsonObject,
  members: readonly CocalcMessage[],
): readonly AnnotationEntry[] {
  const messages = [...members].sort((a, b) => compareText(a.message_id, b.message_id));
  const marks = new Map<string, string>();
  for (const [column, value] of Object.entries(row)) {
    const count = Number(value);
    if (!column.startsWith(READ) || !Number.isSafeInteger(count) || count <= 0) continue;
    const message = messages[Math.min(count, messages.length) - 1];
    if (message !== undefined) marks.set(column.slice(READ.length), message.message_id);
  }
  for (const [column, value] of Object.entries(row)) {
    const until = column.startsWith(LAST_READ) ? readDate(value)?.time : undefined;
    if (until === undefined) continue;
    const message = messages.filter(({ time = 0 }) => time <= until).at(-1);
    if (message !== undefined) marks.set(column.slice(LAST_READ.length), message.message_id);
  }
  return [...marks].map(([user_id, message_id]) => ({
    type: 'annotation',
    id: deriveId(0, 'legacy_read', thread_id, user_id, message_id),
    thread_id,
    user_id,
    key: 'read',
    value: message_id,
  }));
}
