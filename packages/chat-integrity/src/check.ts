import type { Chat } from '@chatdoc/schema';
import { Inspection } from './inspection.js';
import type { Finding, Rule } from './rule.js';
import { RULES } from './rules/index.js';

/**
 * Returns every place where a rule does not hold, in the order of the rules: all rules of this package by default.
 * Reads the whole document, changes nothing, and never throws on what a document holds.
 */
export function check(chat: Chat, rules: readonly Rule[] = RULES): readonly Finding[] {
  const inspection = new Inspection(chat, rules);
  inspection.settle();
  return inspection.findings();
}
