import { z } from 'zod';
import { isUlid } from './ulid.js';

/** The schema version that this library writes into the header of each lane, and the greatest it reads. */
export const SCHEMA_VERSION = 2;

/**
 * What quarantines a line. Constants of the schema version: a setting would make two replicas read one
 * document differently.
 */
export const LIMITS: { readonly line: number; readonly text: number; readonly depth: number } = {
  /** Code units of one line. */
  line: 4 * 1024 * 1024,
  /** Code units of one text or content. */
  text: 2 * 1024 * 1024,
  /** Nesting of arrays and objects in one line. */
  depth: 32,
};

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export const PART_KINDS = ['text', 'reasoning', 'tool_call', 'plan', 'file'] as const;
export type PartKind = (typeof PART_KINDS)[number];
export const PURPOSES = ['chat', 'run'] as const;
export type Purpose = (typeof PURPOSES)[number];
export const THREAD_STATES = ['idle', 'queued', 'running', 'interrupted', 'error', 'complete'] as const;
export type ThreadStateName = (typeof THREAD_STATES)[number];
export const VARIABLE_SCOPES = ['user', 'org', 'project'] as const;
export type VariableScope = (typeof VARIABLE_SCOPES)[number];

export interface Slot {
  readonly root_id: string;
  readonly owner_id: string;
  readonly provider: string;
  readonly number: number;
}

export interface LaneEntry {
  readonly type: 'lane';
  readonly lane_id: string;
  readonly schema_version: number;
  readonly min_reader: number;
  readonly generation: number;
  readonly writer_id: string;
  readonly user_id?: string | undefined;
  /** What follows was rolled back: the header, verbatim, of the lane in which it stood. */
  readonly rolled_back?: string | undefined;
}

/** A range of generations whose lines were rolled back, both ends included. */
export interface Rollback {
  readonly from: number;
  readonly to: number;
}

export interface DocumentEntry {
  readonly type: 'document';
  readonly id: string;
  readonly doc_id: string;
  readonly migrated_from?: Json | undefined;
  /** The generations that this one takes back. */
  readonly rolled_back?: Rollback | undefined;
}

export interface ThreadEntry {
  readonly type: 'thread';
  readonly thread_id: string;
  readonly root_message_id?: string | undefined;
  readonly forked_from?: { readonly thread_id: string; readonly message_id?: string | undefined } | undefined;
  readonly created_at: string;
  readonly created_by: string;
  readonly purpose: Purpose;
  readonly slot?: Slot | undefined;
  readonly legacy?: Json | undefined;
}

/** Fields that hold the settings of a thread. `null` clears one; absent leaves it as it is. */
export interface ThreadConfigFields {
  readonly name?: string | null | undefined;
  readonly thread_color?: string | null | undefined;
  readonly thread_icon?: string | null | undefined;
  readonly thread_image?: string | null | undefined;
  readonly pin?: boolean | null | undefined;
  readonly archived?: boolean | null | undefined;
  readonly acp_config?: JsonObject | null | undefined;
  readonly agent_kind?: string | null | undefined;
  readonly session?: JsonObject | null | undefined;
  readonly template?: JsonObject | null | undefined;
  readonly variables?: JsonObject | null | undefined;
  readonly anchor?: JsonObject | null | undefined;
  readonly resolved?: JsonObject | null | undefined;
}

export interface ThreadConfigEntry extends ThreadConfigFields {
  readonly type: 'thread_config';
  readonly id: string;
  readonly thread_id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly updated_at: string;
  readonly updated_by: string;
  readonly legacy?: Json | undefined;
}

export interface MessageEntry {
  readonly type: 'message';
  readonly message_id: string;
  readonly thread_id: string;
  /** Of an answer: the prompt, this try at it, and who runs it. The four stand together or not at all. */
  readonly prompt_id?: string | undefined;
  readonly attempt?: string | undefined;
  readonly epoch?: number | undefined;
  readonly runner_id?: string | undefined;
  readonly reply_to_message_id?: string | undefined;
  /** The last message of the thread that the author saw. Orders; means nothing else. */
  readonly after?: string | undefined;
  readonly client_message_id?: string | undefined;
  readonly sender_id: string;
  readonly date: string;
  readonly expects?: 'answer' | undefined;
  readonly acp_thread_id?: string | undefined;
  readonly legacy?: Json | undefined;
  readonly content?: string | undefined;
}

