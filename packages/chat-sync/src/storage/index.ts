export type {
  AsideRow,
  ChatStorage,
  DamagedRow,
  LoadedRows,
  RowFault,
  StorageFailure,
  StorageFault,
  StorageResult,
  StoredRow,
  WrittenRows,
} from './chat-storage.js';
export { type IndexedDbOptions, indexedDbStorage } from './indexeddb-storage.js';
export { MemoryMedium, type MemoryOptions, memoryStorage } from './memory-storage.js';
export {
  type BindOptions,
  bindStorage,
  type FlushResult,
  type ReadyResult,
  StorageBinding,
  type StorageStatus,
} from './storage-binding.js';
