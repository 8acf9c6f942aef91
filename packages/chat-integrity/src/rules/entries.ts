import type { QuarantineReason } from '@chatdoc/schema';
import type { Rule } from '../rule.js';
import type { Survey } from '../survey.js';

export const ENTRY_RULES: readonly Rule[] = [
  {
    id: 'IN15',
    name: 'duplicate_id',
    severity: 'error',
    description: 'No two different lines have the same id. A cut line beside the whole one is no duplicate.',
    check: ({ faults }) => {
      const counts = new Map<string, number>();
      for (const { line } of faults.duplicates) {
        if (line.endsWith(CUT)) continue;
        const id = OWN_ID.exec(line)?.[1] ?? '';
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return [...counts].map(([id, count]) => ({
        ids: [id],
        message: `${count} other ${count === 1 ? 'line has' : 'lines have'} the id of this entry, and ${count === 1 ? 'does' : 'do'} not show`,
        count,
      }));
    },
    unrepaired:
      'All lines are kept, one is chosen alike on every replica; which one is right only a person can tell.',
  },
  {
    id: 'IN16',
    name: 'future_stamp',
    severity: 'warning',
    description: 'No id says a time more than five minutes ahead of the clock of this machine.',
    check: (survey) => {
      const count = survey.chat.inspector.countFutureStamps();
      if (count === 0) return [];
      return [
        {
          ids: listStamps(survey).slice(-count).reverse(),
          message: `${count} ${count === 1 ? 'entry was' : 'entries were'} written more than five minutes ahead of this clock`,
          count,
        },
      ];
    },
    unrepaired: 'No writer follows such a stamp, and time mends it; if this clock is wrong, set it.',
  },
  {
    id: 'IN20',
    name: 'quarantined_line',
    severity: 'error',
    description: 'Every line with a whole head can be read.',
    check: ({ faults }) => {
      const counts = new Map<string, number>();
      for (const { lane_id, reason } of faults.quarantined) {
        if (isWithoutIdentity(reason)) continue;
        const key = `${lane_id ?? ''} ${reason}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return [...counts].map(([key, count]) => {
        const [lane = '', reason = ''] = key.split(' ');
        const lines = count === 1 ? 'line cannot be read and does' : 'lines cannot be read and do';
        const where = lane === '' ? 'under no lane' : 'in this lane';
        return {
          ids: lane === '' ? [] : [lane],
          message: `${count} ${lines} not show (${reason}), ${where}`,
          count,
        };
      });
    },
    unrepaired:
      'The line stays where it is, so that a later version may read it; its writer can write it again.',
  },
  {
    id: 'IN29',
    name: 'missing_identity',
    severity: 'error',
    description: 'Every line names its type, its own id and what it is about, under the header of a lane.',
    check: ({ faults }) => {
      const counts = new Map<string, number>();
      for (const { lane_id, reason } of faults.quarantined) {
        if (isWithoutIdentity(reason)) counts.set(lane_id ?? '', (counts.get(lane_id ?? '') ?? 0) + 1);
      }
      return [...counts].map(([lane, count]) => ({
        ids: lane === '' ? [] : [lane],
        message: `${count} ${count === 1 ? 'line says' : 'lines say'} not what ${count === 1 ? 'it is' : 'they are'}, and ${count === 1 ? 'does' : 'do'} not show, ${lane === '' ? 'under no lane' : 'in this lane'}`,
        count,
      }));
    },
    unrepaired: 'An id that nobody wrote would be an id that nobody refers to; the line is kept and listed.',
  },
  {
    id: 'IN23',
    name: 'problem_record',
    severity: 'error',
    description: 'What an entry says fits the schema of its type.',
    check: (survey) => {
      const problems = new Map<string, string>();
      for (const { id, type, problem } of survey.allUnusualEntries()) {
        if (!isProblem(problem)) continue;
        const what = `this ${type} (${problem})`;
        const known = problems.get(id);
        if (known === undefined || what < known) problems.set(id, what);
      }
      return [...problems].map(([id, what]) => ({
        ids: [id],
        message: `some fields of ${what} do not fit, and are left out`,
      }));
    },
    unrepaired: 'What a field was meant to say cannot be guessed; its author can write it again.',
  },
  {
    id: 'IN24',
    name: 'cut_entry',
    severity: 'warning',
    description: 'Every line is whole, but for a streamed text that its writer has not ended.',
    check: (survey) =>
      survey
        .allUnusualEntries()
        .filter(({ type, cut }) => cut && type !== 'part')
        .map(({ id, type }) => ({
          ids: [id],
          message: `this ${type} is not whole: the rest may be in another copy`,
        })),
    unrepaired: 'The rest is in the copy that is whole: importing that one mends it.',
  },
];

/** Anything but what IN24 reports. */
export function isProblem(problem: string | undefined): problem is string {
  return problem !== undefined && !problem.startsWith('cut: ');
}

export function isWithoutIdentity(reason: QuarantineReason): boolean {
  return reason === 'head' || reason === 'no_header';
}

/** How a line ends that was cut off while it was copied. */
export const CUT: string = ',"cut":true}';
const OWN_ID = /^\{"type":"[a-z_]+","[a-z_]+":"([0-9A-Z]{26})"/;

/** Every id that counts as a time, sorted. */
function listStamps(survey: Survey): readonly string[] {
  const stamps = new Set<string>();
  for (const { id } of survey.allEntries()) stamps.add(id);
  for (const { entry } of survey.entries('message')) {
    if (entry.attempt !== undefined) stamps.add(entry.attempt);
  }
  return [...stamps].sort();
}
