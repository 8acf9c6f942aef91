import type { Rule } from '../rule.js';
import { ANSWER_RULES } from './answers.js';
import { CONFIG_RULES } from './config.js';
import { DATE_RULES } from './dates.js';
import { ENTRY_RULES } from './entries.js';
import { LANE_RULES } from './lanes.js';
import { LINE_RULES } from './lines.js';
import { REPLY_RULES } from './replies.js';
import { SLOT_RULES } from './slots.js';
import { THREAD_RULES } from './threads.js';
import { WAITING_RULES } from './waiting.js';

/** All rules that need nothing but the document, by number. */
export const RULES: readonly Rule[] = Object.freeze(
  [
    ...THREAD_RULES,
    ...REPLY_RULES,
    ...ANSWER_RULES,
    ...WAITING_RULES,
    ...SLOT_RULES,
    ...ENTRY_RULES,
    ...LINE_RULES,
    ...LANE_RULES,
    ...DATE_RULES,
    ...CONFIG_RULES,
  ].sort((a, b) => numberOf(a) - numberOf(b)),
);

function numberOf({ id }: Rule): number {
  return Number(id.slice(2));
}
