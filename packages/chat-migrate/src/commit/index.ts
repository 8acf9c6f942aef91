export {
  type GatheredChat,
  type GatherOptions,
  type GatherRefusal,
  gatherChats,
  isGatherable,
} from '../archive/gather.js';
export {
  type CommitOptions,
  type CommitRefusal,
  type CommitResult,
  commitMigration,
  defaultOutput,
} from './commit.js';
export {
  type DualMode,
  type DualOptions,
  type MigrationSurvey,
  type OpenedDual,
  openDual,
  surveyMigration,
} from './dual-read.js';
export { type OpenedOrMigrated, type OpenOrMigrateOptions, openChatFile } from './open-chat-file.js';
export { type MigrationRecord, type ReadRecord, readRecord, recordPath } from './record.js';
export {
  type RollbackOptions,
  type RollbackRefusal,
  type RollbackResult,
  rollBackMigration,
} from './roll-back.js';
