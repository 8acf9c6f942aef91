import { RULES } from './rules/index.js';
import { createLeaseRule } from './rules/leases.js';

/** The name under which the findings of each rule are counted. Rules that share a name are added up. */
export const COUNTERS: Readonly<Record<string, string>> = Object.freeze(
  Object.fromEntries(
    [...RULES, createLeaseRule(() => true)].map(({ id, counter = '' }) => [id, counter] as const),
  ),
);

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