export interface PartEntry {
  readonly type: 'part';
  readonly attempt: string;
  /** 1, 2, 3 … within the attempt. */
  readonly n: number;
  /** `text` unless given. */
  readonly kind?: string | undefined;
  readonly part_id?: string | undefined;
  readonly state?: string | undefined;
  /** The number of the part that this one goes on, after its lane was lost. */
  readonly continues?: number | undefined;
  readonly title?: string | undefined;
  readonly input?: Json | undefined;
  readonly output?: Json | undefined;
  readonly data?: Json | undefined;
  readonly text?: string | undefined;
  /** A copy of a line that was still open. */
  readonly cut?: true | undefined;
}

export interface FinishEntry {
  readonly type: 'finish';
  readonly id: string;
  readonly attempt: string;
  readonly finish_reason: string;
  readonly acp_thread_id?: string | undefined;
  readonly acp_usage?: JsonObject | undefined;
  readonly error?: JsonObject | undefined;
}

export interface StopEntry {
  readonly type: 'stop';
  readonly id: string;
  readonly message_id: string;
  readonly epoch: number;
  readonly by: string;
}

export interface RetryEntry {
  readonly type: 'retry';
  readonly id: string;
  readonly message_id: string;
  readonly epoch: number;
  readonly by: string;
}

export interface InterruptEntry {
  readonly type: 'interrupt';
  readonly id: string;
  readonly message_id: string;
  readonly attempt: string;
  /** The greatest part number seen when the runner was found gone; 0 is none. */
  readonly seen: number;
}

export interface RevisionEntry {
  readonly type: 'revision';
  readonly id: string;
  readonly message_id: string;
  readonly attempt?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly author_id: string;
  readonly date: string;
  readonly deleted?: boolean | undefined;
  readonly legacy?: Json | undefined;
  readonly content: string;
}

export interface RedactionEntry {
  readonly type: 'redaction';
  readonly id: string;
  readonly message_id: string;
  readonly by: string;
  readonly date: string;
}

export interface ActivationEntry {
  readonly type: 'activation';
  readonly id: string;
  readonly thread_id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly slot: { readonly root_id: string; readonly owner_id: string; readonly provider: string };
}

export interface VariablesEntry {
  readonly type: 'variables';
  readonly id: string;
  readonly replaces?: readonly string[] | undefined;
  readonly scope: VariableScope;
  readonly scope_id: string;
  readonly values: JsonObject;
}

export interface AnnotationEntry {
  readonly type: 'annotation';
  readonly id: string;
  readonly message_id?: string | undefined;
  readonly thread_id?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly user_id: string;
  readonly key: string;
  readonly value: Json;
}

export interface ThreadStateEntry {
  readonly type: 'thread_state';
  readonly id: string;
  readonly thread_id: string;
  readonly active_message_id?: string | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly state: ThreadStateName;
  readonly updated_at: string;
}

/** A row of a legacy file that became no record, or what of it a message has no field for. */
export interface LegacyRowEntry {
  readonly type: 'legacy_row';
  readonly id: string;
  /** The message that it is about, whose redaction takes its text too. */
  readonly message_id?: string | undefined;
  readonly reason?: string | undefined;
  readonly row: Json;
}

/** Every entry but the header of a lane. */
export type Entry =
  | DocumentEntry
  | ThreadEntry
  | ThreadConfigEntry
  | MessageEntry
  | PartEntry
  | FinishEntry
  | StopEntry
  | RetryEntry
  | InterruptEntry
  | RevisionEntry
  | RedactionEntry
  | ActivationEntry
  | VariablesEntry
  | AnnotationEntry
  | ThreadStateEntry
  | LegacyRowEntry;

export type EntryType = Entry['type'] | 'lane';

const id = z.string().refine(isUlid, 'expected a ULID');
const name = z.string().max(4096);
const text = z.string().max(LIMITS.text);
const date = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const number = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const json = z.json();
const object = z.record(z.string(), json);
const ids = z.array(id).max(4096);
const slotKey = { root_id: name, owner_id: name, provider: name };

