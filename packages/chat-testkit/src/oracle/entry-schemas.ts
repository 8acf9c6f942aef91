import type { EntryType } from '@chatdoc/schema/internal';
import * as z from 'zod/mini';

// Written a second time, by another library, from the specification: the library's own table is tested against it.

const id = z.string().check(z.regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/));
const name = z.string().check(z.maxLength(4_096));
const text = z.string().check(z.maxLength(2_097_152));
const date = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const count = z.int().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER));
const number = z.int().check(z.minimum(1), z.maximum(Number.MAX_SAFE_INTEGER));
const ids = z.array(id).check(z.maxLength(4_096));
const json = z.json();
const object = z.record(z.string(), json);
const { optional, nullish, boolean, literal, looseObject } = z;

function entry(type: EntryType, fields: z.core.$ZodLooseShape): z.ZodMiniObject {
  return looseObject({ type: literal(type), ...fields });
}

/** What an entry of each type may hold. Loose: keys that a type does not have pass. */
export const entrySchemas: Readonly<Record<EntryType, z.ZodMiniObject>> = {
  lane: entry('lane', {
    lane_id: id,
    schema_version: number,
    min_reader: number,
    generation: count,
    writer_id: id,
    user_id: optional(name),
    rolled_back: optional(z.string()),
  }),
  document: entry('document', {
    id,
    doc_id: id,
    migrated_from: optional(json),
    rolled_back: optional(looseObject({ from: count, to: count })),
  }),
  thread: entry('thread', {
    thread_id: id,
    root_message_id: optional(id),
    forked_from: optional(looseObject({ thread_id: id, message_id: optional(id) })),
    created_at: date,
    created_by: name,
    purpose: z.enum(['chat', 'run']),
    slot: optional(looseObject({ root_id: name, owner_id: name, provider: name, number })),
    legacy: optional(json),
  }),
  thread_config: entry('thread_config', {
    id,
    thread_id: id,
    replaces: optional(ids),
    updated_at: date,
    updated_by: name,
    name: nullish(text),
    thread_color: nullish(name),
    thread_icon: nullish(name),
    thread_image: nullish(text),
    pin: nullish(boolean()),
    archived: nullish(boolean()),
    acp_config: nullish(object),
    agent_kind: nullish(name),
    session: nullish(object),
    template: nullish(object),
    variables: nullish(object),
    anchor: nullish(object),
    resolved: nullish(object),
    legacy: optional(json),
  }),
  message: entry('message', {
    message_id: id,
    thread_id: id,
    prompt_id: optional(id),
    attempt: optional(id),
    epoch: optional(number),
    runner_id: optional(name),
    reply_to_message_id: optional(id),
    after: optional(id),
    client_message_id: optional(name),
    sender_id: name,
    date,
    expects: optional(literal('answer')),
    acp_thread_id: optional(name),
    legacy: optional(json),
    content: optional(text),
  }),
  part: entry('part', {
    attempt: id,
    n: number,
    kind: optional(name),
    part_id: optional(name),
    state: optional(name),
    continues: optional(number),
    title: optional(text),
    input: optional(json),
    output: optional(json),
    data: optional(json),
    text: optional(text),
    cut: optional(literal(true)),
  }),
  finish: entry('finish', {
    id,
    attempt: id,
    finish_reason: name,
    acp_thread_id: optional(name),
    acp_usage: optional(object),
    error: optional(object),
  }),
  stop: entry('stop', { id, message_id: id, epoch: number, by: name }),
  retry: entry('retry', { id, message_id: id, epoch: number, by: name }),
  interrupt: entry('interrupt', { id, message_id: id, attempt: id, seen: count }),
  revision: entry('revision', {
    id,
    message_id: id,
    attempt: optional(id),
    replaces: optional(ids),
    author_id: name,
    date,
    deleted: optional(boolean()),
    legacy: optional(json),
    content: text,
  }),
  redaction: entry('redaction', { id, message_id: id, by: name, date }),
  activation: entry('activation', {
    id,
    thread_id: id,
    replaces: optional(ids),
    slot: looseObject({ root_id: name, owner_id: name, provider: name }),
  }),
  variables: entry('variables', {
    id,
    replaces: optional(ids),
    scope: z.enum(['user', 'org', 'project']),
    scope_id: name,
    values: object,
  }),
  annotation: entry('annotation', {
    id,
    message_id: optional(id),
    thread_id: optional(id),
    replaces: optional(ids),
    user_id: name,
    key: name,
    value: json,
    seen: optional(count),
  }),
  thread_state: entry('thread_state', {
    id,
    thread_id: id,
    active_message_id: optional(id),
    replaces: optional(ids),
    state: z.enum(['idle', 'queued', 'running', 'interrupted', 'error', 'complete']),
    updated_at: date,
  }),
  legacy_row: entry('legacy_row', { id, message_id: optional(id), reason: optional(name), row: json }),
};
