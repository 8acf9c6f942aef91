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
  type ReadyResult,
  StorageBinding,
  type StorageFlushResult,
  type StorageStatus,
} from './storage-binding.js';
