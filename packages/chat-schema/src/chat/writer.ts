import type * as Y from 'yjs';
import type { Json, JsonObject } from '../entry/json.js';
import { MAX_REPLACES } from '../entry/limits.js';
import type { MessageEntry } from '../entry/message.js';
import type { Entry } from '../entry/table.js';
import { CONFIG_FIELDS, type ThreadConfigFields } from '../entry/thread-config.js';
import {
  assertUlid,
  deriveAnswerId,
  deriveInterruptId,
  deriveMessageId,
  deriveSlotThreadId,
  formatDate,
  type StampClock,
} from '../entry/ulid.js';
import { type FoldedMessage, foldNew } from '../fold/message-record.js';
import type { Message, Thread, ThreadConfig } from '../fold/records.js';
import { listSessions } from '../fold/session.js';
import type { ThreadLine } from '../fold/thread.js';
import type { Environment } from '../host/environment.js';
import { assertKeys, assertObject, assertString, ChatDocError, describeValue } from '../host/errors.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { LanePool, OwnLane } from '../lane/pool.js';
import { type AttemptWriter, LaneAttemptWriter } from './attempt-writer.js';
import type { ChatCalls } from './calls.js';
import type { Folds } from './folds.js';
import {
  type Annotating,
  type ConfigChange,
  type Edit,
  KEYS,
  type NewAttempt,
  type NewMessage,
  type NewStreamedMessage,
  type NewThread,
  type StateChange,
  type VariableChange,
} from './options.js';
import type { Reader } from './reader.js';
import { deletePrivateText } from './redaction.js';
import { encodeChecked, type Transactor } from './transaction.js';

/** The parts of a chat that the writer needs. */
export interface WriterParts {
  readonly index: EntryIndex;
  readonly folds: Folds;
  readonly reader: Reader;
  readonly environment: Environment;
  readonly stamps: StampClock;
  readonly lanes: LanePool;
  readonly transactor: Transactor;
}

/** The calls that append entries. Each is one transaction, and reads back what it wrote. */
export class Writer implements ChatCalls {
  readonly #index: EntryIndex;
  readonly #folds: Folds;
  readonly #reader: Reader;
  readonly #env: Environment;
  readonly #stamps: StampClock;
  readonly #lanes: LanePool;
  readonly #transactor: Transactor;
  /** By thread, its last message, which nothing in it outranks: saves looking at the order for each send. */
  readonly #tails = new Map<string, string>();

  constructor({ index, folds, reader, environment, stamps, lanes, transactor }: WriterParts) {
    this.#index = index;
    this.#folds = folds;
    this.#reader = reader;
    this.#env = environment;
    this.#stamps = stamps;
    this.#lanes = lanes;
    this.#transactor = transactor;
  }

  /** Others may have written to the thread. */
  forgetTail(threadId: string): void {
    this.#tails.delete(threadId);
  }

  readonly createThread = (thread: NewThread): Thread => {
    this.#begin('createThread', thread, KEYS.createThread);
    for (const path of ['slot', 'forked_from'] as const) {
      const value: unknown = thread[path];
      if (value === undefined) continue;
      assertObject(value, path);
      assertKeys(value, KEYS[path], path);
    }
    const purpose = thread.purpose ?? 'chat';
    const slot = thread.slot === undefined ? undefined : { ...thread.slot, number: thread.slot.number ?? 1 };
    const thread_id = slot === undefined ? this.#stamps.next() : deriveSlotThreadId(slot, purpose);
    const known = slot === undefined ? undefined : this.#reader.thread(thread_id);
    if (known !== undefined) return known;
    this.#assertIn(thread_id, thread.root_message_id, 'root_message_id');
    this.#assertSession(thread_id, thread.session);
    const created_at = thread.created_at ?? this.#now();
    const entries: Entry[] = [
      {
        type: 'thread',
        thread_id,
        root_message_id: thread.root_message_id,
        forked_from: thread.forked_from,
        created_at,
        created_by: thread.created_by,
        purpose,
        slot,
        legacy: thread.legacy,
      },
    ];
    const fields = pickConfig(thread);
    if (Object.keys(fields).length > 0) {
      entries.push({
        type: 'thread_config',
        id: this.#stamps.next(),
        thread_id,
        ...fields,
        updated_at: created_at,
        updated_by: thread.created_by,
      });
    }
    this.#write('createThread', entries);
    return this.#reader.thread(thread_id) as Thread;
  };

