export type { AttemptWriter, NewFinish, NewPart, PartWriter } from './chat/attempt-writer.js';
export type { ChatCalls } from './chat/calls.js';
export { type Chat, openChat } from './chat/chat.js';
export { embedChat } from './chat/embed.js';
export type {
  CountedEntry,
  Inspector,
  LineFaults,
  SubjectRole,
  TouchedLines,
} from './chat/inspector.js';
export type {
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
} from './chat/options.js';
export type { ChatReader } from './chat/reader.js';
export type { ActivationEntry } from './entry/activation.js';
export type { AnnotationEntry } from './entry/annotation.js';
export type { DocumentEntry, Rollback } from './entry/document.js';
export type { FinishEntry } from './entry/finish.js';
export { createHead, type Head, keyOfLine, readHead } from './entry/head.js';
export type { InterruptEntry } from './entry/interrupt.js';
export type { Json, JsonObject } from './entry/json.js';
export type { LaneEntry } from './entry/lane.js';
export type { LegacyRowEntry } from './entry/legacy-row.js';
export { LIMITS, SCHEMA_VERSION } from './entry/limits.js';
export {
  closeLine,
  Escaper,
  encodeLine,
  endsInEscape,
  type ParsedLine,
  parseLine,
  type QuarantineReason,
} from './entry/line.js';
export type { MessageEntry } from './entry/message.js';
export { PART_KINDS, type PartEntry, type PartKind } from './entry/part.js';
export { blankLine } from './entry/private.js';
export { readEntry } from './entry/read.js';
export type { RedactionEntry } from './entry/redaction.js';
export type { RetryEntry } from './entry/retry.js';
export type { RevisionEntry } from './entry/revision.js';
export type { StopEntry } from './entry/stop.js';
export { type Entry, type EntryType, entrySchemas, KIND } from './entry/table.js';
export { PURPOSES, type Purpose, type Slot, type ThreadEntry } from './entry/thread.js';
export type { ThreadConfigEntry, ThreadConfigFields } from './entry/thread-config.js';
export { THREAD_STATES, type ThreadStateEntry, type ThreadStateName } from './entry/thread-state.js';
export {
  deriveAnswerId,
  deriveInterruptId,
  deriveMessageId,
  deriveSlotThreadId,
  deriveUlid,
  FUTURE_LIMIT_MS,
  formatDate,
  formatUlid,
  isUlid,
  MAX_TIME,
  type ParsedUlid,
  parseUlid,
  timeOfUlid,
} from './entry/ulid.js';
export { VARIABLE_SCOPES, type VariableScope, type VariablesEntry } from './entry/variables.js';
export { findHeads } from './fold/last-writer.js';
export type {
  Annotation,
  Attempt,
  AttemptState,
  ChatChange,
  ChatReport,
  ConfigConflict,
  DamagedLine,
  ImportResult,
  LineReport,
  Message,
  Part,
  QuarantinedLine,
  TextDelta,
  Thread,
  ThreadConfig,
  ThreadState,
  Version,
  Waiting,
} from './fold/records.js';
export type { Range } from './fold/thread-list.js';
export { type Environment, systemEnvironment } from './host/environment.js';
export { ChatDocError, type ChatDocErrorCode } from './host/errors.js';
export { systemTimers, type Timers } from './host/timers.js';
export { ChatOrigin } from './lane/structs.js';
