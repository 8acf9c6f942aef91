export { type Detected, detectFormat, type LegacyFormat } from './detect.js';
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
