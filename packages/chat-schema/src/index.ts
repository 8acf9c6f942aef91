export type { AttemptWriter, NewFinish, NewPart, PartWriter } from './chat/attempt-writer.js';
export { type Chat, openChat } from './chat/chat.js';
export { chatOf } from './chat/chat-of.js';
export { embedChat } from './chat/embed.js';
export type { Inspector } from './chat/inspector.js';
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
export type { Rollback } from './entry/document.js';
export type { Json, JsonObject } from './entry/json.js';
export type { LaneEntry } from './entry/lane.js';
export type { LegacyRowEntry } from './entry/legacy-row.js';
export { LIMITS, SCHEMA_VERSION } from './entry/limits.js';
export type { QuarantineReason } from './entry/line.js';
export type { Entry } from './entry/table.js';
export type { Purpose, Slot } from './entry/thread.js';
export type { ThreadConfigFields } from './entry/thread-config.js';
export type { ThreadStateName } from './entry/thread-state.js';
export { createUlid, deriveAnswerId, deriveMessageId, formatDate, isUlid, timeOfUlid } from './entry/ulid.js';
export type { VariableScope } from './entry/variables.js';
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
