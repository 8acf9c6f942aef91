import type { Json } from '../entry/json.js';
import type { Purpose, Slot } from '../entry/thread.js';
import { CONFIG_FIELDS, type ThreadConfigFields } from '../entry/thread-config.js';
import type { ThreadStateName } from '../entry/thread-state.js';
import type { VariableScope } from '../entry/variables.js';
import type { Environment } from '../host/environment.js';

/** Arguments of the calls that write. Times are ISO-8601 UTC with milliseconds; absent ones are now. */

export interface ChatOptions {
  /** Name of the root map. Defaults to `chat`. */
  readonly root?: string;
  readonly environment?: Environment;
  /** Written in the headers of our lanes: an assertion that only a gate verifies. */
  readonly user_id?: string;
  /** Generation of the document, as its file or room has it. Defaults to 0. */
  readonly generation?: number;
  /** Gets what a listener threw. Defaults to an uncaught error, as of an event listener. */
  readonly reportError?: (error: unknown) => void;
  /** Writes nothing at all: for documents whose frame asks for a later reader. */
  readonly readOnly?: boolean;
}

export interface NewThread extends ThreadConfigFields {
  readonly created_by: string;
  readonly created_at?: string;
  readonly purpose?: Purpose;
  /** With a slot the id derives from it: creating the same thread again gives the one that is there. */
  readonly slot?: Omit<Slot, 'number'> & { readonly number?: number };
  readonly root_message_id?: string;
  readonly forked_from?: { readonly thread_id: string; readonly message_id?: string };
  readonly legacy?: Json;
}

export interface ConfigChange extends ThreadConfigFields {
  readonly thread_id: string;
  readonly updated_by: string;
  readonly updated_at?: string;
}

export interface NewMessage {
  readonly thread_id: string;
  readonly sender_id: string;
  readonly content: string;
  readonly date?: string;
  readonly reply_to_message_id?: string;
  /** Makes the call idempotent, with `date`: a retry gives both again. */
  readonly client_message_id?: string;
  /** Makes the message a prompt. */
  readonly expects?: 'answer';
  readonly legacy?: Json;
}

export type NewStreamedMessage = Omit<NewMessage, 'content' | 'client_message_id' | 'expects'>;

export interface NewAttempt {
  readonly prompt_id: string;
  readonly sender_id: string;
  readonly runner_id: string;
  /** Defaults to the epoch that is asked for. */
  readonly epoch?: number;
  readonly date?: string;
  readonly acp_thread_id?: string;
}

export interface Edit {
  readonly message_id: string;
  readonly author_id: string;
  readonly content: string;
  readonly date?: string;
}

export type Annotating = {
  readonly user_id: string;
  /** `reaction:👍`, `feedback`, `read`, … */
  readonly key: string;
  /** null clears. */
  readonly value: Json;
} & ({ readonly message_id: string } | { readonly thread_id: string });

export interface VariableChange {
  readonly scope: VariableScope;
  readonly scope_id: string;
  readonly values: Readonly<Record<string, Json>>;
}

export interface StateChange {
  readonly thread_id: string;
  readonly state: ThreadStateName;
  readonly active_message_id?: string;
  readonly updated_at?: string;
}

/** The keys of an argument, so that one which it does not have is refused. */
type Keys<T> = { readonly [K in keyof Required<T>]: true };

const CONFIG = Object.fromEntries(CONFIG_FIELDS.map((field) => [field, true])) as Keys<ThreadConfigFields>;
const MESSAGE: Keys<NewStreamedMessage> = {
  thread_id: true,
  sender_id: true,
  date: true,
  reply_to_message_id: true,
  legacy: true,
};
const ABOUT = { message_id: true, by: true } as const;
const DELETION: Keys<Omit<Edit, 'content'>> = { message_id: true, author_id: true, date: true };
const SLOT: Keys<Slot> = { root_id: true, owner_id: true, provider: true, number: true };
const ANNOTATION = { user_id: true, key: true, value: true } as const;

const BY_CALL = {
  createThread: {
    ...CONFIG,
    created_by: true,
    created_at: true,
    purpose: true,
    slot: true,
    root_message_id: true,
    forked_from: true,
    legacy: true,
  } satisfies Keys<NewThread>,
  slot: SLOT,
  forked_from: { thread_id: true, message_id: true } satisfies Keys<NonNullable<NewThread['forked_from']>>,
  configure: { ...CONFIG, thread_id: true, updated_by: true, updated_at: true } satisfies Keys<ConfigChange>,
  send: { ...MESSAGE, content: true, client_message_id: true, expects: true } satisfies Keys<NewMessage>,
  edit: { ...DELETION, content: true } satisfies Keys<Edit>,
  delete: DELETION,
  redact: { ...ABOUT, date: true },
  annotateMessage: { ...ANNOTATION, message_id: true },
  annotateThread: { ...ANNOTATION, thread_id: true },
  setVariables: { scope: true, scope_id: true, values: true } satisfies Keys<VariableChange>,
  setState: {
    thread_id: true,
    state: true,
    active_message_id: true,
    updated_at: true,
  } satisfies Keys<StateChange>,
  openAttempt: {
    prompt_id: true,
    sender_id: true,
    runner_id: true,
    epoch: true,
    date: true,
    acp_thread_id: true,
  } satisfies Keys<NewAttempt>,
  openMessage: MESSAGE,
  stop: ABOUT,
  retry: ABOUT,
  interrupt: { message_id: true, attempt: true },
} as const;

/** Calls whose argument is judged by its keys, and what is judged inside one. */
export type KeyedArgument =
  | 'createThread'
  | 'slot'
  | 'forked_from'
  | 'configure'
  | 'send'
  | 'edit'
  | 'delete'
  | 'redact'
  | 'annotateMessage'
  | 'annotateThread'
  | 'setVariables'
  | 'setState'
  | 'openAttempt'
  | 'openMessage'
  | 'stop'
  | 'retry'
  | 'interrupt';

/** The keys of each argument. */
export const KEYS: Readonly<Record<KeyedArgument, Readonly<Record<string, true>>>> = BY_CALL;
