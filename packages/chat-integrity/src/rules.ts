import type { Rule } from './rule.js';
import { ANSWER_RULES } from './rules/answers.js';
import { CONFIG_RULES } from './rules/config.js';
import { DATE_RULES } from './rules/dates.js';
import { ENTRY_RULES } from './rules/entries.js';
import { LANE_RULES } from './rules/lanes.js';
import { REPLY_RULES } from './rules/replies.js';
import { SLOT_RULES } from './rules/slots.js';
import { THREAD_RULES } from './rules/threads.js';
import { WAITING_RULES } from './rules/waiting.js';

/** All rules, by number. */
export const RULES: readonly Rule[] = Object.freeze(
  [
    ...THREAD_RULES,
    ...REPLY_RULES,
    ...ANSWER_RULES,
    ...WAITING_RULES,
    ...SLOT_RULES,
    ...ENTRY_RULES,
    ...LANE_RULES,
    ...DATE_RULES,
    ...CONFIG_RULES,
  ].sort((a, b) => numberOf(a) - numberOf(b)),
);

function numberOf({ id }: Rule): number {
  return Number(id.slice(2));
}
