import { formatDate } from '@chatdoc/schema';
import fc from 'fast-check';
import { SCRIPT_START } from '../../../chat-integrity/src/testing/documents/script-environment.js';

const DAY = 86_400_000;

/** Dates that honest writers give: the day before `SCRIPT_START` and the day after. */
export function dates(): fc.Arbitrary<string> {
  return fc.integer({ min: -DAY, max: DAY }).map((offset) => formatDate(SCRIPT_START + offset));
}

/** Dates in canonical form that lie: of 1970, of the year 9999, of no day of any calendar. */
export function forgedDates(): fc.Arbitrary<string> {
  return fc.constantFrom(
    ...['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '0000-00-00T00:00:00.000Z'],
    ...['2026-02-30T00:00:00.000Z', '2026-13-45T99:99:99.999Z', '2036-11-21T12:00:00.000Z'],
  );
}

/** Values that are not dates of a document: other forms of ISO-8601, other time zones, words, digits of other scripts, numbers. */
export function brokenDates(): fc.Arbitrary<unknown> {
  return fc.constantFrom<unknown>(
    ...['2026-11-21', '2026-11-21T12:00:00Z', '2026-11-21T12:00:00.000', '2026-11-21T12:00:00.000+01:00'],
    ...['2026-11-21t12:00:00.000z', '+002026-11-21T12:00:00.000Z', ' 2026-11-21T12:00:00.000Z', 'yesterday'],
    ...['２０２６-11-21T12:00:00.000Z', '', 'Invalid Date', 0, SCRIPT_START, -1, true, null, [], {}],
  );
}
