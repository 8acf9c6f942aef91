import type { Attempt, Json, JsonObject, Message, Purpose, Thread, ThreadConfig } from '@chatdoc/schema';
import type { RunFollowed, RunInput } from '../runs/run-record.js';
import type { Session, SessionIds } from '../sessions.js';

/** A turn as its agent is asked to work it, frozen at dispatch: nothing in it changes while the agent works. */
export interface Turn {
  readonly thread: Thread;
  readonly config: ThreadConfig;
  readonly prompt: Message;
  /** The conversation in order, up to and including the prompt; of a fork also what it was forked from. */
  readonly messages: readonly Message[];
  /** The last of `messages` that the session does not know yet, the prompt included. All without a session. */
  readonly fresh: readonly Message[];
  /** The provider's side of this thread; absent where it knows nothing that still holds. */
  readonly session?: Session<Purpose>;
  /** The attempt that this one goes on, after a person asked to continue. Its parts are in the answer already. */
  readonly continues?: Attempt;
  /** Other attempts at this answer, oldest first, except the one that this goes on: their tools may have done things. */
  readonly earlier?: readonly Attempt[];
  /** The prompt of a run: its messages with values and secrets filled in. Never written anywhere. */
  readonly run?: RunInput;
  /** Of a prompt that follows a run in its thread. Never written anywhere. */
  readonly follows?: RunFollowed;
  readonly secrets: Readonly<Record<string, string>>;
  readonly message_id: string;
  readonly attempt: string;
  readonly epoch: number;
}

/** One thing that an agent does. Values that a line cannot hold are stored in the nearest form that fits. */
export type TurnEvent =
  | { readonly type: 'text'; readonly text: string }
  /** With `data` the end of one thought, and what its provider wants back with it, such as a signature. */
  | { readonly type: 'reasoning'; readonly text: string; readonly data?: Json }
  /** The same `part_id` again updates the call. A state of `TOOL_ENDS` ends it. */
  | {
      readonly type: 'tool_call';
      readonly part_id: string;
      readonly state?: string;
      readonly title?: string;
      readonly input?: Json;
      readonly output?: Json;
      /** Anything else of the call, such as its kind, locations and diffs. Its fields replace earlier ones. */
      readonly data?: JsonObject;
    }
  | { readonly type: 'plan'; readonly data: Json }
  | { readonly type: 'file'; readonly title?: string; readonly data: Json }
  /** For people to read in the record: why something went otherwise than asked. Never holds secrets. */
  | { readonly type: 'notice'; readonly code: string; readonly message?: string }
  /**
   * Ids of the provider's conversation, returned in `Turn.session` next time. A turn that completes saves the last
   * ones. One that was stopped or failed saves only the last that are `confirmed`: the provider can go on from
   * there, and has seen the prompt and all that the agent yielded before.
   */
  | { readonly type: 'session'; readonly session: SessionIds; readonly confirmed?: boolean }
  | { readonly type: 'usage'; readonly usage: JsonObject }
  /** The agent is done, and of a stop: it has stopped. What comes after is refused, and counted. */
  | { readonly type: 'finish'; readonly finish_reason?: string };

/**
 * Works one turn. It must end soon after `signal` aborts, and may give what it still has before it does; what
 * does not end is left behind after a while. Ending without `finish` is finishing with `stop`.
 */
export type Agent = (turn: Turn, signal: AbortSignal) => AsyncIterable<TurnEvent>;

/** States in which a tool call is over. */
export const TOOL_ENDS: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/**
 * An error of which `code` and `message` may be in the document, without the secrets of the turn. Of any
 * other nothing is written but `agent_failed`: its message may hold what somebody wrote.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Codes of failed turns, as their finish has them. Each is produced by a test. */
export type TurnErrorCode =
  /** The agent threw something that is not an `AgentError`. */
  | 'agent_failed'
  /** No event for too long, or no end within the time of a turn. */
  | 'timeout'
  /** An event that nothing can be stored of. The turn goes on: the code is in a notice. */
  | 'bad_event'
  /** What the agent needs could not be put together. */
  | 'dispatch_failed'
  /** The run names a secret that the host did not give. */
  | 'missing_secret';
