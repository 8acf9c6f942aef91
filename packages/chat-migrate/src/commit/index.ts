export {
  type CommitFault,
  type CommitOptions,
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
export { type MigrationRecord, type ReadRecord, readRecord, recordPath } from './record.js';
export {
  type RollbackFault,
  type RollbackOptions,
  type RollbackResult,
  rollBackMigration,
} from './roll-back.js';
