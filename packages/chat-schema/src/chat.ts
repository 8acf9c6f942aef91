import * as Y from 'yjs';
import { AttemptWriter } from './attempt-writer.js';
import { listChanges } from './changes.js';
import type {
  Annotating,
  ChatOptions,
  ConfigChange,
  Edit,
  NewAttempt,
  NewMessage,
  NewStreamedMessage,
  NewThread,
  StateChange,
  VariableChange,
} from './chat-options.js';
import { encodeLine } from './codec.js';
import { DamageLog } from './damage.js';
import { Digest, hash } from './digest.js';
import { type Entry, LIMITS, type MessageEntry, type ThreadConfigFields } from './entries.js';
import { EntryIndex, mergeTouched, type Touched } from './entry-index.js';
import { type Environment, systemEnvironment } from './environment.js';
import { ChatDocError, describeType } from './errors.js';
import { describeFold } from './fold-digest.js';
import { isRedacted } from './fold-message.js';
import { CONFIG_FIELDS, configHeads, foldVariables, groupAnnotations } from './fold-thread.js';
import {
  assertUlid,
  deriveAnswerId,
  deriveInterruptId,
  deriveMessageId,
  deriveSlotThreadId,
  formatDate,
  StampClock,
} from './ids.js';
import { applyImport, findMissing, isFree, parseJSONL, planImport, writeJSONL } from './jsonl.js';
import { LanePool, type OwnLane } from './lanes.js';
import { findHeads } from './last-writer.js';
import type {
  ChatChange,
  ChatReport,
  DamagedLine,
  ImportResult,
  LineReport,
  Message,
  QuarantinedLine,
  Thread,
  ThreadConfig,
  Waiting,
} from './records.js';
import { deletePrivateText, hasPrivateText } from './redaction.js';
import { countWaiting, createReport, listDuplicates, listQuarantine } from './report.js';
import { docOf, isOutside, type LaneMap } from './structs.js';
import { assertEntry, Transactor } from './transactor.js';
import { type ChatReader, ChatView } from './view.js';

/**
 * Opens the chat of a document, or of a nested map from `embedChat`. Writes nothing. Any provider may sync the
 * document; keep one `Chat` a document and process, and `close()` it when done.
 */
export function openChat(target: Y.Doc | Y.Map<unknown>, options: ChatOptions = {}): Chat {
  const isDoc = target instanceof Y.Doc;
  if (!isDoc && !(target instanceof Y.Map)) {
    throw new ChatDocError(
      'invalid_argument',
      'target',
      `expected a Y.Doc or Y.Map, got ${describeType(target)}`,
    );
  }
  const map = isDoc ? target.getMap(options.root ?? 'chat') : target;
  if (docOf(map) === null) throw new ChatDocError('detached', 'target', 'the map is in no document');
  const environment = options.environment ?? systemEnvironment;
  const stamps = new StampClock(environment);
  return new Chat(map, new EntryIndex(map, stamps), stamps, environment, options);
}

/** One chat: reads of its present state, and writes that append entries to lanes of our own. */
export class Chat extends ChatView {
  readonly readOnly: boolean;
  readonly #map: LaneMap;
  readonly #doc: Y.Doc;
  readonly #env: Environment;
  readonly #stamps: StampClock;
  readonly #lanes: LanePool;
  readonly #digest: Digest;
  readonly #damage: DamageLog;
  readonly #transactor: Transactor;
  readonly #subscribers = new Set<(change: ChatChange) => void>();
  readonly #past = new Set<WeakRef<ChatView>>();
  /** By thread, the last message as our own sends know it: saves looking at the order for each. */
  readonly #tails = new Map<string, string>();
  /** Redacted messages of which text has come: to delete once no transaction is open. */
  readonly #unblanked = new Set<number>();

  /** @internal */
  constructor(map: LaneMap, index: EntryIndex, stamps: StampClock, env: Environment, options: ChatOptions) {
    super(index);
    this.readOnly = options.readOnly ?? false;
    this.#map = map;
    this.#doc = docOf(map) as Y.Doc;
    this.#env = env;
    this.#stamps = stamps;
    const generation = options.generation ?? 0;
    this.#lanes = new LanePool(map, { generation, userId: options.user_id, environment: env, stamps });
    this.#digest = new Digest(index);
    this.#damage = new DamageLog(index);
    this.#transactor = new Transactor(map, index, this.readOnly, (touched) => this.#take(touched));
    this.#doc.on('afterTransaction', this.#onTransaction);
    this.#doc.on('afterAllTransactions', this.#onQuiet);
  }

