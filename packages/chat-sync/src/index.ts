export {
  DigestExchange,
  type ExchangeOptions,
  type ExchangeResult,
  type LaneDifference,
  type UnhealedCode,
} from './digest-exchange/digest-exchange.js';
export { Door, type DoorOptions, type Receipt, type RefusalCode } from './door.js';
export {
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameFault,
  type FrameHead,
  type FrameKind,
  type ReadFrame,
  readFrame,
} from './frame.js';
export {
  GATE_LIMITS,
  Gate,
  type GateLimits,
  type GateOptions,
  type GateReset,
  type Principal,
  type Verdict,
} from './gate/gate.js';
export { type Authorize, allowOwnName, type Claim, type GateAction } from './gate/gate-claims.js';
export type { GateCode } from './gate/gate-code.js';
export type { EntryLimits } from './gate/line-check.js';
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
} from './generation.js';
export { INITIAL_LIMITS, LIVE_LIMITS, NO_LIMITS, type UpdateLimits } from './limits.js';
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
export { type ReadDocument, readDocument } from './read-document.js';
export { parseRoom, type Room, roomName } from './room.js';
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
