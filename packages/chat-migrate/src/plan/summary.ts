import type { Entry } from '@chatdoc/schema';
import type { ProblemCode } from './draft.js';
import type { MigrationPlan } from './plan.js';

/** A plan in numbers, for a person who decides whether to commit it. */
export interface PlanSummary {
  readonly format: MigrationPlan['format'];
  readonly rows: number;
  readonly became: number;
  readonly merged: number;
  readonly threads: number;
  readonly messages: number;
  readonly revisions: number;
  readonly parts: number;
  /** Rows that became no record, by reason, sorted. */
  readonly set_aside: Readonly<Record<string, number>>;
  /** By code, sorted. */
  readonly problems: Readonly<Partial<Record<ProblemCode, number>>>;
}

export function summarize({ format, entries, ledger, problems }: MigrationPlan): PlanSummary {
  const count = (type: Entry['type']): number => entries.filter((entry) => entry.type === type).length;
  const setAside = ledger.rows.filter(({ outcome }) => outcome === 'set_aside');
  return {
    format,
    rows: ledger.rows.length,
    became: ledger.became,
    merged: ledger.merged,
    threads: count('thread'),
    messages: count('message'),
    revisions: count('revision'),
    parts: count('part'),
    set_aside: countBy(setAside.map(({ reason = '' }) => reason)),
    problems: countBy(problems.map(({ code }) => code)),
  };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...names].sort()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
