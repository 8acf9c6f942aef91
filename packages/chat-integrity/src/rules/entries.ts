import type { Chat } from '@chatdoc/schema';
import type { SubjectRole } from '@chatdoc/schema/internal';
import { type LooseEntry, readLines } from '../facts.js';
import { countMarks, NO_MARKS, type Rule } from '../rule.js';

const FUTURE_STAMP: Rule<'moment'> = {
  id: 'IN16',
  name: 'future_stamp',
  counter: 'chat.integrity.future_stamps',
  severity: 'warning',
  description: 'No id has a time more than five minutes ahead of the clock of this machine.',
  subjects: ['moment'],
  judge: ({ futureStamps: count }) =>
    count === 0 ? NO_MARKS : [{ ids: [], message: '', count, group: 'stamps' }],
  report: (marks, chat) => {
    const count = countMarks(marks);
    const entries = count === 1 ? 'entry was' : 'entries were';
    return {
      ids: listStamps(chat).slice(-count).reverse(),
      message: `${count} ${entries} written more than five minutes ahead of this clock`,
      count,
    };
  },
  unrepaired: 'No writer follows such a stamp, and time repairs it; if this clock is wrong, set it.',
};

const PROBLEM_RECORD: Rule<'lines'> = {
  id: 'IN23',
  name: 'problem_record',
  counter: 'chat.integrity.problem_records',
  severity: 'error',
  description: 'The fields of an entry fit the schema of its type.',
  subjects: ['lines'],
  judge: ({ entries }) =>
    entries
      .filter(({ problem }) => problem !== undefined && !problem.startsWith(IS_CUT))
      .map(({ id, type, problem }) => ({
        ids: [id],
        message: `some fields of this ${type} (${problem}) do not fit, and are left out`,
        name: id,
      })),
  unrepaired: 'What a field was meant to say cannot be guessed; its author can write it again.',
};

const CUT_ENTRY: Rule<'lines'> = {
  id: 'IN24',
  name: 'cut_entry',
  counter: 'chat.integrity.cut_entries',
  severity: 'warning',
  description: 'Every line is whole, except a streamed text that its writer has not ended.',
  subjects: ['lines'],
  judge: ({ entries }) =>
    entries
      .filter(({ type, cut }) => cut && type !== 'part')
      .map(({ id, type }) => ({
        ids: [id],
        message: `this ${type} is not whole: the rest may be in another copy`,
      })),
  unrepaired: 'The rest is in the copy that is whole: importing that one repairs it.',
};

export const ENTRY_RULES: readonly Rule[] = [FUTURE_STAMP, PROBLEM_RECORD, CUT_ENTRY];

/** How the problem begins that IN24 reports. */
const IS_CUT = 'cut: ';
const ROLES: readonly SubjectRole[] = ['thread', 'message', 'attempt'];

/** Every id that counts as a time, sorted. Reads the whole document. */
function listStamps(chat: Chat): readonly string[] {
  const stamps = new Set<string>();
  for (const role of ROLES) {
    for (const subject of chat.inspector.subjects(role)) {
      for (const { id, type, entry } of readLines(chat, role, subject).entries) {
        stamps.add(id);
        const { attempt } = entry as LooseEntry<'message'>['entry'];
        if (type === 'message' && attempt !== undefined) stamps.add(attempt);
      }
    }
  }
  for (const { id } of chat.inspector.documentEntries()) stamps.add(id);
  return [...stamps].sort();
}
