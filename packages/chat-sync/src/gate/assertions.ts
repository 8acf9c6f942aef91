import type { ChatReader, Entry, LaneEntry } from '@chatdoc/schema';
import { deriveInterruptId, deriveSlotThreadId } from '@chatdoc/schema/internal';

/** What a peer does by writing a line. */
export type GateAction =
  /** Writes in lanes whose header names `author`, without being authenticated as anybody. */
  | 'lane'
  /** Writes lines of others under their own headers, rows of legacy files, which document this is. */
  | 'import'
  | 'create_thread'
  | 'configure'
  | 'activate'
  | 'set_state'
  | 'send'
  /** Opens an attempt at an answer: `author` is the name of the agent. */
  | 'answer'
  | 'edit'
  | 'delete'
  | 'redact'
  | 'stop'
  | 'retry'
  | 'interrupt'
  | 'annotate'
  | 'set_variables'
  /** A line of a later schema. */
  | 'later';

/** What a peer asserts by writing a line, as a rule is asked about it. */
export interface Assertion {
  /** The user whom the server has authenticated; undefined for nobody. */
  readonly user: string | undefined;
  readonly action: GateAction;
  /** The author whom the line names; null for lines that name nobody. */
  readonly author: string | null;
  /**
   * Of a line about a message: whether all of the message's lines are in lanes of the user in whose lane this
   * one is. An answer is its runners', not whose prompt it answers.
   */
  readonly own: boolean;
  /** Undefined for `import` and `later`. */
  readonly entry: Entry | LaneEntry | undefined;
  /** The chat as it is before the update. */
  readonly chat: ChatReader;
}

/** A rule of the embedder: whether it allows what a peer asserts. Must not write to the document, and must not throw. */
export type Authorize = (assertion: Assertion) => boolean;

/**
 * The rule where an embedder gives none: everybody speaks as themselves; a peer that is not authenticated, as anybody.
 * Only one's own messages can be redacted, and nobody imports.
 */
export function allowOwnName({ user, action, author, own }: Assertion): boolean {
  if (action === 'import') return false;
  if (action === 'redact' && !own) return false;
  return user === undefined || author === null || author === user;
}

export interface NamedAuthor {
  readonly action: GateAction;
  readonly author: string | null;
  /** The message that the entry is about. */
  readonly message_id: string | undefined;
}

/** What has to be asked about an entry; undefined for parts and finishes, which belong to their attempt's writer. */
export function findAssertion(entry: Entry): NamedAuthor | undefined {
  switch (entry.type) {
    case 'thread':
      return name('create_thread', entry.created_by);
    case 'thread_config':
      return name('configure', entry.updated_by);
    case 'message':
      return name(entry.attempt === undefined ? 'send' : 'answer', entry.sender_id);
    case 'revision':
      return name(entry.deleted === true ? 'delete' : 'edit', entry.author_id, entry.message_id);
    case 'redaction':
      return name('redact', entry.by, entry.message_id);
    case 'stop':
    case 'retry':
      return name(entry.type, entry.by, entry.message_id);
    case 'interrupt':
      return name('interrupt', null, entry.message_id);
    case 'annotation':
      return name('annotate', entry.user_id, entry.message_id);
    case 'variables':
      return name('set_variables', entry.scope === 'user' ? entry.scope_id : null);
    case 'activation':
      return name('activate', null);
    case 'thread_state':
      return name('set_state', null);
    case 'document':
    case 'legacy_row':
      return name('import', null);
    default:
      return undefined;
  }
}

function name(action: GateAction, author: string | null, message_id?: string): NamedAuthor {
  return { action, author, message_id };
}

/** Whether everybody who writes this entry writes the same id: another's line of it takes nothing away. */
export function isShared(entry: Entry): boolean {
  if (entry.type === 'interrupt') return entry.id === deriveInterruptId(entry.attempt, entry.seen);
  if (entry.type !== 'thread' || entry.slot === undefined) return false;
  return entry.thread_id === deriveSlotThreadId(entry.slot, entry.purpose);
}
