/**
 * The kernel that sister packages build on: entries, heads, lines, lanes, and the index. Not for embedders: these
 * names change without notice.
 */

export {
  blankLine,
  closeLine,
  createHead,
  decodeText,
  Escaper,
  encodeLine,
  endsInEscape,
  findBadValue,
  findPrivateRanges,
  type Head,
  healBlanks,
  KIND,
  keyOfLine,
  type ParsedLine,
  parseLine,
  ROLE,
  type Role,
  readHead,
  TYPE_OF_KIND,
} from './entry/codec.js';
export {
  type Entry,
  type EntryType,
  type LaneEntry,
  LIMITS,
  readEntry,
  SCHEMA_VERSION,
} from './entry/entries.js';
export {
  ALPHABET,
  assertUlid,
  DIGIT,
  deriveUlid,
  formatDate,
  formatUlid,
  isUlid,
  isUlidAt,
  MAX_TIME,
  packUlid,
  StampClock,
  timeOfUlid,
  ULID_LENGTH,
  unpackUlid,
} from './entry/ulid.js';
export { authorOf, compareText, isPrivateKind } from './fold/choose.js';
export { findHeads } from './fold/last-writer.js';
export { drawClient } from './host/environment.js';
export { assertObject, assertString, describeType, describeValue } from './host/errors.js';
export { definedOnly, freezeDeep, sameValue } from './host/values.js';
export { EntryIndex, readNumber, type TakenLine } from './index/entry-index.js';
export { type Header, readHeader } from './lane/header.js';
export { parseJSONL } from './lane/jsonl.js';
export { groupLines, joinSections, readSections, type Section, splitLines } from './lane/sections.js';
export {
  ChatOrigin,
  clockOf,
  createLaneText,
  findLaneText,
  isInTransaction,
  isKeyTaken,
  type LaneMap,
  type LaneText,
  listLaneTexts,
  type Run,
  readLaneText,
  readLineRuns,
  readOpenRuns,
} from './lane/structs.js';