  readonly configure = (change: ConfigChange): ThreadConfig => {
    this.#begin('configure', change, KEYS.configure);
    const { thread_id, updated_by, updated_at = this.#now() } = change;
    this.#assertThread(thread_id);
    this.#assertSession(thread_id, change.session);
    const fields = pickConfig(change);
    const names = Object.keys(fields) as (keyof ThreadConfigFields)[];
    if (names.length > 0) {
      const replaces = this.#folds.factsById(thread_id)?.settings.heads(names) ?? [];
      const id = this.#stamps.next();
      this.#write('configure', [
        {
          type: 'thread_config',
          id,
          thread_id,
          ...listed(sorted(replaces)),
          updated_at,
          updated_by,
          ...fields,
        },
      ]);
    }
    return this.#reader.config(thread_id);
  };

  readonly send = (message: NewMessage): Message => {
    this.#begin('send', message, KEYS.send);
    const { thread_id, sender_id, content, client_message_id, reply_to_message_id, expects, legacy } =
      message;
    this.#assertThread(thread_id);
    this.#assertIn(thread_id, reply_to_message_id, 'reply_to_message_id');
    const date = message.date ?? this.#now();
    let message_id: string;
    if (client_message_id === undefined) {
      message_id = this.#stamps.next();
    } else {
      assertString(sender_id, 'sender_id');
      assertString(client_message_id, 'client_message_id');
      assertDate(date);
      message_id = deriveMessageId(date, thread_id, sender_id, client_message_id);
      const known = this.#reader.message(message_id);
      if (known !== undefined) return this.#resend(known, message);
    }
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      reply_to_message_id,
      after: this.#findAfter(thread_id, message_id),
      client_message_id,
      sender_id,
      date,
      expects,
      legacy,
      content,
    };
    assertString(content, 'content');
    this.#write('send', [entry]);
    const target =
      reply_to_message_id === undefined ? thread_id : this.#reader.message(reply_to_message_id)?.thread_id;
    if (entry.after === undefined && target === thread_id) this.#tails.set(thread_id, message_id);
    // JSON may change what a caller hangs on: then it is read back like any other line.
    if (legacy === undefined) this.#seed(entry);
    return this.#reader.message(message_id) as Message;
  };

  /**
   * The last message of the thread, where the new one must say that it comes after it. A stamp above all that
   * orders the last message records that already.
   */
  #findAfter(threadId: string, messageId: string): string | undefined {
    const tail = this.#tails.get(threadId);
    if (tail !== undefined && messageId > tail) return undefined;
    const thread = this.#index.refs.find(threadId);
    const last = thread === undefined ? undefined : this.#folds.listOf(thread).order.last();
    if (last === undefined) return undefined;
    const { refs } = this.#index;
    return last.isFinal && messageId > refs.idOf(last.eff) ? undefined : refs.idOf(last.ref);
  }

  /** The same client id again: the same text is a retry, another one a revision. Nothing is dropped. */
  #resend(known: Message, { sender_id, content, date }: NewMessage): Message {
    if (known.history.some((version) => version.content === content && version.author_id === sender_id))
      return known;
    return this.edit({ message_id: known.message_id, author_id: sender_id, content, ...(date && { date }) });
  }

  readonly edit = (edit: Edit): Message => {
    this.#begin('edit', edit, KEYS.edit);
    const { message_id, author_id, content, date } = edit;
    return this.#revise('edit', message_id, author_id, content, date, false);
  };

  readonly delete = (deletion: Omit<Edit, 'content'>): Message => {
    this.#begin('delete', deletion, KEYS.delete);
    const { message_id, author_id, date } = deletion;
    return this.#revise('delete', message_id, author_id, '', date, true);
  };

  #revise(
    call: string,
    message_id: string,
    author_id: string,
    content: string,
    date: string | undefined,
    deleted: boolean,
  ): Message {
    const folded = this.#assertMessage(message_id);
    this.#write(call, [
      {
        type: 'revision',
        id: this.#stamps.next(),
        message_id,
        attempt: folded.message.attempt?.attempt,
        ...listed(folded.revisionHeads),
        author_id,
        date: date ?? this.#now(),
        ...(deleted && { deleted }),
        content,
      },
    ]);
    return this.#reader.message(message_id) as Message;
  }

  readonly redact = (redaction: { message_id: string; by: string; date?: string }): Message => {
    this.#begin('redact', redaction, KEYS.redact);
    const { message_id, by, date } = redaction;
    this.#assertMessage(message_id);
    const ref = this.#index.refs.find(message_id) as number;
    if (!this.#index.isRedacted(ref)) {
      const id = this.#stamps.next();
      const entry: Entry = { type: 'redaction', id, message_id, by, date: date ?? this.#now() };
      // One update, also within another's transaction: a deletion that travels alone would be kept aside as damage.
      this.#write('redact', [entry], (transaction) => deletePrivateText(transaction, this.#index, [ref]));
    }
    return this.#reader.message(message_id) as Message;
  };

  readonly annotate = (annotation: Annotating): void => {
    this.#begin(
      'annotate',
      annotation,
      'message_id' in Object(annotation) ? KEYS.annotateMessage : KEYS.annotateThread,
    );
    const { user_id, key, value } = annotation;
    assertString(user_id, 'user_id');
    assertString(key, 'key');
    const ofMessage = 'message_id' in annotation;
    const id = ofMessage ? annotation.message_id : annotation.thread_id;
    if (ofMessage) this.#assertMessage(id);
    else this.#assertThread(id);
    const ref = this.#index.refs.find(id) as number;
    const seen = ofMessage || key !== 'read' ? undefined : this.#countSeen(id, user_id, value);
    const annotations = ofMessage ? this.#folds.annotationsOf(ref) : this.#folds.factsOf(ref).annotations;
    this.#write('annotate', [
      {
        type: 'annotation',
        id: this.#stamps.next(),
        ...(ofMessage ? { message_id: id } : { thread_id: id }),
        ...listed(annotations.heads(user_id, key)),
        user_id,
        key,
        value,
        seen,
      },
    ]);
  };

  /** How many messages of others are up to the marked one. Throws `invalid_argument` for one that is not of the thread. */
  #countSeen(threadId: string, userId: string, value: Json): number | undefined {
    if (value === null) return undefined;
    const list = this.#folds.listOf(this.#index.refs.find(threadId) as number);
    const ref = typeof value === 'string' ? this.#index.refs.find(value) : undefined;
    const place = ref === undefined ? -1 : list.placeOf(ref);
    if (place >= 0) return this.#reader.countOthers(list, userId, 0, place + 1);
    // Of a fork also what was there before it.
    if (this.#reader.transcript(threadId).some(({ message_id }) => message_id === value)) return 0;
    throw new ChatDocError(
      'invalid_argument',
      'value',
      `expected null or a message of the thread, got ${describeValue(value)}`,
    );
  }

  readonly setVariables = (change: VariableChange): void => {
    this.#begin('setVariables', change, KEYS.setVariables);
    const { scope, scope_id, values } = change;
    assertString(scope, 'scope');
    assertString(scope_id, 'scope_id');
    assertObject(values, 'values');
    const heads = this.#folds.variables.heads(scope, scope_id, Object.keys(values ?? {}));
    const id = this.#stamps.next();
    this.#write('setVariables', [
      { type: 'variables', id, ...listed(sorted(heads)), scope, scope_id, values },
    ]);
  };

  readonly setState = (change: StateChange): void => {
    this.#begin('setState', change, KEYS.setState);
    const { thread_id, state, active_message_id, updated_at } = change;
    this.#assertThread(thread_id);
    const heads = this.#folds.factsById(thread_id)?.stateHeads() ?? [];
    this.#write('setState', [
      {
        type: 'thread_state',
        id: this.#stamps.next(),
        thread_id,
        active_message_id,
        ...listed(heads),
        state,
        updated_at: updated_at ?? this.#now(),
      },
    ]);
  };

  readonly activate = (activation: { thread_id: string }): void => {
    this.#begin('activate', activation);
    const { thread_id } = activation;
    const thread = this.#assertThread(thread_id);
    if (thread.slot === undefined) {
      throw new ChatDocError(
        'invalid_argument',
        'thread_id',
        'expected a thread with a slot, got one without',
      );
    }
    const { root_id, owner_id, provider } = thread.slot;
    const threads = this.#folds.slotThreads({ ...thread.slot, purpose: thread.purpose });
    const heads = this.#folds.activationHeads(threads);
    const id = this.#stamps.next();
    const slot = { root_id, owner_id, provider };
    this.#write('activate', [
      { type: 'activation', id, thread_id, ...listed(heads.map((head) => head.id)), slot },
    ]);
  };

  readonly openAttempt = (opening: NewAttempt): AttemptWriter => {
    this.#begin('openAttempt', opening, KEYS.openAttempt);
    const { prompt_id, sender_id, runner_id, epoch, date, acp_thread_id } = opening;
    const prompt = this.#assertMessage(prompt_id, 'prompt_id').message;
    if (prompt.expects !== 'answer') {
      throw new ChatDocError('invalid_argument', 'prompt_id', 'expected a message that expects an answer');
    }
    const message_id = deriveAnswerId(prompt_id);
    const attempt = this.#stamps.next();
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id: prompt.thread_id,
      prompt_id,
      attempt,
      epoch: omitFirst(epoch ?? this.#folds.turnOf(message_id).epochs.asked),
      runner_id,
      sender_id,
      date: date ?? this.#now(),
      acp_thread_id,
    };
    return this.#openWriter('openAttempt', entry, attempt);
  };

  readonly openMessage = (message: NewStreamedMessage): AttemptWriter => {
    this.#begin('openMessage', message, KEYS.openMessage);
    const { thread_id, sender_id, reply_to_message_id, date, legacy } = message;
    this.#assertThread(thread_id);
    this.#assertIn(thread_id, reply_to_message_id, 'reply_to_message_id');
    const message_id = this.#stamps.next();
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      reply_to_message_id,
      after: this.#findAfter(thread_id, message_id),
      sender_id,
      date: date ?? this.#now(),
      legacy,
    };
    return this.#openWriter('openMessage', entry, message_id);
  };

  readonly stop = (stop: { message_id: string; by: string }): void => {
    this.#begin('stop', stop, KEYS.stop);
    const { message_id, by } = stop;
    const answer = this.#answerId(message_id);
    const { asked, stopped } = this.#folds.turnOf(answer).epochs;
    if (stopped >= asked) return;
    this.#write('stop', [{ type: 'stop', id: this.#stamps.next(), message_id: answer, epoch: asked, by }]);
  };

  readonly retry = (retry: { message_id: string; by: string }): void => {
    this.#begin('retry', retry, KEYS.retry);
    const { message_id, by } = retry;
    const answer = this.#answerId(message_id);
    const { asked, stopped } = this.#folds.turnOf(answer).epochs;
    const message = this.#reader.message(answer);
    const tried = [message?.attempt, ...(message?.alternates ?? [])].some(
      (attempt) => attempt?.epoch === asked,
    );
    if (!tried && stopped < asked) return;
    this.#write('retry', [
      { type: 'retry', id: this.#stamps.next(), message_id: answer, epoch: asked + 1, by },
    ]);
  };

  readonly interrupt = (interrupt: { message_id: string; attempt?: string }): void => {
    this.#begin('interrupt', interrupt, KEYS.interrupt);
    const { message_id, attempt } = interrupt;
    const folded = this.#assertMessage(message_id);
    const { message } = folded;
    const id = attempt ?? message.attempt?.attempt ?? '';
    const open = [message.attempt, ...message.alternates].find((other) => other?.attempt === id);
    const seen = folded.lastParts.find((last) => last.attempt === id)?.n;
    if (open?.state !== 'open' || seen === undefined) return;
    this.#write('interrupt', [
      { type: 'interrupt', id: deriveInterruptId(id, seen), message_id, attempt: id, seen },
    ]);
  };

  /** Before any look-up: a map that is gone has no threads, which is not what the caller must hear. */
  #begin(call: string, argument: unknown, keys?: Readonly<Record<string, true>>): void {
    this.#transactor.assertWritable(call);
    assertObject(argument, call);
    if (keys !== undefined) assertKeys(argument, keys, '');
  }

  #answerId(messageId: string): string {
    assertUlid(messageId, 'message_id');
    const message = this.#reader.message(messageId);
    if (message?.expects === 'answer') return deriveAnswerId(messageId);
    if (message?.attempt === undefined) {
      throw new ChatDocError('not_found', 'message_id', `no prompt or answer has the id ${messageId}`);
    }
    return messageId;
  }

  /** Saves reading back a message that is as it was written. */
  #seed(entry: MessageEntry): void {
    const body = this.#folds.bodyOf(entry.message_id);
    if (body !== undefined) this.#folds.seed(foldNew(this.#index.refs, entry, body));
  }

  #openWriter(call: string, entry: MessageEntry, attempt: string): AttemptWriter {
    const line = encodeChecked(entry);
    let lane: OwnLane | undefined;
    this.#transactor.run(call, (transaction) => {
      lane = this.#lanes.take();
      lane.held = true;
      this.#lanes.append(transaction, lane, `${line}\n`, 1, true);
      return [lane.client];
    });
    const host = {
      lanes: this.#lanes,
      transact: (name: string, write: (transaction: Y.Transaction) => readonly number[]) =>
        this.#transactor.run(name, write),
      nextStamp: () => this.#stamps.next(),
      encode: encodeChecked,
    };
    return new LaneAttemptWriter(host, entry.message_id, attempt, lane as OwnLane);
  }

  #write(call: string, entries: readonly Entry[], after?: (transaction: Y.Transaction) => void): void {
    const chunk = entries.map((entry) => `${encodeChecked(entry)}\n`).join('');
    this.#transactor.run(call, (transaction) => {
      const lane = this.#lanes.take();
      this.#lanes.append(transaction, lane, chunk, entries.length, true);
      after?.(transaction);
      return [lane.client];
    });
  }

  #assertThread(threadId: string): ThreadLine['thread'] {
    assertUlid(threadId, 'thread_id');
    const ref = this.#index.refs.find(threadId);
    const thread = ref === undefined ? undefined : this.#folds.lineOf(ref)?.thread;
    if (thread === undefined)
      throw new ChatDocError('not_found', 'thread_id', `no thread has the id ${threadId}`);
    return thread;
  }

  #assertMessage(messageId: string, path = 'message_id'): FoldedMessage {
    assertUlid(messageId, path);
    const folded = this.#folds.folded(messageId);
    if (folded === undefined) throw new ChatDocError('not_found', path, `no message has the id ${messageId}`);
    return folded;
  }

  /** One that is not there may still come; one that is must be in the thread. */
  #assertIn(threadId: string, messageId: string | undefined, path: string): void {
    const other = messageId === undefined ? undefined : this.#reader.message(messageId)?.thread_id;
    if (other === undefined || other === threadId) return;
    throw new ChatDocError(
      'invalid_argument',
      path,
      `expected a message of this thread, got one of ${other}`,
    );
  }

  /** Two threads in one session of a provider would overwrite each other's. O(threads) for ids that are new here. */
  #assertSession(threadId: string, session: JsonObject | null | undefined): void {
    const ids = listSessions(session);
    const own = new Set(listSessions(this.#reader.config(threadId).session));
    const added = ids.filter((id) => !own.has(id));
    if (added.length === 0) return;
    for (const { thread_id } of this.#reader.threads()) {
      if (thread_id === threadId) continue;
      const others = listSessions(this.#reader.config(thread_id).session);
      if (!others.some((id) => added.includes(id))) continue;
      throw new ChatDocError('invalid_argument', 'session', `thread ${thread_id} has this session`);
    }
  }

  #now(): string {
    return formatDate(this.#env.now());
  }
}

function pickConfig(fields: ThreadConfigFields): ThreadConfigFields {
  const picked: Record<string, unknown> = {};
  for (const field of CONFIG_FIELDS) if (fields[field] !== undefined) picked[field] = fields[field];
  return picked;
}

/**
 * `replaces`, left out where nothing is. An entry names the greatest of its heads, and the next ones the rest: the
 * greatest shows, so what is replaced first is what could outrank it.
 */
function listed(ids: readonly string[]): { replaces?: readonly string[] } {
  if (ids.length <= MAX_REPLACES) return ids.length === 0 ? {} : { replaces: ids };
  return { replaces: sorted(ids).slice(-MAX_REPLACES) };
}

function sorted(ids: readonly string[]): string[] {
  return [...ids].sort();
}

/** The first epoch is what an attempt without one has. */
function omitFirst(epoch: number): number | undefined {
  return epoch === 1 ? undefined : epoch;
}

function assertDate(date: unknown): void {
  if (typeof date === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(date)) return;
  throw new ChatDocError(
    'invalid_argument',
    'date',
    `expected ISO-8601 UTC with milliseconds, got ${describeValue(date)}`,
  );
}
