import type { ActivationEntry } from '../entry/activation.js';
import type { AnnotationEntry } from '../entry/annotation.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import type { SlotKey, ThreadEntry } from '../entry/thread.js';
import type { ThreadConfigEntry } from '../entry/thread-config.js';
import type { ThreadStateEntry } from '../entry/thread-state.js';
import { definedOnly, freezeDeep } from '../host/values.js';
import { AnnotationsFold } from './annotations.js';
import { type Chosen, schemaVersionOf } from './choose.js';
import { LastWriter } from './last-writer.js';
import type { Thread } from './records.js';
import { SettingsFold } from './settings.js';
import { type Source, SubjectFold } from './subject.js';

/** The identity of a thread, from its own line. */
export interface ThreadLine {
  readonly thread: Omit<Thread, 'root_message_id'>;
  /** The message that the line names as its root. */
  readonly namedRoot: string | undefined;
}

/** The `thread` lines of one thread. Reads no other line about it. */
export class ThreadLineFold extends SubjectFold {
  #line: Chosen | undefined;
  #read: ThreadLine | undefined;

  protected rowsSince(since: number): number[] {
    return this.index.threadRows(this.ref, since).filter((row) => this.index.kindOf(row) === KIND.thread);
  }

  protected isBlank(): boolean {
    return false;
  }

  protected clear(): void {
    this.#line = undefined;
  }

  protected add(chosen: Chosen): void {
    this.#line = chosen;
  }

  protected remove(): boolean {
    this.#line = undefined;
    return true;
  }

  /** Undefined while no line has come. The same object while its fields are the same. */
  read(): ThreadLine | undefined {
    if (!this.update()) return this.#read;
    this.#read = this.#line === undefined ? undefined : readThread(this.#line);
    return this.#read;
  }
}

function readThread(chosen: Chosen): ThreadLine {
  const { entry, problem } = chosen;
  const { thread_id, created_at, created_by, purpose, slot, forked_from, legacy, root_message_id } =
    entry as ReadEntry<ThreadEntry>;
  freezeDeep([slot, forked_from, legacy]);
  const thread = definedOnly({
    thread_id,
    created_at: created_at ?? '',
    created_by: created_by ?? '',
    purpose: purpose ?? 'chat',
    slot,
    forked_from,
    schema_version: schemaVersionOf(chosen),
    legacy,
    problem,
  });
  return { thread: thread as Omit<Thread, 'root_message_id'>, namedRoot: root_message_id };
}

/** Everything about one thread but its own line and its messages, folded entry by entry. */
export class ThreadFactsFold extends SubjectFold {
  readonly settings: SettingsFold;
  readonly annotations: AnnotationsFold = new AnnotationsFold();
  #states = new LastWriter<ReadEntry<ThreadStateEntry>>();
  #activations = new Map<string, ReadEntry<ActivationEntry>>();

  constructor(source: Source, ref: number) {
    super(source, ref);
    this.settings = new SettingsFold(source.index.refs.idOf(ref));
  }

  protected rowsSince(since: number): number[] {
    return this.index.threadRows(this.ref, since).filter((row) => this.index.kindOf(row) !== KIND.thread);
  }

  protected isBlank(): boolean {
    return false;
  }

  protected clear(): void {
    this.settings.clear();
    this.annotations.clear();
    this.#states = new LastWriter();
    this.#activations.clear();
  }

  protected add({ kind, entry }: Chosen): void {
    if (kind === KIND.thread_config) this.settings.add(entry as ReadEntry<ThreadConfigEntry>);
    else if (kind === KIND.thread_state) this.#states.add(entry as ReadEntry<ThreadStateEntry>);
    else if (kind === KIND.annotation) this.annotations.add(entry as ReadEntry<AnnotationEntry>);
    else if (kind === KIND.activation) {
      const activation = entry as ReadEntry<ActivationEntry>;
      this.#activations.set(activation.id, activation);
    }
  }

  protected remove({ kind, entry }: Chosen): boolean {
    if (kind === KIND.thread_config) this.settings.remove(entry as ReadEntry<ThreadConfigEntry>);
    else if (kind === KIND.thread_state) this.#states.remove(entry as ReadEntry<ThreadStateEntry>);
    else if (kind === KIND.annotation) this.annotations.remove(entry as ReadEntry<AnnotationEntry>);
    else if (kind === KIND.activation) this.#activations.delete((entry as ReadEntry<ActivationEntry>).id);
    return true;
  }

  /** The last state that a host or an import set. */
  get state(): ReadEntry<ThreadStateEntry> | undefined {
    return this.#states.winner;
  }

  /** Ids of the state entries that a new one replaces. */
  stateHeads(): string[] {
    return this.#states.heads().map(({ id }) => id);
  }

  activations(): Iterable<ReadEntry<ActivationEntry>> {
    return this.#activations.values();
  }
}

/** The annotations about one message, folded entry by entry. */
export class MessageAnnotationsFold extends SubjectFold {
  readonly annotations: AnnotationsFold = new AnnotationsFold();

  protected rowsSince(since: number): number[] {
    return this.index
      .messageRows(this.ref, since)
      .filter((row) => this.index.kindOf(row) === KIND.annotation);
  }

  protected isBlank(): boolean {
    return false;
  }

  protected clear(): void {
    this.annotations.clear();
  }

  protected add({ entry }: Chosen): void {
    this.annotations.add(entry as ReadEntry<AnnotationEntry>);
  }

  protected remove({ entry }: Chosen): boolean {
    this.annotations.remove(entry as ReadEntry<AnnotationEntry>);
    return true;
  }
}

/** Whether two threads are in one slot; false where one of them has none. */
export function sameSlot(a: SlotKey | undefined, b: SlotKey | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.root_id === b.root_id &&
    a.owner_id === b.owner_id &&
    a.provider === b.provider
  );
}
