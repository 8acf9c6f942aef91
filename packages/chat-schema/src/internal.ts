/**
 * The kernel that sister packages build on: entries, heads, lines, lanes, and the index. Not for embedders: these
 * names change without notice.
 */

export type { CountedEntry, LineFaults, SubjectRole, TouchedLines } from './chat/inspector.js';
export type { ActivationEntry } from './entry/activation.js';
export type { AnnotationEntry } from './entry/annotation.js';
export { ROLE, type Role } from './entry/define.js';
export type { DocumentEntry } from './entry/document.js';
export type { FinishEntry } from './entry/finish.js';
export {
  createHead,
  type Head,
  idAt,
  keyOfLine,
  readHead,
  readLaneId,
  readPartNumber,
} from './entry/head.js';
export type { InterruptEntry } from './entry/interrupt.js';
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
export type { MessageEntry } from './entry/message.js';
export { PART_KINDS, type PartEntry, type PartKind } from './entry/part.js';
export { blankLine, findPrivateRanges } from './entry/private.js';
export { fitsEntry, readEntry } from './entry/read.js';
export type { RedactionEntry } from './entry/redaction.js';
export type { RetryEntry } from './entry/retry.js';
export type { RevisionEntry } from './entry/revision.js';
export type { StopEntry } from './entry/stop.js';
export {
  authorOf,
  ENTRY_TYPES,
  type Entry,
  type EntryType,
  findDefinition,
  isPrivateKind,
  KIND,
  type ReadEntry,
  TYPE_OF_KIND,
} from './entry/table.js';
export { PURPOSES, type ThreadEntry } from './entry/thread.js';
export { CONFIG_FIELDS, type ThreadConfigEntry } from './entry/thread-config.js';
export { THREAD_STATES, type ThreadStateEntry } from './entry/thread-state.js';
export {
  ALPHABET,
  assertUlid,
  DIGIT,
  deriveInterruptId,
  deriveLegacyThreadId,
  deriveSlotThreadId,
  deriveUlid,
  FUTURE_LIMIT_MS,
  formatDate,
  formatUlid,
  isUlid,
  isUlidAt,
  MAX_TIME,
  type ParsedUlid,
  packUlid,
  parseUlid,
  StampClock,
  timeOfUlid,
  ULID_LENGTH,
  unpackUlid,
} from './entry/ulid.js';
export { VARIABLE_SCOPES, type VariablesEntry } from './entry/variables.js';
export { findHeads } from './fold/last-writer.js';
export { listSessions } from './fold/session.js';
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
