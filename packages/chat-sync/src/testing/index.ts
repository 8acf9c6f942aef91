export { FaultPlan, withFaults } from './fault-plan.js';
export { memoryHarness } from './memory-harness.js';
export { SAMPLE_NAME } from './sample-chat.js';
export { type ConformanceOptions, type StorageCase, storageConformance } from './storage-conformance.js';
export type { StorageFaults, StorageHarness } from './storage-harness.js';
