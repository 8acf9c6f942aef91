import { createHead, ROLE, readHead, ULID_LENGTH } from '@chatdoc/schema/internal';
import { countMarks, type Mark, NO_MARKS, type Rule } from '../rule.js';

/** Rules about lines that do not count, whatever is in them. A line is met once, by way of any subject. */

const DUPLICATE_ID: Rule<'lines'> = {
  id: 'IN15',
  name: 'duplicate_id',
  counter: 'chat.integrity.duplicate_ids',
  severity: 'error',
  description: 'No two different lines have the same id. A cut line beside the whole one is not a duplicate.',
  subjects: ['lines'],
  judge: ({ faults }) =>
    faults.duplicates.length === 0
      ? NO_MARKS
      : faults.duplicates
          .filter(({ line }) => !line.endsWith(CUT))
          .map(({ lane_id, line }) => {
            const { own } = readIds(line);
            return { ids: [own], message: '', name: `${lane_id ?? ''} ${line}`, group: own };
          }),
  report: (marks) => {
    const count = countMarks(marks);
    const message = `${count} other ${count === 1 ? 'line has' : 'lines have'} the id of this entry, and ${count === 1 ? 'does' : 'do'} not show`;
    return { ids: marks[0]?.ids ?? [], message, count };
  },
  unrepaired:
    'All lines are kept, one is chosen alike on every replica; which one is right only a person can tell.',
};

const FOREIGN_ENTRY: Rule<'lines'> = {
  id: 'IN18',
  name: 'foreign_entry',
  counter: 'chat.integrity.foreign_entries',
  severity: 'error',
  description: 'Parts and finishes of an attempt come from the writer that opened it.',
  subjects: ['lines'],
  judge: ({ faults }) =>
    faults.ignored.length === 0
      ? NO_MARKS
      : faults.ignored.map(({ lane_id, line }) => {
          const { attempt } = readIds(line);
          const name = `${lane_id ?? ''} ${line}`;
          return { ids: [attempt, lane_id ?? ''], message: '', name, group: attempt };
        }),
  report: (marks) => {
    const count = countMarks(marks);
    const [attempt = ''] = marks[0]?.ids ?? [];
    const lanes = new Set(marks.map(({ ids }) => ids[1] ?? ''));
    const message = `${count} ${count === 1 ? 'line' : 'lines'} of this attempt from another writer do not count`;
    return { ids: [attempt, ...[...lanes].sort()], message, count };
  },
  unrepaired: 'The lines are kept and listed, and count for nothing; nobody can say that they were meant.',
};

const QUARANTINED_LINE: Rule<'lines'> = {
  id: 'IN20',
  name: 'quarantined_line',
  counter: 'chat.integrity.quarantined_lines',
  severity: 'error',
  description: 'Every line with a whole head can be read.',
  subjects: ['lines'],
  judge: ({ faults }) =>
    faults.quarantined.length === 0
      ? NO_MARKS
      : faults.quarantined
          .filter(({ reason }) => !IS_WITHOUT_IDENTITY.has(reason))
          .map(({ lane_id, line, reason }): Mark => {
            const lane = lane_id ?? '';
            return {
              ids: lane === '' ? [] : [lane],
              message: reason,
              name: `${lane} ${reason} ${line}`,
              group: `${lane} ${reason}`,
            };
          }),
  report: (marks) => {
    const count = countMarks(marks);
    const { ids = [], message: reason = '' } = marks[0] ?? {};
    const lines = count === 1 ? 'line cannot be read and does' : 'lines cannot be read and do';
    const where = ids.length === 0 ? 'under no lane' : 'in this lane';
    return { ids, message: `${count} ${lines} not show (${reason}), ${where}`, count };
  },
  unrepaired:
    'The line stays where it is, so that a later version may read it; its writer can write it again.',
};

const MISSING_IDENTITY: Rule<'lines'> = {
  id: 'IN29',
  name: 'missing_identity',
  counter: 'chat.integrity.missing_identity_fields',
  severity: 'error',
  description: 'Every line names its type, its own id and what it is about, under the header of a lane.',
  subjects: ['lines'],
  judge: ({ faults }) =>
    faults.quarantined.length === 0
      ? NO_MARKS
      : faults.quarantined
          .filter(({ reason }) => IS_WITHOUT_IDENTITY.has(reason))
          .map(({ lane_id, line, reason }): Mark => {
            const lane = lane_id ?? '';
            const name = `${lane} ${reason} ${line}`;
            return { ids: lane === '' ? [] : [lane], message: '', name, group: lane };
          }),
  report: (marks) => {
    const count = countMarks(marks);
    const { ids = [] } = marks[0] ?? {};
    const lines =
      count === 1 ? 'line has no valid type or id and is' : 'lines have no valid type or id and are';
    const where = ids.length === 0 ? 'under no lane' : 'in this lane';
    return { ids, message: `${count} ${lines} hidden, ${where}`, count };
  },
  unrepaired: 'An id that nobody wrote would be an id that nobody refers to; the line is kept and listed.',
};

export const LINE_RULES: readonly Rule[] = [DUPLICATE_ID, FOREIGN_ENTRY, QUARANTINED_LINE, MISSING_IDENTITY];

const IS_WITHOUT_IDENTITY: ReadonlySet<string> = new Set(['head', 'no_header']);

/** How a line ends that was cut off while it was copied. */
const CUT = ',"cut":true}';

/** The own id of a line, and the attempt that it is about. */
function readIds(line: string): { readonly own: string; readonly attempt: string } {
  const head = createHead();
  readHead(line, 0, line.length, head);
  const idAt = (at: number): string => (at < 0 ? '' : line.slice(at, at + ULID_LENGTH));
  return { own: idAt(head.own), attempt: head.subjectRole === ROLE.attempt ? idAt(head.subject) : '' };
}
