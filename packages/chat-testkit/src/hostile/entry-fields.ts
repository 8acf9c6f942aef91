import type { EntryType } from '@chatdoc/schema/internal';
import { RESERVED_NAMES } from './reserved-names.js';

/** The kinds of values of a field of an entry. */
export type FieldKind =
  | 'id'
  | 'ids'
  | 'name'
  | 'text'
  | 'date'
  | 'number'
  | 'count'
  | 'flag'
  | 'object'
  | 'json'
  | 'choice'
  | 'place';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** A record without it has a problem. */
  readonly required: boolean;
  /** `null` fits, too: it clears. */
  readonly clears: boolean;
}

/** An entry type as its lines are written. */
export interface EntryForm {
  readonly type: string;
  /** Ids that come first, in this order: the own one, and what the entry is about. */
  readonly head: readonly string[];
  readonly fields: readonly Field[];
}

type Spec = Readonly<Record<string, `${FieldKind}${'' | '?' | '~'}`>>;

function form(type: Exclude<EntryType, 'lane'>, head: readonly string[], spec: Spec): EntryForm {
  const fields = Object.entries(spec).map(([name, kind]) => ({
    name,
    kind: kind.replace(/[?~]$/, '') as FieldKind,
    required: !/[?~]$/.test(kind),
    clears: kind.endsWith('~'),
  }));
  return { type, head, fields };
}

/**
 * Every entry type, written down a second time and by hand: what a line without a field, or with another value in
 * it, must read as is said here, not asked of the library. `?` may be left out, `~` may be left out or null.
 */
export const ENTRY_FORMS: readonly EntryForm[] = [
  form('message', ['message_id', 'thread_id'], {
    reply_to_message_id: 'id?',
    after: 'id?',
    client_message_id: 'name?',
    sender_id: 'name',
    date: 'date',
    expects: 'choice?',
    acp_thread_id: 'name?',
    content: 'text?',
  }),
  form('thread', ['thread_id'], {
    root_message_id: 'id?',
    forked_from: 'place?',
    created_at: 'date',
    created_by: 'name',
    purpose: 'choice',
  }),
  form('thread_config', ['id', 'thread_id'], {
    replaces: 'ids?',
    updated_at: 'date',
    updated_by: 'name',
    name: 'text~',
    thread_color: 'name~',
    pin: 'flag~',
    archived: 'flag~',
    acp_config: 'object~',
    session: 'object~',
    variables: 'object~',
  }),
  form('revision', ['id', 'message_id'], {
    replaces: 'ids?',
    author_id: 'name',
    date: 'date',
    deleted: 'flag?',
    content: 'text',
  }),
  form('redaction', ['id', 'message_id'], { by: 'name', date: 'date' }),
  form('stop', ['id', 'message_id'], { epoch: 'number', by: 'name' }),
  form('retry', ['id', 'message_id'], { epoch: 'number', by: 'name' }),
  form('interrupt', ['id', 'message_id'], { attempt: 'id', seen: 'count' }),
  form('finish', ['id', 'attempt'], { finish_reason: 'name', acp_usage: 'object?', error: 'object?' }),
  // Its number is part of the head.
  form('part', ['attempt'], {
    kind: 'name?',
    part_id: 'name?',
    continues: 'number?',
    input: 'json?',
    text: 'text?',
  }),
  form('activation', ['id', 'thread_id'], { replaces: 'ids?', slot: 'place' }),
  form('annotation', ['id', 'message_id'], {
    replaces: 'ids?',
    user_id: 'name',
    key: 'name',
    value: 'json',
  }),
  form('annotation', ['id', 'thread_id'], { user_id: 'name', key: 'name', value: 'json' }),
  form('thread_state', ['id', 'thread_id'], {
    active_message_id: 'id?',
    replaces: 'ids?',
    state: 'choice',
    updated_at: 'date',
  }),
  form('variables', ['id'], { replaces: 'ids?', scope: 'choice', scope_id: 'name', values: 'object' }),
  form('document', ['id'], { doc_id: 'id', migrated_from: 'json?' }),
  form('legacy_row', ['id'], { reason: 'name?', row: 'json' }),
];

/** The value of each choice that fits. */
const CHOICES: Readonly<Record<string, string>> = {
  expects: 'answer',
  purpose: 'chat',
  state: 'complete',
  scope: 'user',
};

/** JSON text of a value that fits; `other` is the id of something else. */
export function writeFitting({ name, kind }: Pick<Field, 'name' | 'kind'>, other: string): string {
  switch (kind) {
    case 'id':
      return JSON.stringify(other);
    case 'ids':
      return JSON.stringify([other]);
    case 'name':
    case 'text':
      return JSON.stringify(`mallory's ${name}`);
    case 'date':
      return '"2026-11-21T12:00:00.000Z"';
    case 'number':
    case 'count':
      return '1';
    case 'flag':
      return 'true';
    case 'object':
    case 'json':
      return '{"a":[1,null]}';
    case 'choice':
      return JSON.stringify(CHOICES[name]);
    case 'place':
      if (name === 'slot') return '{"root_id":"r","owner_id":"mallory","provider":"p"}';
      return JSON.stringify({ thread_id: other });
  }
}

/** Numbers that no double, or no safe integer, holds; what JSON makes of them is the same everywhere. */
export const BIG_NUMBERS: readonly string[] = [
  ...['1e999', '-1e999', '12345678901234567890', '9007199254740993', '1e400', '-0', '1e-999'],
];

const NO_STRINGS = ['7', 'true', '[]', '{}', '["x"]', '1e999', '{"toString":"x"}'];
const NO_NUMBERS = ['"1"', '-1', '1.5', '9007199254740993', '1e999', 'true', '[]', '{}', '[1]'];
const NO_OBJECTS = ['"x"', '7', 'false', '[]', '[{}]', '{"a":1e999}'];
const names = RESERVED_NAMES.map((name) => JSON.stringify(name));

/** JSON texts of values that do not fit, whatever the name of the field. `null` is one but where it clears. */
export const MISFITS: Readonly<Record<FieldKind, readonly string[]>> = {
  id: [...NO_STRINGS, ...names, '""', '"01kaj8z0000000000000000000"', '"81KAJ8Z0000000000000000000"'],
  ids: ['"x"', '7', '{}', '["x"]', '[7]', '[null]', '{"length":1}'],
  name: [...NO_STRINGS, `"${'x'.repeat(4097)}"`],
  text: NO_STRINGS,
  date: [...NO_STRINGS, '"yesterday"', '"2026-11-21"', '"2026-11-21T12:00:00.000+01:00"', '""'],
  number: [...NO_NUMBERS, '0'],
  count: NO_NUMBERS,
  flag: ['"true"', '0', '1', '[]', '{}'],
  object: NO_OBJECTS,
  json: ['1e999', '[1e999]', '{"a":{"b":-1e999}}'],
  choice: [...NO_STRINGS, ...names, '"Answer"', '""'],
  place: [...NO_OBJECTS.filter((text) => text !== '{"a":1e999}'), '{}', '{"thread_id":7}'],
};
