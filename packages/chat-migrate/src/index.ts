export { describeLoss, type Loss, type LossKind } from './export/describe-loss.js';
export { EXPORT_FORMATS, type ExportFormat, exportChat } from './export/export-chat.js';
export type { ExportableChat } from './export/unshown.js';
export type { Problem, ProblemCode } from './plan/draft.js';
export { checkLedger, type Ledger, type LedgerCheck, type LedgerRow } from './plan/ledger.js';
export { type OpenedLegacy, openLegacy } from './plan/open-legacy.js';
export {
  type MigrationPlan,
  type PlanOptions,
  type PlanRefusal,
  type PlanResult,
  planMigration,
} from './plan/plan.js';
export { type PlanSummary, summarize } from './plan/summary.js';
export { type Detected, detectFormat, type LegacyFormat } from './source/detect.js';
