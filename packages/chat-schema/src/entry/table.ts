import { type ActivationEntry, activation } from './activation.js';
import { type AnnotationEntry, annotation } from './annotation.js';
import type { EntryDefinition } from './define.js';
import { type DocumentEntry, document } from './document.js';
import { type FinishEntry, finish } from './finish.js';
import { type InterruptEntry, interrupt } from './interrupt.js';
import { lane } from './lane.js';
import { type LegacyRowEntry, legacyRow } from './legacy-row.js';
import { type MessageEntry, message } from './message.js';
import { type PartEntry, part } from './part.js';
import { type RedactionEntry, redaction } from './redaction.js';
import { type RetryEntry, retry } from './retry.js';
import { type RevisionEntry, revision } from './revision.js';
import { type StopEntry, stop } from './stop.js';
import { type ThreadEntry, thread } from './thread.js';
import { type ThreadConfigEntry, threadConfig } from './thread-config.js';
import { type ThreadStateEntry, threadState } from './thread-state.js';
import { type VariablesEntry, variables } from './variables.js';

/** Every entry but the header of a lane. */
export type Entry =
  | DocumentEntry
  | ThreadEntry
  | ThreadConfigEntry
  | MessageEntry
  | PartEntry
  | FinishEntry
  | StopEntry
  | RetryEntry
  | InterruptEntry
  | RevisionEntry
  | RedactionEntry
  | ActivationEntry
  | VariablesEntry
  | AnnotationEntry
  | ThreadStateEntry
  | LegacyRowEntry;

export type EntryType = Entry['type'] | 'lane';

type HeadKey<T> =
  | 'type'
  | 'id'
  | 'thread_id'
  | 'message_id'
  | 'n'
  | (T extends PartEntry | FinishEntry ? 'attempt' : never);

/**
 * An entry as it was read. The ids of its head are there; any other field may be lacking, because a value that
 * does not fit its schema is left out.
 */
export type ReadEntry<T extends Entry = Entry> = T extends Entry
  ? Pick<T, Extract<keyof T, HeadKey<T>>> & Partial<Omit<T, HeadKey<T>>>
  : never;

/** A definition whose entry type does not matter. */
export type AnyDefinition = Omit<
  EntryDefinition<{ readonly type: string }>,
  'unordered' | 'author' | 'private' | 'kept' | 'sets'
> & {
  readonly unordered?: readonly string[];
  readonly author?: string;
  readonly private?: readonly string[];
  readonly kept?: readonly string[];
  readonly sets?: (entry: never) => readonly string[];
};

/** All entry types. Their order numbers the kinds, so a new type goes to the end. */
const DEFINITIONS: readonly AnyDefinition[] = [
  lane,
  document,
  thread,
  threadConfig,
  message,
  part,
  finish,
  stop,
  retry,
  interrupt,
  revision,
  redaction,
  activation,
  variables,
  annotation,
  threadState,
  legacyRow,
];

/** Kinds of line, as numbers for the index. 0 is a line that is not read. */
export const KIND: Readonly<Record<EntryType | 'none' | 'unknown' | 'bad', number>> = {
  none: 0,
  ...(Object.fromEntries(DEFINITIONS.map(({ type }, i) => [type, i + 1])) as Record<EntryType, number>),
  /** A type of a later schema: kept, counted, copied, not folded. */
  unknown: DEFINITIONS.length + 1,
  /** Listed in quarantine. */
  bad: DEFINITIONS.length + 2,
};

/** Definitions by kind; none for a kind that is not an entry of this version. */
export const DEFINITION_OF_KIND: readonly (AnyDefinition | undefined)[] = [undefined, ...DEFINITIONS];

/** Names of types by kind. */
export const TYPE_OF_KIND: readonly (EntryType | undefined)[] = DEFINITION_OF_KIND.map(
  (definition) => definition?.type as EntryType | undefined,
);

const BY_TYPE: ReadonlyMap<string, AnyDefinition> = new Map(
  DEFINITIONS.map((definition) => [definition.type, definition]),
);

/** The definition of an entry type, or undefined for a type of a later version. */
export function findDefinition(type: string): AnyDefinition | undefined {
  return BY_TYPE.get(type);
}

export function definitionOf(type: EntryType): AnyDefinition {
  return BY_TYPE.get(type) as AnyDefinition;
}

/** All entry types, by kind. */
export const ENTRY_TYPES: readonly EntryType[] = DEFINITIONS.map(({ type }) => type as EntryType);

/** Whether a kind holds what somebody wrote, so that the redaction of the message that it is about blanks it. */
export function isPrivateKind(kind: number): boolean {
  return IS_PRIVATE[kind] === true;
}

const IS_PRIVATE: readonly boolean[] = DEFINITION_OF_KIND.map(
  (definition) => definition?.private !== undefined,
);

/** The user that an entry names as its author, if its type names one. */
export function authorOf(entry: ReadEntry): string | undefined {
  const { author } = definitionOf(entry.type);
  return author === undefined ? undefined : (entry as Readonly<Record<string, string | undefined>>)[author];
}