  /** Stops listening. Reads stay at what was last seen. */
  close(): void {
    this.#doc.off('afterTransaction', this.#onTransaction);
    this.#doc.off('afterAllTransactions', this.#onQuiet);
    this.#subscribers.clear();
  }

  /** Calls `listener` once for each transaction that changed something. The result ends it. */
  subscribe(listener: (change: ChatChange) => void): () => void {
    this.#subscribers.add(listener);
    this.#transactor.wantDeltas = true;
    return () => {
      this.#subscribers.delete(listener);
      this.#transactor.wantDeltas = this.#subscribers.size > 0;
    };
  }

  /** For `new Y.UndoManager(…, { deleteFilter: chat.undoFilter })`: keeps undo off every lane. */
  readonly undoFilter = (item: Y.Item): boolean => isOutside(this.#map, item);

  /** The chat as the entries up to `stamp` tell it. */
  at(stamp: string): ChatReader {
    assertUlid(stamp, 'stamp');
    const past = new ChatView(this.index, (row) => this.index.stampOf(row) <= stamp);
    this.#past.add(new WeakRef(past));
    return past;
  }

  digest(): string {
    return this.#digest.read();
  }

  /** Of what a caller reads: equal for two documents that read the same, whatever their lanes. */
  foldDigest(): string {
    return hash(describeFold(this));
  }

  toJSONL(): string {
    return writeJSONL(this.index);
  }

  quarantine(): readonly QuarantinedLine[] {
    return listQuarantine(this.index);
  }

  duplicates(): readonly LineReport[] {
    return listDuplicates(this.index);
  }

  waiting(): Waiting {
    return countWaiting(this, this.index);
  }

  damage(): readonly DamagedLine[] {
    return this.#damage.list();
  }

  /** JSONL of the lines kept aside, under their own headers. */
  rescued(): string {
    return this.#damage.rescue();
  }

  report(): ChatReport {
    return createReport(this, this.index, this.#stamps.countFuture(), this.damage().length);
  }

  /** Writes a union by id: what the document holds already is not written again. */
  importJSONL(text: string): ImportResult {
    this.#transactor.assertWritable('importJSONL');
    if (typeof text !== 'string') {
      throw new ChatDocError('invalid_argument', 'text', `expected a string, got ${describeType(text)}`);
    }
    const sections = parseJSONL(text);
    if (sections.length > 0 && sections.every((section) => section.laneId === '')) {
      return { ok: false, code: 'import_no_header', line: 1 };
    }
    const missing = findMissing(this.index, sections);
    if (missing.length === 0) return { ok: true, lines: 0 };
    const plan = planImport('import', missing);
    if (!isFree(this.#map, plan)) return { ok: false, code: 'import_conflict', line: 1 };
    this.#transactor.run('importJSONL', (transaction) => {
      applyImport(transaction, this.#map, plan);
      return [plan.client];
    });
    return { ok: true, lines: missing.reduce((count, section) => count + section.lines.length, 0) };
  }

  /**
   * Writes the lines that are aside into the document again, under their own headers. Replicas that hold the
   * same ones write the same structs. Gives how many lines it wrote.
   */
  rehost(): number {
    const missing = findMissing(this.index, parseJSONL(this.rescued()));
    if (missing.length === 0) return 0;
    // A lane can be lost again after it was re-hosted: then the first tag is taken.
    for (let round = 1; ; round += 1) {
      const plan = planImport(`rehost ${round}`, missing);
      if (!isFree(this.#map, plan)) continue;
      this.#transactor.run('rehost', (transaction) => {
        applyImport(transaction, this.#map, plan);
        return [plan.client];
      });
      return missing.reduce((count, section) => count + section.lines.length, 0);
    }
  }

  createThread(thread: NewThread): Thread {
    const purpose = thread.purpose ?? 'chat';
    const slot = thread.slot === undefined ? undefined : { ...thread.slot, number: thread.slot.number ?? 1 };
    const thread_id = slot === undefined ? this.#stamps.next() : deriveSlotThreadId(slot, purpose);
    const known = slot === undefined ? undefined : this.thread(thread_id);
    if (known !== undefined) return known;
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
    return this.thread(thread_id) as Thread;
  }

  configure(change: ConfigChange): ThreadConfig {
    const { thread_id, updated_by, updated_at = this.#now() } = change;
    this.#assertThread(thread_id);
    const fields = pickConfig(change);
    const names = Object.keys(fields) as (keyof ThreadConfigFields)[];
    if (names.length > 0) {
      const replaces = configHeads(this.foldedThread(thread_id)?.configEntries ?? [], names);
      const id = this.#stamps.next();
      this.#write('configure', [
        { type: 'thread_config', id, thread_id, ...listed(replaces), updated_at, updated_by, ...fields },
      ]);
    }
    return this.config(thread_id);
  }

  send(message: NewMessage): Message {
    const { thread_id, sender_id, content, client_message_id, reply_to_message_id, expects, legacy } =
      message;
    this.#assertThread(thread_id);
    const date = message.date ?? this.#now();
    let message_id: string;
    if (client_message_id === undefined) {
      message_id = this.#stamps.next();
    } else {
      assertDate(date);
      message_id = deriveMessageId(date, thread_id, sender_id, client_message_id);
      const known = this.message(message_id);
      if (known !== undefined) return this.#resend(known, message);
    }
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      reply_to_message_id,
      after: this.#tails.get(thread_id) ?? this.lastMessageId(thread_id),
      client_message_id,
      sender_id,
      date,
      expects,
      legacy,
      content,
    };
    if (typeof content !== 'string') {
      throw new ChatDocError(
        'invalid_argument',
        'content',
        `expected a string, got ${describeType(content)}`,
      );
    }
    this.#write('send', [entry]);
    this.#tails.set(thread_id, message_id);
    return this.message(message_id) as Message;
  }

  /** The same client id again: the same text is a retry, another one a revision. Nothing is dropped. */
  #resend(known: Message, { sender_id, content, date }: NewMessage): Message {
    if (known.history.some((version) => version.content === content && version.author_id === sender_id))
      return known;
    return this.edit({ message_id: known.message_id, author_id: sender_id, content, ...(date && { date }) });
  }

  edit({ message_id, author_id, content, date }: Edit): Message {
    return this.#revise('edit', message_id, author_id, content, date, false);
  }

  /** The message shows empty; what it said stays in its history. `redact` takes the text itself. */
  delete({ message_id, author_id, date }: Omit<Edit, 'content'>): Message {
    return this.#revise('delete', message_id, author_id, '', date, true);
  }

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
    return this.message(message_id) as Message;
  }

