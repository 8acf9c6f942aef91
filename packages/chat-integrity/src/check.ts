import type { Chat } from '@chatdoc/schema';
import type { Finding, Rule, Violation } from './rule.js';
import { RULES } from './rules.js';
import { createSurvey } from './survey.js';

/**
 * Every place where a rule does not hold, in the order of the rules. Reads the whole document, changes nothing, and
 * never throws on what a document holds.
 */
export function check(chat: Chat, rules: readonly Rule[] = RULES): readonly Finding[] {
  const survey = createSurvey(chat);
  const findings: Finding[] = [];
  for (const rule of rules) {
    for (const { ids, message, count = 1 } of sortViolations(rule.check(survey))) {
      findings.push(
        Object.freeze({
          rule: rule.id,
          severity: rule.severity,
          ids: Object.freeze([...ids]),
          message,
          count,
        }),
      );
    }
  }
  return Object.freeze(findings);
}

/** The order in which entries came must not show. */
function sortViolations(violations: readonly Violation[]): readonly Violation[] {
  if (violations.length < 2) return violations;
  return violations
    .map((violation) => ({ violation, key: `${violation.ids.join(' ')} ${violation.message}` }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ violation }) => violation);
}
