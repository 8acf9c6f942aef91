export { chatScripts, writeChat } from '@chatdoc/integrity/testing';
export {
  createScriptEnvironment,
  SCRIPT_START,
} from '../../chat-integrity/src/testing/documents/script-environment.js';
export { findDifference } from '../../chat-integrity/src/testing/simulation/canonical.js';
export { auditedChat, FRAME_MARKS } from './chat/audited-chat.js';
export { brokenDates, dates, forgedDates } from './hostile/dates.js';
export {
  HOSTILE_KINDS,
  type HostileLine,
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
} from './hostile/hostile-updates.js';
export { RESERVED_NAMES, reservedObjects } from './hostile/reserved-names.js';
export { brokenUlids, forgedUlids, notUlids, ulids } from './hostile/ulids.js';
export { newerDocuments, olderDocuments, type VersionedDocument } from './hostile/versions.js';
export { COCALC_GENERATIONS, cocalcFiles } from './legacy/cocalc-files.js';
export { JUPYTER_SHAPES, jupyterFiles } from './legacy/jupyter-files.js';
export { closeUnderNeeds, type LegacyFile } from './legacy/legacy-file.js';
export { relationalFiles, TABLE_SHAPES, taskFiles } from './legacy/table-files.js';
export { runOracle } from './oracle/oracle.js';
export { extractTexts, headOf, type LaneText } from './oracle/oracle-lines.js';
export type { Everything } from './oracle/oracle-types.js';
export { canonicalRecords, readEverything } from './oracle/read-everything.js';
