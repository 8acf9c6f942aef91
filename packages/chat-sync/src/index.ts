export { type ReadDocument, readDocument } from './file/read-document.js';
export { type Assertion, type Authorize, allowOwnName, type GateAction } from './gate/assertions.js';
export {
  GATE_LIMITS,
  Gate,
  type GateLimits,
  type GateOptions,
  type GateRefusal,
  type GateReset,
  type Principal,
  type Verdict,
} from './gate/gate.js';
export type { EntryLimits } from './gate/lines.js';
export type { GateRefusalCode } from './gate/refusal.js';
export { type AdoptedOwn, type AdoptOwnOptions, adoptOwn } from './generation/adopt-own.js';
export {
  type Adopted,
  adoptRolledBack,
  adoptStale,
  compactChat,
  listRolledBack,
  type NextGeneration,
  type NextOptions,
  type RollbackOptions,
  type RolledBackLane,
  rollBackChat,
} from './generation/generation.js';
export { parseRoom, type Room, roomName } from './generation/room.js';
export {
  openPresence,
  type Peer,
  PRESENCE_LIMITS,
  type Presence,
  type PresenceLimits,
  type PresenceOptions,
} from './presence/presence.js';
export {
  AWARENESS_LIMITS,
  type AwarenessLimits,
  type AwarenessState,
  type DroppedReason,
  type DroppedState,
  type FilteredAwareness,
  filterAwarenessUpdate,
} from './presence/presence-filter.js';
export type { PresenceUser } from './presence/presence-state.js';
export {
  type AsideRow,
  type BindOptions,
  bindStorage,
  type ChatStorage,
  type DamagedRow,
  type IndexedDbOptions,
  indexedDbStorage,
  type LoadedRows,
  MemoryMedium,
  type MemoryOptions,
  memoryStorage,
  type ReadyResult,
  type RowFault,
  StorageBinding,
  type StorageFailure,
  type StorageFault,
  type StorageFlushResult,
  type StorageResult,
  type StorageStatus,
  type StoredRow,
  type WrittenRows,
} from './storage/index.js';
export { Door, type DoorOptions, type Receipt } from './update/door.js';
export {
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameHead,
  type FrameKind,
  type FrameRefusalCode,
  type ReadFrame,
  readFrame,
} from './update/frame.js';
export { INITIAL_LIMITS, LIVE_LIMITS, NO_LIMITS, type UpdateLimits } from './update/limits.js';
export type { DoorRefusalCode } from './update/refusal.js';
