import { LIMITS, type QuarantineReason } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { SCRIPT_START } from '../../../chat-integrity/src/testing/documents/script-environment.js';
import {
  BIG_NUMBERS,
  ENTRY_FORMS,
  type EntryForm,
  type Field,
  MISFITS,
  writeFitting,
} from './entry-fields.js';
import { FORBIDDEN_NAME, RESERVED_NAMES, reservedObjects } from './reserved-names.js';
import { brokenUlids } from './ulids.js';

/** The ways in which a record is wrong. */
export const HOSTILE_KINDS = [
  'wrong_type',
  'missing_field',
  'extra_field',
  'reserved_field',
  'broken_head',
  'not_json',
  'not_entry',
  'forbidden_key',
  'too_deep',
  'orphan',
  'reply_cycle',
  'duplicate_root',
  'duplicate_id',
  'forged_answer',
  'unknown_type',
  'no_header',
] as const;
type HostileKind = (typeof HOSTILE_KINDS)[number];

/** A record that no honest writer writes, as numbers that pick: see `writeHostileRecord`. */
export interface HostileRecord {
  readonly kind: HostileKind;
  readonly form: number;
  readonly field: number;
  readonly value: number;
  /** Picks what it is about: of the chat if given, else of its own. */
  readonly target: number;
  readonly id: string;
  readonly json: string;
}

/** The fate of a line: why it is quarantined, or how it reads. */
export type LineFate =
  | QuarantineReason
  /** A record with a `problem`, and all fields that fit. */
  | 'problem'
  /** It names a prompt, and is not the prompt's answer. */
  | 'forged'
  /** Another line of its id is chosen. */
  | 'duplicate'
  /** Of a later schema: kept and counted. */
  | 'unknown'
  /** A record like any other. */
  | 'kept'
  /** Its id, or its content, conflicts with a line of the chat: one of the two shows, alike on all replicas. */
  | 'contested';

export interface HostileLine {
  readonly line: string;
  readonly fate: LineFate;
  /** Under which its record, or its problem, is found; the first in the head of the line. */
  readonly id: string;
  /** The field whose value does not fit, so that no reader may be given it. */
  readonly misfit?: string;
}

/** Ids of the chat that hostile records may be about. None: they keep to ids of their own. */
export interface HostileTargets {
  readonly threads: readonly string[];
  readonly messages: readonly string[];
}

export const NO_TARGETS: HostileTargets = { threads: [], messages: [] };

/**
 * Invalid records: of wrong types and numbers that no double holds, without fields, with more, with reserved names
 * as fields and keys at any depth, with ids that are none, cut off, no JSON, no entry, too deep, about nothing,
 * replying in circles, two roots or two lines for one id, answers that are none, of later types, under no header.
 */
export function hostileRecords(): fc.Arbitrary<HostileRecord> {
  return fc.record({
    // Each field of each type can have one.
    kind: fc.constantFrom('wrong_type', ...HOSTILE_KINDS),
    form: fc.nat(ENTRY_FORMS.length - 1),
    field: fc.nat(11),
    value: fc.nat(999),
    target: fc.nat(99),
    id: brokenUlids(),
    json: reservedObjects(),
  });
}

/**
 * The lines of a record, and what must become of each. `tag` names its own ids: two records with one tag would
 * conflict with each other. `targets` are taken only by what can be beside honest entries.
 */
