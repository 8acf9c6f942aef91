import type { Chat } from '@chatdoc/schema';
import { REHOST } from '../repairs/rehost.js';
import type { Rule } from '../rule.js';

export const LANE_RULES: readonly Rule[] = [
  {
    id: 'IN17',
    name: 'foreign_text',
    severity: 'error',
    description: 'Only its owner writes in the text of a lane.',
    check: ({ chat }) =>
      listForeign(chat).map(({ key, characters }) => ({
        ids: [key],
        message: `${characters} characters in this text come from another client, and are not read`,
        count: characters,
      })),
    unrepaired:
      'Nobody reads it, and taking it out would be a deletion; refusing whoever wrote it is for the gate.',
  },
  {
    id: 'IN18',
    name: 'foreign_entry',
    severity: 'error',
    description: 'Parts and finishes of an attempt come from the writer that opened it.',
    check: ({ faults }) => {
      const counts = new Map<string, { readonly lanes: Set<string>; lines: number }>();
      for (const { lane_id, line } of faults.ignored) {
        const attempt = ATTEMPT.exec(line)?.[1] ?? '';
        const known = counts.get(attempt);
        if (known === undefined) counts.set(attempt, { lanes: new Set([lane_id ?? '']), lines: 1 });
        else {
          known.lanes.add(lane_id ?? '');
          known.lines += 1;
        }
      }
      return [...counts].map(([attempt, { lanes, lines }]) => ({
        ids: [attempt, ...[...lanes].sort()],
        message: `${lines} ${lines === 1 ? 'line' : 'lines'} of this attempt from another writer do not count`,
        count: lines,
      }));
    },
    unrepaired: 'The lines are kept and listed, and count for nothing; nobody can say that they were meant.',
  },
  {
    id: 'IN19',
    name: 'damaged_lane',
    severity: 'error',
    description: 'Nobody has deleted the text of a lane, but for a redaction.',
    check: ({ chat }) => {
      const counts = new Map<string, number>();
      for (const { header, lane_id } of chat.damage()) {
        const lane = header?.lane_id ?? lane_id ?? '';
        counts.set(lane, (counts.get(lane) ?? 0) + 1);
      }
      return [...counts].map(([lane, count]) => ({
        ids: lane === '' ? [] : [lane],
        message: `${count} ${count === 1 ? 'line' : 'lines'} of this lane were deleted from the document; this replica still has ${count === 1 ? 'it' : 'them'}`,
        count,
      }));
    },
    repair: REHOST,
  },
  {
    id: 'IN21',
    name: 'hidden_lane',
    severity: 'warning',
    description: 'This version of the library can read every lane.',
    check: ({ chat }) =>
      chat.inspector.hiddenLanes().map((lane) => ({
        ids: [lane],
        message: 'this lane needs a later version of the library; until then nothing in it shows',
      })),
    unrepaired: 'Only the later version knows what the lane says.',
  },
  {
    id: 'IN22',
    name: 'unknown_type',
    severity: 'info',
    description: 'This version of the library knows every type of entry.',
    check: ({ chat }) =>
      countTypes(chat.inspector.unknownTypes()).map(([type, count]) => ({
        ids: [],
        message: `${count} ${count === 1 ? 'entry' : 'entries'} of the type ${type}, from a later version: kept, not shown`,
        count,
      })),
    unrepaired: 'Only the later version knows what the entry says.',
  },
];

function listForeign({ inspector }: Chat): readonly { readonly key: string; readonly characters: number }[] {
  return inspector
    .texts()
    .map((key) => ({ key, characters: inspector.countForeign(key) }))
    .filter(({ characters }) => characters > 0);
}

function countTypes(types: readonly string[]): readonly (readonly [type: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts];
}

const ATTEMPT = /^\{"type":"(?:part|finish","id":"[0-9A-Z]{26})","attempt":"([0-9A-Z]{26})"/;
