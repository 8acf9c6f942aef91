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
    for (const { ids, message, count = 1 } of [...rule.check(survey)].sort(compareViolations)) {
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
function compareViolations(a: Violation, b: Violation): number {
  const [x, y] = [`${a.ids.join(' ')} ${a.message}`, `${b.ids.join(' ')} ${b.message}`];
  return x < y ? -1 : x > y ? 1 : 0;
}
