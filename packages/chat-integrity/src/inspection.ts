import type { Chat } from '@chatdoc/schema';
import type { TouchedLines } from '@chatdoc/schema/internal';
import type { Facts, SubjectKind } from './facts.js';
import { type Marked, RuleMarks } from './marks.js';
import { type Finding, type Mark, NO_MARKS, type Rule } from './rule.js';
import { Subjects } from './subjects/subjects.js';

interface Judged {
  readonly rule: Rule;
  readonly marks: RuleMarks;
}

/**
 * The verdicts of rules about the subjects of a chat. Begins with all subjects; from then on those that a change
 * touches are judged again. Writes nothing.
 */
export class Inspection {
  readonly subjects: Subjects;
  readonly #chat: Chat;
  readonly #rules: readonly Judged[];
  readonly #byKind = new Map<SubjectKind, Judged[]>();
  /** Attempts that were open when they were judged last. */
  #open: ReadonlySet<string> = new Set();

  constructor(chat: Chat, rules: readonly Rule[]) {
    this.#chat = chat;
    this.subjects = new Subjects(chat);
    this.#rules = rules.map((rule) => ({ rule, marks: new RuleMarks() }));
    for (const judged of this.#rules) {
      for (const kind of judged.rule.subjects) {
        const known = this.#byKind.get(kind);
        if (known === undefined) this.#byKind.set(kind, [judged]);
        else known.push(judged);
      }
    }
  }

  /** Marks subjects that a transaction touched as dirty. */
  markDirty(touched: TouchedLines): void {
    this.subjects.markDirty(touched);
  }

  /** Judges the dirty subjects, and those that may change without an entry. */
  settle(): void {
    this.subjects.settle(this.#judge);
    this.#judgeMoment();
    this.#judgeOpenAttempts();
  }

  /** The count of each rule, in the order of the rules. */
  *counts(): IterableIterator<{ readonly rule: Rule; readonly count: number }> {
    for (const { rule, marks } of this.#rules) yield { rule, count: marks.count };
  }

  /** Subjects with which something is wrong by this rule, in unspecified order. */
  subjectsOf(rule: Rule): Iterable<Marked> {
    return this.#rules.find((judged) => judged.rule === rule)?.marks.subjects() ?? [];
  }

  /** The findings of all rules, in their order. O(marks). */
  findings(): readonly Finding[] {
    return Object.freeze(this.#rules.flatMap((judged) => this.#report(judged)));
  }

  readonly #judge = (kind: SubjectKind, key: string, facts: Facts | undefined): void => {
    for (const { rule, marks } of this.#byKind.get(kind) ?? []) {
      const found = facts === undefined ? NO_MARKS : rule.judge(facts);
      if (found.length > 0 || !marks.isEmpty) marks.set(`${kind} ${key}`, facts, found);
    }
  };

  #judgeMoment(): void {
    if (!this.#byKind.has('moment')) return;
    const { inspector } = this.#chat;
    const futureStamps = inspector.countFutureStamps();
    this.#judge('moment', '', { kind: 'moment', futureStamps, damage: this.#chat.damage() });
  }

  #judgeOpenAttempts(): void {
    if (!this.#byKind.has('open_attempt')) return;
    const open = new Set<string>();
    for (const { attempt, message } of this.subjects.openAttempts()) {
      const key = `${attempt} ${message}`;
      open.add(key);
      this.#judge('open_attempt', key, { kind: 'open_attempt', id: attempt, message });
    }
    for (const key of this.#open) if (!open.has(key)) this.#judge('open_attempt', key, undefined);
    this.#open = open;
  }

  #report({ rule, marks }: Judged): readonly Finding[] {
    const reports: Omit<Finding, 'rule' | 'severity'>[] = [];
    const groups = new Map<string, Mark[]>();
    for (const mark of marks.distinct()) {
      const { group, ids, message, count = 1 } = mark;
      if (group === undefined) {
        reports.push({ ids, message, count });
        continue;
      }
      const known = groups.get(group);
      if (known === undefined) groups.set(group, [mark]);
      else known.push(mark);
    }
    for (const group of groups.values()) {
      const report = rule.report?.(group, this.#chat);
      if (report !== undefined) reports.push(report);
    }
    return sort(reports).map(({ ids, message, count }) =>
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

/** The order in which entries arrived must not show. */
function sort<T extends Pick<Finding, 'ids' | 'message'>>(reports: readonly T[]): readonly T[] {
  if (reports.length < 2) return reports;
  return reports
    .map((report) => ({ report, key: `${report.ids.join(' ')} ${report.message}` }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ report }) => report);
}