export function writeHostileRecord(
  record: HostileRecord,
  tag: string | number,
  targets: HostileTargets = NO_TARGETS,
): readonly HostileLine[] {
  const { kind, value, target } = record;
  const name = (what: string | number): string => deriveUlid(SCRIPT_START, 'hostile', tag, what);
  const write = (fields: object): string => JSON.stringify(fields);
  const [own, other] = [name('own'), name('other')];
  switch (kind) {
    case 'wrong_type':
    case 'missing_field':
    case 'extra_field':
    case 'reserved_field':
    case 'broken_head':
    case 'not_json':
    case 'forbidden_key':
    case 'too_deep':
    case 'no_header':
      return [spoil(record, own, other)];
    case 'orphan':
      return [keep(writeEntry(formOf(record), [own, pick(targets.messages, target) ?? other]), own)];
    case 'not_entry':
      return [{ line: writeNoEntry(record, own), fate: 'head', id: own }];
    case 'unknown_type': {
      const type = LATER_TYPES[value % LATER_TYPES.length] as string;
      return [{ line: `{"type":"${type}","id":"${own}","data":${record.json}}`, fate: 'unknown', id: own }];
    }
    case 'reply_cycle': {
      const length = 1 + (value % 4);
      const thread_id = pick(targets.threads, target) ?? other;
      return Array.from({ length }, (_, at) => {
        const message_id = name(`ring ${at}`);
        const reply_to_message_id = name(`ring ${(at + 1) % length}`);
        return keep(write(messageOf(message_id, thread_id, { reply_to_message_id })), message_id);
      });
    }
    case 'duplicate_root': {
      const line = (root_message_id: string, more: object): string =>
        write({ type: 'thread', thread_id: own, root_message_id, ...CREATED, ...more });
      const roots = [name('one root'), name('other root')] as const;
      const messages = roots.map((root) => keep(write(messageOf(root, own, {})), root));
      const loses: HostileLine = { line: line(roots[0], {}), fate: 'duplicate', id: own };
      // Of two under one header the longer one is chosen.
      return [loses, keep(line(roots[1], { legacy: 'longer' }), own), ...messages];
    }
    case 'duplicate_id': {
      const known = pick(targets.messages, target);
      const thread_id = pick(targets.threads, target) ?? other;
      if (known !== undefined) {
        return [{ line: write(messageOf(known, thread_id, {})), fate: 'contested', id: known }];
      }
      const short = write(messageOf(own, thread_id, {}));
      const long = write(messageOf(own, thread_id, { content: 'another' }));
      return [{ line: short, fate: 'duplicate', id: own }, keep(long, own)];
    }
    case 'forged_answer': {
      const thread_id = pick(targets.threads, target) ?? other;
      const line = write({
        type: 'message',
        message_id: own,
        thread_id,
        prompt_id: pick(targets.messages, target) ?? name('prompt'),
        attempt: name('attempt'),
        epoch: [1, 2, Number.MAX_SAFE_INTEGER][value % 3],
        runner_id: 'mallory',
        ...SENT,
      });
      return [{ line, fate: 'forged', id: own }];
    }
  }
}

const LATER_TYPES: readonly string[] = [
  'poll',
  'constructor',
  'prototype',
  'x',
  `a${'_'.repeat(63)}`,
  'lane2',
];
const CREATED = { created_at: '2026-11-21T12:00:00.000Z', created_by: 'mallory', purpose: 'chat' };
const SENT = { sender_id: 'mallory', date: '2026-11-21T12:00:00.000Z' };

function messageOf(message_id: string, thread_id: string, more: object): object {
  return { type: 'message', message_id, thread_id, ...more, ...SENT };
}

function keep(line: string, id: string): HostileLine {
  return { line, fate: 'kept', id };
}

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

const FORMS_THAT_REQUIRE = ENTRY_FORMS.filter(({ fields }) => fields.some(({ required }) => required));

function formOf({ form }: HostileRecord): EntryForm {
  return ENTRY_FORMS[form % ENTRY_FORMS.length] as EntryForm;
}

/** A line of the form; `change` gives other JSON text for a field, or undefined to leave it out. */
function writeEntry(
  form: EntryForm,
  ids: readonly string[],
  change: (field: Field, fitting: string) => string | undefined = (_, fitting) => fitting,
  more = '',
): string {
  const head = form.head.map((name, at) => `,"${name}":${JSON.stringify(ids[at] ?? ids.at(-1))}`);
  const number = form.type === 'part' ? ',"n":1' : '';
  const fields = form.fields.flatMap((field) => {
    const text = change(field, writeFitting(field, ids.at(-1) as string));
    return text === undefined ? [] : [`,"${field.name}":${text}`];
  });
  return `{"type":"${form.type}"${head.join('')}${number}${fields.join('')}${more}}`;
}

