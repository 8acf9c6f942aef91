export { type Detected, detectFormat, type LegacyFormat } from './detect.js';
export { describeLoss, type Loss, type LossKind } from './export/describe-loss.js';
export { EXPORT_FORMATS, type ExportFormat, exportChat } from './export/export-chat.js';
export type { ExportableChat } from './export/unshown.js';
export { checkLedger, type Ledger, type LedgerCheck, type LedgerRow } from './ledger.js';
export { type OpenedLegacy, openLegacy } from './open-legacy.js';
export {
  type MigrationPlan,
  type PlanFailure,
  type PlanOptions,
  type PlanResult,
  planMigration,
} from './plan.js';
export type { Problem, ProblemCode } from './plan-draft.js';
export { type PlanSummary, summarize } from './summary.js';
