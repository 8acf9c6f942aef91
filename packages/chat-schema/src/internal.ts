/**
 * The kernel that sister packages build on: entries, heads, lines, lanes, and the index. Not for embedders: these
 * names change without notice.
 */

export { ROLE, type Role } from './entry/define.js';
export {
  createHead,
  type Head,
  idAt,
  keyOfLine,
  readHead,
  readLaneId,
  readPartNumber,
} from './entry/head.js';
export type { LaneEntry } from './entry/lane.js';
export { LIMITS, SCHEMA_VERSION } from './entry/limits.js';
export {
  closeLine,
  decodeText,
  Escaper,
  encodeLine,
  endsInEscape,
  findBadValue,
  healBlanks,
  type ParsedLine,
  parseLine,
} from './entry/line.js';
export { blankLine, findPrivateRanges } from './entry/private.js';
export { fitsEntry, readEntry } from './entry/read.js';
export {
  authorOf,
  type Entry,
  type EntryType,
  isPrivateKind,
  KIND,
  type ReadEntry,
  TYPE_OF_KIND,
} from './entry/table.js';
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
export { findHeads } from './fold/last-writer.js';
export { COST, type Cost } from './host/cost.js';
export { drawClient } from './host/environment.js';
export { assertObject, assertString, describeType, describeValue } from './host/errors.js';
export { compareText, definedOnly, freezeDeep, sameValue } from './host/values.js';
export { EntryIndex, type TakenLine } from './index/entry-index.js';
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
