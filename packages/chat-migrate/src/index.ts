export { type Detected, detectFormat, type LegacyFormat } from './detect.js';
export { checkLedger, type Ledger, type LedgerCheck, type LedgerRow } from './ledger.js';
export { type MigrationPlan, type PlanFailure, type PlanResult, planMigration } from './plan.js';
export type { Problem, ProblemCode } from './plan-draft.js';
export { type PlanSummary, summarize } from './summary.js';
