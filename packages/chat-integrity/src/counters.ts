/** The name under which the violations of each rule are counted. Rules that share a name are added up. */
export const COUNTERS: Readonly<Record<string, string>> = Object.freeze({
  IN1: 'chat.integrity.orphan_messages',
  IN2: 'chat.integrity.multi_root_per_thread',
  IN3: 'chat.integrity.multi_root_per_thread',
  IN4: 'chat.integrity.invalid_reply_targets',
  IN5: 'chat.integrity.invalid_reply_targets',
  IN6: 'chat.integrity.invalid_reply_targets',
  IN7: 'chat.integrity.forged_answers',
  IN8: 'chat.integrity.answers_without_prompt',
  IN9: 'chat.integrity.waiting_entries',
  IN10: 'chat.acp.finalize_mismatch',
  IN11: 'chat.integrity.contested_slots',
  IN12: 'chat.integrity.misplaced_activations',
  IN13: 'chat.integrity.invalid_slot_thread_ids',
  IN14: 'chat.acp.shared_sessions',
  IN15: 'chat.integrity.duplicate_ids',
  IN16: 'chat.integrity.future_stamps',
  IN17: 'chat.integrity.foreign_characters',
  IN18: 'chat.integrity.foreign_entries',
  IN19: 'chat.integrity.damaged_lines',
  IN20: 'chat.integrity.quarantined_lines',
  IN21: 'chat.integrity.hidden_lanes',
  IN22: 'chat.integrity.unknown_entries',
  IN23: 'chat.integrity.problem_records',
  IN24: 'chat.integrity.cut_entries',
  IN25: 'chat.integrity.duplicate_date_rows',
  IN26: 'chat.integrity.missing_thread_config',
  IN27: 'chat.integrity.unresolved_conflicts',
  IN28: 'chat.acp.abandoned_attempts',
  IN29: 'chat.integrity.missing_identity_fields',
});

/** By name, how much is wrong. Every name is there, in order. */
export type Counters = Readonly<Record<string, number>>;

const RULE_IDS: readonly (readonly [name: string, rules: readonly string[]])[] = [
  ...new Set(Object.values(COUNTERS)),
]
  .sort()
  .map((name) => [name, Object.keys(COUNTERS).filter((rule) => COUNTERS[rule] === name)]);

/** Adds up what each rule counts. */
export function addCounters(countOf: (rule: string) => number): Counters {
  const sums: Record<string, number> = {};
  for (const [name, rules] of RULE_IDS) {
    let sum = 0;
    for (const rule of rules) sum += countOf(rule);
    sums[name] = sum;
  }
  return Object.freeze(sums);
}

/** The counters of what `check` found. */
export function countFindings(
  findings: readonly { readonly rule: string; readonly count: number }[],
): Counters {
  const counts = new Map<string, number>();
  for (const { rule, count } of findings) counts.set(rule, (counts.get(rule) ?? 0) + count);
  return addCounters((rule) => counts.get(rule) ?? 0);
}
