import type { Entry } from '@chatdoc/schema';
import { type EntryType, encodeLine, entrySchemas } from '@chatdoc/schema/internal';

/** What a field of an entry holds. */
export type FieldKind = 'id' | 'ids' | 'date' | 'name' | 'text' | 'number' | 'flag' | 'json';

export interface EntryField {
  readonly key: string;
  readonly kind: FieldKind;
  /** What stands before its value in a line. */
  readonly start: string;
}

const KINDS: Readonly<Partial<Record<Entry['type'], Readonly<Record<string, FieldKind>>>>> = {
  message: {
    message_id: 'id',
    thread_id: 'id',
    reply_to_message_id: 'id',
    after: 'id',
    sender_id: 'name',
    date: 'date',
    legacy: 'json',
    content: 'text',
  },
  part: {
    attempt: 'id',
    n: 'number',
    kind: 'name',
    part_id: 'name',
    state: 'name',
    title: 'text',
    input: 'json',
    output: 'json',
    data: 'json',
    text: 'text',
  },
  revision: {
    id: 'id',
    message_id: 'id',
    replaces: 'ids',
    author_id: 'name',
    date: 'date',
    deleted: 'flag',
    legacy: 'json',
    content: 'text',
  },
  annotation: { id: 'id', message_id: 'id', thread_id: 'id', user_id: 'name', key: 'name', value: 'json' },
  thread: {
    thread_id: 'id',
    root_message_id: 'id',
    created_at: 'date',
    created_by: 'name',
    purpose: 'name',
    legacy: 'json',
  },
  thread_config: {
    id: 'id',
    thread_id: 'id',
    name: 'text',
    pin: 'flag',
    archived: 'flag',
    updated_at: 'date',
    updated_by: 'name',
    legacy: 'json',
  },
  legacy_row: { id: 'id', message_id: 'id', reason: 'name', row: 'json' },
};

/**
 * The fields that readers fill, of the types that they make by the row, in the order of a line. Types and fields
 * that are not here take the way through the schema.
 */
export const FIELDS: Readonly<Partial<Record<Entry['type'], readonly EntryField[]>>> = Object.fromEntries(
  Object.entries(KINDS).map(([type, kinds]) => [type, orderFields(type as Entry['type'], kinds)]),
);

/** The order is the schema's: asked of the schema, so that it cannot differ. */
function orderFields(type: Entry['type'], kinds: Readonly<Record<string, FieldKind>>): readonly EntryField[] {
  const keys = Object.keys(entrySchemas[type as EntryType].shape);
  const every = Object.fromEntries([...keys.map((key) => [key, 0]), ['type', type]]) as unknown as Entry;
  return Object.keys(JSON.parse(encodeLine(every)) as object).flatMap((key) => {
    const kind = kinds[key];
    return kind === undefined ? [] : [{ key, kind, start: `,"${key}":` }];
  });
}