/** One whole line of some type, made wrong in one way. */
function spoil(record: HostileRecord, own: string, other: string): HostileLine {
  const { kind, field: at, value, id, json } = record;
  const form =
    kind === 'missing_field' ? (pick(FORMS_THAT_REQUIRE, record.form) as EntryForm) : formOf(record);
  const ids = [own, other];
  const line = writeEntry(form, ids);
  const more = (text: string): string => writeEntry(form, ids, undefined, `,${text}`);
  const as = (text: string, fate: LineFate): HostileLine => ({ line: text, fate, id: own });
  switch (kind) {
    case 'wrong_type': {
      const field = pick(form.fields, at) as Field;
      const misfits = field.clears ? MISFITS[field.kind] : [...MISFITS[field.kind], ...NULL_IF(field)];
      const misfit = pick(misfits, value);
      const text = writeEntry(form, ids, (each, fitting) => (each === field ? misfit : fitting));
      return { ...as(text, 'problem'), misfit: field.name };
    }
    case 'missing_field': {
      const required = form.fields.filter((field) => field.required);
      const field = pick(required, at);
      return as(
        writeEntry(form, ids, (each, fitting) => (each === field ? undefined : fitting)),
        'problem',
      );
    }
    case 'extra_field':
      return as(more(`"later_field":${[...BIG_NUMBERS, json][value % (BIG_NUMBERS.length + 1)]}`), 'kept');
    case 'reserved_field': {
      const name = pick(
        RESERVED_NAMES.filter((each) => each !== FORBIDDEN_NAME),
        value,
      );
      return as(more(`${JSON.stringify(name)}:${json}`), 'kept');
    }
    case 'broken_head': {
      const which = at % form.head.length;
      const bad = form.head.map((_, place) => (place === which ? id : (ids[place] ?? other)));
      return as(writeEntry(form, bad), 'head');
    }
    case 'not_json': {
      const body = line.slice(0, -1);
      const ends = [
        '',
        ',',
        ',}',
        ',"more":}',
        ',"more":NaN}',
        ",'more':1}",
        ',"more":"a\0b"}',
        '}}',
        '}x',
        '} {}',
      ];
      return as(body + (pick(ends, value) as string), 'not_json');
    }
    case 'forbidden_key': {
      const depth = value % 5;
      const inner = `{"${FORBIDDEN_NAME}":${json}}`;
      const member = depth === 0 ? `"${FORBIDDEN_NAME}":${json}` : `"later_field":${wrap(inner, depth - 1)}`;
      return as(more(member), 'reserved_key');
    }
    case 'too_deep': {
      // The line itself is the first level, the empty list the last.
      const levels = LIMITS.depth + 1 + (value % 3);
      return as(more(`"later_field":${wrap('[]', levels - 2)}`), 'too_deep');
    }
    default:
      return as(line, 'no_header');
  }
}

const NULL_IF = ({ kind }: Field): readonly string[] => (kind === 'json' ? [] : ['null']);

/** `levels` arrays or objects around a JSON text. */
function wrap(text: string, levels: number): string {
  const open = Array.from({ length: levels }, (_, level) => (level % 2 === 0 ? '[' : '{"a":'));
  const close = open.map((bracket) => (bracket === '[' ? ']' : '}')).reverse();
  return open.join('') + text + close.join('');
}

/** Lines that have neither type nor id where a head has them. */
function writeNoEntry({ value, id, json }: HostileRecord, own: string): string {
  const lines = [
    ...[
      'null',
      '[]',
      '"text"',
      '7',
      '{}',
      'garbage',
      '\0',
      ' ',
      '{"type":7}',
      '{"type":"message"}',
      '[{"type":"',
    ],
    ...[
      json,
      JSON.stringify(id),
      `{"type":${JSON.stringify(id.toUpperCase())}}`,
      `{"type":"Message","message_id":"${own}"}`,
    ],
    ...[`{"message_id":"${own}","type":"message"}`, ` {"type":"redaction","id":"${own}"}`],
    ...[`{"type": "redaction","id":"${own}"}`, `{"type":"part","attempt":"${own}","n":"1"}`],
    ...[`{"type":"part","attempt":"${own}","n":0}`, `{"type":"message","message_id":"${own}","thread_id":`],
    ...[
      `{"type":"message","message_id":"${own}","prompt_id":"${own}"}`,
      `{"type":"__proto__","id":"${own}"}`,
    ],
  ];
  return pick(lines, value) as string;
}

/** A line whose value is so deep that a reader which recurses overflows its stack, where `levels` are 10,000 or so. */
export function writeDeepLine(tag: string, levels: number): HostileLine {
  const id = deriveUlid(SCRIPT_START, 'hostile', tag, 'deep');
  const line = `{"type":"legacy_row","id":"${id}","row":${wrap('[]', levels - 2)}}`;
  return { line, fate: levels > LIMITS.depth ? 'too_deep' : 'kept', id };
}

/** A line of that many code units, without anything else that is wrong. */
export function writeLongLine(tag: string, length: number): HostileLine {
  const id = deriveUlid(SCRIPT_START, 'hostile', tag, 'long');
  const head = `{"type":"legacy_row","id":"${id}","row":"`;
  const line = `${head}${'x'.repeat(length - head.length - 2)}"}`;
  return { line, fate: length > LIMITS.line ? 'too_long' : 'kept', id };
}
