export { type ChatScript, chatScripts, writeChat } from '@chatdoc/integrity/testing';
export {
  createScriptEnvironment,
  SCRIPT_START,
} from '../../chat-integrity/src/testing/documents/script-environment.js';
export { findDifference } from '../../chat-integrity/src/testing/simulation/canonical.js';
export { auditedChat, FRAME_MARKS } from './chat/audited-chat.js';
export { brokenDates, dates, forgedDates } from './hostile/dates.js';
export {
  HOSTILE_KINDS,
  type HostileKind,
  type HostileLine,
  type HostileRecord,
  type HostileTargets,
  hostileRecords,
  type LineFate,
  NO_TARGETS,
  writeDeepLine,
  writeHostileRecord,
  writeLongLine,
} from './hostile/hostile-records.js';
export {
  ADDING_UPDATES,
  forgeUpdate,
  HARMING_UPDATES,
  type HostileUpdate,
  hostileUpdates,
  type UpdateKind,
} from './hostile/hostile-updates.js';
export { RESERVED_NAMES, reservedNames, reservedObjects } from './hostile/reserved-names.js';
export { brokenUlids, forgedUlids, notUlids, ulids } from './hostile/ulids.js';
export { newerDocuments, olderDocuments, type VersionedDocument } from './hostile/versions.js';
export { COCALC_GENERATIONS, type CocalcGeneration, cocalcFiles } from './legacy/cocalc-files.js';
export { JUPYTER_SHAPES, type JupyterShape, jupyterFiles } from './legacy/jupyter-files.js';
export { closeUnderNeeds, type LegacyFile, type LegacyRow } from './legacy/legacy-file.js';
export { relationalFiles, TABLE_SHAPES, type TableShape, taskFiles } from './legacy/table-files.js';
export { compareReports, runOracle } from './oracle/oracle.js';
export { extractTexts, headOf, type LaneText, type LineHead } from './oracle/oracle-lines.js';
export type { Everything, OracleResult, Probe, SlotKey } from './oracle/oracle-types.js';
export { canonicalRecords, readEverything, readRecords } from './oracle/read-everything.js';
