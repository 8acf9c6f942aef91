import { REHOST } from '../repairs/rehost.js';
import { countMarks, NO_MARKS, type Rule } from '../rule.js';

const FOREIGN_TEXT: Rule<'text'> = {
  id: 'IN17',
  name: 'foreign_text',
  counter: 'chat.integrity.foreign_characters',
  severity: 'error',
  description: 'Only its owner writes in the text of a lane.',
  subjects: ['text'],
  judge: ({ key, foreign: count }) =>
    count === 0
      ? NO_MARKS
      : [
          {
            ids: [key],
            message: `${count} characters in this text come from another client, and are not read`,
            count,
          },
        ],
  unrepaired: 'Nobody reads it, and taking it out would be a deletion; refusing its writer is for the gate.',
};

const DAMAGED_LANE: Rule<'moment'> = {
  id: 'IN19',
  name: 'damaged_lane',
  counter: 'chat.integrity.damaged_lines',
  severity: 'error',
  description: 'Nobody has deleted the text of a lane, except by a redaction.',
  subjects: ['moment'],
  judge: ({ damage }) =>
    damage.map(({ header, lane_id }) => {
      const lane = header?.lane_id ?? lane_id ?? '';
      return { ids: lane === '' ? [] : [lane], message: '', group: lane };
    }),
  report: (marks) => {
    const count = countMarks(marks);
    const [lines, them] = count === 1 ? ['line', 'it'] : ['lines', 'them'];
    const message = `${count} ${lines} of this lane were deleted from the document; this replica still has ${them}`;
    return { ids: marks[0]?.ids ?? [], message, count };
  },
  repair: REHOST,
};

const HIDDEN_LANE: Rule<'version'> = {
  id: 'IN21',
  name: 'hidden_lane',
  counter: 'chat.integrity.hidden_lanes',
  severity: 'warning',
  description: 'This version of the library can read every lane.',
  subjects: ['version'],
  judge: ({ hidden }) =>
    hidden.map((lane) => ({
      ids: [lane],
      message: 'this lane needs a later version of the library; until then nothing in it shows',
    })),
  unrepaired: 'Only the later version can read the lane.',
};

const UNKNOWN_TYPE: Rule<'version'> = {
  id: 'IN22',
  name: 'unknown_type',
  counter: 'chat.integrity.unknown_entries',
  severity: 'info',
  description: 'This version of the library knows every type of entry.',
  subjects: ['version'],
  judge: ({ unknown }) => unknown.map((type) => ({ ids: [], message: type, group: type })),
  report: (marks) => {
    const count = countMarks(marks);
    const entries = `${count} ${count === 1 ? 'entry' : 'entries'} of the type ${marks[0]?.message}`;
    return { ids: [], message: `${entries}, from a later version: kept, not shown`, count };
  },
  unrepaired: 'Only the later version can read the entry.',
};

export const LANE_RULES: readonly Rule[] = [FOREIGN_TEXT, DAMAGED_LANE, HIDDEN_LANE, UNKNOWN_TYPE];
