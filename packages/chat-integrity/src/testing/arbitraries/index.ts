export { type ChatScript, chatScripts, type ScriptCall, writeChat } from './chat-documents.js';
export { COCALC_GENERATIONS, type CocalcGeneration, cocalcFiles } from './cocalc-files.js';
export { brokenDates, dates, forgedDates } from './dates.js';
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
} from './hostile-records.js';
export {
  ADDING_UPDATES,
  forgeUpdate,
  HARMING_UPDATES,
  type HostileUpdate,
  hostileUpdates,
  type UpdateKind,
} from './hostile-updates.js';
export { JUPYTER_SHAPES, type JupyterShape, jupyterFiles } from './jupyter-files.js';
export { closeUnderNeeds, type LegacyFile, type LegacyRow } from './legacy-file.js';
export { RESERVED_NAMES, reservedNames, reservedObjects } from './reserved-names.js';
export { createScriptEnvironment, SCRIPT_START } from './script-environment.js';
export { relationalFiles, TABLE_SHAPES, type TableShape, taskFiles } from './table-files.js';
export { brokenUlids, forgedUlids, notUlids, ulids } from './ulids.js';
export { newerDocuments, olderDocuments, type VersionedDocument } from './versions.js';
