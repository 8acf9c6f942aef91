import type { Json, JsonObject, ThreadConfigFields } from '@chatdoc/schema';
import type { SourceRow } from '../source/rows.js';

/** A part of a message as its source has it. */
export interface Piece {
  readonly kind: 'text' | 'reasoning' | 'tool_call' | 'file';
  /** Stable across revisions of the source: the number of the part hashes it. */
  readonly key: string;
  readonly text?: string | undefined;
  readonly title?: string | undefined;
  /** Of a tool call, its id. */
  readonly part_id?: string | undefined;
  readonly input?: Json | undefined;
  readonly output?: Json | undefined;
  readonly state?: 'completed' | 'failed' | undefined;
  readonly data?: Json | undefined;
  /** May still grow: a later revision of the source has more of it. */
  readonly isOpen?: boolean;
}

/** The result of a tool call, which comes after it. */
export interface CallResult {
  readonly kind: 'result';
  /** Id of the call; absent where the source pairs them by name and place. */
  readonly call?: string | undefined;
  readonly title?: string | undefined;
  readonly output: Json;
  readonly isFailed: boolean;
}

/**
 * `person` asks for an answer, `aside` is a prompt that the running answer took in, `model` is an answer or a step of
 * one.
 */
type Speaker = 'person' | 'aside' | 'model';

export type End = 'stop' | 'stopped' | 'error';

/** A node of a conversation: what one row of the source contributes to a message. */
export interface Spoken {
  readonly row: SourceRow;
  /** Unique in its format: identity, whatever file it is in. */
  readonly key: string;
  /** `key` of the node before it. Absent at a root. */
  readonly parent: string | undefined;
  readonly by: Speaker;
  /** The thread that it would continue: the session that it was written in. */
  readonly home: string;
  readonly time: number | undefined;
  /** Time that ids have, where that of the node differs between copies of it. */
  readonly stamp?: number | undefined;
  /** A copy that has not the time of the original: its line gives way to that one. */
  readonly isCopy?: boolean;
  readonly sender_id: string;
  /** Of a person, the text. */
  readonly text?: string;
  readonly pieces: readonly (Piece | CallResult)[];
  /** How the answer ended with this node. */
  readonly end?: End | undefined;
  readonly error?: JsonObject | undefined;
  /** More of the same step may follow after its end. */
  readonly unit?: string | undefined;
  /** Of the unit; the last one of a unit counts. */
  readonly usage?: JsonObject | undefined;
  /** Of the agent's own session. */
  readonly acp_thread_id?: string | undefined;
  /** Facts that never change and have no field. */
  readonly legacy?: JsonObject | undefined;
  /** Columns that no entry has. */
  readonly rest?: JsonObject | undefined;
  /** A thumb on it. */
  readonly feedback?: JsonObject | undefined;
}

/** A thread of a source, and its settings. */
export interface Home {
  readonly key: string;
  readonly purpose: 'chat' | 'run';
  /** Absent where only its messages date it. */
  readonly time?: number | undefined;
  readonly creator?: string | undefined;
  /** Title given by a person or a model. */
  readonly name?: string | undefined;
  /** Whether the program shows the first prompt where there is no title. */
  readonly isNamedByPrompt?: boolean;
  /** When the settings were last changed. */
  readonly updated?: number | undefined;
  readonly config?: ThreadConfigFields | undefined;
  readonly legacy?: JsonObject | undefined;
  /** Immutable, on the thread itself. */
  readonly facts?: JsonObject | undefined;
  /** Rows of the source that are about the thread. */
  readonly rows: readonly SourceRow[];
}