/** One schema per entry type. Loose: keys that it does not know pass. */
export const entrySchemas: Readonly<Record<EntryType, z.ZodObject>> = {
  lane: z.looseObject({
    type: z.literal('lane'),
    lane_id: id,
    schema_version: number,
    min_reader: number,
    generation: count,
    writer_id: id,
    user_id: name.optional(),
    rolled_back: z.string().optional(),
  }),
  document: z.looseObject({
    type: z.literal('document'),
    id,
    doc_id: id,
    migrated_from: json.optional(),
    rolled_back: z.looseObject({ from: count, to: count }).optional(),
  }),
  thread: z.looseObject({
    type: z.literal('thread'),
    thread_id: id,
    root_message_id: id.optional(),
    forked_from: z.looseObject({ thread_id: id, message_id: id.optional() }).optional(),
    created_at: date,
    created_by: name,
    purpose: z.enum(PURPOSES),
    slot: z.looseObject({ ...slotKey, number }).optional(),
    legacy: json.optional(),
  }),
  thread_config: z.looseObject({
    type: z.literal('thread_config'),
    id,
    thread_id: id,
    replaces: ids.optional(),
    name: text.nullish(),
    thread_color: name.nullish(),
    thread_icon: name.nullish(),
    thread_image: text.nullish(),
    pin: z.boolean().nullish(),
    archived: z.boolean().nullish(),
    acp_config: object.nullish(),
    agent_kind: name.nullish(),
    session: object.nullish(),
    template: object.nullish(),
    variables: object.nullish(),
    anchor: object.nullish(),
    resolved: object.nullish(),
    updated_at: date,
    updated_by: name,
    legacy: json.optional(),
  }),
  message: z.looseObject({
    type: z.literal('message'),
    message_id: id,
    thread_id: id,
    prompt_id: id.optional(),
    attempt: id.optional(),
    epoch: number.optional(),
    runner_id: name.optional(),
    reply_to_message_id: id.optional(),
    after: id.optional(),
    client_message_id: name.optional(),
    sender_id: name,
    date,
    expects: z.literal('answer').optional(),
    acp_thread_id: name.optional(),
    legacy: json.optional(),
    content: text.optional(),
  }),
  part: z.looseObject({
    type: z.literal('part'),
    attempt: id,
    n: number,
    kind: name.optional(),
    part_id: name.optional(),
    state: name.optional(),
    continues: number.optional(),
    title: text.optional(),
    input: json.optional(),
    output: json.optional(),
    data: json.optional(),
    text: text.optional(),
    cut: z.literal(true).optional(),
  }),
  finish: z.looseObject({
    type: z.literal('finish'),
    id,
    attempt: id,
    finish_reason: name,
    acp_thread_id: name.optional(),
    acp_usage: object.optional(),
    error: object.optional(),
  }),
  stop: z.looseObject({ type: z.literal('stop'), id, message_id: id, epoch: number, by: name }),
  retry: z.looseObject({ type: z.literal('retry'), id, message_id: id, epoch: number, by: name }),
  interrupt: z.looseObject({
    type: z.literal('interrupt'),
    id,
    message_id: id,
    attempt: id,
    seen: count,
  }),
  revision: z.looseObject({
    type: z.literal('revision'),
    id,
    message_id: id,
    attempt: id.optional(),
    replaces: ids.optional(),
    author_id: name,
    date,
    deleted: z.boolean().optional(),
    legacy: json.optional(),
    content: text,
  }),
  redaction: z.looseObject({ type: z.literal('redaction'), id, message_id: id, by: name, date }),
  activation: z.looseObject({
    type: z.literal('activation'),
    id,
    thread_id: id,
    replaces: ids.optional(),
    slot: z.looseObject(slotKey),
  }),
  variables: z.looseObject({
    type: z.literal('variables'),
    id,
    replaces: ids.optional(),
    scope: z.enum(VARIABLE_SCOPES),
    scope_id: name,
    values: object,
  }),
  annotation: z.looseObject({
    type: z.literal('annotation'),
    id,
    message_id: id.optional(),
    thread_id: id.optional(),
    replaces: ids.optional(),
    user_id: name,
    key: name,
    value: json,
  }),
  thread_state: z.looseObject({
    type: z.literal('thread_state'),
    id,
    thread_id: id,
    active_message_id: id.optional(),
    replaces: ids.optional(),
    state: z.enum(THREAD_STATES),
    updated_at: date,
  }),
  legacy_row: z.looseObject({
    type: z.literal('legacy_row'),
    id,
    message_id: id.optional(),
    reason: name.optional(),
    row: json,
  }),
};

export interface ReadEntry {
  readonly entry: Entry;
  /** Paths whose values do not fit the schema, smallest first; their fields are left out of `entry`. */
  readonly problem?: string;
}

/**
 * A parsed body as an entry: what fits its schema, plus unknown keys. Never throws; a body that does not fit
 * loses the fields that do not, and says which.
 */
export function readEntry(
  type: Exclude<EntryType, 'lane'>,
  body: Readonly<Record<string, unknown>>,
): ReadEntry {
  const schema = entrySchemas[type];
  const parsed = schema.safeParse(body);
  if (parsed.success) return { entry: parsed.data as unknown as Entry };
  const bad = new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? '')));
  const entry: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) if (!bad.has(key)) entry[key] = value;
  entry['type'] = type;
  return { entry: entry as unknown as Entry, problem: `schema: ${[...bad].sort().join(', ')}` };
}
