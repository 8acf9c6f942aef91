export { check } from './check.js';
export type { Finding, Rule, Severity, Violation } from './rule.js';
export { RULES } from './rules.js';
export type { Survey, SurveyedEntry } from './survey.js';
