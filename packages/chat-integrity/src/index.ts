export { check } from './check.js';
export { COUNTERS, type Counters, countFindings } from './counters.js';
export type { Facts, FactsByKind, LooseEntry, SubjectKind } from './facts.js';
export { type RepairAction, type RepairOptions, type RepairResult, repair } from './repair.js';
export type { Repair, RepairStep } from './repairs/repair-step.js';
export type { Finding, Mark, Rule, Severity } from './rule.js';
export { RULES } from './rules/index.js';
export { createLeaseRule } from './rules/leases.js';
export {
  type IdCount,
  type RuleSample,
  type Sample,
  type Watcher,
  type WatchOptions,
  watch,
} from './watch.js';
