import type { Json, JsonObject, LegacyRowEntry } from '@chatdoc/schema';
import { canonicalText } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';
import { deriveId } from './derive-id.js';
import { splitText } from './long-content.js';

/** A value of the old file, under an id that hashes its content. Undefined where it is nested too deep. */
export function createLegacyRow(time: number, reason: string, row: Json): LegacyRowEntry | undefined {
  const text = canonicalText(row);
  if (text === undefined) return undefined;
  return { type: 'legacy_row', id: deriveId(time, 'legacy_row', reason, text), reason, row };
}

/**
 * Columns that no entry has a field for. Not on the message itself: they change between two revisions of a file,
 * and two machines that migrate both must not write one message in two ways.
 */
export function createColumnsRow(
  time: number,
  subject: { readonly message_id: string } | { readonly thread_id: string },
  columns: JsonObject,
): LegacyRowEntry | undefined {
  const entry = createLegacyRow(time, 'columns', { ...subject, columns });
  if (entry === undefined || !('message_id' in subject)) return entry;
  return { ...entry, ...subject, row: { columns } };
}

/**
 * The text of the row in the file, in as many pieces as it needs. Under the id of the message that it became, if it
 * did: what is redacted there is redacted here.
 */
export function createTextRows(
  reason: string,
  source: SourceRow,
  message_id?: string,
): readonly LegacyRowEntry[] {
  const { raw, bytes, key } = source;
  const text = bytes ?? raw;
  const whole = deriveId(0, 'legacy_text', reason, key ?? '', text);
  const pieces = splitText(text);
  return pieces.map((piece, index) => {
    const body: Record<string, Json> = bytes === undefined ? { text: piece } : { latin1: piece };
    if (key !== undefined) body['key'] = key;
    if (pieces.length > 1) Object.assign(body, { of: whole, piece: index + 1, pieces: pieces.length });
    const isPlain = bytes === undefined && key === undefined && pieces.length === 1;
    return {
      type: 'legacy_row',
      id: deriveId(0, 'legacy_piece', whole, index),
      ...(message_id !== undefined && { message_id }),
      reason,
      row: isPlain ? piece : body,
    };
  });
}