  /** Deletes every text of the message, its revisions and its attempts from the document, for all and for ever. */
  redact({ message_id, by, date }: { message_id: string; by: string; date?: string }): Message {
    this.#assertMessage(message_id);
    const slot = this.index.slots.find(message_id) as number;
    if (!isRedacted(this.source, slot)) {
      const id = this.#stamps.next();
      const entry: Entry = { type: 'redaction', id, message_id, by, date: date ?? this.#now() };
      this.#write('redact', [entry], (transaction) => deletePrivateText(transaction, this.index, slot));
    }
    return this.message(message_id) as Message;
  }

  annotate(annotation: Annotating): void {
    const { user_id, key, value } = annotation;
    const ofMessage = 'message_id' in annotation;
    const id = ofMessage ? annotation.message_id : annotation.thread_id;
    if (ofMessage) this.#assertMessage(id);
    else this.#assertThread(id);
    const entries = this.annotationEntries(this.index.slots.find(id) as number, ofMessage);
    const heads = findHeads(groupAnnotations(entries).get(JSON.stringify([user_id, key])) ?? []);
    this.#write('annotate', [
      {
        type: 'annotation',
        id: this.#stamps.next(),
        ...(ofMessage ? { message_id: id } : { thread_id: id }),
        ...listed(heads.map((head) => head.id)),
        user_id,
        key,
        value,
      },
    ]);
  }

  setVariables({ scope, scope_id, values }: VariableChange): void {
    const { entries } = foldVariables(this.variableEntries(), scope, scope_id);
    const heads = new Set<string>();
    for (const name of Object.keys(values ?? {})) {
      const setting = entries.filter(
        (entry) => entry.values !== undefined && Object.hasOwn(entry.values, name),
      );
      for (const head of findHeads(setting)) heads.add(head.id);
    }
    const id = this.#stamps.next();
    this.#write('setVariables', [
      { type: 'variables', id, ...listed([...heads].sort()), scope, scope_id, values },
    ]);
  }

  /** What a host says of a thread. It shows until the next turn entry. */
  setState({ thread_id, state, active_message_id, updated_at }: StateChange): void {
    this.#assertThread(thread_id);
    const heads = findHeads(this.foldedThread(thread_id)?.stateEntries ?? []).map((head) => head.id);
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
  }

  /** Makes the thread the active one of its slot. */
  activate({ thread_id }: { thread_id: string }): void {
    const thread = this.#assertThread(thread_id);
    if (thread.slot === undefined) {
      throw new ChatDocError(
        'invalid_argument',
        'thread_id',
        'expected a thread with a slot, got one without',
      );
    }
    const { root_id, owner_id, provider } = thread.slot;
    const heads = findHeads(this.activations(this.slotThreads({ ...thread.slot, purpose: thread.purpose })));
    const id = this.#stamps.next();
    const slot = { root_id, owner_id, provider };
    this.#write('activate', [
      { type: 'activation', id, thread_id, ...listed(heads.map((head) => head.id)), slot },
    ]);
  }

  /** Opens an attempt at a prompt: its message line, in a lane of its own. Whether to is the caller's business. */
  openAttempt({ prompt_id, sender_id, runner_id, epoch, date, acp_thread_id }: NewAttempt): AttemptWriter {
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
      epoch: epoch ?? this.turnOf(message_id).epochs.asked,
      runner_id,
      sender_id,
      date: date ?? this.#now(),
      acp_thread_id,
    };
    return this.#openWriter('openAttempt', entry, attempt);
  }

  /** Opens a message that answers nothing and whose parts are streamed. It is `generating` while a part is open. */
  openMessage(message: NewStreamedMessage): AttemptWriter {
    const { thread_id, sender_id, reply_to_message_id, date, legacy } = message;
    this.#assertThread(thread_id);
    const message_id = this.#stamps.next();
    const entry: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      reply_to_message_id,
      after: this.lastMessageId(thread_id),
      sender_id,
      date: date ?? this.#now(),
      legacy,
    };
    return this.#openWriter('openMessage', entry, message_id);
  }

  /** Asks whoever runs the answer to stop, or takes its prompt out of the queue. `message_id`: answer or prompt. */
  stop({ message_id, by }: { message_id: string; by: string }): void {
    const answer = this.#answerId(message_id);
    const { asked, stopped } = this.turnOf(answer).epochs;
    if (stopped >= asked) return;
    this.#write('stop', [{ type: 'stop', id: this.#stamps.next(), message_id: answer, epoch: asked, by }]);
  }

  /** Asks for another attempt. Nothing is written while one is asked for that nobody has begun. */
  retry({ message_id, by }: { message_id: string; by: string }): void {
    const answer = this.#answerId(message_id);
    const { asked, stopped } = this.turnOf(answer).epochs;
    const message = this.message(answer);
    const tried = [message?.attempt, ...(message?.alternates ?? [])].some(
      (attempt) => attempt?.epoch === asked,
    );
    if (!tried && stopped < asked) return;
    this.#write('retry', [
      { type: 'retry', id: this.#stamps.next(), message_id: answer, epoch: asked + 1, by },
    ]);
  }

  /** Says that the runner of an open attempt is gone. Its later entries void it. */
  interrupt({ message_id, attempt }: { message_id: string; attempt?: string }): void {
    const folded = this.#assertMessage(message_id);
    const { message } = folded;
    const id = attempt ?? message.attempt?.attempt ?? '';
    const open = [message.attempt, ...message.alternates].find((other) => other?.attempt === id);
    const seen = folded.lastParts.get(id);
    if (open?.state !== 'open' || seen === undefined) return;
    this.#write('interrupt', [
      { type: 'interrupt', id: deriveInterruptId(id, seen), message_id, attempt: id, seen },
    ]);
  }

  #answerId(messageId: string): string {
    assertUlid(messageId, 'message_id');
    const message = this.message(messageId);
    if (message?.expects === 'answer') return deriveAnswerId(messageId);
    if (message?.attempt === undefined) {
      throw new ChatDocError('not_found', 'message_id', `no prompt or answer has the id ${messageId}`);
    }
    return messageId;
  }

  #openWriter(call: string, entry: MessageEntry, attempt: string): AttemptWriter {
    this.#transactor.assertWritable(call);
    assertEntry(entry);
    let lane: OwnLane | undefined;
    this.#transactor.run(call, (transaction) => {
      lane = this.#lanes.take();
      lane.held = true;
      this.#lanes.append(transaction, lane, `${encodeLine(entry)}\n`, 1, true);
      return [lane.client];
    });
    const host = {
      lanes: this.#lanes,
      transact: (name: string, write: (transaction: Y.Transaction) => readonly number[]) =>
        this.#transactor.run(name, write),
      nextStamp: () => this.#stamps.next(),
      assertEntry,
    };
    return new AttemptWriter(host, entry.message_id, attempt, lane as OwnLane);
  }

  #write(call: string, entries: readonly Entry[], after?: (transaction: Y.Transaction) => void): void {
    this.#transactor.assertWritable(call);
    let chunk = '';
    for (const entry of entries) {
      assertEntry(entry);
      const line = encodeLine(entry);
      if (line.length > LIMITS.line) {
        throw new ChatDocError(
          'invalid_argument',
          entry.type,
          `expected a line of at most ${LIMITS.line}, got ${line.length}`,
        );
      }
      chunk += `${line}\n`;
    }
    this.#transactor.run(call, (transaction) => {
      const lane = this.#lanes.take();
      this.#lanes.append(transaction, lane, chunk, entries.length, true);
      after?.(transaction);
      return [lane.client];
    });
  }

  #assertThread(threadId: string): Thread {
    assertUlid(threadId, 'thread_id');
    const thread = this.foldedThread(threadId)?.thread;
    if (thread === undefined)
      throw new ChatDocError('not_found', 'thread_id', `no thread has the id ${threadId}`);
    return thread as Thread;
  }

  #assertMessage(messageId: string, path = 'message_id'): NonNullable<ReturnType<ChatView['folded']>> {
    assertUlid(messageId, path);
    const folded = this.folded(messageId);
    if (folded === undefined) throw new ChatDocError('not_found', path, `no message has the id ${messageId}`);
    return folded;
  }

  #now(): string {
    return formatDate(this.#env.now());
  }

  readonly #onTransaction = (transaction: Y.Transaction): void => {
    const { touched, lost } = this.index.apply(transaction, this.#subscribers.size > 0);
    if (lost.length > 0) {
      this.#damage.add(lost);
      for (const { header } of lost) if (header !== null) this.#lanes.markDamaged(header.lane_id);
    }
    this.#take(touched);
    const all = this.#transactor.takePending();
    mergeTouched(all, touched);
    if (!all.any || this.#subscribers.size === 0) return;
    const change = listChanges(this.index, all, transaction);
    if (change !== undefined) for (const subscriber of [...this.#subscribers]) subscriber(change);
  };

  /** Brings every reader up to what was touched. */
  #take(touched: Touched): void {
    if (!touched.any) return;
    this.invalidate(touched);
    this.#digest.note(touched);
    for (const thread of touched.lists.keys()) this.#tails.delete(this.index.slots.idOf(thread));
    for (const reference of this.#past) {
      const past = reference.deref();
      if (past === undefined) this.#past.delete(reference);
      else past.invalidate(touched);
    }
    for (const slot of touched.messages) this.#watchRedacted(slot);
    for (const { message } of touched.deltas) this.#watchRedacted(message);
  }

  #watchRedacted(slot: number): void {
    if (!this.readOnly && isRedacted(this.source, slot) && hasPrivateText(this.index, slot)) {
      this.#unblanked.add(slot);
    }
  }

  // Never within an observer: a write there would be sent before what it answers.
  readonly #onQuiet = (): void => {
    if (this.#unblanked.size === 0) return;
    const slots = [...this.#unblanked];
    this.#unblanked.clear();
    const due = slots.filter((slot) => hasPrivateText(this.index, slot));
    if (due.length === 0) return;
    this.#transactor.run('blank', (transaction) => {
      for (const slot of due) deletePrivateText(transaction, this.index, slot);
      return [];
    });
  };
}

function pickConfig(fields: ThreadConfigFields): ThreadConfigFields {
  const picked: Record<string, unknown> = {};
  for (const field of CONFIG_FIELDS) if (fields[field] !== undefined) picked[field] = fields[field];
  return picked;
}

/** `replaces`, left out where nothing is. */
function listed(ids: readonly string[]): { replaces?: readonly string[] } {
  return ids.length === 0 ? {} : { replaces: ids };
}

function assertDate(date: unknown): void {
  if (typeof date === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(date)) return;
  throw new ChatDocError('invalid_argument', 'date', 'expected ISO-8601 UTC with milliseconds');
}
