import type { Chat, DamagedLine, Entry, Message } from '@chatdoc/schema';
import type { LineFaults, SubjectRole } from '@chatdoc/schema/internal';

type EntryOf<T extends Entry['type']> = Extract<Entry, { readonly type: T }>;

/** One line that the fold takes. A field that does not fit its schema is absent, so every field may be. */
export interface LooseEntry<T extends Entry['type'] = Entry['type']> {
  /** As written in the head of the line; of a part its attempt. */
  readonly id: string;
  readonly type: T;
  readonly entry: { readonly [K in keyof EntryOf<T>]?: EntryOf<T>[K] | undefined };
  /** Names of fields only. */
  readonly problem: string | undefined;
  readonly cut: boolean;
}

/** A message that another record refers to. */
export interface MessageRef {
  readonly id: string;
  /** Its thread; undefined where the message is not in the document. */
  readonly thread: string | undefined;
  /** It asks for an answer. */
  readonly expects: boolean;
}

/** A message, or what is about a message that is not in the document. */
export interface MessageFacts {
  readonly kind: 'message';
  readonly id: string;
  /** Undefined where it is not in the document. */
  readonly message: Message | undefined;
  readonly thread: string | undefined;
  readonly hasThread: boolean;
  /** The message that it replies to. */
  readonly target: MessageRef | undefined;
  readonly prompt: MessageRef | undefined;
  /** Its id derives from the prompt that it names. */
  readonly isAnswer: boolean;
  /** Of each line that answers a prompt under another id than that of its answer: the prompt. */
  readonly forged: readonly string[];
  /** Of its attempts, and itself: how many have several revisions that show at once. */
  readonly contested: number;
  /** Entries that wait for it. */
  readonly waiting: number;
}

/** A thread, or what is about a thread that is not in the document. */
export interface ThreadFacts {
  readonly kind: 'thread';
  readonly id: string;
  readonly isPresent: boolean;
  /** The message that it names as its root. */
  readonly root: MessageRef | undefined;
  /** The id that derives from its slot; undefined outside of slots. */
  readonly derivedId: string | undefined;
  /** Ids of activations of it that name another slot. */
  readonly misplaced: readonly string[];
  /** Messages that have the date of another one in the thread. */
  readonly sameDates: number;
  /** An agent is asked in it. */
  readonly asksAgent: boolean;
  /** Somebody has chosen how its agent works. */
  readonly isConfigured: boolean;
  /** Settings that several people changed at once. */
  readonly conflicts: number;
  /** Entries that wait for it. */
  readonly waiting: number;
}

/** An attempt. */
interface AttemptFacts {
  readonly kind: 'attempt';
  readonly id: string;
  /** Ids of its finishes, sorted; none of a message that answers nothing. */
  readonly finishes: readonly string[];
  /** Entries that wait for it. */
  readonly waiting: number;
}

/** An attempt that is open at the moment of the question: judged each time. */
interface OpenAttemptFacts {
  readonly kind: 'open_attempt';
  readonly id: string;
  readonly message: string;
}

/** A circle of replies. */
interface CycleFacts {
  readonly kind: 'cycle';
  /** Sorted. */
  readonly messages: readonly string[];
}

/** A slot of which some thread was activated. */
interface SlotFacts {
  readonly kind: 'slot';
  /** Activations that no other replaces, the one that shows first. */
  readonly heads: readonly LooseEntry<'activation'>[];
}

/** A session of a provider. */
interface SessionFacts {
  readonly kind: 'session';
  /** Threads that go on in it, sorted. */
  readonly threads: readonly string[];
}

/** The lines about one record, or about the document as a whole. Of a plain message: none. */
export interface LineFacts {
  readonly kind: 'lines';
  readonly role: SubjectRole | 'document';
  /** Of the record; empty for the document. */
  readonly id: string;
  /** Those that count. */
  readonly entries: readonly LooseEntry[];
  /** Those that do not. */
  readonly faults: LineFaults;
}

/** One text of the root map. */
interface TextFacts {
  readonly kind: 'text';
  readonly key: string;
  /** Characters of other clients in it. */
  readonly foreign: number;
}

/** Lanes and entries of a later version. */
interface VersionFacts {
  readonly kind: 'version';
  /** Ids of lanes that this version must not read. */
  readonly hidden: readonly string[];
  /** The type of each entry that this version does not know. */
  readonly unknown: readonly string[];
}

/** The knowledge of this replica at the moment of the question: judged each time. */
interface MomentFacts {
  readonly kind: 'moment';
  /** Ids that are more than five minutes ahead of its clock. */
  readonly futureStamps: number;
  /** Lines that it still holds and that were deleted from the document. */
  readonly damage: readonly DamagedLine[];
}

/** The facts of one subject, by the kind of the subject. */
export interface FactsByKind {
  readonly attempt: AttemptFacts;
  readonly cycle: CycleFacts;
  readonly lines: LineFacts;
  readonly message: MessageFacts;
  readonly moment: MomentFacts;
  readonly open_attempt: OpenAttemptFacts;
  readonly session: SessionFacts;
  readonly slot: SlotFacts;
  readonly text: TextFacts;
  readonly thread: ThreadFacts;
  readonly version: VersionFacts;
}

/** A kind of subject that rules are about. */
export type SubjectKind = keyof FactsByKind;

/** The facts of one subject of these kinds; of any kind by default. */
export type Facts<K extends SubjectKind = SubjectKind> = FactsByKind[K];

/** The lines about a subject, those that count and those that do not. */
export function readLines(
  { inspector }: Chat,
  role: SubjectRole,
  id: string,
): Pick<LineFacts, 'entries' | 'faults'> {
  const { entries, faults } = inspector.read(role, id);
  return { entries: entries as unknown as readonly LooseEntry[], faults };
}
