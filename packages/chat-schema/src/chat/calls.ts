import type { Message, Thread, ThreadConfig } from '../fold/records.js';
import type { AttemptWriter } from './attempt-writer.js';
import type {
  Annotating,
  ConfigChange,
  Edit,
  NewAttempt,
  NewMessage,
  NewStreamedMessage,
  NewThread,
  StateChange,
  VariableChange,
} from './options.js';

/**
 * The calls that append entries. Each is one transaction, and reads back what it wrote. All throw `invalid_argument` for
 * what a reader would quarantine, `not_found` for what they refer to and the chat does not have, `read_only`, `closed`,
 * and `detached` where the map of the chat is no longer in a document.
 */
export interface ChatCalls {
  createThread(thread: NewThread): Thread;
  configure(change: ConfigChange): ThreadConfig;
  send(message: NewMessage): Message;
  edit(edit: Edit): Message;
  /** The message shows empty; what it said stays in its history. `redact` takes the text itself. */
  delete(deletion: Omit<Edit, 'content'>): Message;
  /** Deletes every text of the message, its revisions and its attempts from the document, for everyone, permanently. */
  redact(redaction: { message_id: string; by: string; date?: string }): Message;
  annotate(annotation: Annotating): void;
  setVariables(change: VariableChange): void;
  /** Sets the state of a thread, by a host. It shows until the next turn entry. */
  setState(change: StateChange): void;
  /** Makes the thread the active one of its slot. Takes a `Thread` as it is. */
  activate(activation: { thread_id: string }): void;
  /** Opens an attempt at a prompt: its message line, in a lane of its own. Whether to is the caller's business. */
  openAttempt(opening: NewAttempt): AttemptWriter;
  /** Opens a message that answers nothing and whose parts are streamed. It is `generating` while a part is open. */
  openMessage(message: NewStreamedMessage): AttemptWriter;
  /** Asks the runner of the answer to stop, or takes its prompt out of the queue. `message_id`: answer or prompt. */
  stop(stop: { message_id: string; by: string }): void;
  /** Asks for another attempt. Nothing is written while one is asked for that nobody has begun. */
  retry(retry: { message_id: string; by: string }): void;
  /** Records that the runner of an open attempt is gone. Its later entries void it. */
  interrupt(interrupt: { message_id: string; attempt?: string }): void;
}
