import type { Chat } from '@chatdoc/schema';
import type { Finding, Rule } from './rule.js';
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
    for (const { ids, message } of rule.check(survey)) {
      findings.push(
        Object.freeze({ rule: rule.id, severity: rule.severity, ids: Object.freeze([...ids]), message }),
      );
    }
  }
  return Object.freeze(findings);
}
