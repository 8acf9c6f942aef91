import { deriveAnswerId } from '@chatdoc/schema';
import { deriveUlid, FUTURE_LIMIT_MS, formatUlid, MAX_TIME } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { SCRIPT_START } from '../../../chat-integrity/src/testing/documents/script-environment.js';
import { RESERVED_NAMES } from './reserved-names.js';

const HOUR = 3_600_000;

/** ULIDs that honest writers make: of the hour before `SCRIPT_START` and the hour after. */
export function ulids(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.integer({ min: -HOUR, max: HOUR }), randomParts())
    .map(([offset, random]) => formatUlid(SCRIPT_START + offset, random));
}

const FORGED_TIMES: readonly number[] = [
  ...[0, 1, MAX_TIME, MAX_TIME - 1, 2 ** 47, SCRIPT_START - 365 * 24 * HOUR, SCRIPT_START + 24 * HOUR],
  ...[SCRIPT_START + FUTURE_LIMIT_MS, SCRIPT_START + FUTURE_LIMIT_MS + 1, SCRIPT_START - FUTURE_LIMIT_MS],
];
const NOTHING = new Uint8Array(10);
const EVERYTHING: Uint8Array = new Uint8Array(10).fill(255);

/**
 * ULIDs in canonical form that lie: of 1970, of the last times that a ULID writes, of years and of minutes ahead,
 * with random bits that are all 0 or all 1 (the next number carries into the time), and ids derived from such.
 */
export function forgedUlids(): fc.Arbitrary<string> {
  const random = fc.oneof(fc.constantFrom(NOTHING, EVERYTHING), randomParts());
  const forged = fc
    .tuple(fc.constantFrom(...FORGED_TIMES), random)
    .map(([time, bytes]) => formatTime(time) + formatUlid(0, bytes).slice(10));
  return fc.oneof(
    { weight: 4, arbitrary: forged },
    { weight: 1, arbitrary: forged.map(deriveAnswerId) },
    { weight: 1, arbitrary: fc.constantFrom('0'.repeat(26), `7${'Z'.repeat(25)}`) },
  );
}

function randomParts(): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: 10, maxLength: 10 });
}

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The first ten characters; `formatUlid` keeps ten minutes from the end of time. */
function formatTime(time: number): string {
  let text = '';
  for (let rest = time; text.length < 10; rest = Math.floor(rest / 32))
    text = DIGITS.charAt(rest % 32) + text;
  return text;
}

const STRANGERS = [
  ...'ILOUilou',
  'a',
  'z',
  ' ',
  '-',
  '"',
  '\\',
  '\0',
  '\n',
  'é',
  '０',
  '\ud83d',
  '👋',
  '\uffff',
];

/**
 * Strings that are not ULIDs, most of them by a hair: lower case, `I L O U`, a first character over 7, one
 * character too few, too many or of another script, white space around it, half an emoji, and reserved names.
 */
export function brokenUlids(): fc.Arbitrary<string> {
  const id = ulids();
  const broken = fc.tuple(id, fc.nat(25), fc.constantFrom(...STRANGERS));
  return fc.oneof(
    broken.map(([text, at, stranger]) => text.slice(0, at) + stranger + text.slice(at + 1)),
    broken.map(([text, at, stranger]) => text.slice(0, at) + stranger + text.slice(at)),
    fc.tuple(id, fc.constantFrom(...'89ABCZ')).map(([text, first]) => first + text.slice(1)),
    fc.tuple(id, fc.nat(25)).map(([text, at]) => text.slice(0, at) + text.slice(at + 1)),
    fc.tuple(id, fc.constantFrom(...DIGITS)).map(([text, more]) => text + more),
    id.map((text) => text.toLowerCase()),
    fc.constantFrom('', ...RESERVED_NAMES, deriveUlid(0, 'padded').padStart(27), '0'.repeat(25)),
  );
}

/** Values that are not strings, some of which read like a ULID once something turns them into one. */
export function notUlids(): fc.Arbitrary<unknown> {
  const disguised = ulids().chain((id) =>
    fc.constantFrom<unknown>([id], { toString: () => id }, Object(id), { length: 26 }, Symbol.for(id)),
  );
  return fc.oneof(
    disguised,
    fc.anything().filter((value) => typeof value !== 'string'),
  );
}
