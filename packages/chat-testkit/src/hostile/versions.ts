import { SCHEMA_VERSION } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { SCRIPT_START } from '../../../chat-integrity/src/testing/documents/script-environment.js';
import { reservedObjects } from './reserved-names.js';

/** Lanes that a client of another schema version wrote. */
export interface VersionedDocument {
  /** Each lane under its header, whole lines. */
  readonly jsonl: string;
  /** Ids of the lanes that this version must not read. */
  readonly hidden: readonly string[];
  /** Lines of types that only the other version knows, in lanes that are read. */
  readonly unknown: readonly string[];
  readonly thread_id: string;
  /** In lanes that are read, with what is known of them by fields that this version knows. */
  readonly messages: readonly { readonly message_id: string; readonly content: string }[];
}

interface LaneSpec {
  readonly ahead: number;
  readonly isHidden: boolean;
  readonly header: string;
  readonly lines: readonly LineSpec[];
}

interface LineSpec {
  readonly kind: 'plain' | 'later_field' | 'later_type' | 'later_shape' | 'later_kind';
  readonly pick: number;
  readonly json: string;
}

const DATE = '2026-11-21T12:00:00.000Z';
const LATER_TYPES = ['poll', 'task', 'reaction2', 'x_thread_policy', 'constructor'] as const;
const LATER_FIELDS = [
  'mentions',
  'urgency',
  'schema',
  'content_type',
  'prototype',
  'Ünïcode 👋',
  '',
] as const;

const lineSpec: fc.Arbitrary<LineSpec> = fc.record({
  kind: fc.constantFrom('plain', 'later_field', 'later_type', 'later_shape', 'later_kind'),
  pick: fc.nat(999),
  json: fc.oneof(
    reservedObjects(),
    fc.constantFrom('null', '[[1],{"a":"👋"}]', '"\\ud83d"', '-1.5e300', '{}'),
  ),
});

/**
 * Documents of later schema versions: entry types and fields that this one does not know, known fields of another
 * shape, parts of later kinds, headers with more in them, and lanes whose `min_reader` is above ours.
 */
export function newerDocuments(): fc.Arbitrary<VersionedDocument> {
  const lane: fc.Arbitrary<LaneSpec> = fc.record({
    ahead: fc.integer({ min: 1, max: 97 }),
    isHidden: fc.boolean(),
    header: reservedObjects(),
    lines: fc.array(lineSpec, { minLength: 1, maxLength: 6 }),
  });
  return fc
    .tuple(fc.nat(), fc.array(lane, { minLength: 1, maxLength: 3 }))
    .map(([seed, lanes]) => writeNewer(seed, lanes));
}

function writeNewer(seed: number, lanes: readonly LaneSpec[]): VersionedDocument {
  const id = (...what: readonly (string | number)[]): string =>
    deriveUlid(SCRIPT_START, 'newer', seed, ...what);
  const thread_id = id('thread');
  const hidden: string[] = [];
  const unknown: string[] = [];
  const messages: { message_id: string; content: string }[] = [];
  const lines = lanes.flatMap(({ ahead, isHidden, header, lines: specs }, at) => {
    const lane_id = id('lane', at);
    if (isHidden) hidden.push(lane_id);
    const version = SCHEMA_VERSION + ahead;
    const head = {
      ...{ type: 'lane', lane_id, schema_version: version, min_reader: isHidden ? version : SCHEMA_VERSION },
      ...{ generation: 0, writer_id: id('writer', at) },
    };
    const thread = { type: 'thread', thread_id, created_at: DATE, created_by: 'ada', purpose: 'chat' };
    const written = specs.map((spec, line) => {
      const own = id('entry', at, line);
      const text = writeLater(spec, own, thread_id);
      if (!isHidden && spec.kind === 'later_type') unknown.push(text);
      if (!isHidden && (spec.kind === 'plain' || spec.kind === 'later_field'))
        messages.push({ message_id: own, content: `written ${spec.pick}` });
      return text;
    });
    return [
      `${JSON.stringify(head).slice(0, -1)},"capabilities":${header}}`,
      JSON.stringify(thread),
      ...written,
    ];
  });
  return { jsonl: lines.map((line) => `${line}\n`).join(''), hidden, unknown, thread_id, messages };
}

function writeLater({ kind, pick, json }: LineSpec, own: string, thread_id: string): string {
  const sent = `"sender_id":"ada","date":"${DATE}"`;
  const message = `{"type":"message","message_id":"${own}","thread_id":"${thread_id}",${sent}`;
  const content = `"content":"written ${pick}"`;
  switch (kind) {
    case 'plain':
      return `${message},${content}}`;
    case 'later_field': {
      const field = JSON.stringify(LATER_FIELDS[pick % LATER_FIELDS.length]);
      return `${message},${field}:${json},${content}}`;
    }
    case 'later_type': {
      const type = LATER_TYPES[pick % LATER_TYPES.length];
      return `{"type":"${type}","id":"${own}","about":["${thread_id}"],"data":${json},"later":${pick}}`;
    }
    case 'later_shape':
      return `${message},"expects":{"answers":${pick}},"content":{"markdown":${json}}}`;
    case 'later_kind':
      return `{"type":"part","attempt":"${own}","n":1,"kind":"hologram ${pick}","scene":${json},"text":"x"}`;
  }
}

/**
 * Documents of schema version 1: without `after`, `replaces`, kinds of parts, epochs and users, which came later,
 * and whose lanes ask for no later reader.
 */
export function olderDocuments(): fc.Arbitrary<VersionedDocument> {
  const line = fc.record({ kind: fc.constantFrom('message', 'reply', 'part', 'config'), pick: fc.nat(999) });
  return fc.tuple(fc.nat(), fc.array(line, { minLength: 1, maxLength: 12 })).map(([seed, specs]) => {
    const id = (...what: readonly (string | number)[]): string =>
      deriveUlid(SCRIPT_START, 'older', seed, ...what);
    const thread_id = id('thread');
    const first = id('message', 0);
    const messages = [{ message_id: first, content: 'first' }];
    const say = (message_id: string, content: string, more: object = {}): object => {
      return { type: 'message', message_id, thread_id, ...more, sender_id: 'ada', date: DATE, content };
    };
    const lines: object[] = [
      {
        type: 'lane',
        lane_id: id('lane'),
        schema_version: 1,
        min_reader: 1,
        generation: 0,
        writer_id: id('writer'),
      },
      { type: 'thread', thread_id, created_at: DATE, created_by: 'ada', purpose: 'chat' },
      say(first, 'first'),
    ];
    let parts = 0;
    for (const [at, { kind, pick }] of specs.entries()) {
      const own = id('entry', at);
      const content = `old ${pick}`;
      if (kind === 'config') {
        lines.push({
          type: 'thread_config',
          id: own,
          thread_id,
          name: content,
          updated_at: DATE,
          updated_by: 'ada',
        });
      } else if (kind === 'part') {
        parts += 1;
        lines.push({ type: 'part', attempt: first, n: parts, text: content });
        messages[0] = { message_id: first, content: `${messages[0]?.content ?? ''}${content}` };
      } else {
        lines.push(say(own, content, kind === 'reply' ? { reply_to_message_id: first } : {}));
        messages.push({ message_id: own, content });
      }
    }
    const jsonl = lines.map((fields) => `${JSON.stringify(fields)}\n`).join('');
    return { jsonl, hidden: [], unknown: [], thread_id, messages };
  });
}
