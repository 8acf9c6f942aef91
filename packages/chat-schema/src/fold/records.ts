import type { Json, JsonObject } from '../entry/json.js';
import type { LaneEntry } from '../entry/lane.js';
import type { QuarantineReason } from '../entry/line.js';
import type { Purpose, Slot } from '../entry/thread.js';
import type { ThreadConfigFields } from '../entry/thread-config.js';
import type { ThreadStateName } from '../entry/thread-state.js';
import type { ChatDocErrorCode } from '../host/errors.js';

/** The records that callers read, as the fold yields them. All are frozen, and stay the same object until changed. */

export interface Thread {
  readonly thread_id: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly purpose: Purpose;
  readonly slot?: Slot;
  readonly forked_from?: { readonly thread_id: string; readonly message_id?: string | undefined };
  /** The first message in reading order; null while the thread has none. */
  readonly root_message_id: string | null;
  readonly schema_version: number;
  readonly legacy?: Json;
  readonly problem?: string;
}

/** A field that nobody set, or that was cleared, is absent. */
export type ThreadConfig = { readonly thread_id: string } & {
  readonly [K in keyof ThreadConfigFields]: NonNullable<ThreadConfigFields[K]>;
} & {
  /** Of the latest entry that shows in any field. */
  readonly updated_at?: string;
  readonly updated_by?: string;
};

export interface Version {
  /** The revision's id; null for the first content. */
  readonly id: string | null;
  readonly author_id: string;
  readonly date: string;
  readonly content: string;
  readonly deleted: boolean;
}

export interface Part {
  readonly n: number;
  readonly kind: string;
  readonly part_id?: string;
  readonly state?: string;
  readonly title?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly data?: Json;
  readonly text?: string;
  /** Still being written, or cut off by a crash. */
  readonly open: boolean;
}

export type AttemptState = 'open' | 'settled' | 'interrupted';

export interface Attempt {
  readonly attempt: string;
  /** Effective: what counts, not what was written. */
  readonly epoch: number;
  readonly runner_id: string;
  readonly sender_id: string;
  readonly date: string;
  readonly state: AttemptState;
  readonly stop_requested: boolean;
  readonly finish_reason?: string;
  readonly error?: JsonObject;
  readonly acp_usage?: JsonObject;
  readonly acp_thread_id?: string;
  readonly content: string;
  readonly parts: readonly Part[];
}

export interface Message {
  readonly message_id: string;
  readonly thread_id: string;
  readonly sender_id: string;
  /** For display. Never orders. */
  readonly date: string;
  readonly content: string;
  /** Oldest first; the last is what shows. */
  readonly history: readonly Version[];
  readonly deleted: boolean;
  readonly redacted: boolean;
  readonly generating: boolean;
  readonly parts: readonly Part[];
  readonly reply_to_message_id?: string;
  readonly after?: string;
  readonly client_message_id?: string;
  readonly expects?: 'answer';
  /** Of an answer: the fields of its shown attempt, and the attempts that do not show. */
  readonly prompt_id?: string;
  readonly attempt?: Attempt;
  readonly alternates: readonly Attempt[];
  readonly acp_usage?: JsonObject;
  readonly acp_thread_id?: string;
  readonly acp_interrupted: boolean;
  readonly schema_version: number;
  readonly legacy?: Json;
  readonly problem?: string;
}

export interface ThreadState {
  readonly thread_id: string;
  readonly state: ThreadStateName;
  readonly active_message_id?: string;
}

export interface Annotation {
  readonly id: string;
  readonly message_id?: string;
  readonly thread_id?: string;
  readonly user_id: string;
  readonly key: string;
  readonly value: Json;
}

export interface ConfigConflict {
  readonly field: keyof ThreadConfigFields;
  /** The entries that nobody has replaced, greatest first; the first one shows. */
  readonly entries: readonly { readonly id: string; readonly updated_by: string; readonly value: Json }[];
}

export interface TextDelta {
  readonly message_id: string;
  readonly attempt: string;
  readonly n: number;
  readonly text: string;
}

/** The changes of one transaction. Ids are those of records to read again; each list is sorted and without repeats. */
export interface ChatChange {
  readonly messages: readonly string[];
  /** Threads whose record, config, state or list of messages may have changed. */
  readonly threads: readonly string[];
  /** Document-wide entries: ids, variables. */
  readonly document: boolean;
  /** Text appended to open parts, in order. */
  readonly deltas: readonly TextDelta[];
  readonly origin: unknown;
  readonly local: boolean;
}

export interface LineReport {
  readonly lane_id: string | null;
  readonly line: string;
}

export interface QuarantinedLine extends LineReport {
  readonly reason: QuarantineReason;
}

export interface DamagedLine extends LineReport {
  readonly header: LaneEntry | null;
}

export interface Waiting {
  readonly messages_without_thread: number;
  readonly parts_without_attempt: number;
  readonly entries_about_absent_messages: number;
  readonly config_without_thread: number;
}

export interface ChatReport {
  readonly lanes: number;
  readonly lines: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly future_stamps: number;
  /** Counts by type name, sorted; without a prototype. */
  readonly unknown_types: Readonly<Record<string, number>>;
  readonly hidden_lanes: readonly string[];
  /** Lanes of what a rollback took back: kept, not folded. */
  readonly rolled_back_lanes: readonly string[];
  /** Texts that hold characters of other clients, and how many. */
  readonly foreign: readonly { readonly key: string; readonly characters: number }[];
  /** Entries of an attempt from lanes of another writer. */
  readonly ignored: readonly LineReport[];
  readonly damaged: number;
}

export type ImportResult =
  | { readonly ok: true; readonly lines: number }
  | { readonly ok: false; readonly code: ChatDocErrorCode; readonly line: number };
