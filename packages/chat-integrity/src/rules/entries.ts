import type { Rule } from '../rule.js';
import type { Survey } from '../survey.js';
import { listForgedAnswers } from './answers.js';

export const ENTRY_RULES: readonly Rule[] = [
  {
    id: 'IN15',
    name: 'duplicate_id',
    severity: 'error',
    description: 'No two different lines have the same id. A cut line beside the whole one is no duplicate.',
    check: ({ chat }) => {
      const counts = new Map<string, number>();
      for (const { line } of chat.duplicates()) {
        if (line.endsWith(CUT)) continue;
        const id = OWN_ID.exec(line)?.[1] ?? '';
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return [...counts].map(([id, count]) => ({
        ids: [id],
        message: `${count} other ${count === 1 ? 'line has' : 'lines have'} the id of this entry, and ${count === 1 ? 'does' : 'do'} not show`,
      }));
    },
  },
  {
    id: 'IN16',
    name: 'future_stamp',
    severity: 'warning',
    description: 'No id says a time more than five minutes ahead of the clock of this machine.',
    check: (survey) => {
      const count = survey.report.future_stamps;
      if (count === 0) return [];
      return [
        {
          ids: listStamps(survey).slice(-count).reverse(),
          message: `${count} ${count === 1 ? 'entry was' : 'entries were'} written more than five minutes ahead of this clock`,
        },
      ];
    },
  },
  {
    id: 'IN20',
    name: 'quarantined_line',
    severity: 'error',
    description: 'Every line can be read.',
    check: ({ chat }) => {
      const counts = new Map<string, number>();
      for (const { lane_id, reason } of chat.quarantine()) {
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
        };
      });
    },
  },
  {
    id: 'IN23',
    name: 'problem_record',
    severity: 'error',
    description: 'What an entry says fits the schema of its type.',
    check: (survey) => {
      const problems = new Map<string, string>();
      const forged = new Set(listForgedAnswers(survey).map(({ id }) => id));
      for (const { id, type, problem } of survey.allEntries()) {
        if (problem !== undefined && !problems.has(id)) problems.set(id, `this ${type} (${problem})`);
      }
      for (const { message_id, problem } of survey.messages.values()) {
        if (problem === undefined || problems.has(message_id) || forged.has(message_id)) continue;
        if (isCut(problem)) continue;
        if (!hasProblemBehind(survey, message_id, problems))
          problems.set(message_id, `this message (${problem})`);
      }
      for (const { thread_id, problem } of survey.threads) {
        if (problem !== undefined && !isCut(problem) && !problems.has(thread_id))
          problems.set(thread_id, `this thread (${problem})`);
      }
      return [...problems].map(([id, what]) => ({
        ids: [id],
        message: `some fields of ${what} do not fit, and are left out`,
      }));
    },
  },
  {
    id: 'IN24',
    name: 'cut_entry',
    severity: 'warning',
    description: 'Every line is whole, but for a streamed text that its writer has not ended.',
    check: (survey) =>
      survey
        .allEntries()
        .filter(({ type, cut }) => cut && type !== 'part')
        .map(({ id, type }) => ({
          ids: [id],
          message: `this ${type} was cut off while it was copied: the rest may be in another copy`,
        })),
  },
];

/** What IN24 reports. */
function isCut(problem: string): boolean {
  return problem.startsWith('cut: ');
}

const CUT = ',"cut":true}';
const OWN_ID = /^\{"type":"[a-z_]+","[a-z_]+":"([0-9A-Z]{26})"/;

/** A message takes on the problem of a part or revision, which has a finding of its own. */
function hasProblemBehind(survey: Survey, messageId: string, problems: ReadonlyMap<string, string>): boolean {
  const message = survey.messages.get(messageId);
  const attempts = [message?.attempt, ...(message?.alternates ?? [])].map((attempt) => attempt?.attempt);
  const revisions = message?.history.map(({ id }) => id) ?? [];
  return [...attempts, ...revisions].some((id) => typeof id === 'string' && problems.has(id));
}

/** Every id that counts as a time, sorted. */
function listStamps(survey: Survey): readonly string[] {
  const stamps = new Set<string>();
  for (const { id } of survey.allEntries()) stamps.add(id);
  for (const { entry } of survey.entries('message')) {
    if (entry.attempt !== undefined) stamps.add(entry.attempt);
  }
  return [...stamps].sort();
}
