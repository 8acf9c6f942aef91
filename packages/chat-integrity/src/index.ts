export { check } from './check.js';
export { COUNTERS, type Counters, countFindings } from './counters.js';
export { type RepairAction, type RepairOptions, type RepairResult, repair } from './repair.js';
export type { Repair, RepairStep } from './repair-step.js';
export type { Finding, Rule, Severity, Violation } from './rule.js';
export { createLeaseRule } from './rules/leases.js';
export { RULES } from './rules.js';
export type { Survey, SurveyedEntry } from './survey.js';
export {
  type Offence,
  type Offender,
  type Sample,
  type Watcher,
  type WatchOptions,
  watch,
} from './watch.js';
